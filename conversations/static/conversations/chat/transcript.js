// What was said, as a list of messages that can grow, be edited, answered anew and rated.

import { markdown } from "./markdown.js";

const STATES = {
  cancelled: "Stopped",
  failed: "The reply broke off",
  interrupted: "The server stopped; the text is as far as it came",
};

function button(label, text, action, attributes = {}) {
  const node = document.createElement("button");
  node.type = "button";
  node.className = "action";
  node.textContent = text;
  node.setAttribute("aria-label", label);
  node.title = label;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.addEventListener("click", action);
  return node;
}

// One message on the page. `handlers` are what its buttons do.
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

  update(message) {
    this.message = { ...this.message, ...message };
    const { id, role, status } = this.message;
    this.node.dataset.id = id;
    this.node.className = `message ${role}`;
    this.node.setAttribute("aria-label", role === "user" ? "You" : "Reply");
    this.node.setAttribute("aria-busy", String(status === "streaming"));
    this.render();
    this.tell();
    this.offer();
  }

  append(text, model) {
    this.message.content += text;
    this.message.model = model || this.message.model;
    if (this.scheduled) return;
    // Many deltas a frame cost one rendering.
    this.scheduled = requestAnimationFrame(() => {
      this.scheduled = null;
      this.render();
      this.handlers.grown();
    });
  }

  render() {
    const { content, role, status } = this.message;
    if (role === "user") {
      this.text.textContent = content;
    } else {
      this.text.replaceChildren(markdown(content));
      for (const block of this.text.querySelectorAll("pre")) block.prepend(this.copyButton(block));
    }
    this.text.classList.toggle("waiting", status === "streaming" && !content);
  }

  copyButton(block) {
    const code = block.querySelector("code");
    return button("Copy the code", "Copy", () => this.handlers.copy(code.textContent));
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
    const { id, role, status, siblings = [], feedback, content } = this.message;
    this.actions.replaceChildren();
    if (status === "streaming") return;
    const handlers = this.handlers;
    if (siblings.length > 1) this.actions.append(this.branches(siblings.indexOf(id), siblings));
    this.actions.append(button("Copy", "Copy", () => handlers.copy(content)));
    if (role === "user") {
      this.actions.append(button("Edit", "Edit", () => this.edit()));
      return;
    }
    this.actions.append(button("Answer anew", "Regenerate", () => handlers.regenerate(this.message)));
    for (const [rating, label, sign] of [["up", "Good reply", "👍"], ["down", "Bad reply", "👎"]]) {
      const pressed = feedback?.rating === rating;
      const rate = () => handlers.rate(this.message, pressed ? null : rating);
      this.actions.append(button(label, sign, rate, { "aria-pressed": String(pressed) }));
    }
  }

  branches(index, siblings) {
    const group = document.createElement("span");
    group.className = "branches";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Alternatives");
    const go = (to) => () => this.handlers.activate(siblings[to]);
    const previous = button("Previous alternative", "‹", go(index - 1));
    const next = button("Next alternative", "›", go(index + 1));
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
    area.rows = Math.min(10, area.value.split("\n").length + 1);
    area.setAttribute("aria-label", "Edit the message");
    const save = button("Send the edited message", "Send", () => {}, {});
    save.type = "submit";
    const close = () => {
      form.replaceWith(this.text);
      this.actions.hidden = false;
    };
    form.append(area, save, button("Cancel the edit", "Cancel", close));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        close();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = area.value;
      close();
      if (text.trim() && text !== this.message.content) this.handlers.edit(this.message, text);
    });
    this.text.replaceWith(form);
    this.actions.hidden = true;
    area.focus();
  }
}

export class Transcript {
  constructor(list, scroller, handlers) {
    this.list = list;
    this.scroller = scroller;
    this.views = new Map();
    this.handlers = { ...handlers, grown: () => this.keepDown() };
    this.pinned = true;
    scroller.addEventListener("scroll", () => {
      this.pinned = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    });
  }

  show(messages) {
    this.views.clear();
    this.list.replaceChildren();
    for (const message of messages) this.add(message);
    this.pinned = true;
    this.keepDown();
  }

  prepend(messages) {
    const height = this.scroller.scrollHeight;
    for (const message of [...messages].reverse()) this.list.prepend(this.view(message).node);
    this.scroller.scrollTop += this.scroller.scrollHeight - height;
  }

  add(message) {
    const view = this.view(message);
    this.list.append(view.node);
    this.keepDown();
    return view;
  }

  view(message) {
    const view = new MessageView({ status: "complete", ...message }, this.handlers);
    this.views.set(message.id, view);
    return view;
  }

  get(id) {
    return this.views.get(id);
  }

  get first() {
    return this.list.firstElementChild?.dataset.id;
  }

  keepDown() {
    if (this.pinned) this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}
