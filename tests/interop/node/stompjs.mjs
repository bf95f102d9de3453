// node stompjs.mjs websocket|tcp HOST PORT: prints as JSON what went wrong in each scenario.

import { Client } from "@stomp/stompjs";
import { TCPWrapper } from "@stomp/tcp-wrapper";
import { WebSocket } from "ws";
import { run } from "./scenarios.mjs";

Object.assign(globalThis, { WebSocket });
const [transport, host, port] = process.argv.slice(2);
const isWebSocket = transport === "websocket";
const place = isWebSocket
  ? { brokerURL: `ws://${host}:${port}/ws` }
  : { webSocketFactory: () => new TCPWrapper(host, Number(port)) };

const results = await run((options) => new Client({ ...place, ...options }), { prefix: `node-${transport}`, isWebSocket });
console.log(JSON.stringify(results));
process.exit(0);
