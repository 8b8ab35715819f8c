// What a person has chosen on this device: theme, language, sound, keys. A browser that keeps nothing still works.

const PREFIX = "cohost.";

export function remembered(name, otherwise) {
  try {
    const value = localStorage.getItem(PREFIX + name);
    return value === null ? otherwise : JSON.parse(value);
  } catch (error) {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch (error) {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

export function forget(name) {
  try {
    localStorage.removeItem(PREFIX + name);
  } catch (error) {
    // Where nothing is kept there is nothing to forget.
  }
}
