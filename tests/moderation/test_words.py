"""Word lists: what is written in them, what they find, and where."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation import DEFAULT_WORDS
from moderation.matcher import RustMatcher, TrieMatcher, matcher
from moderation.verdict import Direction
from moderation.view import fold, view
from moderation.words import CATEGORIES, Term, WordFilter, WordListError, load_words, parse_words
from tests.hostile import hostile_text


def found(words: str, text: str, direction: Direction = Direction.IN) -> list[tuple[str, str]]:
    """(term, the piece of the original that is pointed at)."""
    findings = WordFilter(parse_words(words)).check(text, direction)
    return [(one.rule.removeprefix("word:"), text[one.start : one.end]) for one in findings]


# ---- the view ---------------------------------------------------------------------------------------------------------


@given(hostile_text)
def test_every_letter_of_a_view_knows_its_place(text: str) -> None:
    """Places are in order, within the text, and the piece of the original there folds to letters of the view."""
    seen = view(text)
    assert len(seen.text) == len(seen.spans)
    assert all(0 <= start < end <= len(text) for start, end in seen.spans)
    assert list(seen.spans) == sorted(seen.spans)
    for place, (start, end) in enumerate(seen.spans):
        assert seen.text[place] in fold(text[start:end])


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), max_size=12))
def test_a_view_is_unicode_s_own_folding(text: str) -> None:
    """For text without invisible characters it is NFKC with case folding, letter by letter."""
    whole = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(unicodedata.normalize("NFKC", letter).casefold() for letter in text)
    if whole == letters and "\u3164" not in text:
        assert fold(text) == whole


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＡＢＣ", "abc"),
        ("傻\u200b\u2060逼", "傻逼"),
        ("𝖋𝖚𝖈𝖐", "fuck"),
        ("🅵🆄", "fu"),
        ("ｶﾞ", "ガ"),
        ("㍿", "株式会社"),
        ("e\u0301", "é"),
        ("STRASSE ß", "strasse ss"),
        ("s\U000e0041b", "sb"),
        ("傻\x00逼", "傻逼"),
    ],
)
def test_the_view_by_example(text: str, folded: str) -> None:
    """Case, width, style and the invisible make no difference."""
    assert fold(text) == folded


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
    assert parse_words("# 注释\n紫薯精\r\n\n绿皮怪\n") == (Term("紫薯精", "紫薯精"), Term("绿皮怪", "绿皮怪"))


def test_a_list_may_say_everything() -> None:
    """Term, category, severity, flags, note."""
    (term,) = parse_words("ＡＢ币\tads_fraud\t3\tw in\t骗局")
    assert term == Term("ＡＢ币", "ab币", "ads_fraud", 3, frozenset({"w", "in"}), "骗局")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("傻", "太短"),
        ("\u200b\u200b", "太短"),
        ("紫薯精\t胡说", "没有类别“胡说”"),
        ("紫薯精\tinsult\t5", "级别“5”"),
        ("紫薯精\tinsult\t高", "级别“高”"),
        ("紫薯精\tinsult\t2\tp", "没有标记“p”"),
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
        ("紫薯精", "紫 薯精", []),
        ("", "紫薯精", []),
    ],
)
def test_terms_are_found_with_their_place_in_the_original(words: str, text: str, expected: list[object]) -> None:
    """Whatever the case, the width and the stuffing; Latin terms as whole words; exceptions excepted."""
    assert found(words, text) == expected


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


# ---- our own list -------------------------------------------------------------------------------------------------------


def test_our_own_list_is_sound() -> None:
    """Short, written by hand, no term twice, no politics, every category known."""
    terms = load_words(DEFAULT_WORDS)
    folded = [term.folded for term in terms]
    assert 50 <= len(terms) <= 100
    assert len(set(folded)) == len(folded)
    assert {term.category for term in terms} <= set(CATEGORIES) - {"politics", "custom"}


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
