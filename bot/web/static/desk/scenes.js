// Without a scene in the address: the one that was open last, else the scenes to choose from, and those in the bin.

import { $, h, patchList, setText, show } from "../dom.js";
import { get, post } from "../api.js";
import { notice, refused } from "../page.js";
import { remembered } from "../settings.js";
import { ago, t } from "../texts.js";
import { askYes } from "./tools/dialogs.js";

export const LAST = "desk.last";

export const addressOf = (scene) => `/desk?${new URLSearchParams({ scene })}`;

/** `choose`: a person wants the list. Returns what draws it again in another language. */
export async function openScenes(choose) {
  const scenes = await load();
  const last = scenes.find((scene) => scene.id === remembered(LAST, null));
  if (last && !last.binned && !choose) return location.replace(addressOf(last.id));
  $("#binned").addEventListener("click", (event) => event.target.closest("button") && press(event.target.closest("button")));
  draw(scenes);
  return () => draw(scenes);
}

/** All of them, the one changed last first. */
async function load() {
  const answer = await get("/api/desk");
  if (answer.ok) return answer.answer.scenes;
  refused(answer);
  return [];
}

const send = (scene, what) => post(`/api/desk/${encodeURIComponent(scene)}/${what}`, {});

/** A button of a scene in the bin. */
function press(button) {
  const row = button.closest("li");
  const { key } = row.dataset;
  if (button.dataset.does === "restore") return restore(key);
  askYes({
    title: t("desk.scenes.remove.ask", { name: row.firstChild.textContent }),
    notes: [t("desk.scenes.remove.note")],
    button: t("desk.scenes.remove.yes"),
    send: () => remove(key),
  });
}

async function restore(scene) {
  const answer = await send(scene, "restore");
  if (!answer.ok) return refused(answer);
  notice(t("desk.scenes.restored"));
  draw(await load());
  $(`#scene-list [data-key="${CSS.escape(scene)}"] a`)?.focus();
}

async function remove(scene) {
  const answer = await send(scene, "remove");
  if (!answer.ok) return answer;
  notice(t("desk.scenes.removed"));
  draw(await load());
  requestAnimationFrame(() => ($("#binned button") || $("#scenes a")).focus()); // after the question is gone
  return answer;
}

function draw(scenes) {
  const here = scenes.filter((scene) => !scene.binned);
  const gone = scenes.filter((scene) => scene.binned);
  show($("#scenes"), true);
  show($("#no-scenes"), here.length === 0);
  patchList($("#scene-list"), here, (scene) => scene.id, makeScene, drawScene);
  show($("#bin"), gone.length > 0);
  setText($("#bin summary"), t("desk.scenes.bin", { n: gone.length }));
  patchList($("#binned"), gone, (scene) => scene.id, makeBinned, drawBinned);
}

const makeScene = ({ id }) => h("li", {}, h("a", { class: "box", href: addressOf(id) }, h("b"), h("span", { class: "minor" }), h("span", { class: "minor" })));

function drawScene(node, { title, series, name, lines, changed }) {
  const [said, from, figures] = node.firstChild.children;
  setText(said, title || name);
  setText(from, `${series} / ${name}`);
  setText(figures, `${t("desk.scenes.lines", { n: lines })} · ${ago(Date.now() / 1000 - changed)}`);
}

const makeBinned = () => h("li", { class: "row" }, h("span"), binButton("restore"), binButton("remove"));
const binButton = (does) => h("button", { type: "button", data: { does } });

function drawBinned(node, { title, series, name }) {
  const [said, back, remove] = node.children;
  setText(said, `${title || name}（${series} / ${name}）`);
  setText(back, t("desk.scenes.restore"));
  setText(remove, t("desk.scenes.remove"));
}
