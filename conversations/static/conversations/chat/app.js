// The page: one conversation at a time, whose replies go on whether it is looked at or not.

import { api, ApiError } from "./api.js";
import { memory } from "./memory.js";
import { Sidebar } from "./sidebar.js";
import { follow } from "./stream.js";
import { Transcript } from "./transcript.js";

const $ = (id) => document.getElementById(id);
const PAGE = 50;
const LOST = "The connection is lost. The reply goes on at the server; reconnecting…";
const owned = document.body.dataset.mode === "required";

const state = { id: null, replying: null, visit: 0, key: null };

// -- what the page says ------------------------------------------------------------------------------------------------

const announce = (text) => ($("announcer").textContent = text);

function problem(error, retry = null) {
  const text = error instanceof ApiError ? error.message : "The connection is lost. Please try again.";
  $("problem-text").textContent = typeof error === "string" ? error : text;
  $("retry").hidden = !retry;
  $("retry").onclick = retry && (() => (settle(), retry()));
  $("problem").hidden = false;
}

function settle() {
  $("problem").hidden = true;
}

function busy(replyId) {
  state.replying = replyId;
  $("stop").hidden = !replyId;
  $("send").hidden = Boolean(replyId);
}

function isFallback(model) {
  const options = [...$("provider").options].map((option) => option.dataset.model);
  return options.length > 0 && !options.includes(model);
}

// -- the conversation --------------------------------------------------------------------------------------------------

const transcript = new Transcript($("transcript"), $("scroller"), {
  isFallback,
  copy: async (text) => {
    await navigator.clipboard.writeText(text);
    announce("Copied.");
  },
  edit: (message, text) => reply(() => api.edit(message.id, text, $("provider").value)),
  regenerate: (message) => reply(() => api.regenerate(message.id, $("provider").value)),
  activate: (id) => attempt(async () => show(await api.activate(id))),
  rate: (message, rating) =>
    attempt(async () => transcript.get(message.id)?.update({ feedback: (await api.feedback(message.id, rating)).feedback })),
});

async function attempt(work) {
  settle();
  try {
    return await work();
  } catch (error) {
    problem(error);
  }
}

function show(messages) {
  $("welcome").hidden = messages.length > 0;
  $("earlier").hidden = messages.length < PAGE;
  transcript.show(messages);
}

async function open(id) {
  const visit = (state.visit += 1);
  state.id = id;
  busy(null);
  settle();
  sidebar.select(id);
  $("title").textContent = titleOf(id);
  show([]);
  if (!id) return $("message").focus();
  try {
    const messages = await api.history(id);
    if (visit !== state.visit) return;
    show(messages);
    const last = messages.at(-1);
    if (last?.status === "streaming") watch(last.id, { position: last.position });
  } catch (error) {
    if (visit === state.visit) problem(error);
  }
}

function titleOf(id) {
  const link = id && $("conversations").querySelector(`[data-id="${CSS.escape(id)}"] a`);
  return link ? link.textContent : "New conversation";
}

// Follow a reply that is on the page until it ends, unless another conversation is opened meanwhile.
async function watch(id, { position = 0, response = null } = {}) {
  const visit = state.visit;
  const here = () => visit === state.visit;
  const view = transcript.get(id);
  busy(id);
  try {
    await follow(id, {
      position,
      response,
      on: {
        delta: (text, model) => here() && view.append(text, model),
        error: (sentence) => here() && problem(sentence),
        lost: () => here() && problem(LOST),
        back: () => here() && settle(),
      },
    });
    if (here()) await finish(id);
  } catch (error) {
    if (here()) problem(error, () => watch(id, { position: [...view.message.content].length }));
  } finally {
    if (here()) busy(null);
  }
}

async function finish(id) {
  const message = await api.readMessage(id);
  const view = transcript.get(id);
  if (message.content) {
    view.update(message);
    announce(`Reply from ${message.model}: ${message.content.slice(0, 500)}`);
  } else {
    view.node.remove();
  }
  await listed();
}

// Begin a reply and show it: the stream's headers name it, the history shows where it stands.
async function reply(begin, retry = null) {
  settle();
  busy("…");
  const visit = state.visit;
  try {
    const response = await begin();
    if (visit !== state.visit) return response.body.cancel();
    const id = response.headers.get("X-Message-ID");
    const messages = await api.history(state.id);
    if (visit !== state.visit) return response.body.cancel();
    show(messages.map((each) => (each.id === id ? { ...each, content: "", status: "streaming" } : each)));
    state.key = null;
    await watch(id, { response });
  } catch (error) {
    if (visit !== state.visit) return;
    busy(null);
    await attempt(async () => show(await api.history(state.id)));
    problem(error, retry);
  }
}

async function send(text) {
  settle();
  if (!state.id) {
    const created = await attempt(api.createConversation);
    if (!created) return false;
    state.id = created;
    history.pushState(null, "", `#${created}`);
  }
  if (!owned) memory.touch(state.id, transcript.first ? "" : text.replace(/\s+/g, " ").slice(0, 80));
  await sidebar.refresh();
  sidebar.select(state.id);
  transcript.add({ id: "pending", role: "user", content: text });
  $("welcome").hidden = true;
  // The same key for the same message: a retry after a lost answer makes no second one.
  state.key = state.key?.text === text ? state.key : { text, value: crypto.randomUUID() };
  const { value } = state.key;
  const begin = () => api.send($("provider").value, state.id, text, value);
  reply(begin, () => send(text));
  return true;
}

async function listed() {
  await sidebar.refresh();
  sidebar.select(state.id);
  $("title").textContent = titleOf(state.id);
}

const sidebar = new Sidebar({
  owned,
  problem,
  open,
  removed: (id) => id === state.id && (location.hash = ""),
});

// -- what a person does ------------------------------------------------------------------------------------------------

$("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("message").value;
  if (!text.trim() || state.replying) return;
  $("message").value = "";
  grow();
  if (!(await send(text))) {
    $("message").value = text;
    grow();
  }
});

$("message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});

function grow() {
  const area = $("message");
  area.rows = Math.min(8, Math.max(1, area.value.split("\n").length));
}
$("message").addEventListener("input", grow);

const stop = () => state.replying && state.replying !== "…" && attempt(() => api.cancel(state.replying));
$("stop").addEventListener("click", stop);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("dialog").open) stop();
  if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    $("search").focus();
  }
});

$("new-conversation").addEventListener("click", () => {
  if (location.hash) history.pushState(null, "", location.pathname);
  document.body.classList.remove("drawer");
  $("scrim").hidden = true;
  open(null);
});
$("dismiss").addEventListener("click", settle);
$("earlier").addEventListener("click", () =>
  attempt(async () => {
    const messages = await api.history(state.id, transcript.first);
    transcript.prepend(messages);
    $("earlier").hidden = messages.length < PAGE;
  }),
);

// -- light and dark ----------------------------------------------------------------------------------------------------

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", String(dark));
}
const chosen = localStorage.getItem("dialogix.theme");
theme(chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme !== "dark";
  theme(dark);
  localStorage.setItem("dialogix.theme", dark ? "dark" : "light");
});

const fromAddress = () => open(decodeURIComponent(location.hash.slice(1)) || null);
window.addEventListener("hashchange", fromAddress);
window.addEventListener("popstate", fromAddress);
await sidebar.refresh();
fromAddress();
