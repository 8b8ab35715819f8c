// The control panel: joins the feed, the drawing and the commands. What each command of keys.js does is written here.

import { FeedLink, post } from "./api.js";
import { drawCard, stateOf, viewerOf } from "./card.js";
import { LetThrough, Preview, flagsOf, isBlocked, isFirm, likelyWord, listWord, openWord } from "./checks.js";
import { $, setAttr, setText, show, shut } from "./dom.js";
import * as keys from "./keys.js";
import { Lists } from "./lists.js";
import { clearNotice, notice, refused, say } from "./notices.js";
import { remembered } from "./settings.js";
import { beep, unlock } from "./sound.js";
import { drawBanner, drawParts, drawPause } from "./status_bar.js";
import { Store, isPaid } from "./store.js";
import { openHelp, openSheet, rebind, resetKeys, showTab, speak, toggleLanguage, toggleSound, toggleTheme, toggleZen, useTheme } from "./surroundings.js";
import { t } from "./texts.js";

// A card that has just come under the finger is not to be decided by the second half of a double press.
const EARLY = 450;
const LEFT_ALONE = 4000;
const GAP = 8; // between drafts on the phone, as in panel.css

const store = new Store();
const lists = new Lists();
const preview = new Preview();
const letThrough = new LetThrough();
const phone = matchMedia("(max-width: 760px)");
const page = {
  current: null, // id of the card that is looked at
  order: [], // ids in the order in which the cards were last drawn
  picks: new Map(), // id -> { index, text }: the draft chosen, and its words when they were last drawn
  edits: new Map(), // id -> words that a person has begun to edit
  editing: null, // { id, revision } while the edit box is open
  busy: new Set(), // ids and commands that wait for the server
  decided: [], // ids decided on this page, oldest first
  passed: new Map(), // id -> the revision that was decided on this page
  seen: null, // ids that have been announced; null before the first snapshot
  early: 0,
  lastInput: 0,
  attempt: 0,
};

// -- drawing -------------------------------------------------------------------------------------------------------

let drawing = null;

function redraw() {
  if (drawing === null) drawing = setTimeout(draw, 16);
}

function draw() {
  drawing = null;
  const item = chooseCurrent();
  const now = store.now();
  const picked = item ? pickOf(item) : 0;
  drawCard(
    {
      item,
      picked,
      editing: page.editing !== null && item !== null && page.editing.id === item.id,
      busy: item !== null && page.busy.has(item.id),
      early: performance.now() < page.early,
      mute: item ? store.muteOf(item.message) : null,
      empty: empty(),
    },
    now,
  );
  lists.draw(store, page.current);
  drawParts(store);
  drawPause(store);
  drawBanner(store, page.attempt);
  drawEditor(item);
  drawSay();
  drawButtons(item);
  document.title = store.pending.length ? `(${store.pending.length}) ${t("page.title")}` : t("page.title");
  page.order = store.pending.map((open) => open.id);
  const place = page.order.indexOf(page.current) + 1;
  setText($("#place"), place ? `${place} / ${page.order.length}` : String(page.order.length || ""));
  const drafts = $("#drafts");
  setAttr(drafts, "data-more", !phone.matches && drafts.scrollHeight - drafts.scrollTop - drafts.clientHeight > 8);
  announce();
}

/** The card stays until the person goes on; only when there is none does the next one come by itself. */
function chooseCurrent() {
  const item = page.current === null ? null : store.find(page.current);
  if (item) return item;
  const next = undecided()[0] || null;
  if (next) moveTo(next.id);
  else page.current = null;
  return next;
}

/** The answer to a decision can be here before its event: until then the store still has the card as open. */
const undecided = () => store.pending.filter(({ id, revision }) => page.passed.get(id) !== revision);

function moveTo(id, chosen = false) {
  if (page.current !== id) {
    clearNotice();
    scrollToPick(0);
    page.early = chosen ? 0 : performance.now() + EARLY;
    if (!chosen) setTimeout(redraw, EARLY + 20);
  }
  page.current = id;
  redraw();
}

