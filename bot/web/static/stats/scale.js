// The arithmetic of an axis. Knows nothing of the page.

/** Steps of 1, 2 or 5 times a power of ten from 0 to above `most`: at most `wanted` of them, and at least one. */
export function ticks(most, wanted = 4) {
  if (!(most > 0)) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(most / wanted));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => most / size <= wanted);
  const steps = Math.ceil(most / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, number) => Number((number * step).toPrecision(12)));
}

/** Which of `count` labels to write so that none overlaps: every n-th, the last one among them. */
export function shownLabels(count, room, width) {
  const every = Math.max(1, Math.ceil((count * width) / Math.max(room, 1)));
  return Array.from({ length: count }, (_, index) => index).filter((index) => (count - 1 - index) % every === 0);
}

/** Where a stack of values begins and ends, from 0 on; nothing counts as 0. */
export function stacked(values) {
  let end = 0;
  return values.map((value) => [end, (end += value || 0)]);
}
