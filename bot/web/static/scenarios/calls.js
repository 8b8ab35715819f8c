// What this page asks of the server, and nothing else.

import { get, post, send } from "../api.js";

const at = (...parts) => parts.map(encodeURIComponent).join("/");
const one = ({ series, name }, ...then) => `/api/scenarios/${at(series, name, ...then)}`;

export const titleOf = ({ series, name }) => `${series}/${name}`;

export const listing = () => get("/api/scenarios");
export const state = () => get("/api/state");
export const scenes = () => get("/api/desk");
export const scenario = (place) => get(one(place));
export const create = (form) => post("/api/scenarios/create", form);
export const edit = (place, form) => post(one(place, "edit"), form);
export const rename = (place, to) => post(one(place, "rename"), to);
export const duplicate = (place, name = "") => post(one(place, "duplicate"), { name });
export const discard = (place) => post(one(place, "bin"), {});
export const restore = (id) => post("/api/scenarios/restore", { id });
export const empty = (ids) => post("/api/scenarios/empty", { ids });
export const useForShow = (place) => post("/api/show/scenario", { series: place.series, name: place.name });
export const openScene = ({ series, name }, log) => post("/api/desk/open", { series, name, ...(log ? { log } : {}) });
export const binScene = (id) => post(`/api/desk/${at(id)}/bin`, {});
export const readOpening = (text, names) => post("/api/scenarios/opening", { text, names });
export const exportAddress = (place, form) => `${one(place, "export")}?form=${form}`;
export const logAddress = (place, file) => one(place, "logs", file);
export const paint = (place, character, picture) => send(one(place, "avatars", character), picture);
export const unpaint = (place, character) => post(one(place, "avatars", character, "remove"), {});

/** `wishes`: {series?, user?, greeting?}, what a person chose after the first look. */
export const look = (file, wishes) => send(`/api/scenarios/import?${asked(file, { ...wishes, preview: 1 })}`, file);
export const take = (file, wishes) => send(`/api/scenarios/import?${asked(file, wishes)}`, file);

/** The scenario that ships with the page, taken in like any other file. */
export async function takeExample() {
  const response = await fetch("/static/scenarios/example.json");
  return take(new File([await response.blob()], "场景剧本.json"), {});
}

const asked = (file, wishes) => new URLSearchParams({ name: file.name, ...wishes });
