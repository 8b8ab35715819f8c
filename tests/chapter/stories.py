"""Chapters for tests: one to look at, and hostile ones by hypothesis."""

from __future__ import annotations

import struct
import zlib

from hypothesis import strategies as st

from bot.chapter import Chapter, Choices, Heading
from bot.chapter.chapter import label
from bot.scenario import Character, Line, Log, Origin, Scenario
from tests.hostile import hostile_text

# What some format takes for more than letters. Told apart by spaces; ␣ and ⏎ stand for a space and a line break.
MARKUP = (
    "<b> </p> <script>alert(1)</script> ]]> <!-- --> &amp; &#60; & \" ' <br/> * ** _ __ ` ``` ~~~ ~~a~~ | a|b "
    "a|b⏎|-|-| a⏎:-: a⏎--- a⏎=== # ## ␣# -␣ +␣ 1.␣ 1)␣ 12.␣ >␣ *␣ --- === [a](b) ![a](b) [a]: [^1] \\ \\⏎ ␣␣␣␣ ␣␣⏎ ⏎␣␣␣␣a $x$ "
    "{{x}} %s http://a.b/c <http://a.b> a@b.c :a: \u3000\u3000 「 」 “ ” \ufffe \uffff \U0001fffe \x0b \x85 \x01 \ud800 \u202e"
)
PIECES = [piece.replace("␣", " ").replace("⏎", "\n") for piece in MARKUP.split(" ")]
marked_text = st.lists(st.one_of(st.sampled_from(PIECES), hostile_text), max_size=5).map("".join)


def worst() -> Chapter:
    """Each piece of markup at the beginning, at the end and within a line, a later line, a name and a heading."""
    lines, headings = [Line("", "字")], []
    for piece in PIECES:
        headings.append(Heading(len(lines), f"{piece}题 {piece}"))
        texts = (f"{piece}字", f"字{piece}", f"字{piece}字{piece}字", f"字\n{piece}字\n{piece}")
        lines += [Line(name, text) for text in texts for name in ("", f"名{piece}", f"{piece}名")]
    pictures = {label(f"名{piece}"): png() for piece in PIECES}
    return Chapter("题 #", Log(Scenario("_系列_", "名"), tuple(lines)), tuple(headings), pictures)


def png(red: int = 200) -> bytes:
    """One dot of colour, a real picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    dots = zlib.compress(bytes([0, red, 120, 90]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", dots) + chunk(b"IEND", b"")


def island() -> Chapter:
    """Narration, two people of the scenario and a passer-by, an opening, a notice, two headings, a picture."""
    scenario = Scenario(
        "雾岛", "初见", "雾岛上只有一座灯塔。", (), (Character("灯塔守", "AI"), Character("我", "User"))
    )
    lines = (
        Line("系统提示", "已载入角色卡", Origin.SYSTEM),
        Line("灯塔守", "你醒了？先别动，喝口热水。", Origin.OPENING),
        Line("我", "这是哪儿？现在几点：12:30？", Origin.OPENING, "o2"),
        Line("", "窗外的雾散开了一条缝。\n海是灰的。", Origin.PERSON, "n1"),
        Line("灯塔守", "数台阶。\n一百零八级，一级也没少。", Origin.EDITED, "m1"),
        Line("旁白", "钟响了三下。", Origin.PERSON, "n2"),
        Line("渔夫", "“船来了！”他喊。", Origin.MODEL, "m2"),
        Line("我", "", Origin.PERSON),
    )
    headings = (Heading(3, "第一夜：灯塔"), Heading(5, "第二夜"))
    return Chapter("雾岛灯塔", Log(scenario, lines), headings, {"灯塔守": png()})


@st.composite
def chapters(draw: st.DrawFn) -> Chapter:
    """Any text anywhere: names, words, titles, series."""
    names = draw(st.lists(marked_text, max_size=3))
    line = st.builds(Line, st.sampled_from([*names, "", "旁白"]), marked_text, st.sampled_from(Origin))
    lines = tuple(draw(st.lists(line, max_size=6)))
    heading = st.builds(Heading, st.integers(0, len(lines)), marked_text)
    scenario = Scenario(draw(marked_text), draw(marked_text))
    pictures = {label(name): png() for name in names}
    return Chapter(draw(marked_text), Log(scenario, lines), tuple(draw(st.lists(heading, max_size=2))), pictures)


any_choices = st.builds(
    Choices, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["「」", "“”"])
)


def expected(chapter: Chapter, choices: Choices, colon: str) -> list[str]:
    """What a reader reads after title and series, a paragraph each, as the formats promise it."""
    read: list[str] = []
    for section in chapter.sections(choices):
        read += [section.title] if section.title else []
        for p in section.paragraphs:
            read.append(f"{p.name}{colon}{p.words}" if choices.names and p.name else p.quoted(choices.quotes))
    return read
