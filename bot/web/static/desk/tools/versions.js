// The older words of a line, and the way back to them: an edit like any other, so that undo knows it.

import { h } from "../../dom.js";
import { t } from "../../texts.js";
import { shownName } from "../people.js";
import { give, openBox, why } from "./dialogs.js";

export async function openVersions(store, line) {
  const list = h("ol", { class: "versions" });
  const close = h("button", { type: "button" }, t("tools.done"));
  const box = openBox(t("tools.versions.title"), h("h2", {}, t("tools.versions.title")), list, h("div", { class: "row ends" }, close));
  close.addEventListener("click", () => box.close());
  close.focus();
  const { ok, answer, ...refusal } = await store.read("versions", { line: line.id });
  if (!ok) return list.append(h("li", { class: "wrong" }, why(refusal)));
  list.append(drawVersion(line, t("tools.versions.now")));
  [...answer.versions].reverse().forEach((version) => list.append(drawVersion(version, "", () => bringBack(store, line, version, box))));
}

async function bringBack(store, line, { text, character }, box) {
  const { ok } = await give(store, "edit", { line: line.id, text, character }, t("tools.versions.back"));
  if (ok) box.close();
}

function drawVersion({ character, text, origin }, label, back = null) {
  const head = h("p", { class: "by" }, h("b", {}, shownName(character)), h("span", { class: "minor" }, label || origin));
  const row = h("li", {}, head, h("p", { class: "words" }, text));
  if (back) {
    const button = h("button", { type: "button" }, t("tools.versions.restore"));
    button.addEventListener("click", back);
    row.append(button);
  }
  return row;
}
