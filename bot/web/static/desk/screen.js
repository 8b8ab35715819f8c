// Draws the scene as the store has it, a moment after something was said. Only what has changed is touched: of the story
// what comes after the lines that were kept, and while drafts grow nothing but the drafts. The cursor stays where it is.

import { $, setText } from "../dom.js";
import { t } from "../texts.js";
import { drawBar, drawButtons, drawLink } from "./bar.js";
import { Follow } from "./follow.js";
import { drawStory } from "./line.js";
import { People } from "./people.js";

const SOON = 16; // milliseconds: what comes in one go is drawn in one go

export class Screen {
  /** `parts`: { store, composer, options, editor, pending, drafts }. */
  constructor(parts) {
    Object.assign(this, parts);
    // Where buttons are that may have to rest. The story has thousands of elements, and none of them.
    this.roots = [$("#bar"), $("#pending"), $("#drafts-box"), $("#composer"), this.editor.form];
    this.follow = new Follow($("#scroll"), $("#to-end"));
    this.people = new People([]);
    this.kept = 0; // so many lines of the story are drawn already
    this.told = true; // something besides drafts has changed
    this.asked = null; // after asking for drafts, until they are there: { ask, typed: what stood in the text box }
    this.timer = null;
  }

  hear({ event, kept }) {
    if (event === "snapshot" || event === "scene") {
      this.told = true;
      this.kept = Math.min(this.kept, event === "scene" ? kept : 0);
      this.meet(this.store.snapshot.characters);
    }
    this.redraw();
  }

  meet(characters) {
    if (this.people.same(characters)) return;
    this.people = new People(characters);
    this.kept = 0; // sides and faces may be others
  }

  redraw() {
    if (this.timer === null) this.timer = setTimeout(() => this.draw(), SOON);
  }

  /** In another language. */
  redrawAll() {
    Object.assign(this, { kept: 0, told: true });
    this.redraw();
  }

  draw() {
    clearTimeout(this.timer);
    this.timer = null;
    const { snapshot } = this.store;
    drawLink(this.store);
    if (snapshot === null) return;
    const follows = this.told ? this.follow.atEnd : this.follow.lets;
    const focused = document.activeElement;
    if (this.told) this.drawScene(snapshot);
    this.drafts.draw(snapshot.asks);
    this.editor.place();
    // What moves to another place is let go by the browser, and the cursor with it.
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    drawBar(this.store);
    drawButtons(this.store, this.pending.shown, this.roots);
    if (follows) this.follow.toEnd();
    this.follow.draw();
    this.meetDrafts(snapshot.asks);
    this.announce(snapshot.asks);
  }

  drawScene({ lines, pending, cast, presets }) {
    drawStory($("#story"), lines, this.people, this.kept);
    this.pending.draw(pending, this.people);
    this.composer.offer(this.people, [...lines, ...pending], cast);
    this.options.draw(presets);
    Object.assign(this, { kept: Infinity, told: false });
  }

  /** The writer has asked for these drafts and goes on there. */
  awaitDrafts(ask) {
    this.asked = { ask, typed: this.composer.text.value };
    this.redraw();
  }

  /** Who has asked is led to the drafts, unless they have begun to type again. Older drafts may
   * still be on the screen: the answer to an order can be here before its event. */
  meetDrafts(asks) {
    if (this.asked === null || !asks.some(({ ask }) => ask === this.asked.ask)) return;
    const { text } = this.composer;
    const typing = document.activeElement === text && text.value !== this.asked.typed;
    this.asked = null;
    if (!typing && !this.editor.open) $("#drafts").focus({ preventScroll: true });
    this.follow.toEnd();
  }

  /** For screen readers: once, when all of them are written. */
  announce(asks) {
    if (asks.some((ask) => ask.running)) return;
    const done = this.drafts.shown.filter((draft) => draft.done).length;
    setText($("#live"), done ? t("desk.drafts.ready", { n: done }) : "");
  }
}
