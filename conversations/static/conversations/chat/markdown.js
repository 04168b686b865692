// Markdown to DOM nodes. Text never becomes HTML, so a reply cannot bring markup or scripts of its own.

const SAFE_LINK = /^(https?:|mailto:)/i;
const INLINE = /(`+)([\s\S]+?)\1|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|\*([^\s*][\s\S]*?)\*|(?<!\w)_([^\s_][\s\S]*?)_(?!\w)|~~([\s\S]+?)~~|\[([^\]]+)\]\(([^)\s]+)\)|(\bhttps?:\/\/[^\s<>()[\]"'`*]*[^\s<>()[\]"'`*.,;:!?])/;

function element(name, children = [], attributes = {}) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function inline(text) {
  const nodes = [];
  for (let rest = text; rest; ) {
    const match = INLINE.exec(rest);
    if (!match) {
      nodes.push(rest);
      break;
    }
    if (match.index) nodes.push(rest.slice(0, match.index));
    nodes.push(span(match));
    rest = rest.slice(match.index + match[0].length);
  }
  return nodes;
}

function span([whole, , code, strong, strong2, emphasis, emphasis2, struck, label, target, address]) {
  if (code !== undefined) return element("code", [code.trim()]);
  if (strong ?? strong2) return element("strong", inline(strong ?? strong2));
  if (emphasis ?? emphasis2) return element("em", inline(emphasis ?? emphasis2));
  if (struck !== undefined) return element("del", inline(struck));
  if (address !== undefined) return link([address], address);
  return SAFE_LINK.test(target) ? link(inline(label), target) : whole;
}

function link(children, target) {
  return element("a", children, { href: target, rel: "noopener noreferrer", target: "_blank" });
}

// Each paragraph runs in the direction of its own script.
const AUTO = { dir: "auto" };
// A text may nest its quotes and lists no deeper: what is beyond stays text.
const DEEPEST = 12;
const FENCE = /^\s{0,3}(```+|~~~+)\s*([\w+#.-]*)/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

export function markdown(text) {
  const fragment = document.createDocumentFragment();
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const levels = lines.map((line) => HEADING.exec(line)?.[1].length ?? DEEPEST);
  // The shallowest heading of a reply comes under the page's own, whatever it was called.
  fragment.append(...blocks(lines, { depth: 0, top: levels.reduce((a, b) => Math.min(a, b), DEEPEST) }));
  return fragment;
}

const deeper = ({ depth, top }) => ({ depth: depth + 1, top });

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
      nodes.push(element("blockquote", blocks(inner, deeper(place))));
    } else if (ITEM.test(line)) {
      at = list(lines, at, nodes, place);
    } else if (line.includes("|") && at + 1 < lines.length && TABLE_RULE.test(lines[at + 1])) {
      at = table(lines, at, nodes);
    } else {
      at = paragraph(lines, at, nodes);
    }
  }
  return nodes;
}

function fence(lines, at, nodes) {
  const [, marks, language] = FENCE.exec(lines[at]);
  const code = [];
  for (at += 1; at < lines.length && !lines[at].trim().startsWith(marks); at += 1) code.push(lines[at]);
  const block = element("code", [code.join("\n")], language ? { "data-language": language } : {});
  nodes.push(element("pre", [block], { tabindex: "0", dir: "ltr" }));
  return at + 1;
}

function list(lines, at, nodes, place) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark);
  const items = [];
  for (; at < lines.length; at += 1) {
    const match = ITEM.exec(lines[at]);
    if (match && match[1].length <= indent.length + 1) {
      if (/\d/.test(match[2]) !== ordered) break;
      items.push([match[3]]);
    } else if (items.length && (/^\s{2,}/.test(lines[at]) || (match && match[1].length > indent.length))) {
      items.at(-1).push(lines[at].replace(/^\s{2,4}/, ""));
    } else {
      break;
    }
  }
  const children = items.map((item) => {
    const rest = blocks(item.slice(1), deeper(place));
    return element("li", [...inline(item[0]), ...rest], AUTO);
  });
  nodes.push(element(ordered ? "ol" : "ul", children, ordered ? { start: String(parseInt(mark, 10)) } : {}));
  return at;
}

function table(lines, at, nodes) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const row = (line, name) => element("tr", cells(line).map((cell) => element(name, inline(cell), AUTO)));
  const head = element("thead", [row(lines[at], "th")]);
  const body = element("tbody");
  for (at += 2; at < lines.length && lines[at].includes("|"); at += 1) body.append(row(lines[at], "td"));
  nodes.push(element("div", [element("table", [head, body])], { class: "table", tabindex: "0" }));
  return at;
}

function paragraph(lines, at, nodes) {
  const text = [];
  for (; at < lines.length && lines[at].trim(); at += 1) {
    if (text.length && [FENCE, HEADING, QUOTE, ITEM].some((each) => each.test(lines[at]))) break;
    text.push(lines[at]);
  }
  const children = [];
  text.forEach((line, index) => {
    if (index) children.push(element("br"));
    children.push(...inline(line));
  });
  nodes.push(element("p", children, AUTO));
  return at;
}
