// Signs drawn rather than written: not every machine has a font with thumbs and bins.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  up: "M5 14V7l3-5c1.1 0 1.7.9 1.5 1.9L9 7h4a1 1 0 0 1 1 1.2l-1 5a1 1 0 0 1-1 .8H5zm0-7H2v7h3",
  down: "M11 2v7l-3 5c-1.1 0-1.7-.9-1.5-1.9L7 9H3a1 1 0 0 1-1-1.2l1-5A1 1 0 0 1 4 2h7zm0 7h3V2h-3",
  rename: "M3 13l.7-3L11 2.7 13.3 5 6 12.3 3 13z",
  remove: "M3 4h10M6.5 4V2.5h3V4M4.5 4l.6 9.5h5.8l.6-9.5M6.8 6.5v4.5M9.2 6.5v4.5",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
