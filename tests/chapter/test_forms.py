"""What is taken away: each form's bytes, and names for files that no system misreads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given

from bot.chapter import FORMS, Chapter, Choices, file_name
from bot.scenario import parse_log
from tests.chapter.stories import any_choices, chapters, island, marked_text

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LOG = Path(__file__).parents[1] / "fixtures" / "drama" / "20230801-2100_Log.json"


@given(chapters(), any_choices)
def test_every_form_of_every_story_can_be_written(story: Chapter, choices: Choices) -> None:
    """Half a surrogate pair in a name included."""
    for form in FORMS.values():
        assert form.write(story, choices, NOW)


@pytest.mark.parametrize("choices", [Choices(), Choices(names=False, opening=False)])
def test_the_log_has_every_line_whatever_is_chosen(choices: Choices) -> None:
    """It is for opening again, not for reading: notices, origins and ids are kept."""
    log = parse_log(LOG.read_text("utf-8"))
    assert parse_log(FORMS["log"].write(Chapter("题", log), choices, NOW).decode()) == log


@given(marked_text)
def test_a_files_name_is_one_plain_name_everywhere(title: str) -> None:
    """No path, nothing reserved, nothing invisible, not too long; the suffix stays."""
    name = file_name(title, ".epub")
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name
    assert not PureWindowsPath(name).is_reserved()
    assert name.endswith(".epub") and name[0] not in " ." and name != ".epub"
    assert name.isprintable() or any(ord(letter) > 127 for letter in name)
    assert len(name.encode()) <= 200


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("雾岛灯塔", "雾岛灯塔.md"),
        ("第一夜：灯塔", "第一夜：灯塔.md"),
        ("../../etc/passwd", "_.._etc_passwd.md"),
        ("C:\\a|b?", "C__a_b_.md"),
        ("con", "_con.md"),
        ("com1.old", "_com1.old.md"),
        ("", "_.md"),
        ("...", "_.md"),
        ("a\x00b\u202egnp\ud800", "abgnp\ufffd.md"),
        ("长" * 300, "长" * 50 + ".md"),
    ],
)
def test_names_of_files(title: str, name: str) -> None:
    """The title as far as it can be."""
    assert file_name(title, ".md") == name


def test_the_suffix_says_the_form() -> None:
    """A log is named as the old program names it."""
    assert file_name(island().title, FORMS["log"].suffix) == "雾岛灯塔_Log.json"
