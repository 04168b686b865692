// The conversation that is looked at. Its replies go on at the server whether anybody looks or not.

import { api } from "./api.js";
import { announce, attempt, problem, settle } from "./notices.js";
import { follow } from "./stream.js";

const PAGE = 50;
const STOP_EVERY = 200; // milliseconds
const LOST = "The connection is lost. The reply goes on at the server; reconnecting…";
const UNANSWERED = "This message has no answer yet.";

const $ = (id) => document.getElementById(id);
const provider = () => $("provider").value;
const isStreaming = (message) => message.status === "streaming";

// A key without crypto.randomUUID, which pages that came by plain http do not have.
const randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16)).join("-");

export class Conversation {
  // hooks.began(id, text, here), hooks.changed() and hooks.refused(text) tell the page around it.
  constructor(transcript, hooks) {
    this.transcript = transcript;
    this.hooks = hooks;
    this.id = null;
    this.key = null;
    this.leave();
  }

  get busy() {
    return this.pending || this.running.size > 0;
  }

  // -- looking -------------------------------------------------------------------------------------------------------

  // Whatever is under way for the last conversation, or branch, shall touch this page no more.
  leave() {
    this.visit?.abort();
    this.visit = new AbortController();
    this.running = new Set();
    this.wait(false);
    settle();
    return this.visit.signal;
  }

  async open(id) {
    const signal = this.leave();
    this.id = id;
    this.transcript.show([]);
    $("welcome").hidden = Boolean(id);
    $("earlier").hidden = true;
    if (!id) return;
    try {
      const messages = await api.history(id);
      if (!signal.aborted) this.show(messages);
    } catch (error) {
      if (!signal.aborted) problem(error, error.status ? null : () => this.open(id));
    }
  }

  // Show these, and follow the replies among them that are under way. own: a reply whose stream we have.
  show(messages, own = {}) {
    const running = messages.filter((each) => each.id === own.id || isStreaming(each));
    const fresh = (each) => (each.id === own.id ? { ...each, content: "", status: "streaming" } : each);
    this.transcript.show(messages.map(fresh));
    $("welcome").hidden = messages.length > 0;
    $("earlier").hidden = messages.length < PAGE;
    if (messages.at(-1)?.role === "user") problem(UNANSWERED, () => this.send(messages.at(-1).content));
    return Promise.all(
      running.map((each) => this.watch(each.id, each.id === own.id ? own : { position: each.position })),
    );
  }

  // Another tab or device may have gone on with it.
  async look() {
    const { signal } = this.visit;
    if (!this.id || this.busy || this.transcript.editing) return;
    const messages = await api.history(this.id).catch(() => []);
    if (signal.aborted || this.busy || !messages.length || this.transcript.ends(messages)) return;
    this.show(messages);
    this.hooks.changed();
  }

  async earlier() {
    const { signal } = this.visit;
    const messages = await api.history(this.id, this.transcript.first);
    if (signal.aborted) return;
    this.transcript.prepend(messages);
    $("earlier").hidden = messages.length < PAGE;
  }

  async activate(id, label) {
    const signal = this.visit.signal;
    const messages = await api.activate(id);
    if (signal.aborted) return;
    this.leave();
    this.show(messages);
    this.transcript.get(id)?.focus(label);
  }

  // Follow a reply that is on the page until it ends, unless something else is looked at meanwhile.
  async watch(id, { position = 0, response = null } = {}) {
    const { signal } = this.visit;
    const view = this.transcript.get(id);
    let broken = null;
    this.running.add(id);
    this.tell();
    const on = {
      delta: (text, model) => signal.aborted || view.append(text, model),
      error: (sentence) => (broken = sentence),
      lost: () => signal.aborted || problem(LOST),
      back: () => signal.aborted || settle(),
    };
    try {
      await follow(id, { position, response, signal, on });
      if (!signal.aborted) await this.finish(view, broken);
    } catch (error) {
      const again = () => this.watch(id, { position: [...view.message.content].length });
      if (!signal.aborted) problem(error, again);
    } finally {
      if (!signal.aborted) this.running.delete(id);
      if (!signal.aborted) this.tell();
    }
  }

  async finish(view, broken) {
    const message = await api.readMessage(view.message.id);
    view.update(message);
    if (message.content) announce(`Reply from ${message.model}: ${message.content.slice(0, 500)}`);
    else this.transcript.cut(message.id);
    const question = this.transcript.last;
    const again = () => (message.content ? this.regenerate(message) : this.send(question.content));
    if (broken) problem(broken, again);
    else if (!message.content) problem(UNANSWERED, again);
    this.hooks.changed();
  }

