// node webstomp.mjs text|binary HOST PORT: converses with webstomp-client; prints null or what went wrong as JSON.

import webstomp from "webstomp-client";
import { WebSocket } from "ws";
import { check, soon } from "./scenarios.mjs";

const [form, host, port] = process.argv.slice(2);
const queue = `/queue/webstomp-${form}`;

async function converse() {
  const socket = new WebSocket(`ws://${host}:${port}/stomp`, ["v12.stomp", "v11.stomp"]);
  const client = webstomp.over(socket, { debug: false, binary: form === "binary" });
  await soon(new Promise((resolve, reject) => client.connect({}, resolve, reject)), "CONNECTED");
  const bodies = ["¡Hola! 漢字", "0123456789".repeat(10000)];
  const came = new Promise((resolve) => {
    const received = [];
    client.subscribe(
      queue,
      (message) => {
        message.ack();
        received.push(message.body);
        if (received.length === bodies.length) resolve(received);
      },
      { ack: "client-individual" }
    );
  });
  bodies.forEach((body) => client.send(queue, body, {}));
  const received = await soon(came, "the messages");
  check(JSON.stringify(received) === JSON.stringify(bodies), JSON.stringify(received).slice(0, 200));
  await soon(new Promise((resolve) => client.disconnect(resolve)), "the goodbye");
}

try {
  await converse();
  console.log("null");
} catch (error) {
  console.log(JSON.stringify(String(error.stack || error)));
}
process.exit(0);
