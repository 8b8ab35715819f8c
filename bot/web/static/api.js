// The ways to the server: a POST for each thing a person does, a GET for what is looked at, and the feed of what has happened.

import { language, ours } from "./texts.js";

const ANSWER_WITHIN = 10000;
const SENT_WITHIN = 60000;
const SILENCE = 15000;

/**
 * Sent once. A lost answer is reported as such and never tried again: the first try may have taken effect. `more`: what
 * else fetch() should know, such as { keepalive: true } for a page that may be going.
 */
export function post(path, body, more = {}) {
  return ask(path, { ...asJson(body), ...more });
}

export function get(path, within = ANSWER_WITHIN) {
  return ask(path, { cache: "no-store" }, within);
}

/** A file as it is. It may be large and the network slow. */
export function send(path, file) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file }, SENT_WITHIN);
}

const noAnswer = () => ({ ok: false, status: 0, error: "no_answer", message: "", answer: {} });

const asJson = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

async function ask(path, request, within = ANSWER_WITHIN) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), within);
  try {
    return await answerOf(await knock(path, request, abort.signal));
  } catch (error) {
    return noAnswer();
  } finally {
    clearTimeout(timer);
  }
}

/** In the language of this page. */
function knock(path, request, signal) {
  return fetch(path, { ...request, headers: { ...request.headers, "Accept-Language": language() }, signal });
}

async function answerOf(response) {
  const answer = await response.json().catch(() => ({}));
  const { ok, status } = response;
  if (status === 401) toLogin();
  return { ok, status, error: answer.error || "", message: ours(answer.message || ""), answer };
}

/**
 * A text that is being written: `onText(text)` hears all of it, each time that it has grown. However long it takes; `signal`
 * ends it. Answers as post() does; what a person has ended is `ok`.
 */
export async function grow(path, body, onText, signal) {
  let last = {};
  try {
    const response = await knock(path, asJson(body), signal);
    if (!response.ok) return await answerOf(response);
    for await (const line of linesOf(response.body)) {
      last = line;
      if (line.text !== undefined) onText(line.text);
    }
  } catch (error) {
    last = { done: signal.aborted };
  }
  if (last.error) return { ...noAnswer(), error: last.error, message: ours(last.message) };
  return { ...noAnswer(), ok: last.done === true };
}

/** What stands on each line of a body, as JSON. */
async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

/** The server shows the sign-in under the address of this page, and this page again after it. */
function toLogin() {
  location.reload();
}

/**
 * Keeps the feed open for ever. `onEvent(event)` for each event, `onLink("connecting"|"live"|"lost", attempt)` for its state.
 * The link counts as live with the first snapshot, and as lost after 15 seconds without a word (the server pings).
 */
export class FeedLink {
  constructor(path, onEvent, onLink) {
    Object.assign(this, { path, onEvent, onLink });
    this.attempt = 0;
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  open() {
    clearTimeout(this.timer);
    this.timer = null;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.socket = socket;
    this.listen();
    socket.onmessage = (message) => socket === this.socket && this.read(JSON.parse(message.data));
    socket.onclose = () => socket === this.socket && this.lost();
  }

  read(event) {
    this.listen();
    this.onEvent(event);
    if (event.event === "snapshot") {
      this.attempt = 0;
      this.onLink("live", 0);
    }
  }

  /** A dead network says nothing: silence is how one hears it. A server that has nothing to say pings. */
  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lost(), SILENCE);
  }

  lost() {
    clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
    this.attempt += 1;
    this.onLink("lost", this.attempt);
    const pause = Math.min(2000, 200 * 2 ** this.attempt) * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.again(), pause);
  }

  hurry() {
    if (this.timer) this.again();
  }

  /** For a reader who has seen enough. */
  close() {
    clearTimeout(this.silence);
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = this.timer = null;
    if (socket) socket.close();
  }

  /** A websocket does not say that it was refused for want of a login; a plain request does. */
  async again() {
    clearTimeout(this.timer);
    this.timer = null;
    try {
      const response = await fetch("/api/state", { cache: "no-store" });
      if (response.status === 401) return toLogin();
    } catch (error) {
      return this.lost();
    }
    this.open();
  }
}
