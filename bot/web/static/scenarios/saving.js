// Saving, step by step: words first, then the name, then the pictures. What was done stays done when a later step is refused.

import * as calls from "./calls.js";
import { renewed } from "./face.js";
import { toServer } from "./sheet.js";

/** {place} when all is saved; else {refusal, field, sheet}: the server's no, what it is about, and what is saved by now. */
export async function save(sheet) {
  const words = sheet.place ? await edited(sheet) : await created(sheet);
  if (words.refusal) return words;
  const named = await moved(sheet, words);
  if (named.refusal) return { ...named, sheet: words };
  const refusal = await painted(sheet, named.place);
  return refusal ? { refusal, field: "characters", sheet: named } : { place: named.place };
}

const title = ({ series, name }) => ({ series, name });

async function created(sheet) {
  const answer = await calls.create({ series: sheet.series, name: sheet.name, ...toServer(sheet) });
  const { series, name, digest } = answer.answer;
  return answer.ok ? { place: { series, name }, was: title(sheet), digest } : { refusal: answer, field: "name" };
}

async function edited(sheet) {
  const answer = await calls.edit(sheet.place, { ...toServer(sheet), digest: sheet.digest });
  return answer.ok ? { place: sheet.place, was: sheet.was, digest: answer.answer.digest } : { refusal: answer, field: "" };
}

/** A folder keeps its name as long as nobody has typed another one. */
async function moved(sheet, saved) {
  const { series, name } = title(sheet);
  if (series === saved.was.series && name === saved.was.name) return saved;
  const answer = await calls.rename(saved.place, { series, name });
  if (!answer.ok) return { refusal: answer, field: "name" };
  const to = { series: answer.answer.series, name: answer.answer.name };
  const read = await calls.scenario(to); // the title is in the file, so the file is another one now
  return read.ok ? { place: to, was: { series, name }, digest: read.answer.digest } : { refusal: read, field: "" };
}

async function painted({ characters }, place) {
  for (const { name, avatar, picture } of characters) {
    if (picture === undefined || (picture === null && !avatar)) continue;
    const answer = picture ? await calls.paint(place, name, picture) : await calls.unpaint(place, name);
    if (!answer.ok) return answer;
    renewed();
  }
  return null;
}
