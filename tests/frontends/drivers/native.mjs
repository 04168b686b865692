// node native.mjs <server> <conversation> <key>: the same with what React Native has.
import { register } from "node:module";
import older from "xmlhttprequest"; // one that tells text as it comes, as React Native's does

const hook = `export const resolve = (name, context, next) =>
  name === "react-native-sse" && context.parentURL.endsWith("/native.js")
    ? { url: new URL("as-metro.mjs", context.parentURL).href, shortCircuit: true }
    : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
globalThis.XMLHttpRequest = Object.assign(older.XMLHttpRequest, { LOADING: 3, DONE: 4 });

const [server, conversation, key] = process.argv.slice(2);
const { ask } = await import("./native.js");
const say = (value) => console.log(JSON.stringify(value));

const running = ask(server, conversation, "Hello", {
  key,
  onText: say,
  onEnd: (error) => (say(error ? { error } : null), process.exit()),
});
process.on("SIGUSR1", running.stop);
process.on("SIGUSR2", running.resume);
