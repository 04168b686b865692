// In open mode nobody can list conversations: the browser remembers those it began.

const KEY = "dialogix.conversations";
const MOST = 200;

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || [];
  } catch {
    return [];
  }
}

function save(conversations) {
  try {
    localStorage.setItem(KEY, JSON.stringify(conversations.slice(0, MOST)));
  } catch {
    // A full or forbidden storage costs the list, not the conversation.
  }
}

export const memory = {
  // null: all of the storage was emptied
  isKept: (key) => key === KEY || key === null,
  list: (query) => {
    const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    return load().filter(({ title }) => words.every((word) => title.toLocaleLowerCase().includes(word)));
  },
  touch: (id, title) => {
    const others = load().filter((each) => each.conversation_id !== id);
    const before = load().find((each) => each.conversation_id === id);
    // The time tells other tabs that there is news of it: a browser passes on changes only.
    save([{ conversation_id: id, title: before?.title || title, at: Date.now() }, ...others]);
  },
  rename: (id, title) => {
    save(load().map((each) => (each.conversation_id === id ? { ...each, title } : each)));
  },
  forget: (id) => save(load().filter((each) => each.conversation_id !== id)),
};
