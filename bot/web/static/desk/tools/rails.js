// The drawing at the left of a row of the tree: the lanes that cross it, its dot, and the way from its parent's lane.

const SVG = "http://www.w3.org/2000/svg";
const EDGE = 14; // from the border to the first lane, in pixels

export const makeRails = () => shape("svg", { "aria-hidden": "true", class: "rails" });

/** `step`: pixels between two lanes. Heights are in percent: the row may be as high as its words need. Returns the width. */
export function drawRails(svg, row, step) {
  const x = (column) => EDGE + column * step;
  const at = x(row.column);
  svg.setAttribute("width", String(at + EDGE));
  const lanes = row.rails.map(([column, from, to]) => line(x(column), from, x(column), to));
  if (row.kind === "branch" && row.column > 0) lanes.push(line(x(row.column - 1), 0.5, at, 0.5));
  svg.replaceChildren(...lanes, mark(row, at));
  return at + EDGE;
}

const line = (x1, y1, x2, y2) => shape("line", { x1, y1: percent(y1), x2, y2: percent(y2) });
const percent = (part) => `${part * 100}%`;

/** A branch is a dot, a checkpoint a flag on its lane, the present place a ring: told apart without colour. */
function mark({ kind, current, open }, x) {
  if (kind === "checkpoint") return shape("rect", { x: x - 4, y: "50%", width: 8, height: 8, class: "checkpoint" });
  if (kind === "here") return shape("circle", { cx: x, cy: "50%", r: 6, class: "here" });
  return shape("circle", { cx: x, cy: "50%", r: 5, class: [current ? "current" : "", open === false ? "closed" : ""].join(" ").trim() });
}

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}
