// In what two ways of a story differ, line by line and within a line. Pure.

const LARGEST = 4000000; // cells of the table; two tails of 2,000 lines

/**
 * The lines of both, side by side: `[{a, b}]`, where either may be null. Lines of equal speaker and words stand beside each
 * other; what lies between two such is paired in order.
 */
export function align(a, b) {
  const rows = [];
  let [i, j] = [0, 0];
  for (const [nextA, nextB] of [...matches(a, b), [a.length, b.length]]) {
    while (i < nextA || j < nextB) rows.push({ a: i < nextA ? a[i++] : null, b: j < nextB ? b[j++] : null });
    if (i < a.length && j < b.length) rows.push({ a: a[i++], b: b[j++] });
  }
  return rows;
}

export const isSame = (a, b) => a !== null && b !== null && a.character === b.character && a.text === b.text;

/** Pairs of places with equal lines, as many as can be, in order (the longest common subsequence). */
function matches(a, b) {
  const width = b.length + 1;
  if ((a.length + 1) * width > LARGEST) return [];
  const most = new Uint16Array((a.length + 1) * width); // from (i, j) to the ends
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const skip = Math.max(most[(i + 1) * width + j], most[i * width + j + 1]);
      most[i * width + j] = isSame(a[i], b[j]) ? most[(i + 1) * width + j + 1] + 1 : skip;
    }
  }
  const found = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (isSame(a[i], b[j])) found.push([i++, j++]);
    else if (most[(i + 1) * width + j] >= most[i * width + j + 1]) i++;
    else j++;
  }
  return found;
}

/** `[head, middle, tail]` of a text: the middle is what the other one does not have. Characters are never cut apart. */
export function cut(text, other) {
  const [own, others] = [Array.from(text), Array.from(other)];
  const most = Math.min(own.length, others.length);
  let head = 0;
  while (head < most && own[head] === others[head]) head++;
  let tail = 0;
  while (tail < most - head && own[own.length - 1 - tail] === others[others.length - 1 - tail]) tail++;
  return [own.slice(0, head), own.slice(head, own.length - tail), own.slice(own.length - tail)].map((part) => part.join(""));
}
