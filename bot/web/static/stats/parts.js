// What stands on the page besides the plots: the tiles, the shares, the two tables, and how it was all counted.

import { $, h } from "../dom.js";
import { t } from "../texts.js";
import { count, percent, person, seconds } from "./format.js";
import { table } from "./tables.js";

export const FATES = ["taken", "edited", "own", "rejected", "expired", "recalled"];
const MEANINGS = [["tile.generations", "generations"], ["tile.characters", "characters"], ["tile.engine_seconds", "engine_seconds"], ["tile.hits", "hits"], ["tile.decided", "decided"], ["tile.decide", "decide"]];

/** The whole range in ten figures. */
export function drawTiles(all) {
  const within = (value) => (value === null ? "" : t("tile.p95", { n: seconds(value) }));
  const tiles = [
    ["generations", count(all.generations), all.stopped || all.failed ? t("tile.broken", all) : t("tile.drafts", { n: count(all.drafts) })],
    ["characters", count(all.characters), ""],
    ["engine_seconds", seconds(all.engine_seconds), ""],
    ["seconds_per_character", seconds(all.seconds_per_character), ""],
    ["seconds_per_generation", seconds(all.seconds_per_generation), ""],
    ["characters_per_generation", all.characters_per_generation === null ? "–" : count(all.characters_per_generation), ""],
    ["first_text", seconds(all.first_text_p50), within(all.first_text_p95)],
    ["decided", count(all.decided), all.waiting ? t("tile.waiting", { n: count(all.waiting) }) : ""],
    ["hits", count(all.hits), all.hit_share === null ? "" : t("tile.of", { share: percent(all.hit_share) })],
    ["decide", seconds(all.decide_p50), within(all.decide_p95)],
  ];
  $("#tiles").replaceChildren(
    ...tiles.map(([name, value, more]) => h("div", { data: { tile: name } }, h("dt", {}, t(`tile.${name}`)), h("dd", {}, value), h("dd", {}, more))),
  );
}

export function drawShares(all) {
  const there = FATES.filter((fate) => all[fate] > 0);
  const bar = h("div", { class: "bar", "aria-hidden": "true" }, ...there.map((fate) => share(fate, all.shares[fate])));
  const legend = FATES.map((fate) =>
    h("li", { data: { fate } }, h("span", { class: "swatch", data: { mark: fate } }), t(`fate.${fate}`), h("b", {}, percent(all.shares[fate])), `(${count(all[fate])})`),
  );
  $("#shares").replaceChildren(bar, h("ul", { class: "legend" }, ...legend));
}

function share(fate, part) {
  const piece = h("span", { data: { mark: fate } });
  piece.style.flexGrow = String(part);
  return piece;
}

const COLUMNS = ["decided", "taken", "edited", "hits", "decide_p50", "generations", "characters", "engine_seconds"];
const TIMES = ["decide_p50", "engine_seconds"];
const cells = (row) => COLUMNS.map((name) => (TIMES.includes(name) ? seconds(row[name]) : count(row[name])));
const heads = () => COLUMNS.map((name) => t(`column.${name}`));

export function drawCharacters(rows) {
  $("#characters").replaceChildren(table(t("characters.title"), [t("column.name"), ...heads()], rows.map((row) => [person(row.name), ...cells(row)])));
}

export function drawSubjects(rows) {
  const head = [t("column.title"), t("column.place"), ...heads()];
  $("#subjects").replaceChildren(table(t("subjects.title"), head, rows.map((row) => [row.title, t(`place.${row.place}`), ...cells(row)])));
}

export function drawMeanings() {
  $("#meanings dl").replaceChildren(...MEANINGS.flatMap(([name, meaning]) => [h("dt", {}, t(name)), h("dd", {}, t(`meaning.${meaning}`))]));
}
