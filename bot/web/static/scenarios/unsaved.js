// What a person has written in the form and not saved yet, kept on this device until it is saved or thrown away.

const NAME = "cohost.scenarios";
const STORE = "forms";

/** null where the browser keeps nothing (private windows): then only the warning on leaving is left. */
const opened = new Promise((resolve) => {
  try {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  } catch (error) {
    resolve(null);
  }
});

async function use(mode, what) {
  const database = await opened;
  if (database === null) return undefined;
  return new Promise((resolve) => {
    const transaction = database.transaction(STORE, mode);
    const request = what(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => resolve(undefined);
  });
}

/** `key`: which form. `form`: plain values and Blobs. Resolves to whether it was kept. */
export const keep = async (key, form) => (await use("readwrite", (store) => store.put({ at: Date.now(), form }, key))) !== undefined;

/** {at: milliseconds since 1970, form}, or undefined. */
export const kept = (key) => use("readonly", (store) => store.get(key));

export const forget = (key) => use("readwrite", (store) => store.delete(key));
