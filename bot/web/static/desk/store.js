// One scene of the desk: what the server has said of it, and the ways to change it. Draws nothing.
//
// `snapshot` is null before the first word of the server, then always the present: only the server's events change it.
// `subscribe(listener)` hears of every change, as { event, … }: "snapshot", "scene" (with `kept`: the confirmed lines
// before that place are the same as before), "draft", "ask", "reading", "engine", and "link" when the connection changes.

import { FeedLink, get, grow, post } from "../api.js";
import { t } from "../texts.js";

export class Store {
  /** `tab`: a name of this browser tab's own, under which the server keeps what stands in its text box. */
  constructor(scene, tab = "") {
    this.scene = scene;
    this.tab = tab;
    this.snapshot = null;
    this.link = "connecting"; // "connecting" | "live" | "lost"
    this.attempt = 0; // how often a lost connection was tried again
    this.revision = 0; // the newest that we know of, our own orders included
    this.closed = false;
    this.last = null; // the order under way, on which the next one waits
    this.listeners = new Set();
  }

  get live() {
    return this.link === "live";
  }

  get path() {
    return `/api/desk/${encodeURIComponent(this.scene)}`;
  }

  /** { done, total } tokens while the model reads, else null. */
  get reading() {
    const { reading } = this.snapshot;
    return reading && reading.done < reading.total ? reading : null;
  }

  /** Returns the way to stop listening. */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  open() {
    const path = `${this.path}/feed?${new URLSearchParams({ tab: this.tab })}`;
    this.feed = new FeedLink(path, (event) => this.apply(event), (link, attempt) => {
      Object.assign(this, { link, attempt });
      this.tell({ event: "link" });
    });
    this.feed.open();
  }

  close() {
    this.closed = true;
    this.feed.close();
  }

  // -- what a person does: each returns api.js's answer { ok, status, error, message, answer } ------------------------

  /** One order of the table in bot/desk. Orders given quickly one after another go out in turn. */
  order(kind, fields = {}) {
    return this.inTurn("do", { order: { kind, ...fields } });
  }

  /** Drafts: { character, count, start_with, min_length, hint, sampling?, continue?, ask?: the one that gets more }. */
  ask(fields) {
    return this.inTurn("drafts", fields);
  }

  /** What needs no revision: "drafts/stop", "scratch", "save". `more`: as for post(). */
  send(what, body = {}, more = {}) {
    return post(`${this.path}/${what}`, body, more);
  }

  /** A summary of the story but for its last lines, drafted by the model; see grow(). */
  sumUp(last, onText, signal) {
    return grow(`${this.path}/summary`, { last }, onText, signal);
  }

  /** "tree", "fed", "compare", "versions". */
  read(what, query = {}) {
    return get(`${this.path}/${what}?${new URLSearchParams(query)}`);
  }

  /** True once the snapshot holds that revision; false when the connection is lost before. */
  reached(revision) {
    const there = () => this.snapshot !== null && this.snapshot.revision >= revision;
    if (there()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const stop = this.subscribe(() => {
        if (!there() && this.live) return;
        stop();
        resolve(there());
      });
    });
  }

  /** The revision is the one on the screen when the person pressed, moved on only by that person's own orders. */
  async inTurn(what, body) {
    if (!this.live) return { ok: false, status: 0, error: "offline", message: t("desk.note.offline"), answer: {} };
    const order = this.after(this.last, what, body, this.revision);
    this.last = order;
    const answer = await order;
    if (this.last === order) this.last = null;
    return answer;
  }

  async after(before, what, body, seen) {
    const first = before ? await before : null;
    if (first && !first.ok) return first; // this one was meant for what the other would have made
    const revision = first ? first.revision : seen;
    const answer = await post(`${this.path}/${what}`, { revision, ...body });
    answer.revision = answer.ok && what === "do" ? answer.answer.revision : revision;
    if (answer.ok) this.revision = Math.max(this.revision, answer.revision);
    return answer;
  }

  // -- what the server says ------------------------------------------------------------------------------------------

  apply(event) {
    const name = `on_${event.event}`;
    if (typeof this[name] !== "function") return;
    this[name](event);
    this.tell(event);
  }

  tell(event) {
    for (const listener of [...this.listeners]) listener(event);
  }

  on_snapshot({ event, ...snapshot }) {
    this.snapshot = snapshot;
    this.revision = snapshot.revision;
  }

  on_scene({ event, kept, lines, ...rest }) {
    this.snapshot = { ...rest, lines: [...this.snapshot.lines.slice(0, kept), ...lines] };
    this.revision = Math.max(this.revision, rest.revision);
  }

  on_ask({ event, ...ask }) {
    const asks = this.snapshot.asks;
    const known = asks.some((other) => other.ask === ask.ask);
    this.snapshot.asks = known ? asks.map((other) => (other.ask === ask.ask ? { ...other, ...ask } : other)) : [...asks, ask];
  }

  on_draft({ ask, index, id, text, done }) {
    const asked = this.snapshot.asks.find((other) => other.ask === ask);
    if (asked === undefined) return;
    while (asked.drafts.length <= index) asked.drafts.push({ id: "", text: "", done: false });
    const draft = asked.drafts[index];
    asked.drafts[index] = { id: id || draft.id, text, done };
  }

  on_reading({ done, total }) {
    this.snapshot.reading = { done, total };
  }

  on_engine({ event, ...engine }) {
    this.snapshot.engine = engine;
  }
}
