// One message on the page: its text, who wrote it, and what can be done with it.

import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { patch } from "./patch.js";

const STATES = {
  cancelled: "Stopped",
  failed: "The reply broke off",
  interrupted: "The server stopped; the text is as far as it came",
};
const RATINGS = [
  ["up", "Good reply"],
  ["down", "Bad reply"],
];
const COPIED_FOR = 1500;

function button(label, content, action, attributes = {}) {
  const node = document.createElement("button");
  node.type = "button";
  node.className = "action";
  node.append(content);
  node.setAttribute("aria-label", label);
  node.title = label;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.addEventListener("click", action);
  return node;
}

// Many deltas cost one rendering: the next frame's, or of a text that takes long to render one in a while.
function later(cost, work) {
  if (cost < 8) requestAnimationFrame(work);
  else setTimeout(work, 5 * cost);
}

// `handlers` are what its buttons do.
export class MessageView {
  constructor(message, handlers) {
    this.handlers = handlers;
    this.node = document.createElement("li");
    this.text = document.createElement("div");
    this.text.className = "text";
    this.note = document.createElement("p");
    this.note.className = "note";
    this.actions = document.createElement("div");
    this.actions.className = "actions";
    this.node.append(this.text, this.note, this.actions);
    this.update(message);
  }

  get unfamiliar() {
    const { role, status, model } = this.message;
    return role === "assistant" && status !== "streaming" && model === undefined;
  }

  update(message) {
    const before = this.message;
    this.message = { ...before, ...message };
    const { id, role, status, content } = this.message;
    this.node.dataset.id = id;
    this.node.className = `message ${role}`;
    this.node.setAttribute("aria-label", role === "user" ? "You" : "Reply");
    this.node.setAttribute("aria-busy", String(status === "streaming"));
    // What is selected, or in focus, stays so where the text is the same.
    if (!before || before.content !== content || before.status !== status) this.render();
    this.tell();
    this.offer();
    this.handlers.grown();
  }

  append(text, model) {
    this.message.content += text;
    if (model && model !== this.message.model) {
      this.message.model = model;
      this.tell();
      this.handlers.grown();
    }
    if (this.scheduled) return;
    this.scheduled = true;
    later(this.cost, () => {
      this.scheduled = false;
      this.render();
      this.handlers.grown();
    });
  }

  render() {
    const began = performance.now();
    const { content, role, status } = this.message;
    if (role === "user") {
      this.text.dir = "auto";
      this.text.textContent = content;
    } else {
      const fresh = markdown(content);
      for (const block of fresh.querySelectorAll("pre")) block.before(this.copyButton(block));
      patch(this.text, fresh);
    }
    this.text.classList.toggle("waiting", status === "streaming" && !content);
    this.cost = performance.now() - began;
  }

  copyButton(block) {
    const row = document.createElement("div");
    row.className = "code-bar";
    row.append(block.firstElementChild.dataset.language || "", this.copying("Copy the code", () => block.textContent));
    return row;
  }

  copying(label, text) {
    const node = button(label, "Copy", async () => {
      if (!(await this.handlers.copy(text()))) return;
      node.textContent = "Copied";
      setTimeout(() => (node.textContent = "Copy"), COPIED_FOR);
    });
    return node;
  }

  tell() {
    const { model, status, error } = this.message;
    const parts = [];
    if (model) parts.push(this.handlers.isFallback(model) ? `${model} (fallback)` : model);
    if (STATES[status]) parts.push(error && status !== "cancelled" ? `${STATES[status]}: ${error}` : STATES[status]);
    this.note.textContent = parts.join(" · ");
    this.note.classList.toggle("bad", status === "failed" || status === "interrupted");
  }

  offer() {
    const focused = this.actions.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
    this.actions.replaceChildren(...this.offered());
    if (focused) this.focus(focused);
  }

  focus(label) {
    const usable = [...this.actions.querySelectorAll("button:enabled")];
    (usable.find((each) => each.getAttribute("aria-label") === label) || usable[0])?.focus();
  }

  offered() {
    const { id, role, status, siblings = [], feedback } = this.message;
    if (status === "streaming") return [];
    const { handlers } = this;
    const nodes = siblings.length > 1 ? [this.branches(siblings.indexOf(id), siblings)] : [];
    nodes.push(this.copying("Copy", () => this.message.content));
    if (role === "user") return [...nodes, button("Edit", "Edit", () => this.edit())];
    nodes.push(button("Answer anew", "Regenerate", () => handlers.regenerate(this.message)));
    for (const [rating, label] of RATINGS) {
      const pressed = feedback?.rating === rating;
      const rate = () => handlers.rate(this.message, pressed ? null : rating);
      nodes.push(button(label, icon(rating), rate, { "aria-pressed": String(pressed) }));
    }
    return nodes;
  }

  branches(index, siblings) {
    const group = document.createElement("span");
    group.className = "branches";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Alternatives");
    const step = (label, sign, to) => button(label, sign, () => this.handlers.activate(siblings[to], label));
    const previous = step("Previous alternative", "‹", index - 1);
    const next = step("Next alternative", "›", index + 1);
    previous.disabled = index <= 0;
    next.disabled = index >= siblings.length - 1;
    group.append(previous, `${index + 1} / ${siblings.length}`, next);
    return group;
  }

  edit() {
    const form = document.createElement("form");
    form.className = "edit";
    const area = document.createElement("textarea");
    area.value = this.message.content;
    area.maxLength = 24000;
    area.dir = "auto";
    area.rows = Math.min(10, area.value.split("\n").length + 1);
    area.setAttribute("aria-label", "Edit the message");
    const save = button("Send the edited message", "Send", () => {});
    save.type = "submit";
    save.className = "send";
    const close = () => {
      form.replaceWith(this.text);
      this.actions.hidden = false;
      this.focus("Edit");
    };
    const row = document.createElement("div");
    row.className = "edit-buttons";
    row.append(save, button("Cancel the edit", "Cancel", close));
    form.append(area, row);
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = area.value;
      if (!text.trim() || this.handlers.isBusy()) return;
      close();
      if (text !== this.message.content) this.handlers.edit(this.message, text);
    });
    this.text.replaceWith(form);
    this.actions.hidden = true;
    area.focus();
  }
}
