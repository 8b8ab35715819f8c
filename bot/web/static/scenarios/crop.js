// Cuts an avatar out of a picture: a square, moved and zoomed by mouse, fingers or keys. The picture never leaves the page.

import { $ } from "../dom.js";
import { Frame, SIDE } from "./frame.js";

const STEP = 24; // pixels of the canvas for an arrow key
const FASTER = 1.15;

/** Resolves to a PNG of at most SIDE × SIDE, or null when the person gave up. Rejects when the file is no picture. */
export async function cut(file) {
  const picture = await createImageBitmap(file);
  try {
    return await new Cutting(picture).done;
  } finally {
    picture.close();
  }
}

class Cutting {
  constructor(picture) {
    this.picture = picture;
    this.frame = new Frame(picture.width, picture.height);
    this.dialog = $("#crop");
    this.canvas = $("#crop-canvas");
    this.range = $("#crop-zoom");
    this.pointers = new Map();
    this.ends = new AbortController();
    this.done = new Promise((resolve) => this.listen(resolve));
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.canvas.focus();
    this.draw();
  }

  listen(resolve) {
    const on = (node, name, what) => node.addEventListener(name, what, { signal: this.ends.signal });
    on(this.canvas, "pointerdown", (event) => this.press(event));
    on(this.canvas, "pointermove", (event) => this.pull(event));
    for (const name of ["pointerup", "pointercancel"]) on(this.canvas, name, (event) => this.pointers.delete(event.pointerId));
    // Else a quick move of a finger counts as a fling, and the tap after it only as what stops the fling.
    on(this.canvas, "touchstart", (event) => event.preventDefault());
    on(this.canvas, "wheel", (event) => this.wheel(event));
    on(this.canvas, "keydown", (event) => this.key(event));
    on(this.range, "input", () => this.zoomTo(2 ** Number(this.range.value)));
    on(this.dialog, "close", async () => {
      this.ends.abort();
      resolve(this.dialog.returnValue === "take" ? await this.png() : null);
    });
  }

  draw() {
    const { left, top, side } = this.frame.seen;
    const brush = this.canvas.getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.clearRect(0, 0, SIDE, SIDE);
    brush.drawImage(this.picture, left, top, side, side, 0, 0, SIDE, SIDE);
    this.range.value = String(Math.log2(this.frame.zoom));
  }

  async png() {
    const { frame, picture } = this;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = frame.output;
    const { left, top, side } = frame.seen;
    const brush = canvas.getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.drawImage(picture, left, top, side, side, 0, 0, frame.output, frame.output);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  zoomTo(zoom, right, down) {
    this.frame.zoomTo(zoom, right, down);
    this.draw();
  }

  /** A place on the screen as pixels of the canvas. */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = SIDE / box.width;
    return { right: (event.clientX - box.left) * scale, down: (event.clientY - box.top) * scale };
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
  }

  /** One pointer moves the picture; two also zoom it about their middle. */
  pull(event) {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = this.place(event);
    this.pointers.set(event.pointerId, now);
    const share = this.pointers.size;
    this.frame.move((now.right - before.right) / share, (now.down - before.down) / share);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId);
    if (other) this.pinch(other[1], before, now);
    this.draw();
  }

  pinch(still, before, now) {
    const apart = (point) => Math.hypot(point.right - still.right, point.down - still.down);
    if (apart(before) < 1) return;
    this.frame.zoomTo((this.frame.zoom * apart(now)) / apart(before), (still.right + now.right) / 2, (still.down + now.down) / 2);
  }

  wheel(event) {
    event.preventDefault();
    const { right, down } = this.place(event);
    this.zoomTo(this.frame.zoom * FASTER ** (event.deltaY < 0 ? 1 : -1), right, down);
  }

  key(event) {
    const moves = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    const zooms = { "+": FASTER, "=": FASTER, "-": 1 / FASTER };
    if (event.key in moves) this.frame.move(...moves[event.key]);
    else if (event.key in zooms) this.frame.zoomTo(this.frame.zoom * zooms[event.key]);
    else if (event.key === "Enter") this.dialog.close("take");
    else return;
    event.preventDefault();
    this.draw();
  }
}
