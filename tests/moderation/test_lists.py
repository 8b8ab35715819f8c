"""Our own list and the user's together, what is refused, and what happens when a file changes during a show."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from moderation.lists import DEFAULT_WORDS, Alarms, benign_lines, false_alarms, load_lists
from moderation.terms import WordListError, load_words
from moderation.verdict import Direction
from moderation.watching import WatchedWords
from tests.waiting import until


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.tsv"
    file.write_text("紫薯精\n", encoding="utf-8")
    return file


def rules(words: WatchedWords, text: str) -> list[str]:
    return [one.rule for one in words.check(text, Direction.IN)]


def write(file: Path, text: str) -> None:
    """As an editor does: later than before, also where the disk's clock is coarse."""
    before = file.stat().st_mtime_ns
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(before + 1_000_000, before + 1_000_000))


def test_our_own_list_leaves_everyday_chat_alone() -> None:
    """None of the invented lines is flagged; they hold many words that look or sound like those of the list."""
    lines = benign_lines()
    assert len(lines) > 500
    assert false_alarms(load_words(DEFAULT_WORDS), lines).words == ()


def test_a_list_that_flags_everyday_chat_is_refused(mine: Path) -> None:
    """With its name, how much it flags, and its worst words; unless it is wanted all the same."""
    mine.write_text("主播\n紫薯精\n", encoding="utf-8")
    with pytest.raises(
        WordListError, match=r"mine\.tsv：\d+ 句平常的弹幕里误伤 \d+ 句（\d\.\d%），最多的是 主播（\d+）"
    ):
        load_lists([mine])
    assert [one.rule for one in load_lists([mine], force=True).check("主播", Direction.IN)] == ["word:主播"]


def test_exceptions_of_any_list_count_for_all(mine: Path, tmp_path: Path) -> None:
    """A user can except a word of ours, in whichever file."""
    other = tmp_path / "other.tsv"
    other.write_text("傻逼兔\t\t\ta\n紫薯精怪\t\t\ta\n", encoding="utf-8")
    words = load_lists([mine, other])
    assert list(words.check("傻逼兔和紫薯精怪", Direction.IN)) == []


def test_one_in_a_hundred_is_the_limit() -> None:
    """At most; no lines are no alarms."""
    assert not Alarms(100, 1, ()).too_many
    assert Alarms(100, 2, ()).too_many
    assert not Alarms(0, 0, ()).too_many


def test_a_changed_file_is_read_again(mine: Path) -> None:
    """And only then is there anything to say; the version is another one."""
    words = WatchedWords([mine])
    version = words.version
    assert not words.refresh()
    write(mine, "绿皮怪\n")
    assert words.refresh() and not words.refresh()
    assert rules(words, "紫薯精和绿皮怪") == ["word:绿皮怪"]
    assert words.version != version


def test_a_file_that_did_not_change_is_not_read(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large list takes a third of a second, and is looked at every other one."""
    words = WatchedWords([mine])
    write(mine, "绿皮怪\n")
    words.refresh()
    monkeypatch.setattr("moderation.watching.load_lists", lambda *_, **__: pytest.fail("read again"))
    assert not words.refresh()


def test_a_file_that_was_only_touched_is_no_news(mine: Path) -> None:
    """The same words are the same version."""
    words = WatchedWords([mine])
    write(mine, "# 注释\n紫薯精\n")
    assert not words.refresh()


@pytest.mark.parametrize("text", ["紫薯精\n绿\n", "主播\n"])
def test_on_a_bad_line_the_old_version_stays(mine: Path, text: str) -> None:
    """The problem names the file; a good version takes it back."""
    words = WatchedWords([mine])
    version = words.version
    write(mine, text)
    assert words.refresh()
    assert str(mine) in words.problem and words.version == version
    assert rules(words, "紫薯精") == ["word:紫薯精"]
    write(mine, "绿皮怪\n")
    assert words.refresh()
    assert words.problem == "" and rules(words, "绿皮怪") == ["word:绿皮怪"]


def test_a_file_that_goes_missing_leaves_its_words_in_use(mine: Path) -> None:
    """An editor may take it away for a moment."""
    words = WatchedWords([mine])
    mine.unlink()
    assert words.refresh()
    assert "读不了" in words.problem and rules(words, "紫薯精") == ["word:紫薯精"]


def test_a_show_does_not_begin_with_a_bad_list(mine: Path) -> None:
    """Then there would be no old version to stay with."""
    mine.write_text("绿\n", encoding="utf-8")
    with pytest.raises(WordListError, match="mine.tsv:1"):
        WatchedWords([mine])


async def test_a_running_show_is_told_of_a_change(mine: Path) -> None:
    """The files are looked at in a thread, again and again."""
    words = WatchedWords([mine])
    told: list[str] = []
    task = asyncio.create_task(words.run(lambda: told.append(words.problem), pause=0.01))
    write(mine, "绿\n")
    await until(lambda: len(told) == 1)
    assert "mine.tsv:1" in told[0]
    write(mine, "绿皮怪\n")
    await until(lambda: len(told) == 2)
    assert told[1] == "" and rules(words, "绿皮怪") == ["word:绿皮怪"]
    task.cancel()


async def test_a_look_that_finds_no_thread_is_made_later(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many open files, or no thread to be had: the words in use stay, and the show goes on."""
    words, look = WatchedWords([mine]), asyncio.to_thread
    troubles, told = [OSError("Too many open files"), RuntimeError("can't start new thread")], list[str]()

    async def scarce(work: Callable[[], bool]) -> bool:
        if troubles:
            raise troubles.pop()
        return await look(work)

    monkeypatch.setattr(asyncio, "to_thread", scarce)
    write(mine, "绿皮怪\n")
    task = asyncio.create_task(words.run(lambda: told.append(words.problem), pause=0.01))
    await until(lambda: told or task.done())
    assert told == [""] and not troubles
    task.cancel()
