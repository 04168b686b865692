// Brings nodes up to date: those that are as they should be stay, selected, scrolled or in focus as they are.

export function patch(parent, fresh) {
  const nodes = [...parent.childNodes];
  const wanted = [...fresh.childNodes];
  let same = 0;
  while (same < nodes.length && same < wanted.length && isSame(nodes[same], wanted[same])) same += 1;
  for (const node of nodes.slice(same)) node.remove();
  parent.append(...wanted.slice(same));
}

function isSame(node, wanted) {
  return node.isEqualNode(wanted) || grown(node, wanted);
}

// Code that only became longer grows in its place.
function grown(node, wanted) {
  if (node.nodeName !== "PRE" || wanted.nodeName !== "PRE") return false;
  const [code, longer] = [node.firstElementChild, wanted.firstElementChild];
  const text = code.firstChild;
  const isLonger = code.dataset.language === longer.dataset.language && longer.textContent.startsWith(text?.data);
  if (isLonger) text.appendData(longer.textContent.slice(text.data.length));
  return isLonger;
}
