// Several lines in one text: `名: 话`, one below the other or a blank line apart. Pure.

const BLANK = /\n[ \t\u3000]*\n/;
const HEAD = /^[ \t\u3000]*([^\s:：，。！？、；（）()「」“”"《》\d][^:：，。！？；\n]{0,11}?)[ \t]*[:：][ \t]*/;

/**
 * The lines of a text as [{ character, text }], or null when it is one line of whoever was chosen. A known name opens a line
 * wherever it stands at the beginning of a row. Names that nobody knows count when every paragraph opens with one. A
 * paragraph that opens with no name, between others that do, is narration.
 */
export function split(text, known) {
  const paragraphs = text.split(BLANK).map((one) => one.trim()).filter(Boolean);
  const rows = paragraphs.flatMap((one) => one.split("\n"));
  const all = rows.length > 1 && rows.every((row) => HEAD.test(row));
  const names = new Set(known);
  const opened = (row) => {
    const found = row.match(HEAD);
    return found && (all || names.has(found[1])) ? { character: found[1], text: row.slice(found[0].length) } : null;
  };
  const lines = paragraphs.flatMap((one) => linesOf(one.split("\n"), opened));
  return lines.some((line) => line.named) ? lines.filter((line) => line.text.trim()).map(({ character, text: words }) => ({ character, text: words })) : null;
}

function linesOf(rows, opened) {
  const lines = [];
  for (const row of rows) {
    const found = opened(row);
    if (found) lines.push({ ...found, named: true });
    else if (lines.length) lines[lines.length - 1].text += `\n${row}`;
    else lines.push({ character: "", text: row, named: false });
  }
  return lines;
}
