// What was said, as a list of messages that can grow.

import { MessageView } from "./message.js";

const NEAR_THE_END = 80;

export class Transcript {
  // handlers.details(view) is called for a reply that comes into sight and of which only the text is known.
  constructor(list, scroller, handlers) {
    this.list = list;
    this.scroller = scroller;
    this.views = new Map();
    this.handlers = { ...handlers, grown: () => this.keepDown() };
    this.pinned = true;
    this.top = 0;
    scroller.addEventListener("scroll", () => this.scrolled());
    this.sight = new IntersectionObserver((entries) => entries.forEach((each) => this.seen(each)), { root: scroller });
  }

  // Who goes up, however little, wants to read there; who comes near the end, to follow.
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const left = scrollHeight - scrollTop - clientHeight;
    if (scrollTop < this.top && left > 1) this.pinned = false;
    else if (left < NEAR_THE_END) this.pinned = true;
    this.top = scrollTop;
    this.handlers.scrolled(this.pinned);
  }

  toEnd() {
    this.pinned = true;
    this.keepDown();
    this.handlers.scrolled(true);
  }

  seen({ target, isIntersecting }) {
    if (!isIntersecting) return;
    this.sight.unobserve(target);
    const view = this.get(target.dataset.id);
    if (view?.unfamiliar) this.handlers.details(view);
  }

  show(messages) {
    this.sight.disconnect();
    this.views.clear();
    this.list.replaceChildren();
    this.toEnd();
    for (const message of messages) this.add(message);
  }

  prepend(messages) {
    const height = this.scroller.scrollHeight;
    this.list.prepend(...messages.map((message) => this.view(message).node));
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
    if (view.unfamiliar) this.sight.observe(view.node);
    return view;
  }

  get(id) {
    return this.views.get(id);
  }

  // Take away a message and all that follows it.
  cut(id) {
    const nodes = [...this.list.children];
    const from = nodes.findIndex((node) => node.dataset.id === id);
    if (from < 0) return;
    for (const node of nodes.slice(from)) {
      this.views.delete(node.dataset.id);
      node.remove();
    }
  }

  // Whether exactly these are its newest, each standing as it does.
  ends(messages) {
    const shown = [...this.list.children].slice(-messages.length).map(({ dataset }) => this.get(dataset.id)?.message);
    const isSame = (each, index) => each.id === shown[index]?.id && (each.status || "complete") === shown[index].status;
    return messages.length > 0 && messages.every(isSame);
  }

  get editing() {
    return Boolean(this.list.querySelector("form"));
  }

  get first() {
    return this.list.firstElementChild?.dataset.id;
  }

  get last() {
    return this.get(this.list.lastElementChild?.dataset.id)?.message;
  }

  keepDown() {
    if (!this.pinned) return;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.top = this.scroller.scrollTop; // nobody went there
  }
}
