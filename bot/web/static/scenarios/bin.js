// The bin: what was deleted can be taken back until somebody empties it.

import { $, h, patchList, setText, show } from "../dom.js";
import { notice, refused } from "../page.js";
import { ago, t } from "../texts.js";
import { confirmed } from "./ask.js";
import * as calls from "./calls.js";

export function drawBin(binned) {
  setText($("#bin-open"), t("bin.open", { n: binned.length }));
  show($("#bin-open"), binned.length > 0);
  show($("#bin-empty"), binned.length === 0);
  show($("#bin-clear"), binned.length > 0);
  patchList($("#binned"), binned, (one) => one.id, makeRow, (node, one) => {
    setText(node.querySelector("strong"), one.name);
    setText(node.querySelector(".minor"), `${one.series} · ${ago(Date.now() / 1000 - one.at)}`);
    setText(node.querySelector("button"), t("bin.restore"));
    node.entry = one;
  });
}

const makeRow = () => h("li", {}, h("div", {}, h("strong"), h("p", { class: "minor" })), h("button", { type: "button" }));

/** `changed()` resolves when what is in the bin has been read again. */
export function listenToBin(changed) {
  $("#bin-open").addEventListener("click", () => $("#bin").showModal());
  $("#bin-close").addEventListener("click", () => $("#bin").close());
  $("#bin-clear").addEventListener("click", () => clear(changed));
  $("#binned").addEventListener("click", (event) => {
    if (event.target.closest("button")) restore(event.target.closest("li").entry, changed);
  });
}

async function restore({ id }, changed) {
  const answer = await calls.restore(id);
  if (answer.ok) notice(t("bin.restored", { name: answer.answer.name }));
  else refused(answer);
  await changed();
  if (document.querySelectorAll("#binned li").length === 0) $("#bin").close();
}

/** Only what was seen is deleted: something that came in meanwhile stays. */
async function clear(changed) {
  const ids = [...document.querySelectorAll("#binned li")].map((node) => node.entry.id);
  if (!(await confirmed(t("bin.clear.title"), t("bin.clear.text", { n: ids.length }), t("bin.clear.yes")))) return;
  const answer = await calls.empty(ids);
  if (answer.ok) notice(t("bin.cleared"));
  else refused(answer);
  $("#bin").close();
  await changed();
}
