// Who is near the end of the story follows it; who reads further up is left alone and finds a way back.

import { show } from "../dom.js";

const NEAR = 64; // pixels

export class Follow {
  /** `scroll`: what scrolls. `back`: the button that leads to the end. */
  constructor(scroll, back) {
    Object.assign(this, { scroll, back });
    this.held = true; // at the end, as far as the reader is concerned
    this.height = 0; // the paper's, when that was last known
    scroll.addEventListener("scroll", () => this.draw(), { passive: true });
    // Who is led to a line is there from then on, however high the paper is going to be.
    scroll.addEventListener("focusin", () => (this.held = this.atEnd));
    // Below it the writer's box grows and shrinks; who was at the end stays there.
    new ResizeObserver(() => this.resized()).observe(scroll);
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  /** While a draft grows, nothing moves below a pointer that is on the paper. */
  get lets() {
    return this.atEnd && !this.scroll.matches(":hover");
  }

  /** Twice, because lines that were not laid out before are as high as was guessed until they are. */
  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    requestAnimationFrame(() => (this.scroll.scrollTop = this.scroll.scrollHeight));
  }

  resized() {
    this.height = this.scroll.clientHeight;
    if (this.held) this.toEnd();
  }

  draw() {
    if (this.scroll.clientHeight === this.height) this.held = this.atEnd; // else nobody has scrolled
    show(this.back, !this.held);
  }
}
