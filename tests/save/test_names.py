"""Names from anywhere become names that every system takes."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.save.names import MOST_BYTES, NoName, avatar_file, free_name, safe_name, same
from tests.hostile import hostile_text

HOSTILE = [
    "..", ".", "...", "../../etc", "..\\..", "/etc/passwd", "C:\\Windows", "C:", "a/b", "a\\b", "con", "NUL.txt", "Com1",
    "LPT¹", "aux .json", "con\u200b", "CONIN$", "a.", "a ", "a. .", ".hidden", ".回收站", "\x00", "a\x00b", "a\nb", "\u202egnp",
    "e\u0301", "\u00e9", "\uff0e\uff0e", "ＣＯＮ", "\ud800", "~", "-rf", "%2e%2e", "%00", "a" * 300, "字" * 300, "👨‍👩‍👧" * 40,
    "recordings", "show.db", "a:b", "a*?", "<x>", '"q"', "|", "\u3000", " ", "", "\u200b", "a" * 149 + " b", "a" * 149 + ".b",
]  # fmt: skip

any_name = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30), hostile_text, st.text("./\\: conCON", max_size=8))


@given(any_name)
@example("a" * 149 + " .b")
@example("." * 400)
@example("nul" + " " * 200 + ".x")
def test_a_safe_name_is_one_plain_part_everywhere(text: str) -> None:
    """On Windows, macOS and Linux; reading it as a safe name again changes nothing."""
    try:
        name = safe_name(text)
    except NoName:
        return
    assert safe_name(name) == name == unicodedata.normalize("NFC", name)
    assert PurePosixPath(name).parts == PureWindowsPath(name).parts == (name,)
    assert not PureWindowsPath(name).is_reserved() and not PureWindowsPath(name).drive
    assert 0 < len(name.encode()) <= MOST_BYTES
    assert name[0] not in ". " and name[-1] not in ". "
    assert not set(name) & set('<>:"/\\|?*')
    assert "Cc" not in map(unicodedata.category, name)


@given(any_name)
def test_a_folder_of_that_name_can_be_made(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """And is found under it, in that folder and nowhere else."""
    folder = tmp_path_factory.mktemp("names")
    try:
        name = safe_name(text)
    except NoName:
        return
    (folder / name).mkdir()
    assert [path.name for path in folder.iterdir()] == [name] and (folder / avatar_file(text)).parent == folder


@given(any_name, st.lists(any_name, max_size=6))
def test_a_free_name_is_free_where_case_does_not_count(wanted: str, taken: list[str]) -> None:
    """A number goes after it, within the length."""
    try:
        name = safe_name(wanted)
        there = [safe_name(one) for one in taken]
    except NoName:
        return
    there += [name.upper(), unicodedata.normalize("NFD", name)]
    free = free_name(name, there)
    assert same(free) not in {same(one) for one in there}
    assert safe_name(free) == free


def test_words_stay_readable() -> None:
    """What cannot be in a name is written wide."""
    assert safe_name(" 第一章：雾/岛? ") == "第一章：雾／岛？"
    assert safe_name("12: 30.") == "12： 30"
    assert safe_name("CON") == "CON_" and safe_name("con.txt") == "con_.txt" and safe_name("Console") == "Console"
    assert safe_name(".hidden") == "．hidden"


@pytest.mark.parametrize("text", ["", " ", "..", "\u200b\u202e", "\n\t", "\x00"])
def test_nothing_is_no_name(text: str) -> None:
    """Said to the person who typed it."""
    with pytest.raises(NoName, match="不能当名字"):
        safe_name(text)


def test_hostile_names_are_really_hostile() -> None:
    """The list above is not full of harmless ones: most of them are changed."""
    changed = sum(Path(name).name != name or _changes(name) for name in HOSTILE)
    assert changed > len(HOSTILE) / 2


def _changes(name: str) -> bool:
    try:
        return safe_name(name) != name
    except NoName:
        return True
