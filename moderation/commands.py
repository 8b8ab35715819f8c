"""`cohost moderation …`: what each of its commands prints. The work is done by the modules beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from moderation.categories import CATEGORIES
from moderation.chain import READ_LIMIT, Chain
from moderation.importers import import_words
from moderation.lint import remarks
from moderation.lists import DEFAULT_WORDS, MOST_FALSE, benign_lines, false_alarms
from moderation.terms import Term, WordListError, load_words
from moderation.verdict import STOPPING, Direction, Finding
from moderation.views import leet, pinyin, plain, shown, tight
from moderation.views.pinyin import spelled

_MOST_LEFT_OUT = 10


def lint(
    files: Sequence[Path], benign: Path | None = None, *, force: bool = False, console: Console | None = None
) -> bool:
    """Looks over lists; whether each of them may be used. Raises WordListError where one cannot be read."""
    out = console or Console()
    lines = benign_lines(benign)
    exceptions = tuple(term for term in load_words(DEFAULT_WORDS) if term.exception)
    fine = [_lint(file, lines, exceptions, out) for file in files or [DEFAULT_WORDS]]
    return force or all(fine)


def _lint(file: Path, lines: Sequence[str], exceptions: Sequence[Term], out: Console) -> bool:
    terms = load_words(file)
    found = remarks(terms, lines)
    if found:
        table = Table("位置 / where", "词 / word", "说明 / remark", title=str(file), title_justify="left")
        for one in found:
            table.add_row(escape(one.place), escape(one.word), escape(one.text))
        out.print(table)
    alarms = false_alarms((*terms, *exceptions), lines)
    verdict = "拒绝，除非 --force / refused unless forced" if alarms.too_many else "可用 / fine"
    out.print(
        f"{escape(str(file))}：{len(terms)} 条；{alarms.lines} 句平常的话里误伤 {alarms.flagged} 句"
        f"（{alarms.share:.2%}，上限 {MOST_FALSE:.0%}）。{verdict}",
        highlight=False,
        soft_wrap=True,
    )
    return not alarms.too_many


def test(text: str, chain: Chain, direction: Direction, console: Console | None = None) -> None:
    """Shows a text as each view has it, what was found in it and where, and what follows."""
    out = console or Console()
    verdict = chain.screen_message(text) if direction is Direction.IN else chain.screen_reply(text)
    out.print(_views(text[: READ_LIMIT[direction]]))
    if verdict.findings:
        out.print(_found(text, verdict.findings))
    mark = "red" if verdict.action in STOPPING else "yellow" if verdict.findings else "green"
    out.print(f"结论 / verdict：[{mark}]{verdict.action.value}[/]", highlight=False)
    if verdict.text != text:
        out.print(f"往下传的 / goes on as：{escape(shown(verdict.text).text)}", highlight=False)


def _views(text: str) -> Table:
    seen = plain(text)
    table = Table("视图 / view", "看到的字 / letters")
    for name, view in (("原文 / shown", shown(text)), ("plain", seen), ("tight", tight(seen)), ("leet", leet(seen))):
        table.add_row(name, "—" if view is None else escape(view.text))
    table.add_row("pinyin", escape(spelled(pinyin(seen))))
    return table


def _found(text: str, findings: Sequence[Finding]) -> Table:
    table = Table("处 / where", "规则 / rule", "原因 / reason")
    for one in findings:
        place = f"{one.start}:{one.end} {shown(text[one.start : one.end]).text}"
        rule = f"{one.rule}\n{CATEGORIES.get(one.category, one.category)} {one.severity}"
        table.add_row(*(Text(cell, overflow="fold") for cell in (place, rule, f"{one.reason}\n{one.source}".strip())))
    return table


def import_file(source: Path, target: Path, category: str, severity: str, console: Console | None = None) -> None:
    """Writes a list of ours. Raises WordListError; overwrites nothing."""
    out = console or Console()
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WordListError(f"{source}：读不了，请给一个 UTF-8 文件。 Cannot be read.") from error
    imported = import_words(text, category, severity)
    head = f"# 从 {source.name} 导入\n"
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(head + "".join(f"{line}\n" for line in imported.lines))
    except OSError as error:
        raise WordListError(f"{target}：写不了（{error.strerror}）。 Cannot be written.") from error
    for word, reason in imported.left_out[:_MOST_LEFT_OUT]:
        out.print(f"  略过 / left out：{escape(word)}：{escape(reason)}", highlight=False, soft_wrap=True)
    out.print(
        f"{escape(str(target))}：{len(imported.lines)} 条，略过 {len(imported.left_out)} 条 / left out。"
        f"启用前先看看 / next：cohost moderation lint {escape(str(target))}",
        highlight=False,
        soft_wrap=True,
    )
