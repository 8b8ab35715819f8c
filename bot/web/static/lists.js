// Everything around the current card: the queue, the waiting room, what was passed over, what is on air, the record.

import { $, h, patchFlagged, patchList, setAttr, setText, show } from "./dom.js";
import { QuietList } from "./quiet_list.js";
import { badgesOf, drawBadges, drawReasons, nameOf, stateOf, viewerOf } from "./card.js";
import { ago, named, span, t } from "./texts.js";

const UNDOABLE = new Set(["approved", "rejected", "expired"]);

export class Lists {
  constructor() {
    this.queue = new QuietList($("#queue"), $("#queue-more"), {
      key: (row) => row.item.id, make: makeQueueRow, update: drawQueueRow, empty: $("#queue-empty"),
    });
    this.waiting = new QuietList($("#waiting"), $("#waiting-more"), {
      key: (row) => row.message.id, make: makeMessageRow, update: drawWaiting, empty: $("#waiting-empty"),
    });
    this.passed = new QuietList($("#passed"), $("#passed-more"), {
      key: (row) => row.message.id, make: makeMessageRow, update: drawPassed, empty: $("#passed-empty"),
    });
    this.held = new QuietList($("#held"), $("#held-more"), {
      key: (row) => row.message.id, make: makeHeldRow, update: drawHeld, empty: null,
    });
    this.history = new QuietList($("#history"), $("#history-more"), {
      key: (row) => row.item.id, make: makeMessageRow, update: drawHistory, empty: $("#history-empty"),
    });
  }

  draw(store, current) {
    const now = store.now();
    this.queue.set(store.pending.map((item) => ({ item, now, current: item.id === current })));
    this.waiting.set(store.waiting.map((row) => ({ ...row, now })));
    const held = new Set(store.held.map((row) => row.message.id));
    this.held.set(store.held.map((row) => ({ ...row, now })));
    this.passed.set(store.passed.filter((row) => !held.has(row.message.id)).map((row) => ({ ...row, now })));
    show($("#held-box"), held.size > 0);
    setText($("#held-count"), String(held.size));
    drawMuted(store.muted.filter((mute) => now < mute.until), now);
    this.history.set(store.history.map((item) => ({ item, now })));
    setText($("#queue-count"), String(store.pending.length));
    setText($("#waiting-count"), String(store.waiting.length));
    const waits = store.waiting.length + store.held.length;
    setText($("#sheet-count"), waits ? String(waits) : "");
    drawOnAir(store, now);
  }
}

function makeQueueRow() {
  const button = h("button", { type: "button", data: { command: "card" } });
  for (const name of ["badges", "name", "ask", "flagged", "state", "time"]) button.append(h("span", { class: name }));
  return h("li", {}, button);
}

function drawQueueRow(row, { item, now, current }) {
  const button = row.firstChild;
  const [badges, name, ask, flagged, state, time] = button.children;
  button.dataset.id = item.id;
  setAttr(row, "aria-current", current ? "true" : null);
  drawBadges(badges, badgesOf(item.message).filter((badge) => badge.paid));
  setText(name, viewerOf(item.message));
  setText(ask, item.message ? item.message.text : (item.drafts[0] || { text: "" }).text);
  const marked = item.withdrawn || (item.findings || []).length > 0 || item.drafts.some((draft) => (draft.flags || []).length > 0);
  setText(flagged, marked ? "⚑" : "");
  const done = item.drafts.filter((draft) => draft.done).length;
  setText(state, item.error ? t("queue.error") : t("queue.written", { done, n: item.drafts.length }));
  setText(time, item.expires === null ? "" : t("card.left", { left: span(item.expires - now) }));
}

/** Who and when; the words, with a note under them and a button beside them. */
function makeMessageRow() {
  const by = h("p", { class: "by" }, h("b"), h("span", { class: "badges" }), h("time"));
  const body = h("div", {}, h("p", { class: "words" }), h("p", { class: "note" }));
  return h("li", {}, by, h("div", { class: "said" }, body, h("button", { type: "button" })));
}

function drawMessageRow(row, { name, badges, time, words, note, button }) {
  const [by, said] = row.children;
  const [body, press] = said.children;
  setText(by.children[0], name);
  drawBadges(by.children[1], badges);
  setText(by.children[2], time);
  setText(body.children[0], words);
  setText(body.children[1], note);
  show(press, Boolean(button));
  if (!button) return;
  setText(press, button.text);
  press.dataset.command = button.command;
  press.dataset.id = button.id;
}

/** Why blocked words were let through. */
const overrideNote = (item) => (item.override ? t("history.override", { reason: item.override }) : "");
const saidBy = (message) => message.text || named("kind", message.kind);
const short = (message, klass) => badgesOf(message, klass).slice(0, -1);

