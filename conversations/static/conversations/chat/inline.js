// Markdown within a line: emphasis, code, links. Text becomes text nodes, never HTML.

const SAFE_LINK = /^(https?:|mailto:)/i;
// Bounds keep a text of openers without ends from being looked through once for each of them.
const INLINE = new RegExp(
  [
    /\\(?<escaped>[!-/:-@[-`{-~])/,
    /(?<!`)(?<ticks>`+)(?!`)(?<code>[^]{1,2000}?)(?<!`)\k<ticks>(?!`)/,
    /\*\*\*(?!\s)(?<both>[^]{1,500}?)(?<!\s)\*\*\*(?!\*)/,
    /\*\*(?!\s)(?<strong>[^]{1,500}?)(?<!\s)\*\*(?!\*)/,
    /(?<![\p{L}\p{N}_])__(?!\s)(?<strong2>[^]{1,500}?)(?<!\s)__(?![\p{L}\p{N}_])/,
    /\*(?![\s*])(?<emphasis>[^]{1,500}?)(?<![\s*])\*(?!\*)/,
    /(?<![\p{L}\p{N}_])_(?![\s_])(?<emphasis2>[^]{1,500}?)(?<![\s_])_(?![\p{L}\p{N}_])/,
    /~~(?!\s)(?<struck>[^]{1,500}?)(?<!\s)~~/,
    /!?\[(?<label>[^\]]{1,500})\]\((?<target>[^\s()<>]{1,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500})?)(?:\s+"[^"]{0,500}")?\)/,
    /<(?<bracketed>https?:\/\/[^\s<>]{1,2000})>/,
    /\b(?<address>https?:\/\/(?:[^\s<>()[\]"'`*]|\([^\s<>()[\]"'`*]{0,500}\)){0,2000}(?:[^\s<>()[\]"'`*.,;:!?]|\([^\s<>()[\]"'`*]{0,500}\)))/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gu",
);

export function element(name, children = [], attributes = {}) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) nodes.push(text.slice(at, match.index));
    nodes.push(span(match[0], match.groups));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

function span(whole, found) {
  const { escaped, code, both, struck, label, target } = found;
  const strong = found.strong ?? found.strong2;
  const emphasis = found.emphasis ?? found.emphasis2;
  const address = found.bracketed ?? found.address;
  if (escaped !== undefined) return escaped;
  if (code !== undefined) return element("code", [code.trim() || code]);
  if (both !== undefined) return element("strong", [element("em", inline(both))]);
  if (strong !== undefined) return element("strong", inline(strong));
  if (emphasis !== undefined) return element("em", inline(emphasis));
  if (struck !== undefined) return element("del", inline(struck));
  if (address !== undefined) return link([address], address);
  return SAFE_LINK.test(target) ? link(inline(label), target) : whole;
}

function link(children, target) {
  return element("a", children, { href: target, rel: "noopener noreferrer", target: "_blank" });
}
