// One file that is to be imported: what is in it, what can be chosen, and what is wrong with it. Draws only.

import { h, patchList, setAttr, setText, show } from "../dom.js";
import { named, t } from "../texts.js";
import { titleOf } from "./calls.js";

const button = (does, key, more = {}) => h("button", { type: "button", data: { does }, ...more }, t(key));

const box = (name) => h("label", { class: `field ${name}` }, h("span", {}, t(`import.${name}`)), h("input", { name, maxlength: "100", ...(name === "series" ? { list: "series-names" } : {}) }));

export function makeFind() {
  return h("li", {},
    h("p", { class: "minor what" }),
    h("ul", { class: "inside" }),
    h("div", { class: "pair wishes" }, box("series"), box("user")),
    h("fieldset", { class: "greetings" }, h("legend", {}, t("import.greeting")), h("div")),
    h("p", { class: "wrong", role: "alert" }),
    h("div", { class: "row ends" }, button("dismiss", "import.dismiss", { class: "quiet" }), button("edit", "import.open"), button("take", "import.take", { class: "approve" })),
  );
}

export function drawFind(node, find) {
  const { state } = find;
  node.find = find;
  setAttr(node, "data-state", state);
  setText(node.querySelector(".what"), said(find));
  setText(node.querySelector(".wrong"), find.why || "");
  patchList(node.querySelector(".inside"), (find.found || []).map((one, at) => ({ ...one, at })), ({ at }) => at, makeInside, drawInside);
  drawWishes(node, find);
  show(node.querySelector("[data-does=take]"), state === "found" || state === "taking");
  node.querySelector("[data-does=take]").disabled = state === "taking";
  show(node.querySelector("[data-does=edit]"), state === "taken");
  show(node.querySelector("[data-does=dismiss]"), state === "found" || state === "bad");
}

function said({ state, file, taken }) {
  if (state === "reading") return `${file.name} · ${t("import.reading")}`;
  if (state !== "taken") return file.name;
  return `${file.name} · ${t("import.taken", { name: taken.map(titleOf).join("、") })}`;
}

const makeInside = () => h("li", {}, h("h3"), h("p", { class: "minor counts" }), h("p", { class: "who" }), h("ul", { class: "warnings" }));

function drawInside(node, one) {
  const counts = [["import.opening", one.opening], ["import.lore", one.lore], ["import.logs", one.logs.length], ["import.greetings", one.greetings.length]];
  setText(node.querySelector("h3"), titleOf(one));
  setText(node.querySelector(".counts"), [named("import.kind", one.kind), ...counts.filter(([, n]) => n).map(([key, n]) => t(key, { n })), ...(one.into ? [t("import.into", { name: titleOf(one.into) })] : [])].join(" · "));
  setText(node.querySelector(".who"), one.characters.length ? t("import.characters", { names: one.characters.map((character) => character.name).join("、") }) : "");
  node.querySelector(".warnings").replaceChildren(...one.notes.map((note) => h("li", {}, note)));
}

/** A card is about one character and leaves open who the other one is, and how it begins. */
function drawWishes(node, { id, state, found, wishes }) {
  const [first] = found || [];
  const open = state === "found" && found.length === 1 && !first.into;
  const greetings = open ? first.greetings : [];
  show(node.querySelector(".wishes"), open);
  show(node.querySelector(".user"), open && /^(card|role|webui)/.test(first.kind));
  show(node.querySelector(".greetings"), greetings.length > 1);
  if (open) fill(node, { series: first.series, user: first.characters.filter(({ side }) => side === "User").map(({ name }) => name)[0] || "" });
  patchList(node.querySelector(".greetings div"), greetings.map((words, at) => ({ words, at })), ({ at }) => at, makeGreeting, (label, { words, at }) => {
    Object.assign(label.querySelector("input"), { name: `greeting-${id}`, value: String(at), checked: String(at) === (wishes.greeting || "0") });
    setText(label.querySelector("span"), words);
  });
}

function fill(node, values) {
  for (const [name, value] of Object.entries(values)) {
    const input = node.querySelector(`[name=${name}]`);
    if (document.activeElement !== input) input.value = value;
  }
}

const makeGreeting = () => h("label", {}, h("input", { type: "radio" }), h("span"));
