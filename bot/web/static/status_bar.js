// The state of each part, in words first: a shape and a word say it, colour only helps.

import { $, h, patchList, setAttr, setText } from "./dom.js";
import { ago, named, span, t } from "./texts.js";

const MOODS = {
  ready: "good", live: "good", done: "good",
  loading: "busy", connecting: "busy", waiting: "busy",
  restarting: "bad", failed: "bad",
};

function partsOf(store) {
  const { status } = store;
  if (!status) return [];
  const now = store.now();
  const platforms = Object.entries(status.adapters);
  const parts = platforms.map(([name, adapter]) => adapterPart(name, adapter, now));
  parts.push(enginePart(status.engine), overlayPart(status, store.onAir));
  if (status.save && status.save.state !== "ok") {
    parts.push({ key: "save", name: t("part.save"), text: t("save.failed"), mood: "bad", tip: status.save.detail });
  }
  if (status.words && status.words.state !== "ok") {
    parts.push({ key: "words", name: t("part.words"), text: t("words.old", { why: status.words.detail }), mood: "bad", tip: status.words.detail });
  }
  const oldest = Math.min(...store.pending.map((item) => item.created));
  const age = store.pending.length ? ` · ${t("part.oldest", { age: span(now - oldest) })}` : "";
  if (status.scenario) parts.push({ key: "scenario", name: t("part.scenario"), text: status.scenario.split("/").pop(), mood: "none", tip: status.scenario });
  parts.push({ key: "pending", name: t("part.pending", { n: store.pending.length }), text: age, mood: "none" });
  if (store.held.length) parts.push({ key: "held", name: t("part.held", { n: store.held.length }), text: "", mood: "none" });
  for (const [name, adapter] of platforms) parts.push(...adapter.notices.map((notice) => noticePart(name, notice)));
  if (status.operators > 1) parts.push({ key: "operators", name: t("part.operators", { n: status.operators }), text: "", mood: "none" });
  return parts;
}

function adapterPart(name, adapter, now) {
  return {
    key: `adapter ${name}`,
    name: named("platform", name),
    text: adapterText(adapter, now),
    mood: MOODS[adapter.state] || "busy",
    tip: t("adapter.tip", adapter),
  };
}

function adapterText(adapter, now) {
  if (adapter.state === "live") return adapter.last_message ? t("adapter.last", { age: ago(now - adapter.last_message) }) : t("adapter.none");
  if (adapter.state === "waiting" && adapter.next_try) return t("adapter.retry", { left: span(adapter.next_try - now) });
  return named("adapter", adapter.state);
}

/** What a person should know of a platform: a gap, masked names. The strip cuts it; the tip and the sheet have all of it. */
function noticePart(name, notice) {
  return { key: `notice ${name} ${notice.key}`, name: `${named("platform", name)} ⚑`, text: notice.text, mood: "none", tip: `${named("platform", name)}：${notice.text}` };
}

function enginePart(engine) {
  const figures = engine.figures || {};
  const first = figures.first_text_seconds_p50 ? t("engine.first", { n: figures.first_text_seconds_p50.toFixed(1) }) : "";
  const speed = figures.tokens_per_second ? t("engine.speed", { n: Math.round(figures.tokens_per_second) }) : "";
  const pace = engine.state === "ready" ? [first, speed] : [];
  const text = [named("engine", engine.state), ...pace].filter(Boolean).join(" · ");
  const tip = [engine.model, engine.detail].filter(Boolean).join(" · ");
  return { key: "engine", name: t("part.engine"), text, mood: MOODS[engine.state] || "busy", tip };
}

function overlayPart(status, onAir) {
  const n = status.overlays;
  const text = n === 0 ? t(onAir ? "overlay.unseen" : "overlay.none") : t(onAir ? "overlay.air" : "overlay.idle", { n });
  return { key: "overlay", name: t("part.overlay"), text, mood: n > 0 ? "good" : onAir ? "bad" : "busy" };
}

export function drawParts(store) {
  const parts = partsOf(store);
  for (const root of document.querySelectorAll(".parts")) {
    patchList(root, parts, (part) => part.key, () => h("li", {}, h("i", { "aria-hidden": "true" }), h("b"), h("span")), (node, part) => {
      const [dot, name, text] = node.children;
      setAttr(dot, "hidden", part.mood === "none");
      setAttr(node, "data-mood", part.mood);
      setAttr(node, "data-part", part.key);
      setAttr(node, "data-notice", part.key.startsWith("notice "));
      setAttr(node, "title", part.tip || null);
      setText(name, part.name);
      setText(text, part.text);
    });
  }
}

export function drawPause(store) {
  const mode = store.status ? store.status.pause : "run";
  for (const button of document.querySelectorAll("button[data-mode]")) {
    setAttr(button, "aria-pressed", String(button.dataset.mode === mode));
  }
  return mode;
}

export function drawBanner(store, attempt) {
  const mode = store.status ? store.status.pause : "run";
  const text = store.live ? (mode === "run" ? "" : t(`paused.${mode}`)) : t(`link.${store.link}`, { n: attempt });
  setAttr($("#banner"), "data-on", text !== "");
  setAttr($("#resume"), "hidden", !store.live);
  setText($("#banner-text"), text);
}
