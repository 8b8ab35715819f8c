// What the server has said, and nothing else. The page draws from here; only the server's events change it.

const OPEN = new Set(["pending", "approved"]);
const CLOSED = new Set(["done", "recalled", "rejected", "expired"]);
const HISTORY = 50;

export class Store {
  constructor() {
    this.items = new Map();
    this.onAir = null;
    this.history = [];
    this.waiting = [];
    this.passed = [];
    this.held = [];
    this.muted = [];
    this.status = null;
    this.skew = 0;
    this.link = "connecting";
    this.ready = false;
  }

  /** Seconds since 1970 on the server's clock: ages and time left are the same on every screen. */
  now() {
    return Date.now() / 1000 + this.skew;
  }

  get pending() {
    return [...this.items.values()].filter((item) => item.state === "pending");
  }

  get approved() {
    return [...this.items.values()].filter((item) => item.state === "approved");
  }

  find(id) {
    if (this.items.has(id)) return this.items.get(id);
    if (this.onAir && this.onAir.id === id) return this.onAir;
    return this.history.find((item) => item.id === id) || null;
  }

  get live() {
    return this.link === "live";
  }

  apply(event) {
    const name = `on_${event.event}`;
    if (typeof this[name] === "function") this[name](event);
  }

  on_snapshot(event) {
    this.items = new Map(event.items.map((item) => [item.id, item]));
    this.onAir = event.on_air;
    this.history = event.history || [];
    this.on_intake(event);
    this.on_status(event);
    this.ready = true;
  }

  on_item({ item }) {
    this.history = this.history.filter((old) => old.id !== item.id);
    if (OPEN.has(item.state)) {
      this.items.set(item.id, item);
    } else {
      this.items.delete(item.id);
    }
    if (CLOSED.has(item.state)) this.history = [item, ...this.history].slice(0, HISTORY);
    if (item.state === "aired") this.onAir = item;
    else if (this.onAir && this.onAir.id === item.id) this.onAir = null;
  }

  on_draft({ id, index, text, done, flags, by_person }) {
    const item = this.items.get(id);
    if (!item) return;
    while (item.drafts.length <= index) item.drafts.push({ text: "", done: false, flags: [] });
    item.drafts[index] = { text, done, flags: flags || [], by_person };
  }

  on_on_air({ item }) {
    this.onAir = item;
    if (item) this.items.delete(item.id);
  }

  on_intake({ waiting, passed, held, muted }) {
    this.waiting = waiting || [];
    this.passed = passed || [];
    this.held = held || [];
    this.muted = muted || [];
  }

  /** The mute of this message's viewer that is not over, or null. */
  muteOf(message) {
    if (!message || message.known === false) return null;
    const now = this.now();
    const same = (mute) => mute.platform === message.platform && mute.viewer_id === message.viewer_id && now < mute.until;
    return this.muted.find(same) || null;
  }

  on_status({ status }) {
    this.status = status;
    this.skew = status.now - Date.now() / 1000;
  }
}

export function isPaid(item) {
  const message = item.message;
  if (!message) return false;
  return message.kind === "super_chat" || message.kind === "guard" || Boolean(message.price);
}
