// A plot over time, drawn as SVG: stacked bars, or lines. One place of it is told by pointing, by a tap, or by the arrow keys.

import { h, setText } from "../dom.js";
import { t } from "../texts.js";
import { shownLabels, stacked, ticks } from "./scale.js";
import { table } from "./tables.js";

const SVG = "http://www.w3.org/2000/svg";
const LABEL = 48; // px that a label under the plot needs
const ABOVE = 8, BELOW = 24, RIGHT = 20;

function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/**
 * `spec`: { title, kind: "bars" | "lines", labels: [text], series: [{ mark, name, values: [number | null] }], format }.
 * Bars are stacked; in a line, null is a gap.
 */
export class Plot {
  constructor(root) {
    this.svg = s("svg", { role: "img", tabindex: "0" });
    this.tip = h("div", { class: "tip", role: "status" });
    this.title = h("h2");
    this.legend = h("ul", { class: "legend" });
    this.details = h("details", {}, h("summary"), h("div", { class: "scroll" }));
    this.root = h("figure", { class: "plot" }, this.legend, this.svg, this.tip, this.details);
    root.append(h("section", { class: "box" }, this.title, this.root));
    this.at = null;
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerdown", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.tell(null));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("blur", () => this.tell(null));
    this.svg.addEventListener("focus", () => this.at === null && this.svg.matches(":focus-visible") && this.tell(this.spec.labels.length - 1));
    new ResizeObserver(() => this.svg.clientWidth !== this.width && this.draw()).observe(this.svg);
  }

  show(spec) {
    this.spec = spec;
    setText(this.title, spec.title);
    this.svg.setAttribute("aria-label", t("plot.keys", { title: spec.title }));
    this.legend.replaceChildren(...(spec.series.length > 1 ? spec.series.map((one) => h("li", {}, swatch(one), one.name)) : []));
    setText(this.details.firstChild, t("plot.table"));
    this.details.lastChild.replaceChildren(this.table());
    this.draw();
  }

  table() {
    const { labels, series, format } = this.spec;
    const rows = labels.map((label, index) => [label, ...series.map((one) => (one.values[index] === null ? "–" : format(one.values[index])))]);
    return table(this.spec.title, [t("plot.when"), ...series.map((one) => one.name)], rows.reverse());
  }

  draw() {
    if (!this.spec || !this.svg.clientWidth) return; // hidden: it has no size
    const { labels, series, kind, format } = this.spec;
    this.width = this.svg.clientWidth;
    const height = this.svg.clientHeight;
    const bars = kind === "bars";
    const heights = bars ? labels.map((_, index) => series.reduce((sum, one) => sum + (one.values[index] || 0), 0)) : series.flatMap((one) => one.values);
    const marks = ticks(Math.max(0, ...heights.filter((value) => value !== null)));
    const written = marks.map(format);
    this.left = 12 + 7.5 * Math.max(...written.map((text) => wide(text)));
    this.slot = (this.width - this.left - RIGHT) / labels.length;
    this.y = (value) => ABOVE + (height - ABOVE - BELOW) * (1 - value / marks[marks.length - 1]);
    this.cursor = s("rect", { class: "cursor", x: 0, y: ABOVE, width: Math.max(this.slot, 2), height: height - ABOVE - BELOW, rx: 2 });
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.svg.replaceChildren(
      ...marks.map((value) => s("line", { class: "grid", x1: this.left, x2: this.width - RIGHT, y1: this.y(value), y2: this.y(value) })),
      ...marks.map((value, index) => s("text", { x: this.left - 8, y: this.y(value) + 4, "text-anchor": "end" }, written[index])),
      ...shownLabels(labels.length, this.width - this.left, LABEL).map((index) => this.label(index, height)),
      this.cursor,
      ...(bars ? this.bars() : this.lines()),
    );
    this.tell(this.at !== null && this.at < labels.length ? this.at : null);
  }

  center(index) {
    return this.left + this.slot * (index + 0.5);
  }

  label(index, height) {
    return s("text", { x: this.center(index), y: height - 6, "text-anchor": "middle" }, short(this.spec.labels[index]));
  }

  bars() {
    const width = Math.max(1, Math.min(32, this.slot * 0.72));
    return this.spec.labels.flatMap((_, index) =>
      stacked(this.spec.series.map((one) => one.values[index]))
        .map(([from, to], number) => (to > from ? this.bar(index, width, from, to, this.spec.series[number].mark) : null))
        .filter(Boolean),
    );
  }

  bar(index, width, from, to, mark) {
    const top = this.y(to);
    return s("rect", { class: "bar", "data-mark": mark, x: this.center(index) - width / 2, y: top, width, height: Math.max(1, this.y(from) - top) });
  }

  lines() {
    return this.spec.series.flatMap((one, number) => {
      const points = one.values.map((value, index) => (value === null ? null : [this.center(index), this.y(value)]));
      const path = points.map((point, index) => (point ? `${index && points[index - 1] ? "L" : "M"}${point.join(" ")}` : "")).join("");
      const dots = points.filter(Boolean).map(([cx, cy]) => s("circle", { class: "dot", "data-mark": one.mark, cx, cy, r: 3 }));
      return [s("path", { class: number ? "line second" : "line", "data-mark": one.mark, d: path }), ...dots];
    });
  }

  // -- one place of it -------------------------------------------------------------------------------------------------

  point(event) {
    const x = event.clientX - this.svg.getBoundingClientRect().left;
    const index = Math.floor((x - this.left) / this.slot);
    this.tell(index >= 0 && index < this.spec.labels.length ? index : null);
  }

  key(event) {
    const last = this.spec.labels.length - 1;
    const now = this.at === null ? last : this.at;
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.tell(null);
    if (to === undefined) return;
    event.preventDefault();
    this.tell(Math.min(Math.max(to, 0), last));
  }

  tell(index) {
    this.at = index;
    this.cursor.toggleAttribute("data-on", index !== null);
    if (index === null) return this.tip.replaceChildren();
    const { labels, series, format } = this.spec;
    const rows = series.filter((one) => one.values[index]).map((one) => h("li", {}, swatch(one), one.name, h("span", {}, format(one.values[index]))));
    this.tip.replaceChildren(h("strong", {}, labels[index]), h("ul", {}, ...(rows.length ? rows : [h("li", {}, t("plot.none"))])));
    this.cursor.setAttribute("x", this.center(index) - this.slot / 2);
    this.place(this.center(index));
  }

  /** Beside the cursor, on the side where there is more room, and never over the edge. */
  place(x) {
    const width = this.tip.offsetWidth;
    const left = x > this.width / 2 ? x - width - 12 : x + 12;
    const top = this.svg.getBoundingClientRect().top - this.root.getBoundingClientRect().top + ABOVE;
    this.tip.style.transform = `translate(${Math.max(0, Math.min(left, this.root.clientWidth - width))}px, ${top}px)`;
  }
}

const swatch = (one) => h("span", { class: "swatch", data: { mark: one.mark } });

/** How many Latin letters a text is wide. */
const wide = (text) => Array.from(text).reduce((sum, letter) => sum + (letter > "\u2e80" ? 1.7 : 1), 0);

/** 2026-11-23 → 11-23, 2026-11-23 20:00 → 20:00; a month stays. */
function short(label) {
  if (label.length > 10) return label.slice(11);
  return label.length === 10 ? label.slice(5) : label;
}
