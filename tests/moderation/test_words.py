"""Word lists: what is written in them, what they find, and where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation import DEFAULT_WORDS
from moderation.matcher import RustMatcher, TrieMatcher, matcher
from moderation.terms import FLAGS, LIST_CATEGORIES, Term, WordListError, load_words, parse_words, version_of
from moderation.verdict import Direction
from moderation.views import fold
from moderation.words import WordFilter
from tests.hostile import hostile_text
from tests.moderation.evasions import TECHNIQUES, hidden


def found(words: str, text: str, direction: Direction = Direction.IN) -> list[tuple[str, str]]:
    """(term, the piece of the original that is pointed at)."""
    findings = WordFilter(parse_words(words)).check(text, direction)
    return [(one.rule.removeprefix("word:"), text[one.start : one.end]) for one in findings]


# ---- the matcher ------------------------------------------------------------------------------------------------------

small = st.text(alphabet="ab傻ß", max_size=12)


@given(st.lists(small.filter(bool), min_size=1, max_size=8), small)
def test_the_fallback_finds_what_the_library_finds(terms: list[str], text: str) -> None:
    """Overlapping, nested and repeated terms too, in the same order; and both find what plain search finds."""
    plain = sorted(
        (index, start, start + len(term))
        for index, term in enumerate(terms)
        for start in range(len(text))
        if text.startswith(term, start)
    )
    assert TrieMatcher(terms).matches(text) == plain
    assert RustMatcher(terms).matches(text) == plain


def test_the_fallback_serves_where_the_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel the trie is used, and says nothing."""
    monkeypatch.setitem(__import__("sys").modules, "ahocorasick_rs", None)
    assert isinstance(matcher(["a"]), TrieMatcher)


# ---- lists ------------------------------------------------------------------------------------------------------------


def test_a_list_may_have_one_term_a_line() -> None:
    """The simple form: the rest has defaults. Comments, empty lines and Windows line ends are fine."""
    assert parse_words("# 注释\n紫薯精\r\n\n绿皮怪\n") == (Term("紫薯精"), Term("绿皮怪"))


def test_a_list_may_say_everything() -> None:
    """Term, category, severity, flags, note."""
    (term,) = parse_words("ＡＢ币\tads_fraud\t3\tw in\t骗局")
    assert term == Term("ＡＢ币", "ads_fraud", 3, frozenset({"w", "in"}), "骗局")
    assert (term.folded, term.place) == ("ab币", "words.tsv:1")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("傻", "太短"),
        ("\u200b\u200b", "太短"),
        ("紫薯精\t胡说", "没有类别“胡说”"),
        ("紫薯精\tinsult\t5", "级别“5”"),
        ("紫薯精\tinsult\t高", "级别“高”"),
        ("紫薯精\tinsult\t2\tx", "没有标记“x”"),
        ("紫薯精\tsuspect", "没有类别“suspect”"),
        ("*精?", "太短"),
        ("紫(薯\tinsult\t2\tre", "写错了"),
        ("紫薯.\tinsult\t2\tre a", "例外不能是正则"),
        ("紫" * 300, "300 字"),
        ("紫薯精\tinsult\t2\tw\t备注\t多了", "6 列"),
    ],
)
def test_a_bad_line_is_named_with_file_and_line(line: str, problem: str) -> None:
    """Every bad line at once, each with what is wrong."""
    with pytest.raises(WordListError) as error:
        parse_words(f"# 头\n绿皮怪\n{line}\n好词\n{line}", "words/mine.tsv")
    first, second = str(error.value).split("\n")
    assert first.startswith("words/mine.tsv:3：") and second.startswith("words/mine.tsv:5：")
    assert problem in first


def test_a_list_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """A missing file and another encoding are one clear line."""
    gbk = tmp_path / "gbk.txt"
    gbk.write_bytes("紫薯精".encode("gbk"))
    for path in (tmp_path / "没有.tsv", gbk):
        with pytest.raises(WordListError, match=str(path)):
            load_words(path)


