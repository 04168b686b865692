// Markdown to DOM nodes. Text never becomes HTML, so a reply cannot bring markup or scripts of its own.

import { element, inline } from "./inline.js";

// Each paragraph runs in the direction of its own script.
const AUTO = { dir: "auto" };
const LETTER = /\p{L}/u;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
// A text may nest its quotes and lists no deeper: what is beyond stays text.
const DEEPEST = 12;
const FENCE = /^(\s*)(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(?:(\s+)(.*))?$/;
const QUOTE = /^\s{0,3}>\s?(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const TASK = /^\[([ xX])\]\s+/;

// What holds paragraphs runs as its first letter does: `auto` does not look into what has a direction of its own.
function directed(node) {
  if (RIGHT_TO_LEFT.test(LETTER.exec(node.textContent)?.[0] ?? "")) node.dir = "rtl";
  return node;
}

export function markdown(text) {
  const fragment = document.createDocumentFragment();
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const levels = lines.map((line) => HEADING.exec(line)?.[1].length ?? DEEPEST);
  // The shallowest heading of a reply comes under the page's own, whatever it was called.
  fragment.append(...blocks(lines, { depth: 0, top: levels.reduce((a, b) => Math.min(a, b), DEEPEST) }));
  return fragment;
}

const deeper = ({ depth, top }) => ({ depth: depth + 1, top });
const isTable = (lines, at) => lines[at].includes("|") && TABLE_RULE.test(lines[at + 1] ?? "");

// What ends a paragraph. A list in the midst of one begins with 1, as a year at a line's start does not.
function begins(lines, at) {
  const line = lines[at];
  if ([FENCE, HEADING, QUOTE, RULE].some((each) => each.test(line))) return true;
  const item = ITEM.exec(line);
  if (item?.[4]) return !/\d/.test(item[2]) || parseInt(item[2], 10) === 1;
  return isTable(lines, at);
}

// place.depth: of quotes and lists around; place.top: the level of the shallowest heading
function blocks(lines, place) {
  const nodes = [];
  if (place.depth > DEEPEST) return [lines.join("\n")];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    if (!line.trim()) {
      at += 1;
    } else if (FENCE.test(line)) {
      at = fence(lines, at, nodes);
    } else if (HEADING.test(line)) {
      const [, marks, title] = HEADING.exec(line);
      nodes.push(element(`h${Math.max(3, Math.min(3 + marks.length - place.top, 6))}`, inline(title), AUTO));
      at += 1;
    } else if (RULE.test(line)) {
      nodes.push(element("hr"));
      at += 1;
    } else if (QUOTE.test(line)) {
      const inner = [];
      for (; at < lines.length && QUOTE.test(lines[at]); at += 1) inner.push(QUOTE.exec(lines[at])[1]);
      nodes.push(directed(element("blockquote", blocks(inner, deeper(place)))));
    } else if (ITEM.test(line)) {
      at = list(lines, at, nodes, place);
    } else if (isTable(lines, at)) {
      at = table(lines, at, nodes);
    } else {
      at = paragraph(lines, at, nodes);
    }
  }
  return nodes;
}

// Lines without up to so many spaces at their beginning.
const outdent = (line, spaces) => line.slice(Math.min(spaces, line.search(/\S|$/)));

function fence(lines, at, nodes) {
  const [, indent, marks, language] = FENCE.exec(lines[at]);
  const code = [];
  const isEnd = (line) => line.trim().startsWith(marks) && !line.trim().replaceAll(marks[0], "");
  for (at += 1; at < lines.length && !isEnd(lines[at]); at += 1) code.push(outdent(lines[at], indent.length));
  const block = element("code", [code.join("\n")], language ? { "data-language": language } : {});
  nodes.push(element("pre", [block], { tabindex: "0", dir: "ltr" }));
  return at + 1;
}

function list(lines, at, nodes, place) {
  const mark = ITEM.exec(lines[at])[2];
  const { items, loose, end } = gathered(lines, at);
  const children = items.map((item) => entry(item, loose, deeper(place)));
  const [name, attributes] = /\d/.test(mark) ? ["ol", { start: String(parseInt(mark, 10)) }] : ["ul", {}];
  nodes.push(directed(element(name, children, attributes)));
  return end;
}

// The items of the list that begins there, each as its lines. loose: whether there are empty lines between.
function gathered(lines, at) {
  const [, { length: indent }, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark);
  const isNext = (item) => item && item[1].length <= indent + 1 && /\d/.test(item[2]) === ordered;
  const items = [];
  let inset = 0; // of the text of an item
  let loose = false;
  while (at < lines.length) {
    const next = afterEmpty(lines, at);
    const item = next < lines.length && !RULE.test(lines[next]) ? ITEM.exec(lines[next]) : null;
    const inside = next < lines.length && (lines[next].search(/\S/) >= inset || (item && item[1].length > indent));
    if (isNext(item)) {
      loose ||= next > at;
      inset = item[1].length + item[2].length + Math.min(item[3]?.length ?? 1, 4);
      items.push([item[4] ?? ""]);
    } else if (inside) {
      loose ||= next > at;
      items.at(-1).push(...lines.slice(at, next), outdent(lines[next], inset));
    } else if (next === at && !item && !begins(lines, at)) {
      items.at(-1).push(lines[at]); // a paragraph goes on, however lazily
    } else {
      break;
    }
    at = next + 1;
  }
  return { items, loose, end: at };
}

function afterEmpty(lines, at) {
  while (at < lines.length && !lines[at].trim()) at += 1;
  return at;
}

function entry([first, ...rest], loose, place) {
  const text = first.replace(TASK, (_, mark) => (mark === " " ? "☐ " : "☑ "));
  const nodes = blocks([text, ...rest], place);
  const tight = (node) => (!loose && node.nodeName === "P" ? [...node.childNodes] : [node]);
  return element("li", nodes.flatMap(tight), AUTO);
}

function table(lines, at, nodes) {
  const cells = (line) => line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());
  const sides = cells(lines[at + 1]).map((rule) => (rule.endsWith(":") ? (rule[0] === ":" ? "center" : "right") : ""));
  const cell = (name, text, side) => element(name, inline(text.replaceAll("\\|", "|")), side ? { ...AUTO, class: side } : AUTO);
  const row = (line, name) => element("tr", cells(line).map((text, column) => cell(name, text, sides[column])));
  const head = element("thead", [row(lines[at], "th")]);
  const body = element("tbody");
  for (at += 2; at < lines.length && lines[at].includes("|"); at += 1) body.append(row(lines[at], "td"));
  nodes.push(directed(element("div", [element("table", [head, body])], { class: "table", tabindex: "0" })));
  return at;
}

function paragraph(lines, at, nodes) {
  const children = [];
  for (let first = true; at < lines.length && lines[at].trim(); at += 1, first = false) {
    if (!first && begins(lines, at)) break;
    if (!first) children.push(element("br"));
    children.push(...inline(lines[at]));
  }
  nodes.push(element("p", children, AUTO));
  return at;
}
