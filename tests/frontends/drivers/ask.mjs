// node ask.mjs <piece> <server> <conversation>: asks, prints the text as it comes, then what ended it.
const [piece, server, conversation] = process.argv.slice(2);
const { ask, stop } = await import(`./${piece}`);
const say = (value) => console.log(JSON.stringify(value));

process.on("SIGUSR1", () => stop(server, conversation));
try {
  for await (const text of ask(server, conversation, "Hello")) say(text);
  say(null);
} catch (error) {
  say({ error: error.message });
}
process.exit();
