// node stompit.mjs HOST PORT: sends, receives and acknowledges with stompit; prints null or what went wrong as JSON.

import stompit from "stompit";
import { check, soon } from "./scenarios.mjs";

const [host, port] = process.argv.slice(2);
const queue = "/queue/stompit";

function called(act) {
  return new Promise((resolve, reject) => act((error, value) => (error ? reject(error) : resolve(value))));
}

async function converse() {
  const headers = { host: "/", "heart-beat": "1000,1000" };
  const client = await soon(
    called((back) => stompit.connect({ host, port: Number(port), connectHeaders: headers }, back)),
    "CONNECTED"
  );
  const body = "¡Hola! 漢字 ".repeat(10000);
  await soon(
    new Promise((resolve) => {
      const frame = client.send({ destination: queue, "content-type": "text/plain" }, { onReceipt: resolve });
      frame.end(body);
    }),
    "a RECEIPT"
  );
  const message = await soon(
    called((back) => client.subscribe({ destination: queue, ack: "client-individual" }, back)),
    "a MESSAGE"
  );
  const read = await soon(called((back) => message.readString("utf-8", back)), "its body");
  check(read === body, "another body");
  client.ack(message);
  await soon(called((back) => client.disconnect(back)), "the goodbye");
}

try {
  await converse();
  console.log("null");
} catch (error) {
  console.log(JSON.stringify(String(error.stack || error)));
}
process.exit(0);
