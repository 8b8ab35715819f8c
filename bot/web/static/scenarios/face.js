// A character's face: the picture, or the first letter of the name where there is none.

import { h, setAttr, setText, show } from "../dom.js";

let drawing = 0;

/** A picture has changed under its address: from now on it is asked for anew. */
export const renewed = () => {
  drawing += 1;
};

export class Face {
  constructor(side = 28) {
    this.letter = h("span");
    this.image = h("img", { alt: "", loading: "lazy", hidden: "" });
    this.canvas = h("canvas", { width: String(side * 2), height: String(side * 2), hidden: "" });
    this.node = h("span", { class: "face", "aria-hidden": "true" }, this.letter, this.image, this.canvas);
    this.image.addEventListener("error", () => this.showOnly(this.letter));
    this.drawn = undefined;
  }

  /** `character`: {name, avatar: address or null, picture: a Blob that is not on the server yet, null when it is to go}. */
  draw({ name, avatar, picture }) {
    setText(this.letter, Array.from(name)[0] || "·");
    if (picture) this.drawPicture(picture);
    else if (avatar && picture !== null) this.drawAddress(avatar);
    else this.showOnly(this.letter);
  }

  drawAddress(address) {
    const avatar = drawing ? `${address}?${drawing}` : address;
    if (this.image.getAttribute("src") !== avatar) {
      setAttr(this.image, "src", avatar);
      this.showOnly(this.image);
    } else if (!this.image.complete || this.image.naturalWidth > 0) this.showOnly(this.image);
  }

  /** The page's policy takes pictures from the server only: one that is not there yet is painted. */
  async drawPicture(picture) {
    this.showOnly(this.canvas);
    if (this.drawn === picture) return;
    this.drawn = picture;
    const bitmap = await createImageBitmap(picture);
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
    bitmap.close();
  }

  showOnly(node) {
    for (const part of [this.letter, this.image, this.canvas]) show(part, part === node);
  }
}
