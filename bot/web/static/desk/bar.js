// The bar above the story: the scene's name, what the model is doing, and whether there is a connection. And which of the
// page's buttons can be pressed now.

import { $, setAttr, setText, show } from "../dom.js";
import { named, t } from "../texts.js";
import { needsServer } from "./keys.js";

export function drawLink(store) {
  document.documentElement.dataset.link = store.link;
  setText($("#banner"), store.live ? "" : t(`desk.${store.link}`, { n: store.attempt }));
}

export function drawBar(store) {
  const { title, series, name, engine } = store.snapshot;
  if (document.activeElement !== $("#title")) $("#title").value = title;
  document.title = `${title} · ${t("desk.title")}`;
  setText($("#where"), `${series} / ${name}`);
  drawEngine(engine, store.reading);
}

function drawEngine({ state, detail }, reading) {
  const node = $("#engine");
  setText(node, reading ? t("desk.engine.reading", reading) : state === "ready" ? "" : named("engine", state));
  setAttr(node, "title", detail || null);
  setAttr(node, "data-mood", state === "failed" || state === "restarting" ? "bad" : null);
  show($("#reading"), reading !== null);
  if (reading) $("#reading").value = reading.done / reading.total;
}

/** A button that can do nothing now rests; without a connection all below `roots` that need the server do. */
export function drawButtons(store, pending, roots) {
  const { undo, redo, asks } = store.snapshot;
  const none = pending.length === 0;
  const rests = { undo: undo === null, redo: redo === null, back: none, discard: none, confirm: none, stop: !asks.some((ask) => ask.running) };
  for (const button of roots.flatMap((root) => [...root.querySelectorAll("button[data-command], [data-server]")])) {
    const { command } = button.dataset;
    const cut = !store.live && (command === undefined || needsServer(command));
    button.disabled = cut || rests[command] === true;
  }
  show($("[data-command=stop]"), !rests.stop);
}
