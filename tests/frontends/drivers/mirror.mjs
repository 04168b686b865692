// node mirror.mjs <server> <conversation> [token]: prints all texts at each change; ends when asked to on stdin's end.
import { WebSocket } from "ws";

globalThis.WebSocket ??= WebSocket;
const [server, conversation, token] = process.argv.slice(2);
const { mirror } = await import("./mirror.js");
const end = mirror(
  server,
  conversation,
  (messages) => console.log(JSON.stringify(messages.map(({ content, status }) => [content, status]))),
  token,
);
process.on("SIGUSR1", end);
