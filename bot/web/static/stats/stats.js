// The page of figures: asks the server for a range of days, and draws what it says. The address holds the question.

import { get } from "../api.js";
import { $, h, show } from "../dom.js";
import { openPage, refused } from "../page.js";
import { t } from "../texts.js";
import { count, seconds } from "./format.js";
import { FATES, drawCharacters, drawMeanings, drawShares, drawSubjects, drawTiles } from "./parts.js";
import { Plot } from "./plot.js";
import "./texts.js";

const SPANS = [1, 7, 30, 0]; // days to today; 0: all there are
const USUAL = 30;
const PATIENCE = 180000; // ms; a record of many years takes a while to read

const form = $("#range");
const plots = ["decisions", "times", "characters", "engine"].map(() => new Plot($("#plots")));
let found = null;
let asked = 0;

const day = (back) => {
  const date = new Date(Date.now() - back * 86400000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
};

function chooseSpan(days) {
  form.elements.from.value = days ? day(days - 1) : "";
  form.elements.to.value = days ? day(0) : "";
}

/** What the address asks for, or the last days. */
function choose() {
  const query = new URLSearchParams(location.search);
  if (!["from", "to", "place"].some((name) => query.has(name))) return chooseSpan(USUAL);
  for (const name of ["from", "to", "place"]) form.elements[name].value = query.get(name) || "";
}

function question() {
  return new URLSearchParams(["from", "to", "place"].map((name) => [name, form.elements[name].value]));
}

async function ask() {
  const number = ++asked;
  const query = question();
  history.replaceState(null, "", `?${query}`);
  $("#csv").href = `/api/stats.csv?${query}`;
  $("#pairs").href = `/api/stats/pairs.jsonl?${query}`;
  drawSpans();
  $("#stats").setAttribute("aria-busy", "true");
  const answer = await get(`/api/stats?${query}`, PATIENCE);
  if (number !== asked) return; // another question was asked meanwhile
  $("#stats").removeAttribute("aria-busy");
  if (!answer.ok) return refused(answer);
  found = answer.answer;
  draw();
}

function drawSpans() {
  const { from, to } = form.elements;
  const pressed = (days) => (days ? from.value === day(days - 1) && to.value === day(0) : !from.value && !to.value);
  $("#spans").replaceChildren(...SPANS.map((days) => h("button", { type: "button", data: { days }, "aria-pressed": String(pressed(days)) }, t(`range.${days}`))));
}

function draw() {
  if (found === null) return;
  const nothing = found.buckets.length === 0;
  show($("#empty"), nothing);
  show($("#figures"), !nothing);
  if (nothing) return;
  drawTiles(found.totals);
  drawShares(found.totals);
  drawCharacters(found.characters);
  drawSubjects(found.subjects);
  drawMeanings();
  specs().forEach((spec, index) => plots[index].show(spec));
}

function specs() {
  const labels = found.buckets.map((bucket) => bucket.start);
  const values = (name) => found.buckets.map((bucket) => bucket[name]);
  const plot = (title, kind, format, ...series) => ({ title: t(`plot.${title}`), kind, format, labels, series });
  const one = (name, title) => ({ mark: "first", name: t(`plot.${title}`), values: values(name) });
  return [
    plot("decisions", "bars", count, ...FATES.map((fate) => ({ mark: fate, name: t(`fate.${fate}`), values: values(fate) }))),
    plot("times", "lines", seconds, one("decide_p50", "p50"), { mark: "second", name: t("plot.p95"), values: values("decide_p95") }),
    plot("characters", "bars", count, one("characters", "characters")),
    plot("engine", "bars", seconds, one("engine_seconds", "engine")),
  ];
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ask);
$("#spans").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button === null) return;
  chooseSpan(Number(button.dataset.days));
  ask().then(() => $(`#spans [data-days="${button.dataset.days}"]`).focus());
});
choose();
openPage(() => {
  drawSpans();
  document.title = t("stats.title");
  draw();
});
ask();
