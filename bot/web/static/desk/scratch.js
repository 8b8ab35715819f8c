// What stands in the text boxes is kept by the server as it is typed: a reload or a crash loses nothing. Every tab has a
// name of its own, and a tab that opens after another was lost is given that one's words. While the server cannot be
// reached, the browser keeps them.

const AFTER = 400; // milliseconds without a key
const TAB = "cohost.desk.tab";
const UNSENT = "cohost.desk.unsent.";

/** sessionStorage, where the browser lets us; null is "nothing is kept". */
const session = {
  get: (key) => attempt(() => sessionStorage.getItem(key)),
  set: (key, value) => attempt(() => sessionStorage.setItem(key, value)),
  drop: (key) => attempt(() => sessionStorage.removeItem(key)),
};

function attempt(action) {
  try {
    return action();
  } catch (error) {
    return null; // a private window: the server still keeps what is typed
  }
}

/** The tab's name. It stays over a reload; a duplicate of this tab gets one of its own, since nobody has left this one. */
export function tabName() {
  const kept = session.get(TAB);
  session.drop(TAB);
  const name = kept || Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  addEventListener("pagehide", () => session.set(TAB, name));
  return name;
}

export class Scratch {
  /** `read()`: { text, cursor, character, mode, … } as they are now. */
  constructor(store, read) {
    Object.assign(this, { store, read });
    this.timer = null;
    this.kept = null; // what the server has, as JSON; null before the page has been filled
    store.subscribe(({ event }) => event === "link" && this.keep());
    addEventListener("pagehide", () => this.keep(true));
    document.addEventListener("visibilitychange", () => document.hidden && this.keep(true));
  }

  /** What the boxes should hold now: the browser's own, newer words, else what the server has kept, else null. */
  left(kept) {
    const unsent = session.get(UNSENT + this.store.scene);
    return unsent === null ? kept : JSON.parse(unsent);
  }

  /** From now on changes are kept: the page shows what was left. */
  begin() {
    this.kept = JSON.stringify(this.read());
  }

  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), AFTER);
  }

  /** `last`: the page may be going, and the request outlives it. */
  async keep(last = false) {
    clearTimeout(this.timer);
    const now = this.read();
    const json = JSON.stringify(now);
    if (this.kept === null || json === this.kept) return;
    session.set(UNSENT + this.store.scene, json);
    if (!this.store.live) return;
    const answer = await this.store.send("scratch", { tab: this.store.tab, ...now }, { keepalive: last });
    if (!answer.ok) return;
    this.kept = json;
    if (JSON.stringify(this.read()) === json) session.drop(UNSENT + this.store.scene);
  }
}