/** After a decision: the card behind this one, else the first, else none. */
function advance() {
  const place = page.order.indexOf(page.current);
  const rest = undecided().map((item) => item.id).filter((id) => id !== page.current);
  const behind = page.order.slice(place + 1).find((id) => rest.includes(id));
  const next = behind || rest[0] || null;
  closeEditor();
  if (next) moveTo(next);
  else page.current = null;
  redraw();
}

/**
 * The draft that is chosen: at first the words that a person took back, else the first. The choice follows the words when
 * they get another place, and other words in their place are not to be approved by a press that was meant for them.
 */
function pickOf(item) {
  const first = item.drafts.map((draft) => Boolean(draft.by_person)).lastIndexOf(true);
  const pick = page.picks.get(item.id) || { index: Math.max(0, first), text: "" };
  const at = item.drafts[pick.index];
  if (pick.text && (!at || !at.text.startsWith(pick.text))) {
    const same = item.drafts.findIndex((draft) => draft.text === pick.text);
    if (same < 0 && item.state === "pending") page.early = performance.now() + EARLY;
    if (same >= 0 || !at) pick.index = Math.max(0, same);
  }
  const draft = item.drafts[pick.index];
  pick.text = draft ? draft.text : "";
  if (item.state === "pending") page.picks.set(item.id, pick);
  return pick.index;
}

/** Why there is no card, and what would bring one. */
function empty() {
  const { status } = store;
  if (!status) return { title: "", text: "" };
  const { state, detail } = status.engine;
  if (state !== "ready") return { title: t(`empty.${state}`), text: t(`empty.${state}.text`, { detail }) };
  if (status.pause !== "run") return { title: t("empty.title"), text: t("empty.paused") };
  const silent = Object.values(status.adapters).every((adapter) => adapter.state === "waiting" && !adapter.received);
  return { title: t("empty.title"), text: t(silent ? "empty.adapters" : "empty.quiet") };
}

function drawButtons(item) {
  const open = item !== null && item.state === "pending";
  const busy = item !== null && page.busy.has(item.id);
  const rests = {
    approve: !open || busy || !item.drafts.some((draft) => draft.done),
    reject: !open || busy,
    hush: item === null || !item.message || item.message.known === false || page.busy.has("hush "),
    mute: !open || busy || !item.message || item.message.known === false,
    edit: !open || busy,
    more: !open || busy || item.drafting,
    recall: store.onAir === null,
  };
  for (const button of document.querySelectorAll("button[data-command]")) {
    const { id, server } = keys.command(button.dataset.command);
    const rest = (server && !store.live) || button.hasAttribute("data-gone") || rests[id] || page.busy.has(nameOf(button));
    if (button.disabled !== Boolean(rest)) button.disabled = Boolean(rest);
    setAttr(button, "data-pressed", busy && ["approve", "reject", "mute"].includes(id));
  }
}

const nameOf = (button) => `${button.dataset.command} ${button.dataset.id || ""}`;

/** New cards: a sound when the queue was empty or somebody has paid, and a sentence for screen readers. */
function announce() {
  if (!store.ready) return;
  const known = page.seen;
  const open = store.pending;
  page.seen = new Set(open.map((item) => item.id));
  if (known === null) return;
  const fresh = open.filter((item) => !known.has(item.id));
  if (fresh.length === 0) return;
  const paid = fresh.some(isPaid);
  if ((known.size === 0 || paid) && remembered("sound", true)) beep(paid);
  const [first] = fresh;
  say(t("note.new", { name: viewerOf(first.message), text: first.message ? first.message.text : "" }));
}

// -- sending ---------------------------------------------------------------------------------------------------------

/** One press, one request. While `name` is under way, further presses do nothing. */
async function send(name, path, body) {
  if (page.busy.has(name)) return null;
  if (!store.live) {
    notice(t("note.offline"), "refused");
    return null;
  }
  page.busy.add(name);
  if (navigator.vibrate) navigator.vibrate(15);
  redraw();
  const answer = await post(path, body);
  page.busy.delete(name);
  redraw();
  return answer;
}

