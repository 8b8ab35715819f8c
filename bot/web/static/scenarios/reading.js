// Opening a scene: the model reads first, and the desk opens by itself when it has. The wait can be cut short or given up.

import { FeedLink } from "../api.js";
import { $, setAttr, setText } from "../dom.js";
import { refused } from "../page.js";
import { t } from "../texts.js";
import { binScene, openScene } from "./calls.js";

const READY_SHOWN = 250; // ms in which one sees that it is done

/** `log`: the file of a saved log, or "" for a new scene. */
export async function open({ series, name }, log = "") {
  const answer = await openScene({ series, name }, log);
  if (answer.ok) new Waiting(answer.answer.id, name);
  else refused(answer);
}

class Waiting {
  constructor(scene, name) {
    this.scene = scene;
    this.ends = new AbortController();
    setText($("#reading-title"), t("reading.title", { name }));
    setText($("#reading-text"), t("reading.begin"));
    this.bar(0, 0);
    $("#reading").showModal();
    this.on($("#reading-anyway"), "click", () => this.enter());
    this.on($("#reading-cancel"), "click", () => $("#reading").close());
    this.on($("#reading"), "close", () => this.giveUp());
    this.link = new FeedLink(`/api/desk/${encodeURIComponent(scene)}/feed`, (event) => this.read(event), () => {});
    this.link.open();
  }

  on(node, name, what) {
    node.addEventListener(name, what, { signal: this.ends.signal });
  }

  read(event) {
    if (this.ends.signal.aborted) return;
    if (event.engine) this.engine(event.engine);
    if (event.event === "engine") this.engine(event);
    if (event.event === "reading") this.reading(event);
  }

  /** Writing by hand needs no model, so nobody has to wait for one that is down. */
  engine({ state, detail }) {
    const was = this.engineState;
    this.engineState = state;
    if (state === "ready") return was === undefined || was === state ? undefined : setText($("#reading-text"), t("reading.begin"));
    setText($("#reading-text"), state === "loading" ? t("reading.loading") : t("reading.engine", { why: detail || t(`engine.${state}`) }));
  }

  /** Nothing to read, or nothing more, means that the desk is ready. */
  reading({ done, total }) {
    this.bar(done, total);
    if (done < total) return setText($("#reading-text"), t("reading.tokens", { done, total }));
    setText($("#reading-text"), t("reading.ready"));
    setTimeout(() => this.enter(), READY_SHOWN);
  }

  bar(done, total) {
    setAttr($("#reading-bar"), "data-on", total > 0);
    $("#reading-bar").max = total || 1;
    $("#reading-bar").value = done;
  }

  enter() {
    if (this.ends.signal.aborted) return;
    this.ends.abort();
    location.assign(`/desk?scene=${encodeURIComponent(this.scene)}`);
  }

  /** The scene was made a moment ago and has nothing of anybody's in it. */
  giveUp() {
    this.ends.abort();
    this.link.close();
    binScene(this.scene);
  }
}
