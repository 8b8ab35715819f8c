"""The ways to read a text, and that each letter of each of them knows where it came from."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.letters import INVISIBLE
from moderation.views import View, fold, leet, pinyin, plain, shown, tight
from moderation.views.pinyin import read_pinyin
from moderation.views.tables import simplified
from tests.hostile import hostile_string, hostile_text

TRADITIONAL = simplified()
See = Callable[[str], View]


def read_leet(text: str) -> View:
    seen = plain(text)
    return leet(seen) or seen


VIEWS: dict[str, See] = {
    "plain": plain,
    "tight": lambda text: tight(plain(text)),
    "leet": read_leet,
    "pinyin": lambda text: pinyin(plain(text)),
    "shown": shown,
}
STRANGE = [
    "ﷺ",
    "㍿",
    "ß",
    "İ",
    "ǆ",
    "👨‍👩‍👧‍👦",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "e" + "\u0301" * 30,
    "\ud83d",
    "\udc00",
    "\u202e",
    "ｶﾞ",
    "각",
    "ใจ",
    "க்ஷ",
    "\x00",
]


@pytest.mark.parametrize("name", VIEWS)
@given(st.lists(st.one_of(hostile_text, st.sampled_from(STRANGE)), max_size=4).map("".join))
def test_every_letter_of_a_view_knows_its_place(name: str, text: str) -> None:
    """Places are within the text, not empty and in order; and a view of the piece there alone holds the letter."""
    seen = VIEWS[name](text)
    assert len(seen.text) == len(seen.starts) == len(seen.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(seen.starts, seen.ends, strict=True))
    assert list(seen.starts) == sorted(seen.starts) and list(seen.ends) == sorted(seen.ends)


@given(st.lists(st.one_of(hostile_text, st.sampled_from(STRANGE)), max_size=4).map("".join))
def test_a_letter_s_place_holds_that_letter(text: str) -> None:
    """The piece of the original that a plain letter points at folds to it; in a tight view to it and what is skipped."""
    seen = plain(text)
    assert all(seen.text[at] in fold(text[seen.starts[at] : seen.ends[at]]) for at in range(len(seen.text)))
    pulled = tight(seen)
    for at, letter in enumerate(pulled.text):
        piece = fold(text[pulled.starts[at] : pulled.ends[at]])
        assert letter in piece or (letter == " " and not piece.isalnum())


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_takes_any_text(name: str) -> None:
    """A hundred thousand letters of trouble, cut out of nothing: no error, and places that fit."""
    source = random.Random(1)
    text = "".join(hostile_string(source) + source.choice(STRANGE) for _ in range(6000))[:100_000]
    seen = VIEWS[name](text)
    assert seen.ends[-1] <= len(text)


@given(st.text(alphabet=st.characters(codec="gb2312", categories=["L", "N"]), max_size=12))
def test_a_plain_view_of_everyday_letters_is_unicode_s_own_folding(text: str) -> None:
    """NFKC and case folding, for letters that have no look-alike in Latin."""
    letters = "".join(
        letter for letter in text if letter.isascii() or (letter >= "\u4e00" and letter not in TRADITIONAL)
    )
    assert fold(letters) == unicodedata.normalize("NFKC", letters).casefold()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＡＢＣ", "abc"),
        ("傻\u200b\u2060逼", "傻逼"),
        ("𝖋𝖚𝖈𝖐", "fuck"),
        ("🅵🆄🇨🇰", "fuck"),
        ("ⓕ⒰ᴄк", "fuck"),
        ("ｶﾞ", "ガ"),
        ("ガ", "ガ"),
        ("㍿", "株式会社"),
        ("e\u0301é", "ee"),
        ("STRASSE ß", "strasse ss"),
        ("s\U000e0041b", "sb"),
        ("傻\x00逼", "傻逼"),
        ("臺灣", "台湾"),
        ("1️⃣❷③", "123"),
        ("傻\u0336\u0336逼", "傻逼"),
        ("\ud83d", ""),
    ],
)
def test_the_plain_view_by_example(text: str, folded: str) -> None:
    """Case, width, style, script, marks and the invisible make no difference."""
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("傻，逼", "傻逼"),
        ("傻[doge]逼", "傻逼"),
        ("傻傻逼逼逼", "傻逼"),
        ("f-u_c*k", "fuck"),
        ("f u c k you", "fuck you"),
        ("a pen is here", "a pen is here"),
        ("lol, f.u.c.k", "lol fuck"),
        ("傻\n逼", "傻逼"),
        ("好 f u c k 的", "好fuck的"),
        ("", ""),
        ("！！！", ""),
    ],
)
def test_the_tight_view_by_example(text: str, letters: str) -> None:
    """Letters come together, but words of more than one Latin letter stay words."""
    assert tight(plain(text)).text == letters


def test_a_run_of_letters_is_pointed_at_whole() -> None:
    """So that a person sees all of what the writer stretched."""
    seen = tight(plain("啊傻傻 傻逼"))
    assert seen.original(1, 2) == (1, 5)


@pytest.mark.parametrize(
    ("text", "letters"),
    [("sh1t", "shit"), ("$h!t", "shit"), ("b1tch!!", "bitch"), ("kill k1ll", "ki ki"), ("wow!", None), ("3台", None)],
)
def test_the_leet_view_by_example(text: str, letters: str | None) -> None:
    """Only where a sign stands beside a Latin letter; l is i."""
    seen = leet(plain(text))
    assert (seen.text if seen else None) == letters


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("傻逼", "沙比"),
        ("傻逼", "shabi"),
        ("傻逼", "Sha Bi"),
        ("傻逼", "傻bi"),
        ("你妈", "尼🐴"),
        ("女的", "nvde"),
        ("傻逼", "sh\u0101b\u012b"),
    ],
)
def test_what_sounds_alike_is_alike(one: str, other: str) -> None:
    """Whether it is written in Chinese, in pinyin, in emoji or in all of them."""
    assert pinyin(plain(one)).text == pinyin(plain(other)).text


@pytest.mark.parametrize(
    ("run", "syllables"),
    [
        ("shabi", "sha bi"),
        ("xian", "xian"),
        ("fangan", "fang an"),
        ("animation", ""),
        ("hello", ""),
        ("zhuang" * 9, ""),
    ],
)
def test_latin_letters_are_pinyin_to_their_end_or_not_at_all(run: str, syllables: str) -> None:
    """The longest syllable first; what is no pinyin is left as it is, and so is a run that nobody reads."""
    assert " ".join(read_pinyin(run)) == syllables


@given(hostile_text)
def test_a_shown_text_hides_nothing(text: str) -> None:
    """Nothing in it is invisible but what joins emoji, and it turns nothing around."""
    assert not INVISIBLE.search(shown(text).text)


def test_a_shown_text_by_example() -> None:
    """Each hidden letter is written out where it stands."""
    assert shown("好\u202e坏\u200b").text == "好⟨U+202E⟩坏⟨U+200B⟩"