const itemPath = (id, action) => `/api/items/${encodeURIComponent(id)}/${action}`;

/** A decision on the current card, said at the card at once. Only the server's yes moves on to the next card. */
async function decide(item, action, body, done) {
  notice(t("note.sending"));
  const answer = await send(item.id, itemPath(item.id, action), body);
  if (answer === null) return;
  if (!answer.ok) {
    refused(answer);
    if (answer.error === "blocked") askWhy(item, body);
    return;
  }
  page.decided.push(item.id);
  page.edits.delete(item.id);
  page.passed.set(item.id, item.revision);
  if (page.current === item.id) advance();
  notice(done);
}

/** The card in view, if it still waits for somebody; otherwise the reason is said. */
function waitingCard() {
  const item = page.current === null ? null : store.find(page.current);
  if (item === null || page.busy.has(item.id)) return null;
  if (item.state === "pending") return item;
  notice(t("note.gone", stateOf(item)), "refused");
  return null;
}

/** The same for a decision, which needs a card that has been there long enough to be the one that was meant. */
function decidable() {
  if (performance.now() >= page.early) return waitingCard();
  notice(t("note.early"));
  return null;
}

function approve() {
  if (page.editing) return approveEdit();
  const item = decidable();
  if (item === null) return;
  const draft = item.drafts[pickOf(item)];
  if (!draft) return notice(t("note.nodraft"), "refused");
  if (!draft.done) return notice(t(item.drafting ? "note.unfinished" : "note.broken"), "refused");
  const body = { revision: item.revision, text: draft.text };
  if (isFirm(draft.flags || [])) return notice(t("note.firm"), "refused");
  if (isBlocked(draft.flags || [])) return letThrough.ask({ id: item.id, ...body }, draft.flags);
  approveWords(item, body);
}

function approveWords(item, body) {
  decide(item, "approve", body, t("note.approved", { text: body.text }));
}

/** The server has blocked these words: where a reason would help, ask for it. */
async function askWhy(item, { revision, text }) {
  const flags = await flagsOf(text);
  const same = store.find(item.id);
  if (flags === null || isFirm(flags) || !isBlocked(flags) || !same || same.revision !== revision) return;
  letThrough.ask({ id: item.id, revision, text }, flags);
}

function approveAnyway() {
  const words = letThrough.answer();
  if (words === null) return;
  const { id, ...body } = words;
  const item = store.find(id);
  letThrough.close();
  if (item !== null) approveWords(item, body);
}

/** The word stays allowed from now on; whether these words then pass is seen when they are approved again. */
async function allowListed({ word }) {
  const answer = await send("list-word ", "/api/words", { word, rule: "allow" });
  if (answer === null) return;
  letThrough.close();
  if (answer.ok) notice(t("note.allowed", { word }));
  else refused(answer);
}

async function word(rule) {
  const listed = await listWord(rule, send);
  if (listed !== null) notice(t(`note.word.${rule}`, { word: listed }));
}

function askWord() {
  openSheet(false); // on the phone it would lie over the box
  const item = page.current === null ? null : store.find(page.current);
  openWord(likelyWord(item, item ? item.drafts[pickOf(item)] : null));
}

/** Mutes the viewer of this card for ten minutes, or lifts it: the same key undoes it. */
async function hush() {
  const item = page.current === null ? null : store.find(page.current);
  if (!item || !item.message || item.message.known === false) return notice(t("note.nobody"), "refused");
  const { platform, viewer_id, viewer } = item.message;
  const muted = store.muteOf(item.message) !== null;
  const answer = await send("hush ", muted ? "/api/unmute" : "/api/mute", { platform, viewer_id, viewer });
  if (answer === null) return;
  if (answer.ok) notice(t(muted ? "note.unmuted" : "note.muted", { name: viewer }));
  else refused(answer);
}

async function unmute({ platform, id }) {
  const answer = await send(`unmute ${id}`, "/api/unmute", { platform, viewer_id: id });
  if (answer && !answer.ok) refused(answer);
}

