// One short tone, made by the browser itself. It plays when the first card arrives, or when somebody has paid.

let context = null;

/** Browsers keep quiet until a person has touched the page. */
export function unlock() {
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) return;
  if (context === null) context = new Context();
  if (context.state === "suspended") context.resume();
}

export function beep(paid) {
  if (context === null || context.state !== "running") return;
  const notes = paid ? [880, 1320] : [660];
  notes.forEach((frequency, i) => tone(frequency, context.currentTime + i * 0.12));
}

function tone(frequency, at) {
  const volume = context.createGain();
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.15, at + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.18);
  const source = context.createOscillator();
  source.frequency.value = frequency;
  source.connect(volume).connect(context.destination);
  source.start(at);
  source.stop(at + 0.2);
}
