// The page: what its parts know of each other, and what a person does.

import { copy } from "./clipboard.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { memory } from "./memory.js";
import { announce, attempt, problem, settle } from "./notices.js";
import { Sidebar } from "./sidebar.js";
import { Transcript } from "./transcript.js";

const $ = (id) => document.getElementById(id);
const owned = document.body.dataset.mode === "required";

function isFallback(model) {
  return [...$("provider").options].every((option) => option.dataset.model !== model);
}

async function copied(text) {
  try {
    await copy(text);
  } catch {
    return problem("The browser does not allow to copy.");
  }
  announce("Copied.");
  return true;
}

const transcript = new Transcript($("transcript"), $("scroller"), {
  isFallback,
  isBusy: () => conversation.busy,
  copy: copied,
  edit: (message, text) => (conversation.edit(message, text), composer.focus()),
  regenerate: (message) => (conversation.regenerate(message), composer.focus()),
  activate: (id, label) => attempt(() => conversation.activate(id, label)),
  rate: (message, rating) => conversation.rate(message, rating),
  details: (view) => conversation.details(view),
  scrolled: (atEnd) => ($("newest").hidden = atEnd),
});

const conversation = new Conversation(transcript, {
  // A first message has been sent; `here`: and is still looked at.
  began: (id, text, here) => {
    if (!owned) memory.touch(id, text.replace(/\s+/g, " ").trim().slice(0, 80));
    if (here) history.pushState(null, "", `#${id}`);
    listed();
  },
  changed: () => {
    if (!owned) memory.touch(conversation.id, $("title").textContent);
    listed();
  },
  refused: (text) => composer.empty && composer.write(text),
});

const sidebar = new Sidebar({
  owned,
  problem,
  renamed: () => entitle(),
  removed: (id) => id === conversation.id && begin(),
});

const composer = new Composer($("composer"), $("message"), (text) => {
  if (conversation.busy) return announce("A reply is under way.");
  composer.write("");
  conversation.send(text);
});

async function listed() {
  await sidebar.refresh();
  sidebar.select(conversation.id);
  await entitle();
}

async function entitle() {
  const { id } = conversation;
  const title = id && (await sidebar.titleOf(id));
  if (id !== conversation.id) return;
  $("title").textContent = title || "New conversation";
  document.title = title ? `${title} · Dialogix` : "Dialogix";
}

function open(id) {
  conversation.open(id);
  sidebar.select(id);
  entitle();
  composer.focus();
}

function begin() {
  if (location.hash) history.pushState(null, "", location.pathname);
  open(null);
}

// -- what a person does ------------------------------------------------------------------------------------------------

const stop = () => conversation.busy && attempt(() => conversation.stop());
$("stop").addEventListener("click", stop);
$("dismiss").addEventListener("click", () => (settle(), composer.focus()));
$("newest").addEventListener("click", () => (transcript.toEnd(), composer.focus()));
$("new-conversation").addEventListener("click", () => (sidebar.drawer(false), begin()));
$("earlier").addEventListener("click", async () => {
  $("earlier").disabled = true;
  await attempt(() => conversation.earlier());
  $("earlier").disabled = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("dialog").open && event.target !== $("search")) {
    if (!sidebar.drawer(false)) stop();
  }
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    sidebar.drawer(true);
    $("search").focus();
  }
});

function introduce() {
  $("welcome-model").textContent = $("provider").selectedOptions[0]?.dataset.model ?? "no model";
}
$("provider").addEventListener("change", introduce);
introduce();

function pressed() {
  $("theme").setAttribute("aria-pressed", String(document.documentElement.dataset.theme === "dark"));
}
$("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  pressed();
  try {
    localStorage.setItem("dialogix.theme", theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
});
pressed();

function addressed() {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null;
  }
}
window.addEventListener("popstate", () => addressed() === conversation.id || open(addressed()));
// Another tab began, renamed or deleted one, or goes on with this one.
window.addEventListener("storage", ({ key }) => {
  if (owned || !memory.isKept(key)) return;
  sidebar.refresh();
  conversation.look();
});
document.addEventListener("visibilitychange", () => document.hidden || conversation.look());
window.addEventListener("online", () => conversation.look());
await sidebar.refresh();
open(addressed());
document.body.dataset.ready = "";