async function decideHeld(action, id) {
  const answer = await send(`${action} ${id}`, `/api/${action}`, { message: id });
  if (answer === null) return;
  if (answer.ok) notice(t(`note.${action}`));
  else refused(answer);
}

/** To the first held message, so that Enter releases it and Tab goes on to the next button. */
function goToHeld() {
  if (phone.matches) {
    openSheet(true);
    showTab("viewers");
  }
  const first = $("#held button");
  if (first) first.focus();
  else notice(t("note.noheld"));
}

function approveEdit() {
  if (!page.editing) return;
  const item = decidable();
  if (item === null) return;
  const text = $("#edit-text").value.trim();
  if (!text) return notice(t("note.nodraft"), "refused");
  const n = Array.from(text).length;
  if (n > maxText()) return notice(t("note.long", { n, max: maxText() }), "refused");
  const { revision } = page.editing;
  page.editing.revision = item.revision; // a refused click has been told why; the next one is on the new screen
  approveWords(item, { revision, text });
}

function reject(mute) {
  const item = decidable();
  if (item) decide(item, "reject", { revision: item.revision, mute }, t("note.rejected"));
}

async function more(extra = {}) {
  const item = waitingCard();
  if (item === null || item.drafting) return;
  closeEditor();
  const answer = await send(item.id, itemPath(item.id, "more"), { revision: item.revision, ...extra });
  if (answer === null) return;
  if (answer.ok) notice(t("note.asked"));
  else refused(answer);
}

async function undo(id) {
  const item = id ? store.find(id) : undoable();
  if (!item) return notice(t("note.nothing.undo"));
  page.picks.delete(item.id);
  const answer = await send(`undo-item ${item.id}`, itemPath(item.id, "undo"), { revision: item.revision });
  if (answer === null) return;
  if (!answer.ok) return refused(answer);
  moveTo(item.id, true);
}

/** The last decision that can be taken back: the card in view, then what this page decided, then the newest of all. */
function undoable() {
  const possible = (item) => item && ["approved", "rejected", "expired"].includes(item.state);
  const here = page.current && store.find(page.current);
  if (possible(here)) return here;
  const mine = page.decided.map((id) => store.find(id)).filter(possible);
  return mine[mine.length - 1] || store.approved[store.approved.length - 1] || store.history.find((item) => item.state === "rejected") || null;
}

async function recall() {
  const item = store.onAir;
  if (!item) return notice(t("note.nothing.air"));
  const answer = await send("recall ", itemPath(item.id, "recall"), { revision: item.revision });
  if (answer && !answer.ok) refused(answer);
}

async function answerMessage(id) {
  const answer = await send(`answer ${id}`, "/api/answer", { message: id });
  if (answer && !answer.ok) refused(answer);
  else if (answer) notice(t("note.asked"));
}

async function pause(mode) {
  const answer = await send("pause", "/api/pause", { mode });
  if (answer && !answer.ok) refused(answer);
}

async function stop() {
  setAttr($("#stop"), "data-armed", null);
  const answer = await send("stop ", "/api/stop", {});
  if (answer && !answer.ok) refused(answer);
  else if (answer) notice(t("note.stopped"));
}

// -- own words -------------------------------------------------------------------------------------------------------

const maxText = () => (store.status ? store.status.settings.max_text : 200);
const character = () => (store.status ? store.status.character : "");

function edit() {
  const item = waitingCard();
  if (item === null) return;
  if (page.editing) return $("#edit-text").focus();
  const draft = item.drafts[pickOf(item)];
  const kept = page.edits.get(item.id);
  page.editing = { id: item.id, revision: item.revision };
  $("#edit-text").value = kept === undefined ? (draft ? draft.text : "") : kept;
  setAttr(document.documentElement, "data-editing", true);
  draw();
  $("#edit-text").focus();
}

function closeEditor() {
  if (!page.editing) return;
  const { id } = page.editing;
  page.editing = null;
  preview.forget();
  const text = $("#edit-text").value;
  const item = store.find(id);
  if (item && item.drafts.every((draft) => draft.text !== text)) page.edits.set(id, text);
  setAttr(document.documentElement, "data-editing", null);
  if (document.activeElement === $("#edit-text")) $("#card").focus({ preventScroll: true });
  redraw();
}