# ---- finding ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ("紫薯精", "你这个紫\u200b薯精！", [("紫薯精", "紫\u200b薯精")]),
        ("nmsl", "ＮＭｓｌ", [("nmsl", "ＮＭｓｌ")]),
        ("sb", "usb sbc SB!", [("sb", "SB")]),
        ("sb", "你sb吧", [("sb", "sb")]),
        ("紫薯\n紫薯精", "紫薯精", [("紫薯", "紫薯"), ("紫薯精", "紫薯精")]),
        ("株式会社", "㍿", [("株式会社", "㍿")]),
        ("畜生\n畜生道\t\t\ta", "畜生道里有畜生", [("畜生", "畜生")]),
        ("c位\t\t\tw", "abc位 c位", [("c位", "c位")]),
        ("紫薯精", "紫 薯——精", [("紫薯精", "紫 薯——精")]),
        ("紫薯精\t\t\ts", "紫 薯精 精薯紫 紫薯精", [("紫薯精", "紫薯精")]),
        ("紫薯精", "精薯紫", [("紫薯精", "精薯紫")]),
        ("紫薯精", "子鼠京", []),
        ("紫薯精\t\t\tp", "子鼠京 zishujing", [("紫薯精", "子鼠京"), ("紫薯精", "zishujing")]),
        ("紫薯精\t\t\tp\n子鼠\t\t\ta", "子鼠京", [("紫薯精", "子鼠京")]),
        ("紫薯精\t\t\tp\n子鼠京城\t\t\ta", "子鼠京城", []),
        ("妈咪怪", "女马咪怪", [("妈咪怪", "女马咪怪")]),
        ("moss", "m.o.s.s mosss mos MO$$", [("moss", "m.o.s.s"), ("moss", "mosss"), ("moss", "MO$$")]),
        ("moss man", "moss man, mossman", [("moss man", "moss man"), ("moss man", "mossman")]),
        ("penis", "a pen is here", []),
        ("紫?精", "紫薯精 紫精 紫薯薯精", [("紫?精", "紫薯精")]),
        ("加*怪", "加个绿皮怪，加怪", [("加*怪", "加个绿皮怪"), ("加*怪", "加怪")]),
        ("moss*", "mossy amoss moss", [("moss*", "mossy"), ("moss*", "moss")]),
        ("紫.精\t\t\tre", "紫薯精 紫精", [("紫.精", "紫薯精")]),
        ("", "紫薯精", []),
    ],
)
def test_terms_are_found_with_their_place_in_the_original(words: str, text: str, expected: list[object]) -> None:
    """Whatever the case, the width and the stuffing; Latin terms as whole words; exceptions excepted."""
    assert sorted(found(words, text), key=lambda one: text.find(one[1])) == expected


def test_a_term_may_count_in_one_direction_only() -> None:
    """Flags `in` and `out`; without either it counts both ways."""
    words = "甲甲\t\t\tin\n乙乙\t\t\tout\n丙丙"
    assert [term for term, _ in found(words, "甲甲乙乙丙丙", Direction.IN)] == ["甲甲", "丙丙"]
    assert [term for term, _ in found(words, "甲甲乙乙丙丙", Direction.OUT)] == ["乙乙", "丙丙"]


stuffing = st.sampled_from(["", "\u200b", "\u2060", "\u00ad", "\ufe0f", "\u202e", "\x00", "\U000e0041"])
TERMS = ("傻逼", "nmsl", "买粉丝", "加v信")


def wide(letter: str) -> str:
    return chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter


@given(st.sampled_from(TERMS), st.data())
def test_no_stuffing_hides_a_term(term: str, data: st.DataObject) -> None:
    """Each letter in either width and case, with invisible letters after it: found, at exactly its place."""
    style = st.sampled_from([str, str.upper, wide, lambda letter: wide(letter.upper())])
    letters = [data.draw(style)(letter) + data.draw(stuffing) for letter in term]
    text = f"好 {''.join(letters)}。"
    ((name, piece),) = found("\n".join(TERMS), text)
    assert name == term
    assert fold(piece) == term and text[2:].startswith(piece)


@given(
    st.lists(st.sampled_from(["紫薯精\t\t\tp", "moss man", "妈咪怪", "s?b*\t\t\tin", "ab\t\t\ta"]), unique=True),
    hostile_text,
)
def test_a_place_is_always_in_the_original(words: list[str], text: str) -> None:
    """Whatever the text, and with the words in the middle of it."""
    text = f"{text}紫{text[:3]}薯精mo ss man{text}"
    for one in WordFilter(parse_words("\n".join(words))).check(text, Direction.IN):
        assert 0 <= one.start < one.end <= len(text)


