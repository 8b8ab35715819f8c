// Which square of a picture is seen: its middle and its zoom. Arithmetic only; crop.js shows it.

export const SIDE = 512; // of the square, in pixels of the canvas and of the avatar that is sent
const MOST_ZOOM = 8;
const LEAST_SIDE = 64;

const between = (least, value, most) => Math.min(most, Math.max(least, value));

export class Frame {
  /** `width`, `height`: of the picture, in its own pixels. At first the whole of its shorter side is seen. */
  constructor(width, height) {
    Object.assign(this, { width, height, zoom: 1, x: width / 2, y: height / 2 });
  }

  /** Pixels of the canvas for one of the picture. */
  get scale() {
    return (SIDE / Math.min(this.width, this.height)) * this.zoom;
  }

  /** What is seen, in pixels of the picture. */
  get seen() {
    const side = SIDE / this.scale;
    return { left: this.x - side / 2, top: this.y - side / 2, side };
  }

  /** Moves the picture by so many pixels of the canvas; its edge stops at the square's. */
  move(right, down) {
    const half = SIDE / this.scale / 2;
    this.x = between(half, this.x - right / this.scale, this.width - half);
    this.y = between(half, this.y - down / this.scale, this.height - half);
  }

  /** What lies at that point of the canvas stays there. */
  zoomTo(zoom, right = SIDE / 2, down = SIDE / 2) {
    const before = this.scale;
    this.zoom = between(1, zoom, MOST_ZOOM);
    const grown = this.scale / before - 1;
    this.move((SIDE / 2 - right) * grown, (SIDE / 2 - down) * grown);
  }

  /** The side of the avatar: no more pixels than the picture has there, and never more than SIDE. */
  get output() {
    return between(LEAST_SIDE, Math.round(this.seen.side), SIDE);
  }
}