function drawWaiting(row, { message, merged, since, now, class: klass }) {
  drawMessageRow(row, {
    name: message.viewer,
    badges: short(message, klass),
    time: ago(now - since),
    words: saidBy(message),
    note: merged ? t("card.merged", { n: merged }) : "",
    button: { text: t("waiting.answer"), command: "answer", id: message.id },
  });
}

function drawPassed(row, { message, reason, time, now }) {
  drawMessageRow(row, {
    name: message.viewer,
    badges: short(message),
    time: ago(now - time),
    words: saidBy(message),
    note: named("reason", reason),
    button: reason === "withdrawn" ? null : { text: t("passed.answer"), command: "answer", id: message.id },
  });
}

/** A message that a check has stopped: what it found, and the two things that a person can do. */
function makeHeldRow() {
  const by = h("p", { class: "by" }, h("b"), h("span", { class: "badges" }), h("time"));
  const release = h("button", { type: "button", data: { command: "release" } });
  const dismiss = h("button", { type: "button", data: { command: "dismiss" } });
  return h("li", {}, by, h("p", { class: "words" }), h("ul", { class: "reasons" }), h("div", { class: "row" }, release, dismiss));
}

function drawHeld(row, { message, flags, since, now }) {
  const [by, words, reasons, { children: [release, dismiss] }] = row.children;
  setText(by.children[0], message.viewer);
  drawBadges(by.children[1], short(message));
  setText(by.children[2], ago(now - since));
  patchFlagged(words, saidBy(message), message.text ? flags : []);
  drawReasons(reasons, flags);
  setText(release, t("held.release"));
  setText(dismiss, t("held.dismiss"));
  release.dataset.id = dismiss.dataset.id = message.id;
}

function drawMuted(muted, now) {
  show($("#muted-box"), muted.length > 0);
  patchList($("#muted"), muted, (mute) => `${mute.platform} ${mute.viewer_id}`, makeMessageRow, (row, mute) => {
    const left = t("card.left", { left: span(mute.until - now) });
    const button = { text: t("muted.lift"), command: "unmute", id: mute.viewer_id };
    drawMessageRow(row, { name: mute.viewer || mute.viewer_id, badges: [], time: named("platform", mute.platform), words: left, note: "", button });
    row.querySelector("button").dataset.platform = mute.platform;
  });
}

function drawHistory(row, { item, now }) {
  const { state, by } = stateOf(item);
  setAttr(row, "data-state", item.state);
  drawMessageRow(row, {
    name: viewerOf(item.message),
    badges: [{ text: state + by }, ...(item.edited ? [{ text: t("state.edited") }] : [])],
    time: ago(now - (item.until || item.decided || item.expires || item.created)),
    words: item.text || (item.message ? saidBy(item.message) : t("card.own.question")),
    note: [item.text && item.message ? `「${saidBy(item.message)}」` : "", overrideNote(item)].filter(Boolean).join(" "),
    button: UNDOABLE.has(item.state) ? { text: t("cmd.undo"), command: "undo-item", id: item.id } : null,
  });
}

function drawOnAir(store, now) {
  const item = store.onAir;
  show($("#air-box"), item !== null);
  show($("#air-empty"), item === null);
  if (item) {
    const quoted = item.message ? ` · ${viewerOf(item.message)}「${saidBy(item.message)}」` : "";
    const gone = item.withdrawn ? ` · ${t("flag.mark", { reason: t("card.withdrawn") })}` : "";
    setText($("#air-who"), `${item.character}${item.by ? t("by", { name: nameOf(item.by) }) : ""}${quoted}${gone}`);
    setText($("#air-text"), item.text || "");
    drawAirTime(item, now);
  }
  patchList($("#approved"), store.approved, (next) => next.id, makeMessageRow, (row, next) =>
    drawMessageRow(row, {
      name: `${t("air.next")} · ${viewerOf(next.message)}`,
      badges: [],
      time: next.by ? nameOf(next.by) : "",
      words: next.text || "",
      note: overrideNote(next),
      button: { text: t("cmd.undo"), command: "undo-item", id: next.id },
    }),
  );
}

function drawAirTime(item, now) {
  const left = item.until === null ? 0 : Math.max(0, item.until - now);
  const whole = item.until === null ? 1 : Math.max(1, item.until - (item.aired || now));
  setText($("#air-left"), item.until === null ? "" : t("card.left", { left: span(left) }));
  $("#air-bar i").style.transform = `scaleX(${Math.min(1, left / whole).toFixed(3)})`;
}
