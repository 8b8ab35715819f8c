// One file that is to be imported: what is in it, what can be chosen, and what is wrong with it. Draws only.

import { h, patchList, setAttr, setText, show } from "../dom.js";
import { named, t } from "../texts.js";
import { titleOf } from "./calls.js";

const button = (does, key, more = {}) => h("button", { type: "button", data: { does }, ...more }, t(key));

function box(name) {
  const known = name === "series" ? { list: "series-names" } : {};
  return h("label", { class: `field ${name}` }, h("span", {}, t(`import.${name}`)), h("input", { name, maxlength: "100", ...known }));
}

export function makeFind() {
  return h("li", {},
    h("p", { class: "minor what" }),
    h("ul", { class: "inside" }),
    h("div", { class: "pair wishes" }, box("series"), box("user")),
    h("fieldset", { class: "greetings" }, h("legend", {}, t("import.greeting")), h("div")),
    h("p", { class: "wrong", role: "alert" }),
    h("div", { class: "row ends" },
      button("dismiss", "import.dismiss", { class: "quiet" }),
      button("edit", "import.open"),
      button("take", "import.take", { class: "approve" }),
    ),
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

function makeInside() {
  return h("li", {}, h("h3"), h("p", { class: "minor counts" }), h("p", { class: "who" }), h("ul", { class: "warnings" }));
}

function drawInside(node, one) {
  const names = one.characters.map((character) => character.name).join("、");
  setText(node.querySelector("h3"), titleOf(one));
  setText(node.querySelector(".counts"), counted(one));
  setText(node.querySelector(".who"), names && t("import.characters", { names }));
  node.querySelector(".warnings").replaceChildren(...one.notes.map((note) => h("li", {}, note)));
}

function counted({ kind, opening, lore, logs, greetings, into }) {
  const counts = { opening, lore, logs: logs.length, greetings: greetings.length };
  const said = Object.entries(counts).filter(([, n]) => n > 0).map(([what, n]) => t(`import.${what}`, { n }));
  return [named("import.kind", kind), ...said, ...(into ? [t("import.into", { name: titleOf(into) })] : [])].join(" · ");
}

/** A card is about one character and leaves open who the other one is, and how it begins. */
function drawWishes(node, { id, state, found, wishes }) {
  const [first] = found || [];
  const open = state === "found" && found.length === 1 && !first.into;
  const greetings = open ? first.greetings : [];
  show(node.querySelector(".wishes"), open);
  show(node.querySelector(".user"), open && /^(card|role|webui)/.test(first.kind));
  show(node.querySelector(".greetings"), greetings.length > 1);
  if (open) fill(node, { series: first.series, user: userOf(first) });
  const chosen = wishes.greeting || "0";
  patchList(node.querySelector(".greetings div"), Object.entries(greetings), ([at]) => at, makeGreeting, (label, [at, words]) => {
    Object.assign(label.querySelector("input"), { name: `greeting-${id}`, value: at, checked: at === chosen });
    setText(label.querySelector("span"), words);
  });
}

function userOf({ characters }) {
  const user = characters.find(({ side }) => side === "User");
  return user ? user.name : "";
}

function fill(node, values) {
  for (const [name, value] of Object.entries(values)) {
    const input = node.querySelector(`[name=${name}]`);
    if (document.activeElement !== input) input.value = value;
  }
}

const makeGreeting = () => h("label", {}, h("input", { type: "radio" }), h("span"));
