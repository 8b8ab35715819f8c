// Without a scene in the address: the one that was open last, else the scenes to choose from.

import { $, h, patchList, setText, show } from "../dom.js";
import { get } from "../api.js";
import { refused } from "../page.js";
import { remembered } from "../settings.js";
import { ago, t } from "../texts.js";

export const LAST = "desk.last";

export const addressOf = (scene) => `/desk?${new URLSearchParams({ scene })}`;

/** `choose`: a person wants the list. Returns a function that draws it again. */
export async function openScenes(choose) {
  const answer = await get("/api/desk");
  if (!answer.ok) return refused(answer);
  const { scenes } = answer.answer;
  const last = scenes.find((scene) => scene.id === remembered(LAST, null));
  if (last && !choose) return location.replace(addressOf(last.id));
  const newest = [...scenes].sort((a, b) => b.changed - a.changed);
  const draw = () => drawScenes(newest);
  draw();
  return draw;
}

function drawScenes(scenes) {
  show($("#scenes"), true);
  show($("#no-scenes"), scenes.length === 0);
  patchList($("#scene-list"), scenes, (scene) => scene.id, makeScene, (node, scene) => {
    const [link] = node.children;
    const [title, from, figures] = link.children;
    setText(title, scene.title || scene.name);
    setText(from, `${scene.series} / ${scene.name}`);
    setText(figures, `${t("desk.scenes.lines", { n: scene.lines })} · ${ago(Date.now() / 1000 - scene.changed)}`);
  });
}

const makeScene = (scene) => h("li", {}, h("a", { class: "box", href: addressOf(scene.id) }, h("b"), h("span", { class: "minor" }), h("span", { class: "minor" })));
