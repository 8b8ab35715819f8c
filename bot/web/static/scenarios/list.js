// The scenarios by series, as cards. Draws what the server said; what a press does is written in scenarios.js.

import { $, h, patchList, setAttr, setText, show } from "../dom.js";
import { ago, ours, t } from "../texts.js";
import { exportAddress, logAddress, titleOf } from "./calls.js";
import { Face } from "./face.js";

const EXPORTS = ["drama", "card", "png", "zip"];

/** Whether every word of the filter stands somewhere in what is said of a scenario. */
export function matches(scenario, filter) {
  const { series, name, background, characters } = scenario;
  const said = [series, name, background, ...characters.map((one) => one.name)].join("\n").toLowerCase();
  return filter.toLowerCase().split(/\s+/u).every((word) => said.includes(word));
}

/** `state`: {scenarios, scenes, live: title of the show's scenario, filter, loading}. */
export function drawList(state) {
  const found = state.scenarios.filter((scenario) => matches(scenario, state.filter));
  const series = [...new Set(found.map((scenario) => scenario.series))];
  patchList($("#series"), series, (name) => name, makeSeries, (node, name) => {
    setText(node.querySelector("h2"), name);
    const inside = found.filter((scenario) => scenario.series === name);
    const update = (card, scenario) => drawCard(card, scenario, state.live);
    patchList(node.querySelector(".cards"), inside, (scenario) => scenario.name, makeCard, update);
  });
  drawScenes(state);
  setText($("#nothing"), nothing(state, found));
  show($("#example"), !state.loading && state.scenarios.length === 0);
}

function nothing({ loading, filter, scenarios }, found) {
  if (loading) return t("list.loading");
  if (scenarios.length === 0) return t("list.none");
  return found.length === 0 ? t("list.nomatch", { words: filter }) : "";
}

function drawScenes({ scenes, filter }) {
  show($("#recent"), scenes.length > 0 && filter === "");
  patchList($("#scenes"), scenes, (scene) => scene.id, makeScene, (node, scene) => {
    setAttr(node.querySelector("a"), "href", `/desk?scene=${encodeURIComponent(scene.id)}`);
    setText(node.querySelector("strong"), scene.title || scene.name);
    setText(node.querySelector("span"), t("scene.lines", { n: scene.lines, age: ago(Date.now() / 1000 - scene.changed) }));
  });
}

const makeScene = () => h("li", {}, h("a", {}, h("strong", { class: "clip" }), h("span", { class: "minor clip" })));

const makeSeries = () => h("section", { class: "series" }, h("h2"), h("ul", { class: "cards" }));

const button = (does, key, more = {}) => h("button", { type: "button", data: { does, t: key }, ...more }, t(key));

function makeCard() {
  const menu = h("menu", {},
    button("duplicate", "card.duplicate"),
    button("live", "card.live"),
    h("hr"),
    ...EXPORTS.map((kind) => h("a", { download: "", data: { export: kind, t: `card.export.${kind}` } }, t(`card.export.${kind}`))),
    h("hr"),
    button("delete", "card.delete"),
  );
  return h("li", { class: "box card" },
    h("h3"),
    h("p", { class: "live", role: "status" }),
    h("p", { class: "wrong broken" }),
    h("p", { class: "first" }),
    h("ul", { class: "who" }),
    h("details", { class: "logs" }, h("summary"), h("ul")),
    h("div", { class: "row actions" },
      button("open", "card.open"),
      button("edit", "card.edit"),
      h("span", { class: "spring" }),
      h("details", { class: "more" }, h("summary", { data: { t: "card.more" } }, t("card.more")), menu),
    ),
  );
}

function drawCard(node, scenario, live) {
  node.scenario = scenario;
  const broken = Boolean(scenario.problem);
  setText(node.querySelector("h3"), scenario.name);
  const played = titleOf({ series: scenario.series, name: scenario.title || scenario.name });
  setText(node.querySelector(".live"), live === played ? t("card.is_live") : "");
  setText(node.querySelector(".broken"), ours(scenario.problem || ""));
  setText(node.querySelector(".first"), scenario.background);
  setAttr(node, "data-broken", broken);
  for (const does of ["open", "edit", "duplicate", "live"]) node.querySelector(`[data-does="${does}"]`).disabled = broken;
  patchList(node.querySelector(".who"), scenario.characters, (one) => one.name, makePerson, (li, one) => {
    setText(li.lastElementChild, one.name);
    li.face.draw(one);
  });
  for (const link of node.querySelectorAll("[data-export]")) drawExport(link, scenario);
  drawLogs(node.querySelector(".logs"), scenario);
  for (const act of node.querySelectorAll(".actions > [data-does], .more summary")) {
    setAttr(act, "aria-label", t("card.card_of", { what: t(act.dataset.t), name: scenario.name }));
  }
}

/** A file that cannot be read can still be taken away whole; a card is somebody's. */
function drawExport(link, scenario) {
  const kind = link.dataset.export;
  const isCard = kind === "card" || kind === "png";
  setAttr(link, "href", exportAddress(scenario, kind));
  show(link, kind === "zip" || (!scenario.problem && (!isCard || scenario.characters.length > 0)));
}

function makePerson() {
  const face = new Face();
  const node = h("li", {}, face.node, h("span", { class: "clip" }));
  node.face = face;
  return node;
}

function drawLogs(node, scenario) {
  const { logs } = scenario;
  show(node, logs.length > 0);
  setText(node.querySelector("summary"), t("card.logs", { n: logs.length }));
  patchList(node.querySelector("ul"), logs, (log) => log.file, makeLog, (li, log) => {
    li.querySelector("button").dataset.log = log.file;
    li.querySelector("button").disabled = Boolean(log.problem);
    setAttr(li.querySelector("button"), "title", log.problem || t("card.log.open"));
    setAttr(li.querySelector("a"), "href", logAddress(scenario, log.file));
    setText(li.querySelector(".clip"), log.file.replace(/_Log\.json$/, ""));
    setText(li.querySelector(".minor"), log.problem ? "⚠" : t("card.log", { n: log.lines }));
  });
}

function makeLog() {
  const parts = ["clip", "spring", "minor"].map((name) => h("span", { class: name }));
  const open = h("button", { type: "button", data: { does: "log" } }, ...parts);
  return h("li", {}, open, h("a", { class: "link", download: "", data: { t: "card.log.download" } }, t("card.log.download")));
}

/** One open menu at a time, and none after a press elsewhere or Esc. It opens upwards where there is no room below. */
export function keepMenus() {
  document.addEventListener("toggle", ({ target }) => {
    const menu = target.querySelector("menu");
    if (!menu) return;
    setAttr(target, "data-up", null);
    setAttr(target, "data-up", menu.getBoundingClientRect().bottom > innerHeight);
  }, true);
  const open = () => document.querySelectorAll("details.more[open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target) || event.target.closest("menu")) menu.open = false;
  });
  // Before what was chosen asks a question: the menu goes, and the focus comes back to where it was opened.
  document.addEventListener("click", ({ target }) => {
    const chosen = target.closest("details.more menu button");
    if (chosen) chosen.closest("details").querySelector("summary").focus();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
