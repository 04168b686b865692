// The list of conversations: the signed-in user's from the server, in open mode those this browser began.

import { api } from "./api.js";
import { memory } from "./memory.js";
import { ask } from "./dialog.js";
import { icon } from "./icons.js";

const NARROW = matchMedia("(max-width: 720px)");

const $ = (id) => document.getElementById(id);

export class Sidebar {
  constructor({ owned, ...handlers }) {
    this.owned = owned;
    this.handlers = handlers;
    this.current = null;
    this.cursor = null;
    let timer;
    $("search").addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.refresh(), 200);
    });
    $("more-conversations").addEventListener("click", () => this.more());
    $("open-sidebar").addEventListener("click", () => this.drawer(true));
    $("close-sidebar").addEventListener("click", () => this.drawer(false));
    $("scrim").addEventListener("click", () => this.drawer(false));
    NARROW.addEventListener("change", () => this.drawer(false));
  }

  // Open or close the list where there is no room for it beside the conversation. Returns whether that changed anything.
  drawer(open) {
    const changes = document.body.classList.contains("drawer") !== (open && NARROW.matches);
    if (!changes) return false;
    document.body.classList.toggle("drawer", open);
    document.querySelector("main").inert = open;
    $("scrim").hidden = !open;
    $("open-sidebar").setAttribute("aria-expanded", String(open));
    (open ? $("close-sidebar") : $("open-sidebar")).focus();
    return true;
  }

  select(id) {
    this.current = id;
    for (const item of $("conversations").children) {
      const link = item.querySelector("a");
      if (item.dataset.id === id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  refresh() {
    return this.load(true);
  }

  async more() {
    $("more-conversations").disabled = true;
    await this.load(false);
    $("more-conversations").disabled = false;
  }

  async load(anew) {
    const query = $("search").value.trim();
    try {
      const page = await this.page(query, anew ? null : this.cursor);
      if (query !== $("search").value.trim()) return;
      if (anew) $("conversations").replaceChildren();
      $("conversations").append(...page.conversations.map((each) => this.item(each)));
      this.cursor = page.next_cursor;
      $("more-conversations").hidden = !page.next_cursor;
      $("no-conversations").hidden = $("conversations").children.length > 0;
      $("no-conversations").textContent = query ? "Nothing found." : "No conversations yet.";
    } catch (error) {
      this.handlers.problem(error);
    }
  }

  async page(query, cursor) {
    if (this.owned) return api.listConversations(query, cursor);
    return { conversations: memory.list(query), next_cursor: null };
  }

  linkTo(id) {
    return $("conversations").querySelector(`[data-id="${CSS.escape(id)}"] a`);
  }

  // Also of one that is not in the list. Null where it has none, or does not exist.
  async titleOf(id) {
    const link = this.linkTo(id);
    if (link) return link.textContent;
    const { title = null } = await api.readConversation(id).catch(() => ({}));
    return title;
  }

  item({ conversation_id: id, title }) {
    const item = document.createElement("li");
    item.dataset.id = id;
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.dir = "auto";
    link.textContent = title || "New conversation";
    if (id === this.current) link.setAttribute("aria-current", "page");
    link.addEventListener("click", () => this.drawer(false));
    const rename = this.action("Rename", link, "rename", () => this.rename(id, link));
    const remove = this.action("Delete", link, "remove", () => this.remove(id, link));
    item.append(link, rename, remove);
    return item;
  }

  action(label, link, sign, act) {
    const node = document.createElement("button");
    node.type = "button";
    node.className = "icon-button";
    node.append(icon(sign));
    node.setAttribute("aria-label", `${label} “${link.textContent}”`);
    node.title = label;
    node.addEventListener("click", act);
    return node;
  }

  async rename(id, link) {
    const title = await ask({ title: "Rename the conversation", value: link.textContent, confirm: "Rename" });
    if (title === null || !title.trim()) return;
    try {
      await api.renameConversation(id, title.trim());
    } catch (error) {
      return this.handlers.problem(error);
    }
    memory.rename(id, title.trim());
    await this.refresh();
    this.linkTo(id)?.focus();
    this.handlers.renamed();
  }

  async remove(id, link) {
    const text = `“${link.textContent}” and all its messages will be gone for good.`;
    if ((await ask({ title: "Delete the conversation?", text, confirm: "Delete" })) === null) return;
    try {
      await api.deleteConversation(id);
    } catch (error) {
      if (error.status !== 404) return this.handlers.problem(error);
    }
    memory.forget(id);
    await this.refresh();
    $("new-conversation").focus();
    this.handlers.removed(id);
  }
}
