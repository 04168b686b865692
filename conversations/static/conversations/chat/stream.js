// A reply's Server-Sent Events, read to the end whatever happens to the connection on the way.

import { api, ApiError } from "./api.js";

const TRIES = 10;
const LONGEST_PAUSE = 8000;

// The events of a response: { id, data }. Ends early when the signal fires, throws where the connection breaks.
async function* events(response, signal) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const cancel = () => reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  let buffer = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value;
      let end;
      while ((end = buffer.indexOf("\n\n")) >= 0) {
        const event = parse(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (event.data !== undefined) yield event;
      }
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

function parse(block) {
  const event = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 2);
  }
  return event;
}

// Some time, cut short when the device is online again or nobody waits any more.
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const early = () => (clearTimeout(timer), resolve());
    window.addEventListener("online", early, { once: true });
    signal.addEventListener("abort", early, { once: true });
  });
}

// Follow a reply from a position. `response`: a stream that has already begun, else one is asked for.
// on.delta(text, model), on.error(sentence), on.lost(tries) and on.back() are told; resolves at the end.
export async function follow(messageId, { position = 0, response = null, signal, on }) {
  for (let tries = 0; ; ) {
    try {
      const stream = response || (await api.rejoin(messageId, position, signal));
      response = null;
      if (tries) on.back();
      if (stream.status === 204) return;
      for await (const event of events(stream, signal)) {
        tries = 0;
        if (event.id) position = Number(event.id);
        if (event.data === "[DONE]") return;
        const chunk = JSON.parse(event.data);
        if (chunk.error) on.error(chunk.error);
        else on.delta(chunk.delta.content, chunk.delta.model);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) throw error;
      response = null;
    }
    if (signal.aborted) return;
    tries += 1;
    if (tries > TRIES) throw new TypeError("connection lost");
    on.lost(tries);
    await pause(Math.min(250 * 2 ** tries, LONGEST_PAUSE), signal);
    if (signal.aborted) return;
  }
}
