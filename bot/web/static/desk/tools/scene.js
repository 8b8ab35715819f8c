// The scene as a whole: where it comes from, other scenes, where its text can be read, and its way into the bin.

import { get, post } from "../../api.js";
import { h, patchList, setText, show } from "../../dom.js";
import { notice, refused } from "../../page.js";
import { t } from "../../texts.js";
import { askYes, why } from "./dialogs.js";

export class SceneTool {
  constructor(root, store) {
    this.store = store;
    this.title = h("h2", {});
    this.from = h("p", { class: "minor" });
    this.read = h("a", { data: { t: "scene.read" } });
    this.edit = h("a", { href: "/scenarios", data: { t: "scene.edit" } });
    this.scenes = h("ul", { class: "scenes" });
    this.none = h("p", { class: "hint", hidden: "", data: { t: "scene.none" } });
    this.wrong = h("p", { class: "wrong", role: "alert" });
    root.append(
      this.title,
      this.from,
      h("ul", { class: "ways" }, h("li", {}, this.read), h("li", {}, this.edit)),
      h("div", { class: "stack" }, this.button("scene.cohost", () => this.toShow()), this.button("scene.aired", () => this.openAired())),
      h("h2", { data: { t: "scene.others" } }),
      this.wrong,
      this.scenes,
      this.none,
      h("div", { class: "stack" }, this.button("scene.bin", () => this.bin())),
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
    this.read.href = `/output?scene=${encodeURIComponent(this.store.scene)}`;
  }

  async list() {
    const answer = await get("/api/desk");
    show(this.wrong, !answer.ok);
    if (!answer.ok) return setText(this.wrong, why(answer));
    const others = answer.answer.scenes.filter((scene) => scene.id !== this.store.scene && !scene.binned);
    show(this.none, others.length === 0);
    patchList(this.scenes, others, (scene) => scene.id, makeScene, (row, scene) => {
      row.firstChild.href = `/desk?scene=${encodeURIComponent(scene.id)}`;
      setText(row.firstChild, scene.title || scene.name);
      setText(row.lastChild, `${scene.series} / ${scene.name} · ${t("tree.lines", { n: scene.lines })}`);
    });
  }

  bin() {
    const { title, name } = this.store.snapshot;
    askYes({
      title: t("scene.bin.ask", { name: title || name }),
      notes: [t("scene.bin.note")],
      button: t("scene.bin"),
      send: async () => {
        const answer = await this.store.send("bin");
        if (answer.ok) location.assign("/desk?list");
        return answer;
      },
    });
  }

  /** The show goes on with this scene: its characters, and what is confirmed here as what was said before. */
  toShow() {
    askYes({
      title: t("scene.cohost"),
      notes: [t("scene.cohost.note")],
      button: t("scene.cohost.do"),
      send: async () => {
        const answer = await this.store.send("as-scenario");
        if (answer.ok) notice(t("scene.cohost.done"));
        return answer;
      },
    });
  }

  async openAired() {
    const { series, name } = this.store.snapshot;
    const answer = await post("/api/desk/open", { show: `${series}/${name}` });
    if (answer.ok) location.assign(`/desk?scene=${encodeURIComponent(answer.answer.id)}`);
    else refused(answer);
  }
}

const makeScene = () => h("li", {}, h("a"), h("p", { class: "minor" }));