  // -- asking --------------------------------------------------------------------------------------------------------

  send(text) {
    if (this.busy) return;
    const { last } = this.transcript;
    this.transcript.toEnd();
    if (last?.role !== "user" || last.content !== text) this.transcript.add({ id: "sent", role: "user", content: text });
    const begin = async () => {
      const id = this.id || (await this.create(text));
      return api.send(provider(), id, text, this.keyOf(id, text));
    };
    this.reply(begin, () => this.send(text), text);
  }

  edit(message, text) {
    if (this.busy) return;
    this.transcript.cut(message.id);
    this.transcript.add({ id: "sent", role: "user", content: text });
    this.reply(() => api.edit(message.id, text, provider()), () => this.edit(message, text));
  }

  regenerate(message) {
    if (this.busy) return;
    this.transcript.cut(message.id);
    this.reply(() => api.regenerate(message.id, provider()), () => this.regenerate(message));
  }

  // Begin a reply and show it: the stream's headers name it, the history shows where it stands.
  async reply(begin, again, text = null) {
    const { signal } = this.visit;
    settle();
    $("welcome").hidden = true;
    this.transcript.add({ id: "awaited", role: "assistant", content: "", status: "streaming" });
    this.wait(true);
    try {
      const response = await begin();
      const messages = signal.aborted || (await api.history(this.id));
      // Nobody looks any more: the reply goes on without a viewer.
      if (signal.aborted) return response.body.cancel();
      const id = response.headers.get("X-Message-ID");
      if (messages.every((each) => each.id !== id)) response.body.cancel();
      this.key = null;
      this.pending = false;
      const shown = this.show(messages, { id, response });
      this.tell();
      this.hooks.changed();
      await shown;
    } catch (error) {
      if (!signal.aborted) await this.refused(error, again, text);
    }
  }

  async refused(error, again, text) {
    const { signal } = this.visit;
    const messages = this.id ? await api.history(this.id).catch(() => null) : [];
    if (signal.aborted) return;
    this.wait(false);
    this.transcript.cut("awaited");
    if (!messages) return problem(error, again);
    this.show(messages);
    const last = messages.at(-1);
    const returned = text !== null && !(last?.role === "user" && last.content === text);
    if (returned) this.hooks.refused(text);
    problem(error, returned ? null : again);
  }

  async create(text) {
    const { signal } = this.visit;
    const id = await api.createConversation();
    if (!signal.aborted) this.id = id;
    this.hooks.began(id, text, !signal.aborted);
    return id;
  }

  // The same for the same request: a retry after a lost answer makes no second message.
  keyOf(...request) {
    const of = JSON.stringify([provider(), ...request]);
    if (this.key?.of !== of) this.key = { of, value: randomKey() };
    return this.key.value;
  }

  async stop() {
    const { signal } = this.visit;
    if (this.stopping === signal) return;
    this.stopping = signal;
    try {
      const ids = await this.stoppable(signal);
      if (!signal.aborted) await Promise.all(ids.map((id) => api.cancel(id)));
    } finally {
      this.stopping = null;
    }
  }

  // The answer that names a reply comes with its first word, so before that the history is asked, until the reply is there.
  async stoppable(signal) {
    while (this.pending && !this.running.size && !signal.aborted) {
      const messages = this.id ? await api.history(this.id) : [];
      const ids = messages.filter(isStreaming).map(({ id }) => id);
      if (ids.length) return ids;
      await new Promise((resolve) => setTimeout(resolve, STOP_EVERY));
    }
    return [...this.running];
  }

  rate(message, rating) {
    return attempt(async () => this.transcript.get(message.id)?.update(await api.feedback(message.id, rating)));
  }

  // The history tells who answered only while it matters to a client that comes back; a person likes to see it always.
  async details(view) {
    const message = await api.readMessage(view.message.id).catch(() => null);
    if (message) view.update(message);
  }

  wait(pending) {
    this.pending = pending;
    this.tell();
  }

  tell() {
    const stopped = this.busy ? $("send") : $("stop");
    const focused = document.activeElement === stopped;
    $("stop").hidden = !this.busy;
    $("send").hidden = this.busy;
    if (focused) $("message").focus();
  }
}
