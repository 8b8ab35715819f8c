"""The user's own word list, as it is changed at the panel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.approval import Refused
from bot.own_words import OwnWords, edited
from bot.save import Save
from moderation import Action, Chain, WatchedWords, WordListError


class Desk:
    """A save folder with its list in use."""

    def __init__(self, folder: Path) -> None:
        self.save = Save(folder)
        self.lists = WatchedWords([self.save.own_words_file])
        self.words = OwnWords(self.save, self.lists)
        self.checks = Chain([self.lists])

    def message(self, text: str) -> Action:
        return self.checks.screen_message(text).action


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.save.close()


async def test_a_word_is_stopped_when_it_is_listed_and_not_when_it_is_forgotten(desk: Desk) -> None:
    """At once, and in the file of the save folder."""
    version = desk.lists.version
    assert desk.message("你是紫薯精") is Action.PASS
    await desk.words.put("紫薯精", "block", "insult")
    assert desk.message("你是紫薯精") is Action.HOLD
    assert "紫薯精\tinsult\t3\t\t场控\n" in (desk.save.folder / "words.tsv").read_text(encoding="utf-8")
    assert desk.lists.version != version
    await desk.words.put("紫薯精", "forget")
    assert desk.message("你是紫薯精") is Action.PASS
    assert desk.lists.version == version


async def test_a_word_that_is_spam_is_dropped(desk: Desk) -> None:
    """It would fill the held lane."""
    await desk.words.put("上车上车", "block", "spam")
    assert desk.message("上车上车") is Action.DROP


async def test_a_word_of_our_own_list_can_be_allowed(desk: Desk) -> None:
    """Until it is forgotten."""
    assert desk.message("脑残") is Action.FLAG
    await desk.words.put("脑残", "allow")
    assert desk.message("脑残") is Action.PASS
    await desk.words.put("脑残", "forget")
    assert desk.message("脑残") is Action.FLAG


async def test_the_last_word_counts(desk: Desk) -> None:
    """What was said of the same word before, in whatever spelling, goes; other lines and comments stay."""
    file = desk.save.own_words_file
    file.write_text("# 我的词\n紫薯精\tinsult\t2\n红薯\n", encoding="utf-8")
    await desk.words.put("ABC 歌", "block")
    await desk.words.put("紫薯精", "allow")
    await desk.words.put("abc 歌", "block", severity=2)
    assert file.read_text(encoding="utf-8").splitlines() == [
        "# 我的词", "红薯", "紫薯精\tcustom\t3\ta\t场控", "abc 歌\tcustom\t2\t\t场控",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["的", " 好 ", "# 好的", "\u200b\u200b\u200b"])
async def test_a_word_that_cannot_be_listed_changes_nothing(desk: Desk, word: str) -> None:
    """Nor the file, nor what is in use."""
    before = desk.save.own_words()
    with pytest.raises(Refused) as refusal:
        await desk.words.put(word, "block")
    assert refusal.value.code == "bad_word"
    assert desk.save.own_words() == before


@pytest.mark.parametrize("category", ["nonsense", "unchecked", "suspect", "a\tb"])
def test_a_category_that_lists_do_not_have_is_refused(category: str) -> None:
    with pytest.raises(WordListError):
        edited("", "紫薯精", "block", category)


def test_a_word_is_one_field_of_one_line() -> None:
    """Tabs and line breaks in it are spaces: they would make it something else."""
    assert edited("", "紫\t薯\n精", "block") == "紫 薯 精\tcustom\t3\t\t场控\n"


async def test_a_word_that_flags_everyday_chat_is_taken_back(desk: Desk) -> None:
    """The lists would not be read with it; the old ones stay in use, and the file is as it was."""
    before, version = desk.save.own_words(), desk.lists.version
    with pytest.raises(Refused, match="误伤"):
        await desk.words.put("主播", "block")
    assert (desk.save.own_words(), desk.lists.version, desk.lists.problem) == (before, version, "")


async def test_two_operators_at_once_lose_no_word(desk: Desk) -> None:
    """Each change reads what the one before has written."""
    await asyncio.gather(*(desk.words.put(f"紫薯精{number}号", "block") for number in range(5)))
    assert sum("紫薯精" in line for line in desk.save.own_words().splitlines()) == 5


async def test_a_disk_that_refuses_changes_nothing(desk: Desk) -> None:
    """And says so; no half list is left."""
    before = desk.save.own_words()
    (desk.save.folder / ".words.tsv.part").mkdir()
    with pytest.raises(Refused, match="词表没有变"):
        await desk.words.put("紫薯精", "block")
    assert desk.save.own_words() == before
