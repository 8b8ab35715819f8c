// The page of scenarios: joins the list, the form, importing and the bin. The address says what is shown: #/new, #/edit/….

import { $, h, show } from "../dom.js";
import { notice, openPage, refused } from "../page.js";
import { t } from "../texts.js";
import { confirmed } from "./ask.js";
import { drawBin, listenToBin } from "./bin.js";
import * as calls from "./calls.js";
import { Form } from "./form.js";
import { Importing } from "./importing.js";
import { drawList, keepMenus } from "./list.js";
import { open } from "./reading.js";
import "./texts.js";

const RECENT = 6;

const page = { scenarios: [], scenes: [], bin: [], presets: [], live: "", filter: "", loading: true, route: "", scroll: 0 };
const form = new Form(saved);
const importing = new Importing(() => load(), (place) => go(editAddress(place)));

// -- what there is ---------------------------------------------------------------------------------------------------

async function load() {
  const [listing, scenes, state] = await Promise.all([calls.listing(), calls.scenes(), calls.state()]);
  page.loading = false;
  if (listing.ok) takeListing(listing.answer);
  else refused(listing);
  if (scenes.ok) page.scenes = scenes.answer.scenes.filter((scene) => !scene.binned).slice(0, RECENT);
  if (state.ok) page.live = state.answer.status.scenario || "";
  draw();
}

function takeListing({ series, bin, presets }) {
  page.scenarios = series.flatMap((one) => one.scenarios.map((scenario) => ({ ...scenario, series: one.series })));
  page.bin = bin;
  page.presets = presets;
  $("#series-names").replaceChildren(...series.map((one) => h("option", { value: one.series })));
}

function draw() {
  drawList(page);
  drawBin(page.bin);
  form.redraw();
  document.title = t("page.scenarios");
}

// -- where one is ----------------------------------------------------------------------------------------------------

const editAddress = ({ series, name }) => `#/edit/${encodeURIComponent(series)}/${encodeURIComponent(name)}`;
const go = (address) => {
  if (location.hash === address) route();
  else location.hash = address;
};

/** The form stands at its own address, so that going back in the browser leaves it, and a reload opens it again. */
async function route() {
  const { hash } = location;
  if (form.isOpen && hash !== page.route && !(await mayLeave())) return history.pushState(null, "", page.route || "#");
  page.route = hash;
  const [, what, series, name] = hash.split("/").map(decodeURIComponent);
  const place = what === "edit" ? { series, name } : null;
  form.close();
  const opened = what === "edit" || what === "new" ? await form.open(place, page.presets, latestSeries()) : false;
  if (opened && !$("#library").hidden) page.scroll = scrollY;
  show($("#editor"), opened);
  show($("#library"), !opened);
  scrollTo(0, opened ? 0 : page.scroll);
  if (opened && !place) $("#form").elements[page.scenarios.length ? "name" : "series"].focus();
}

/** Where somebody worked last: most likely a new one belongs there, too. */
function latestSeries() {
  const [latest] = [...page.scenarios].sort((a, b) => b.changed - a.changed);
  return latest ? latest.series : "";
}

/** The address names the place where the scenario now lies. */
function saved(place) {
  page.route = editAddress(place);
  history.replaceState(null, "", page.route);
  load();
}

const mayLeave = async () => !form.isDirty || confirmed(t("form.leave.title"), t("form.leave.text"), t("form.leave.yes"));

const back = () => go("#");

// -- what a press does -----------------------------------------------------------------------------------------------

const ACTIONS = {
  open: (scenario) => open(scenario),
  log: (scenario, press) => open(scenario, press.dataset.log),
  edit: (scenario) => go(editAddress(scenario)),
  duplicate: async (scenario) => {
    const answer = await calls.duplicate(scenario);
    if (answer.ok) notice(t("card.duplicated", { name: answer.answer.name }));
    return answer;
  },
  live: async (scenario) => {
    const answer = await calls.useForShow(scenario);
    if (answer.ok) notice(t("card.lived", { name: scenario.name }));
    return answer;
  },
  delete: async (scenario) => {
    if (!(await confirmed(t("delete.title"), t("delete.text", { name: scenario.name }), t("card.delete")))) return null;
    const answer = await calls.discard(scenario);
    if (answer.ok) notice(t("deleted", { name: scenario.name }));
    return answer;
  },
};

async function act(press) {
  const answer = await ACTIONS[press.dataset.does](press.closest(".card").scenario, press);
  if (!answer) return;
  if (!answer.ok) refused(answer);
  load();
}

async function takeExample() {
  const answer = await calls.takeExample();
  if (!answer.ok) refused(answer);
  load();
}

async function saveAndOpen() {
  const place = form.isDirty || !form.base.place ? await form.save() : form.base.place;
  if (place) open(place);
}

// -- listening -------------------------------------------------------------------------------------------------------

$("#series").addEventListener("click", (event) => {
  const press = event.target.closest("[data-does]");
  if (press) act(press);
});
$("#filter").addEventListener("input", () => {
  page.filter = $("#filter").value.trim();
  drawList(page);
});
$("#filter").addEventListener("keydown", (event) => {
  const first = $(".card [data-does=open]");
  if (event.key === "Enter" && !event.isComposing && first) first.focus();
});
$("#new").addEventListener("click", () => go("#/new"));
$("#import").addEventListener("click", () => importing.open());
$("#example").addEventListener("click", takeExample);
$("#form-back").addEventListener("click", back);
$("#form-open").addEventListener("click", saveAndOpen);
listenToBin(load);
keepMenus();

const isTyping = (node) => node.closest("input, textarea, select, dialog[open]") !== null;

/** From card to card, as they are read. */
function step(by) {
  const cards = [...document.querySelectorAll(".card")];
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const next = cards[at < 0 ? 0 : at + by];
  if (next) next.querySelector(".actions button:not(:disabled), .actions summary").focus();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  arrowdown: () => step(1),
  arrowup: () => step(-1),
  n: () => go("#/new"),
  i: () => importing.open(),
  "/": () => $("#filter").focus(),
};

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s" && form.isOpen) {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) form.save();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || form.isOpen || isTyping(event.target)) return;
  const does = KEYS[event.key.toLowerCase()];
  if (!does) return;
  event.preventDefault();
  does();
});

window.addEventListener("hashchange", route);

openPage(draw);
await load();
await route();
