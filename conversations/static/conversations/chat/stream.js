// A reply's Server-Sent Events, read to the end whatever happens to the connection on the way.

import { api, ApiError } from "./api.js";

const TRIES = 8;

// The events of a response: { id, data }. Throws where the connection breaks.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    let end;
    while ((end = buffer.indexOf("\n\n")) >= 0) {
      const event = {};
      for (const line of buffer.slice(0, end).split("\n")) {
        const colon = line.indexOf(": ");
        if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 2);
      }
      buffer = buffer.slice(end + 2);
      if (event.data !== undefined) yield event;
    }
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Follow a reply from a position. `response`: a stream that has already begun, else one is asked for.
// on.delta(text, model), on.error(sentence), on.lost(tries) and on.back() are told; resolves at the end.
export async function follow(messageId, { position = 0, response = null, on }) {
  for (let tries = 0; ; ) {
    try {
      const stream = response || (await api.rejoin(messageId, position));
      response = null;
      if (stream.status === 204) return;
      if (tries) on.back();
      for await (const event of events(stream)) {
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
    tries += 1;
    if (tries > TRIES) throw new TypeError("connection lost");
    on.lost(tries);
    await pause(Math.min(250 * 2 ** tries, 8000));
  }
}
