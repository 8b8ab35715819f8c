// Tables of figures.

import { h } from "../dom.js";

/** `rows`: texts, the first of each being what the row is about. */
export function table(caption, head, rows) {
  return h(
    "table",
    {},
    h("caption", { class: "unseen" }, caption),
    h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row", dir: "auto" }, first), ...rest.map((text) => h("td", {}, text))))),
  );
}
