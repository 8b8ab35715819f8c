// The confirmed story. Two thousand lines stay fast: a change touches only what comes after the lines that were kept, and
// the browser lays out only what is near the screen (line.css).

import { $, patchList } from "../dom.js";
import { makeLine, updateLine } from "./line.js";

export class StoryView {
  constructor(root) {
    this.root = root;
  }

  /** `kept`: so many lines at the beginning are the same as when it was last drawn. */
  draw(lines, people, kept) {
    const from = Math.min(kept, this.root.children.length);
    const update = (node, line) => updateLine(node, line, people);
    patchList(this.root, lines.slice(from), (line) => line.id, makeLine, update, from);
  }

  /** The element of a line, confirmed or pending; null when it is not on the page. */
  static find(id) {
    return $(`.line[data-key="${CSS.escape(id)}"]`);
  }
}
