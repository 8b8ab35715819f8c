// The script desk: joins the store, the drawing and the commands. What each command of keys.js does is in deeds.js.

import { get } from "../api.js";
import { $, setAttr, setText, show } from "../dom.js";
import { notice, openPage } from "../page.js";
import { remember } from "../settings.js";
import { named, t } from "../texts.js";
import "./texts.js";
import { ADVANCED, Composer, QUICK } from "./composer.js";
import { Deeds } from "./deeds.js";
import { DraftsView } from "./drafts.js";
import { Editor } from "./editor.js";
import { labelButtons, listen, needsServer, openHelp } from "./keys.js";
import { currentLine, stepLine } from "./line.js";
import { groupsOf } from "./names.js";
import { Options } from "./options.js";
import { PendingView } from "./pending.js";
import { People } from "./people.js";
import { LAST, openScenes } from "./scenes.js";
import { Scratch, tabName } from "./scratch.js";
import { Store } from "./store.js";
import { StoryView } from "./story.js";
import { openTools, toggleTools } from "./tools/tools.js";

const NEAR_END = 64; // pixels: who is this near the end follows it

function openDesk(scene, line) {
  const store = new Store(scene, tabName());
  const scroll = $("#scroll");
  const story = new StoryView($("#story"));
  const pending = new PendingView($("#pending"), (line, to) => deeds.give("move", { line, to }));
  const drafts = new DraftsView($("#drafts"));
  const composer = new Composer({ send: () => deeds.send(), ask: () => deeds.ask(), changed: () => scratch.changed() });
  const options = new Options(() => scratch.changed());
  const editor = new Editor($("#stray"), (text) => composer.insert(text));
  const scratch = new Scratch(store, () => ({ ...composer.state, hint: options.hint }));
  const deeds = new Deeds({ store, composer, options, pending, drafts, editor }, () => {
    page.awaiting = composer.text.value;
    redraw();
  });
  const page = {
    people: null,
    tools: null,
    changed: Infinity, // the confirmed lines before this place are drawn already
    told: false, // something besides drafts has changed
    awaiting: null, // after asking for drafts, until they are there: what stood in the text box
    running: false,
    drawing: null,
  };

  // -- drawing ---------------------------------------------------------------------------------------------------------

  function redraw() {
    if (page.drawing === null) page.drawing = setTimeout(draw, 16);
  }

  function redrawAll() {
    labelButtons();
    if (page.tools) page.tools.draw();
    Object.assign(page, { changed: 0, told: true });
    redraw();
  }

  function draw() {
    page.drawing = null;
    drawLink();
    if (store.snapshot === null) return;
    const follow = atEnd() && (page.told || !scroll.matches(":hover"));
    const focused = document.activeElement;
    if (page.told) drawScene(store.snapshot);
    drafts.draw(store.snapshot.asks);
    editor.place();
    // What moves to another place is let go by the browser, and the cursor with it.
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    drawBar(store.snapshot);
    drawButtons(store.snapshot);
    if (follow) toEnd();
    show($("#to-end"), !atEnd());
    meetDrafts();
  }

  function drawScene(snapshot) {
    const { people } = page;
    story.draw(snapshot.lines, people, page.changed);
    pending.draw(snapshot.pending, people);
    composer.offer(people, [...snapshot.lines, ...snapshot.pending], snapshot.cast);
    options.draw(snapshot.presets);
    Object.assign(page, { changed: Infinity, told: false });
  }

  function drawLink() {
    document.documentElement.dataset.link = store.link;
    setText($("#banner"), store.live ? "" : t(`desk.${store.link}`, { n: store.attempt }));
  }

  function drawBar(snapshot) {
    if (document.activeElement !== $("#title")) $("#title").value = snapshot.title;
    document.title = `${snapshot.title} · ${t("desk.title")}`;
    setText($("#where"), `${snapshot.series} / ${snapshot.name}`);
    const { reading } = store;
    const { state } = snapshot.engine;
    setText($("#engine"), reading ? t("desk.engine.reading", reading) : state === "ready" ? "" : named("engine", state));
    setAttr($("#engine"), "data-mood", state === "failed" || state === "restarting" ? "bad" : null);
    show($("#reading"), reading !== null);
    if (reading) $("#reading").value = reading.done / reading.total;
  }

  function drawButtons({ undo, redo, asks }) {
    const none = pending.shown.length === 0;
    const rests = { undo: undo === null, redo: redo === null, back: none, discard: none, confirm: none, stop: !asks.some((ask) => ask.running) };
    for (const button of document.querySelectorAll("#desk button[data-command], #desk .drag, #desk [data-server]")) {
      const { command } = button.dataset;
      const rest = (!store.live && (command === undefined || command === "delete" || needsServer(command))) || rests[command] === true;
      if (button.disabled !== rest) button.disabled = rest;
    }
    show($("[data-command=stop]"), !rests.stop);
  }

  // -- where the reader is, and where the writer goes on -----------------------------------------------------------------

  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END;

  /** Twice, because lines that were not laid out before are as high as was guessed until they are. */
  function toEnd() {
    scroll.scrollTop = scroll.scrollHeight;
    requestAnimationFrame(() => (scroll.scrollTop = scroll.scrollHeight));
  }

  /** A link has led to this line. Twice, for the same reason. */
  function arriveAt(line) {
    reveal(line);
    requestAnimationFrame(() => reveal(line));
  }

  /** Who has asked goes on at the drafts, unless they have begun to type again. */
  function meetDrafts() {
    const { asks } = store.snapshot;
    const running = asks.some((ask) => ask.running);
    if (page.awaiting !== null && asks.length) {
      const typing = document.activeElement === composer.text && composer.text.value !== page.awaiting;
      page.awaiting = null;
      if (!typing && !editor.open) $("#drafts").focus({ preventScroll: true });
      toEnd();
    }
    const done = drafts.shown.filter((draft) => draft.done).length;
    if (page.running && !running && done) setText($("#live"), t("desk.drafts.ready", { n: done }));
    page.running = running;
  }

  function hear(event) {
    if (event.event === "snapshot") Object.assign(page, { changed: 0, told: true });
    if (event.event === "scene") Object.assign(page, { changed: Math.min(page.changed, event.kept), told: true });
    if (page.told) meetPeople(store.snapshot.characters);
    if (event.event === "snapshot" && !page.tools) begin(store.snapshot);
    if (event.event === "link" && store.link === "lost") lookFor();
    redraw();
  }

  function meetPeople(characters) {
    if (page.people && JSON.stringify(characters) === page.people.json) return;
    page.people = new People(characters);
    page.people.json = JSON.stringify(characters);
    page.changed = 0; // sides and faces may be others
  }

  /** With the first word of the server. */
  function begin(snapshot) {
    remember(LAST, scene);
    show($("#desk"), true);
    page.tools = openTools(store, { reveal, edit, goOn });
    composer.use(QUICK);
    draw();
    const left = scratch.left(snapshot.scratch);
    if (left !== null) {
      composer.restore(left);
      options.hint = left.hint;
    }
    scratch.begin();
    if (line && StoryView.find(line) !== null) return arriveAt(line);
    toEnd();
    if (matchMedia("(pointer: fine)").matches) composer.focus();
  }

  // -- lines -----------------------------------------------------------------------------------------------------------

  const lineOf = (id) => [...store.snapshot.lines, ...store.snapshot.pending].find((line) => line.id === id);

  /** The line that the keyboard is in, else the last one. */
  function here() {
    const current = currentLine();
    if (current) return current.dataset.key;
    const { lines, pending: open } = store.snapshot;
    const last = [...lines, ...open].pop();
    return last ? last.id : null;
  }

  function reveal(id) {
    const node = StoryView.find(id);
    if (node === null) return;
    node.scrollIntoView({ block: "center" });
    node.focus({ preventScroll: true });
  }

  function edit(id) {
    const line = lineOf(id);
    if (line === undefined) return;
    const send = async (text, character) => {
      if (text === line.text && character === line.character) return true;
      return (await deeds.give("edit", { line: id, text, character })).ok && (composer.focus(), true);
    };
    openEditor({ ...line, find: () => StoryView.find(id), send });
  }

  function editDraft(n) {
    const draft = drafts.numbered(n);
    if (!draft || !draft.done) return notice(t(draft ? "desk.note.unfinished" : "desk.note.nodraft", { n }));
    openEditor({ ...draft, take: true, find: () => drafts.find(draft), send: (text) => deeds.takeAs(draft, text) });
  }

  function openEditor(target) {
    const { lines, pending: open } = store.snapshot;
    editor.edit(target, groupsOf(page.people, [...lines, ...open]));
  }

  function goOn(id) {
    const line = lineOf(id);
    if (line) deeds.goOn(line);
  }

  /** What else can be done at a line: the menu of its "⋯". */
  function openMenu(id) {
    reveal(id);
    if (StoryView.find(id)) StoryView.find(id).querySelector("[data-line-menu]").click();
  }

  /** By its button or by its key; the next line has the focus afterwards. */
  function remove({ pressed }) {
    const node = pressed ? pressed.closest(".line") : currentLine();
    if (node === null || node.parentElement !== $("#pending")) return;
    const next = node.nextElementSibling || node.previousElementSibling;
    deeds.remove(node.dataset.key);
    if (next) next.focus({ preventScroll: true });
    else composer.focus();
  }

  function shift(by) {
    const node = currentLine();
    if (node !== null && node.parentElement === $("#pending")) deeds.shift(node.dataset.key, by);
  }

  function leave() {
    if (options.open) {
      options.toggle(false);
      $("#open-options").focus();
    } else if ($("#composer").contains(document.activeElement) || document.activeElement === $("#title")) {
      (drafts.shown.length ? $("#drafts") : scroll).focus({ preventScroll: true });
    } else composer.focus();
  }

  // -- commands --------------------------------------------------------------------------------------------------------

  const ACTIONS = {
    send: () => deeds.send(),
    take: ({ n }) => deeds.take(n),
    "edit-draft": ({ n }) => editDraft(n),
    ask: () => deeds.ask(),
    write: () => deeds.write(),
    more: () => deeds.more(),
    stop: () => deeds.stop(),
    confirm: () => deeds.confirm(),
    back: () => deeds.back(),
    discard: () => deeds.discard(),
    undo: () => deeds.undo(),
    redo: () => deeds.redo(),
    save: () => deeds.save(),
    text: () => composer.focus(),
    leave,
    mode: () => composer.use(composer.mode === QUICK ? ADVANCED : QUICK),
    quick: () => composer.use(QUICK),
    advanced: () => composer.use(ADVANCED),
    previous: () => stepLine(-1),
    next: () => stepLine(1),
    edit: () => edit(here()),
    goon: () => goOn(here()),
    line: () => openMenu(here()),
    delete: remove,
    raise: () => shift(-1),
    lower: () => shift(1),
    end: toEnd,
    options: () => options.toggle(),
    tools: () => toggleTools(),
    help: openHelp,
    "close-help": () => $("#help").close(),
  };

  function give(id, detail) {
    if (needsServer(id) && !store.live) return notice(t("desk.note.offline"), "refused");
    ACTIONS[id](detail);
  }

  function press(event) {
    const pressed = event.target.closest("[data-command]");
    if (pressed === null || pressed.disabled) return;
    const draft = pressed.closest(".draft");
    if (draft && String(getSelection()) && getSelection().containsNode(pressed, true)) return; // words are being copied
    give(pressed.dataset.command, { pressed, n: draft ? Number(draft.dataset.n) : 0 });
  }

  /** A click into a pending line's words, a double one into a confirmed line's, edits them. */
  function pressWords(event, list) {
    const words = event.target.closest(".words");
    const line = words && words.closest(".line");
    if (line && line.parentElement === list && !String(getSelection()).trim()) edit(line.dataset.key);
  }

  /** The address may name a scene that is not there. */
  async function lookFor() {
    if (store.snapshot !== null) return;
    const { status, message } = await get(store.path);
    if (status !== 404) return;
    store.close();
    notice(message, "refused");
    openScenes(true);
  }

  store.subscribe(hear);
  listen(give);
  labelButtons();
  document.addEventListener("click", press);
  $("#pending").addEventListener("click", (event) => pressWords(event, $("#pending")));
  $("#story").addEventListener("dblclick", (event) => {
    getSelection().removeAllRanges(); // a double click selects a word
    pressWords(event, $("#story"));
  });
  $("#drafts").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".words")) return;
    event.preventDefault();
    deeds.take(drafts.focused);
  });
  scroll.addEventListener("scroll", () => show($("#to-end"), !atEnd()), { passive: true });
  $("#title").addEventListener("change", () => deeds.rename());
  $("#title").addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && composer.focus());
  store.open();
  return redrawAll;
}

const query = new URLSearchParams(location.search);
let again = () => {};
openPage(() => again());
again = query.get("scene") ? openDesk(query.get("scene"), query.get("line")) : (await openScenes(query.has("list"))) || again;
