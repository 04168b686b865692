// node sdk.mjs <server> <conversation>: asks and prints the reply.
const [server, conversation] = process.argv.slice(2);
const { ask } = await import("./sdk.js");
console.log(JSON.stringify(await ask(server, conversation, "Hello")));
