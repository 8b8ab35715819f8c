// How the opening is read, line by line. The server reads it, with the same words for the same text as when it is saved.

import { $, h, setAttr, setText } from "../dom.js";
import { t } from "../texts.js";
import { readOpening } from "./calls.js";

const AFTER = 250; // ms without a key

export class Opening {
  constructor() {
    this.asked = null; // what was last asked for
  }

  draw(text, cast) {
    const names = cast.map((character) => character.name);
    const asked = JSON.stringify([text, names]);
    this.cast = cast;
    if (asked === this.asked) return;
    this.asked = asked;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(asked, text, names), AFTER);
  }

  async ask(asked, text, names) {
    const answer = text.trim() ? await readOpening(text, names) : { ok: true, answer: { lines: [] } };
    if (asked !== this.asked) return; // somebody has typed on
    if (answer.ok) this.show(answer.answer.lines);
    else this.asked = null;
  }

  show(lines) {
    const sides = new Map(this.cast.map((character) => [character.name, character.side]));
    const made = lines.map(({ character, text }) => {
      const node = h("li", {}, h("span", { class: "said clip" }), h("span"));
      setAttr(node, "data-side", sides.get(character));
      setText(node.firstChild, character || t("opening.narrator"));
      setText(node.lastChild, text);
      return node;
    });
    $("#opening-lines").replaceChildren(...(made.length ? made : [h("li", { class: "minor" }, t("opening.none"))]));
  }

  /** The text with `to` in place of `from` where a paragraph is theirs. */
  renamed(text, from, to) {
    const name = from.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    let count = 0;
    const changed = text.replace(new RegExp(`(^|\\n[ \\t]*\\n)(\\s*)${name}([ \\t]*[:：])`, "gu"), (whole, before, space, colon) => {
      count += 1;
      return `${before}${space}${to}${colon}`;
    });
    return { text: changed, count };
  }
}
