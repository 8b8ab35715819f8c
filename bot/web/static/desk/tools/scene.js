// The scene as a whole: where it comes from, other scenes, where its text can be read, and its way into the bin.

import { get } from "../../api.js";
import { h, patchList, setText, show } from "../../dom.js";
import { notice } from "../../page.js";
import { t } from "../../texts.js";
import { deskOf, readingOf, scenarioOf } from "./addresses.js";
import { openAired } from "./aired.js";
import { askName, askYes, why } from "./dialogs.js";

export class SceneTool {
  constructor(root, store) {
    this.store = store;
    this.title = h("h2", {});
    this.from = h("p", { class: "minor" });
    this.read = h("a", { data: { t: "tools.scene.read" } });
    this.edit = h("a", { data: { t: "tools.scene.edit" } });
    this.scenes = h("ul", { class: "scenes" });
    this.none = h("p", { class: "hint", hidden: "", data: { t: "tools.scene.none" } });
    this.wrong = h("p", { class: "wrong", role: "alert" });
    root.append(
      this.title,
      this.from,
      h("ul", { class: "ways" }, h("li", {}, this.read), h("li", {}, this.edit)),
      h("div", { class: "stack" }, this.button("tools.scene.cohost", () => this.toShow()), this.button("tools.scene.aired", openAired)),
      h("h2", { data: { t: "tools.scene.others" } }),
      this.wrong,
      this.scenes,
      this.none,
      h("div", { class: "stack" }, this.button("tools.scene.bin", () => this.bin())),
    );
  }

  button(key, run) {
    const button = h("button", { type: "button", data: { t: key } });
    button.addEventListener("click", run);
    return button;
  }

  open() {
    this.list();
  }

  draw() {
    const { title, series, name } = this.store.snapshot;
    setText(this.title, title || name);
    setText(this.from, `${series} / ${name}`);
    this.read.href = readingOf(this.store.snapshot);
    this.edit.href = scenarioOf(this.store.snapshot);
  }

  async list() {
    const answer = await get("/api/desk");
    show(this.wrong, !answer.ok);
    if (!answer.ok) return setText(this.wrong, why(answer));
    const others = answer.answer.scenes.filter((scene) => scene.id !== this.store.scene && !scene.binned);
    show(this.none, others.length === 0);
    patchList(this.scenes, others, (scene) => scene.id, makeScene, (row, scene) => {
      row.firstChild.href = deskOf(scene);
      setText(row.firstChild, scene.title || scene.name);
      setText(row.lastChild, `${scene.series} / ${scene.name} · ${t("tools.tree.lines", { n: scene.lines })}`);
    });
  }

  bin() {
    const { title, name } = this.store.snapshot;
    askYes({
      title: t("tools.scene.bin.ask", { name: title || name }),
      notes: [t("tools.scene.bin.note")],
      button: t("tools.scene.bin.do"),
      send: async () => {
        const answer = await this.store.send("bin");
        if (answer.ok) location.assign("/desk?list");
        return answer;
      },
    });
  }

  /** The show goes on with this scene: it becomes a scenario of its own, whose opening is what is confirmed here. */
  toShow() {
    const { title, name } = this.store.snapshot;
    const wanted = title || name;
    askName({
      title: t("tools.scene.cohost.title"),
      note: t("tools.scene.cohost.note"),
      value: wanted,
      button: t("tools.scene.cohost.do"),
      send: async (chosen) => {
        // Under its own title the server finds a name that is free; one that was typed is meant as it is.
        const answer = await this.store.send("as-scenario", { name: chosen === wanted ? "" : chosen, play: true });
        if (answer.ok) notice(t("tools.scene.cohost.done", answer.answer));
        return answer;
      },
    });
  }
}

const makeScene = () => h("li", {}, h("a"), h("p", { class: "minor" }));
