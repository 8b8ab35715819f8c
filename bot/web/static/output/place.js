// Which story is meant, in an address of this page or of the server.

const KEYS = ["scene", "show", "series", "name", "log"];

/** What the page's own address names, or null. */
export function placeHere() {
  const query = new URLSearchParams(location.search);
  const place = Object.fromEntries(KEYS.filter((key) => query.get(key)).map((key) => [key, query.get(key)]));
  return place.scene || place.show || place.log ? place : null;
}

export const searchedHere = () => new URLSearchParams(location.search).get("q") || "";

/** The page's address for a story, with the words that are looked for in it. */
export function addressOf(place, words = "") {
  const query = new URLSearchParams(place || {});
  if (words) query.set("q", words);
  const text = query.toString();
  return text ? `/output?${text}` : "/output";
}

export const fromServer = (path, place, more = {}) => `${path}?${new URLSearchParams({ ...place, ...more })}`;