function count(output, text) {
  const n = Array.from(text).length;
  setText(output, t("editor.count", { n, max: maxText() }));
  setAttr(output, "data-over", n > maxText());
}

function drawEditor() {
  if (!page.editing) return;
  count($("#edit-count"), $("#edit-text").value);
  preview.look($("#edit-text").value);
}

function drawSay() {
  count($("#say-count"), $("#say-text").value);
  show($("#say-count"), $("#say-text").value !== "");
  setAttr($("#say-text"), "placeholder", t("say.placeholder", { name: character() }));
}

async function sendOwn(name, path, body) {
  const answer = await send(name, path, body);
  if (answer === null) return;
  if (answer.ok) $("#say-text").value = "";
  setText($("#say-notice"), answer.ok ? t(path === "/api/say" ? "note.said" : "note.asked") : refused(answer));
  redraw();
}

function sendSay() {
  const text = $("#say-text").value.trim();
  if (text) sendOwn("send-say ", "/api/say", { character: character(), text });
}

function generate() {
  sendOwn("generate ", "/api/generate", { character: character(), start_with: $("#say-text").value.trim() });
}

// -- moving and choosing ---------------------------------------------------------------------------------------------

/** `around`: after the last comes the first, for the phone, which has no list to pick from. */
function step(by, around = false) {
  const ids = store.pending.map((item) => item.id);
  if (ids.length === 0) {
    page.current = null;
    return redraw();
  }
  const here = ids.indexOf(page.current);
  const place = here < 0 ? Math.min(ids.length - 1, Math.max(0, page.order.indexOf(page.current))) : here + by;
  closeEditor();
  const bounded = around && place >= ids.length ? 0 : Math.min(ids.length - 1, Math.max(0, place));
  moveTo(ids[bounded], true);
}

function pick(index) {
  const item = page.current === null ? null : store.find(page.current);
  if (!item || page.editing || index < 0 || index >= item.drafts.length) return;
  page.picks.set(item.id, { index, text: "" });
  clearNotice();
  draw();
  scrollToPick(index);
}

function scrollToPick(index) {
  const root = $("#drafts");
  if (phone.matches) root.scrollTo({ left: index * (root.firstElementChild ? root.firstElementChild.offsetWidth + GAP : 0) });
  else if (root.children[index]) root.children[index].scrollIntoView({ block: "nearest" });
}

/** On the phone the draft that has been swiped into view is the one that is chosen. */
function pickBySwipe() {
  const root = $("#drafts");
  const item = page.current === null ? null : store.find(page.current);
  if (!phone.matches || !item || !root.firstElementChild) return;
  const index = Math.round(root.scrollLeft / (root.firstElementChild.offsetWidth + GAP));
  if (index === pickOf(item) || index >= item.drafts.length) return;
  page.picks.set(item.id, { index, text: "" });
  clearNotice();
  redraw();
}

/** The first Esc closes what is open and arms the second. */
function firstEscape() {
  const dialog = $("dialog[open]");
  if (dialog) shut(dialog);
  else if (page.editing) closeEditor();
  else if (document.activeElement === $("#say-text")) $("#say-text").blur();
  else openSheet(false);
  setAttr($("#stop"), "data-armed", true);
  setText($("#stop-text"), t("stop.again"));
  setTimeout(() => {
    setAttr($("#stop"), "data-armed", null);
    setText($("#stop-text"), t("cmd.stop"));
  }, 800);
}

// -- the table of what each command does -----------------------------------------------------------------------------

const paused = () => store.status !== null && store.status.pause !== "run";

