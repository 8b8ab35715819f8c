// The script desk: joins the store, the screen and the commands. What each command of keys.js does is written here.

import { get } from "../api.js";
import { $, show } from "../dom.js";
import { notice, openPage } from "../page.js";
import { remember } from "../settings.js";
import { t } from "../texts.js";
import "./texts.js";
import { ADVANCED, Composer, QUICK } from "./composer.js";
import { Deeds } from "./deeds.js";
import { DraftsView } from "./drafts.js";
import { Editor } from "./editor.js";
import { Hand } from "./hand.js";
import { labelButtons, listen, needsServer, openHelp } from "./keys.js";
import { stepLine } from "./line.js";
import { Options } from "./options.js";
import { PendingView } from "./pending.js";
import { LAST, openScenes } from "./scenes.js";
import { Scratch, tabName } from "./scratch.js";
import { Screen } from "./screen.js";
import { Store } from "./store.js";
import { openTools, toggleTools } from "./tools/tools.js";

/** Returns what draws the page again in another language. `line`: where a link has led to, or null. */
function openDesk(scene, line) {
  const store = new Store(scene, tabName());
  const composer = new Composer({ send: () => deeds.send(), ask: () => deeds.ask(), changed: () => scratch.changed() });
  const options = new Options(() => scratch.changed());
  const pending = new PendingView($("#pending"), (line, to) => deeds.give("move", { line, to }));
  const drafts = new DraftsView($("#drafts"));
  const editor = new Editor($("#stray"), { toText: (text) => composer.insert(text), changed: () => scratch.changed() });
  const screen = new Screen({ store, composer, options, pending, drafts, editor });
  const deeds = new Deeds({ store, composer, options, pending, drafts, editor }, (ask) => screen.awaitDrafts(ask));
  const hand = new Hand({ store, editor, composer, drafts, deeds }, () => screen.people);
  const scratch = new Scratch(store, () => ({ ...composer.state, hint: options.hint, edit: editor.state }));
  let tools = null;

  function hear(event) {
    screen.hear(event);
    if (event.event === "snapshot" && tools === null) begin(event);
    if (event.event === "link" && store.link === "lost") lookFor();
  }

  /** With the first word of the server. */
  function begin(snapshot) {
    remember(LAST, scene);
    show($("#desk"), true);
    tools = openTools(store, { reveal: (id) => hand.reveal(id), edit: (id) => hand.edit(id), goOn: (id) => hand.goOn(id) });
    screen.draw();
    const left = scratch.left(snapshot.scratch);
    composer.use(QUICK);
    if (left !== null) {
      composer.restore(left);
      options.hint = left.hint;
    }
    scratch.begin();
    composer.goOn();
    if (left !== null && left.edit) hand.resume(left.edit);
    if (line) requestAnimationFrame(() => arriveAt(line));
  }

  /** Twice, as lines above are as high as was guessed until they are laid out. */
  function arriveAt(id) {
    hand.reveal(id);
    requestAnimationFrame(() => hand.reveal(id));
  }

  /** The address may name a scene that is not there, or another window may have put it into the bin. */
  async function lookFor() {
    const { status, message } = await get(store.path);
    if (status !== 404 || store.closed) return;
    store.close();
    show($("#desk"), false);
    notice(message, "refused");
    openScenes(true);
  }

  /** Esc: closes what is open, leaves the box, or leads back to it. */
  function leave() {
    const inside = $("#composer").contains(document.activeElement) || document.activeElement === $("#title");
    if (options.open) options.close();
    else if (inside) (drafts.shown.length ? $("#drafts") : $("#scroll")).focus({ preventScroll: true });
    else composer.focus();
  }

  const ACTIONS = {
    send: () => deeds.send(),
    take: ({ n }) => deeds.take(n),
    "edit-draft": ({ n }) => hand.editDraft(n),
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
    edit: () => hand.edit(hand.here),
    goon: () => hand.goOn(hand.here),
    line: () => hand.openMenu(hand.here),
    delete: (detail) => hand.remove(detail),
    raise: () => hand.shift(-1),
    lower: () => hand.shift(1),
    end: () => screen.follow.toEnd(),
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

  store.subscribe(hear);
  listen(give);
  labelButtons();
  document.addEventListener("click", press);
  $("#pending").addEventListener("click", (event) => hand.pressWords(event, $("#pending")));
  $("#story").addEventListener("dblclick", (event) => {
    getSelection().removeAllRanges(); // a double click selects a word
    hand.pressWords(event, $("#story"));
  });
  $("#drafts").addEventListener("keydown", (event) => {
    if (!["Enter", " "].includes(event.key) || !event.target.matches(".words")) return;
    event.preventDefault();
    deeds.take(drafts.focused);
  });
  $("#title").addEventListener("change", () => deeds.rename());
  $("#title").addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && composer.focus());
  store.open();

  return () => {
    labelButtons();
    screen.redrawAll();
    if (tools) tools.draw();
  };
}

const query = new URLSearchParams(location.search);
let drawAgain = () => {};
openPage(() => drawAgain());
if (query.get("scene")) drawAgain = openDesk(query.get("scene"), query.get("line"));
else drawAgain = (await openScenes(query.has("list"))) || drawAgain;