def test_the_fallback_finds_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own list through the trie, over the texts of the evasion suite."""
    terms = load_words(DEFAULT_WORDS)
    texts = [text for hide in TECHNIQUES.values() for _, text in hidden(list(terms[:40]), hide)]
    by_library = WordFilter(terms)
    monkeypatch.setitem(__import__("sys").modules, "ahocorasick_rs", None)
    by_trie = WordFilter(terms)
    for text in texts:
        assert list(by_trie.check(text, Direction.IN)) == list(by_library.check(text, Direction.IN))


def test_an_expression_that_takes_too_long_stops_the_text() -> None:
    """The text counts as unchecked; the show goes on."""
    words = WordFilter(parse_words("(a|aa)+$\t\t\tre", "mine.tsv"))
    (one,) = words.check("a" * 60 + "b", Direction.IN)
    assert (one.category, one.rule, one.severity) == ("unchecked", "slow:mine.tsv:1", 3)


def test_expressions_need_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the line is refused, with what to install."""
    monkeypatch.setitem(__import__("sys").modules, "regex", None)
    with pytest.raises(WordListError, match="mine.tsv:1：.*pip install regex"):
        parse_words("紫.精\t\t\tre", "mine.tsv")


def test_a_finding_says_where_it_comes_from_and_how_it_was_hidden() -> None:
    """For the person at the panel: category, word, note, and the list's line."""
    (one,) = WordFilter(parse_words("紫薯精\tinsult\t3\tp\t骂人的", "lists/mine.tsv")).check("zi薯京", Direction.IN)
    assert one.reason == "辱骂：“紫薯精”（骂人的，拼音或同音）"
    assert one.source == "mine.tsv:1"


def test_a_list_s_version_changes_with_every_entry() -> None:
    """And with nothing else: comments and the file's name make no other list."""
    lists = [
        "紫薯精",
        "紫薯精\tinsult",
        "紫薯精\t\t3",
        "紫薯精\t\t\tp",
        "紫薯精\t\t\t\t备注",
        "绿皮怪",
        "紫薯精\n绿皮怪",
    ]
    versions = [version_of(parse_words(text)) for text in lists]
    assert len(set(versions)) == len(lists)
    assert version_of(parse_words("# 注\n紫薯精", "other.tsv")) == versions[0]


# ---- our own list -------------------------------------------------------------------------------------------------------


def test_our_own_list_is_sound() -> None:
    """Short, written by hand, no term twice, no politics, every category known."""
    terms = load_words(DEFAULT_WORDS)
    folded = [term.folded for term in terms]
    assert 250 <= len(terms) <= 400
    assert DEFAULT_WORDS.stat().st_size < 20_000
    assert len(set(folded)) == len(folded)
    assert {term.category for term in terms if not term.exception} == set(LIST_CATEGORIES) - {
        *("politics", "custom", "injection", "quality", "spam"),  # politics is the user's; the rest are other checks'
    }


@pytest.mark.parametrize(
    "text",
    [
        "主播今天真厉害",
        "这个usb接口坏了",
        "加微笑表情",
        "这把稳赚了",
        "畜生道篇看完了",
        "笨蛋主播哈哈",
        "我去死区看看",
        "病毒清理",
        "卖萌的片段",
        "打断一下",
        "盒子开了",
    ],
)
def test_ordinary_chat_holds_none_of_our_words(text: str) -> None:
    """Words that look close are left alone."""
    assert list(WordFilter(load_words(DEFAULT_WORDS)).check(text, Direction.IN)) == []


def test_the_page_about_lists_is_true() -> None:
    """Its example is a list, and its tables have every category and flag."""
    page = (Path(__file__).parents[2] / "docs" / "word-lists.md").read_text(encoding="utf-8")
    example = page.split("```tsv\n")[1].split("```")[0]
    assert [term.text for term in parse_words(example) if term.regex or term.exception] == ["菜鸟驿站", "第\\d+次抽奖"]
    assert set(re.findall(r"`(\w+)`", page)) >= {*LIST_CATEGORIES, *FLAGS}