const ACTIONS = {
  approve,
  reject: () => reject(false),
  mute: () => reject(true),
  pick: ({ index }) => pick(Number(index)),
  edit,
  more: () => more(),
  undo: () => undo(),
  hush,
  word: askWord,
  held: goToHeld,
  recall,
  say: () => (phone.matches ? openSheet(true) : $("#say-text").focus()),
  next: ({ pressed }) => step(1, Boolean(pressed)),
  previous: () => step(-1),
  arrivals: () => [lists.queue, lists.waiting, lists.held, lists.passed, lists.history].forEach((list) => list.release()),
  hold: ({ pressed }) => pause(!pressed && paused() ? "run" : "hold"),
  drop: () => pause("drop"),
  run: () => pause("run"),
  stop,
  zen: toggleZen,
  sound: toggleSound,
  theme: toggleTheme,
  lang: () => {
    toggleLanguage();
    redraw();
  },
  help: openHelp,
  answer: ({ id }) => answerMessage(id),
  "undo-item": ({ id }) => undo(id),
  "approve-edit": approveEdit,
  "more-edit": () => more({ start_with: $("#edit-text").value.trim() }),
  "cancel-edit": closeEditor,
  "send-say": sendSay,
  release: ({ id }) => decideHeld("release", id),
  dismiss: ({ id }) => decideHeld("dismiss", id),
  unmute,
  "let-allow": allowListed,
  "close-let": () => letThrough.close(),
  "allow-word": () => word("allow"),
  "forget-word": () => word("forget"),
  "close-word": () => shut($("#word")),
  generate,
  card: ({ id }) => {
    closeEditor();
    moveTo(id, true);
  },
  sheet: () => openSheet(true),
  "close-sheet": () => openSheet(false),
  tab: ({ tab }) => showTab(tab),
  "close-help": openHelp,
  rebind: ({ id, pressed }) => rebind(id, pressed),
  "reset-keys": resetKeys,
};

function give(id, detail = {}) {
  const dialog = $("dialog[open]");
  if (dialog && !(id === "stop" || (id === "help" && dialog.id === "help"))) return;
  if (keys.command(id).server && !store.live) return notice(t("note.offline"), "refused");
  ACTIONS[id](detail);
}

function press(event) {
  const target = event.target.closest("[data-command]");
  if (!target || target.disabled) return;
  const id = target.dataset.command;
  if (store.live || !keys.command(id).server) ACTIONS[id]({ ...target.dataset, pressed: target });
  // A mouse leaves no focus behind, so that Enter means "approve" again and not "the button pressed last".
  if (event.detail > 0 && target.matches("button") && target === document.activeElement) target.blur();
}

function restAlone() {
  const item = page.current === null ? null : store.find(page.current);
  const gone = item && item.state !== "pending" && !page.busy.has(item.id) && !page.editing;
  if (gone && performance.now() - page.lastInput > LEFT_ALONE) advance();
  redraw();
}

function start() {
  useTheme();
  speak(remembered("lang", "zh"));
  redraw();
  document.addEventListener("click", press);
  keys.listen(give, firstEscape);
  $("#drafts").addEventListener("scroll", () => (phone.matches ? pickBySwipe() : redraw()), { passive: true });
  $("#edit-text").addEventListener("input", redraw);
  $("#say-text").addEventListener("input", redraw);
  for (const [box, action] of [["#edit-text", approveEdit], ["#say-text", sendSay]]) {
    $(box).addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      if (!event.repeat) action();
    });
  }
  for (const form of document.querySelectorAll("form")) form.addEventListener("submit", (event) => event.preventDefault());
  $("#let-form").addEventListener("submit", approveAnyway);
  $("#word-form").addEventListener("submit", () => word("block"));
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, unlock, { capture: true, passive: true });
  for (const name of ["pointerdown", "pointermove", "keydown"]) {
    document.addEventListener(name, () => (page.lastInput = performance.now()), { capture: true, passive: true });
  }
  setInterval(restAlone, 1000);
  new FeedLink(
    "/api/feed",
    (event) => {
      store.apply(event);
      if (event.event === "snapshot" && remembered("lang", null) === null) speak(event.status.lang);
      redraw();
    },
    (link, attempt) => {
      store.link = link;
      page.attempt = attempt;
      document.documentElement.dataset.link = link;
      redraw();
    },
  ).open();
}

start();
