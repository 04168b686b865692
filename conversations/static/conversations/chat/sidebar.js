// The list of conversations: the signed-in user's from the server, in open mode those this browser began.

import { api } from "./api.js";
import { memory } from "./memory.js";
import { ask } from "./dialog.js";

const $ = (id) => document.getElementById(id);

export class Sidebar {
  constructor({ owned, open, removed, problem }) {
    this.owned = owned;
    this.handlers = { open, removed, problem };
    this.current = null;
    this.cursor = null;
    let timer;
    $("search").addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.refresh(), 200);
    });
    $("more-conversations").addEventListener("click", () => this.load(false));
    $("open-sidebar").addEventListener("click", () => this.drawer(true));
    $("close-sidebar").addEventListener("click", () => this.drawer(false));
    $("scrim").addEventListener("click", () => this.drawer(false));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && document.body.classList.contains("drawer")) this.drawer(false);
    });
  }

  drawer(open) {
    document.body.classList.toggle("drawer", open);
    $("scrim").hidden = !open;
    $("open-sidebar").setAttribute("aria-expanded", String(open));
    (open ? $("new-conversation") : $("message")).focus();
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

  item({ conversation_id: id, title }) {
    const item = document.createElement("li");
    item.dataset.id = id;
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.textContent = title || "New conversation";
    if (id === this.current) link.setAttribute("aria-current", "page");
    link.addEventListener("click", () => document.body.classList.contains("drawer") && this.drawer(false));
    item.append(link, this.action("Rename", "✎", () => this.rename(id, link)), this.action("Delete", "🗑", () => this.remove(id, link)));
    return item;
  }

  action(label, sign, act) {
    const node = document.createElement("button");
    node.type = "button";
    node.className = "icon-button";
    node.textContent = sign;
    node.setAttribute("aria-label", label);
    node.title = label;
    node.addEventListener("click", act);
    return node;
  }

  async rename(id, link) {
    const title = await ask({ title: "Rename the conversation", value: link.textContent, confirm: "Rename" });
    if (title === null || !title.trim()) return;
    try {
      await api.renameConversation(id, title.trim());
      if (!this.owned) memory.rename(id, title.trim());
      link.textContent = title.trim();
      if (id === this.current) $("title").textContent = title.trim();
    } catch (error) {
      this.handlers.problem(error);
    }
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
    this.handlers.removed(id);
    await this.refresh();
  }
}
