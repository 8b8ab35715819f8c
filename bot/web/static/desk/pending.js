// The lines that nobody has confirmed yet: edited in place, reordered, deleted.

import { h, patchList, setText, show, $ } from "../dom.js";
import { t } from "../texts.js";
import { makeLine, updateLine } from "./line.js";

export class PendingView {
  /** `moved(id, to)` is called when a line was dragged to another place. */
  constructor(root, moved) {
    Object.assign(this, { root, moved });
    this.shown = []; // the lines as they stand on the screen: exactly these are confirmed
    root.addEventListener("pointerdown", (event) => this.grab(event));
  }

  draw(lines, people) {
    this.shown = lines;
    patchList(this.root, lines, (line) => line.id, makePending, (node, line) => updateLine(node, line, people));
    show($("#pending-empty"), lines.length === 0);
    setText($("#pending-count"), lines.length ? t("desk.pending.count", { n: lines.length }) : "");
  }

  indexOf(id) {
    return this.shown.findIndex((line) => line.id === id);
  }

  /** With a mouse or a finger: the line follows, the others make room, and where it is let go it stays. */
  grab(event) {
    const handle = event.target.closest(".drag");
    if (handle === null || handle.disabled || event.button !== 0) return;
    event.preventDefault();
    const dragged = handle.closest(".line");
    const end = new AbortController();
    const on = (name, listener) => document.addEventListener(name, listener, { signal: end.signal });
    const drop = (keep) => {
      end.abort();
      delete dragged.dataset.dragged;
      const to = [...this.root.children].indexOf(dragged);
      const from = this.indexOf(dragged.dataset.key);
      if (keep && from >= 0 && to !== from) this.moved(dragged.dataset.key, to);
      else this.putBack();
    };
    dragged.dataset.dragged = "";
    on("pointermove", ({ clientY }) => makeRoom(this.root, dragged, clientY));
    on("pointerup", () => drop(true));
    on("pointercancel", () => drop(false));
    on("keydown", (press) => press.key === "Escape" && drop(false));
  }

  /** As the server has them, when a drag came to nothing. */
  putBack() {
    const nodes = new Map([...this.root.children].map((node) => [node.dataset.key, node]));
    for (const line of this.shown) if (nodes.has(line.id)) this.root.append(nodes.get(line.id));
  }
}

function makePending(line) {
  const drag = h("button", { type: "button", class: "quiet drag", data: { server: "", tLabel: "desk.pending.drag", tTitle: "desk.pending.drag" } }, "⠿");
  const gone = h("button", { type: "button", class: "quiet", data: { command: "delete", tLabel: "desk.pending.delete", tTitle: "desk.pending.delete" } }, "✕");
  for (const button of [drag, gone]) button.title = button.ariaLabel = t(button.dataset.tLabel);
  return makeLine(line, drag, gone);
}

function makeRoom(root, dragged, y) {
  const others = [...root.children].filter((node) => node !== dragged);
  const below = others.find((node) => {
    const { top, height } = node.getBoundingClientRect();
    return y < top + height / 2;
  });
  if ((below || null) !== dragged.nextElementSibling) root.insertBefore(dragged, below || null);
}
