// Keeps an open conversation up to date: what is being written grows, and what is new is added.

const WRITING = 700;
const QUIET = 4000;

const chat = document.getElementById("dx-chat");
if (chat?.dataset.live) watch();

async function watch() {
  for (;;) {
    await pause(chat.querySelector("[data-streaming]") ? WRITING : QUIET);
    if (document.hidden) continue;
    try {
      if (!(await look())) return;
    } catch {
      // The server is away for a moment: the next look tells.
    }
  }
}

/** Ask once. Returns whether there is more to look for. */
async function look() {
  const answer = await fetch(`${chat.dataset.live}?${question()}`, { headers: { Accept: "application/json" } });
  if (answer.status === 404) return over("dx-erased");
  if (answer.redirected || answer.status === 403) return false;
  if (!answer.ok) return true;
  const news = await answer.json();
  const atEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 120;
  for (const key of news.gone) document.getElementById(`m-${key}`)?.remove();
  if (news.moved) return over("dx-moved");
  for (const { key, html } of news.bubbles) put(key, html);
  if (news.facts) document.getElementById("dx-facts").replaceWith(element(news.facts));
  if (atEnd && news.bubbles.length) window.scrollTo({ top: document.body.scrollHeight });
  return true;
}

function question() {
  const question = new URLSearchParams();
  const shown = [...chat.querySelectorAll("[data-key]")].map((each) => Number(each.dataset.key));
  if (shown.length) question.set("last", Math.max(...shown));
  if (chat.dataset.path) question.set("path", chat.dataset.path);
  for (const each of chat.querySelectorAll("[data-streaming]")) question.append("streaming", each.dataset.key);
  return question;
}

/** The server's own, cleaned markup takes the place of what stood there; open details stay open. */
function put(key, html) {
  const old = document.getElementById(`m-${key}`);
  const fresh = element(html);
  if (!old) {
    chat.querySelector(":scope > p")?.remove();
    chat.append(fresh);
    return;
  }
  if (old.querySelector("details")?.open) fresh.querySelector("details").open = true;
  old.replaceWith(fresh);
}

function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function over(note) {
  document.getElementById(note).hidden = false;
  return false;
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}
