// node rejoin.mjs <server> <conversation>: follows, prints [id, text] at each change, then null.
import { EventSource } from "eventsource";

globalThis.EventSource = EventSource;
const [server, conversation] = process.argv.slice(2);
const { follow } = await import("./rejoin.js");
const say = (value) => console.log(JSON.stringify(value));
await follow(server, conversation, (id, text) => say([id, text]), () => (say(null), process.exit()));
