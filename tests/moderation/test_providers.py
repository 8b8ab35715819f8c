"""A user's own models: they add findings, and whatever goes wrong with them leaves a text unchecked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest

from moderation.chain import Chain
from moderation.providers import Providers
from moderation.verdict import NOTABLE, Action, Direction, Finding
from tests.waiting import until

RUDE = Finding("insult", NOTABLE, "own", 0, 2, "难听")


class Own:
    """Answers with what it was made with, or does what it was told to do."""

    def __init__(self, *found: Finding, name: str = "own", does: Callable[[], None] = lambda: None) -> None:
        self.name, self.found, self.does, self.asked = name, found, does, 0

    async def check(self, text: str, direction: Direction) -> Iterable[Finding]:
        self.asked += 1
        self.does()
        return self.found


class Silent(Own):
    async def check(self, text: str, direction: Direction) -> Iterable[Finding]:
        self.asked += 1
        await asyncio.Event().wait()
        return ()


def rules(providers: Providers, text: str = "你好", direction: Direction = Direction.IN) -> list[str]:
    return [found.rule for found in providers.check(text, direction)]


async def test_what_it_finds_is_added() -> None:
    """Under its own name, for the policy to judge."""
    providers = Providers([Own(RUDE), Own(name="other")])
    await providers.ask("你好", Direction.IN)
    [found] = providers.check("你好", Direction.IN)
    assert (found.category, found.severity, found.source) == ("insult", NOTABLE, "own")
    assert Chain([providers]).screen_message("你好").action is Action.FLAG


async def test_what_nobody_asked_is_unchecked() -> None:
    """Another text, or the same one in the other direction, is held or blocked; only a person's reason lets it through."""
    providers = Providers([Own()])
    await providers.ask("你好", Direction.IN)
    chain = Chain([providers])
    assert chain.screen_message("你好").action is Action.PASS
    assert chain.screen_message("你好呀").action is Action.HOLD
    blocked = chain.screen_reply("你好")
    assert blocked.action is Action.BLOCK and not blocked.findings[0].firm
    assert blocked.findings[0].category == "unchecked" and "own" in blocked.findings[0].reason


def fail() -> None:
    raise OSError("no route")


@pytest.mark.parametrize(
    "broken",
    [
        Own(does=fail),
        Silent(),
        Own(Finding("insult", NOTABLE, "own", 0, 3, "太长")),
        Own(Finding("nonsense", NOTABLE, "own", 0, 1, "没有这一类")),
    ],
    ids=["it raises", "it says nothing", "a place outside the text", "no such category"],
)
async def test_one_that_fails_leaves_the_text_unchecked(broken: Own) -> None:
    """The other's findings stay; it is asked again the next time, the other is not."""
    good = Own(RUDE, name="good")
    providers = Providers([broken, good], seconds=0.01)
    await providers.ask("你好", Direction.IN)
    assert rules(providers) == ["unanswered:own", "own"]
    await providers.ask("你好", Direction.IN)
    assert (broken.asked, good.asked) == (2, 1)


async def test_answers_are_kept_for_a_bounded_number_of_texts() -> None:
    """The one that was used longest ago goes first, and is unchecked again."""
    providers = Providers([Own()], remembered=2)
    for text in ("一", "二"):
        await providers.ask(text, Direction.IN)
    assert rules(providers, "一") == []
    await providers.ask("三", Direction.IN)
    assert [rules(providers, text) == [] for text in "一二三"] == [True, False, True]


async def test_no_more_texts_at_once_than_allowed() -> None:
    """The others wait for their turn."""
    silent = Silent()
    providers = Providers([silent], seconds=60, at_once=2)
    asking = [asyncio.create_task(providers.ask(text, Direction.IN)) for text in "一二三"]
    await until(lambda: silent.asked == 2)
    await asyncio.sleep(0)
    assert silent.asked == 2
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_a_long_text_is_asked_about_as_the_chain_reads_it() -> None:
    """Only its beginning; the chain says what it left out."""
    providers = Providers([Own()])
    await providers.ask("长" * 500, Direction.IN)
    assert rules(providers, "长" * 400) == []


class ForReplies(Own):
    directions = (Direction.OUT,)


async def test_one_that_is_for_one_direction_is_not_missed_in_the_other() -> None:
    """It is neither asked nor reported as silent."""
    own = ForReplies(RUDE)
    providers = Providers([own])
    await providers.ask("你好", Direction.IN)
    assert (rules(providers), own.asked) == ([], 0)
    assert rules(providers, direction=Direction.OUT) == ["unanswered:own"]


async def test_a_text_without_a_word_is_not_asked_about() -> None:
    """There is nothing in it that could be found."""
    providers = Providers([own := Own()])
    await providers.ask(" ", Direction.IN)
    assert (rules(providers, " "), rules(providers, ""), own.asked) == ([], [], 0)


async def test_a_text_does_not_wait_for_its_turn_for_ever() -> None:
    """It stays unchecked, and that it had its time is known."""
    providers = Providers([silent := Silent()], seconds=0.05, at_once=1)
    texts = [f"第{number}条" for number in range(20)]
    await asyncio.gather(*(providers.ask(text, Direction.IN) for text in texts))
    assert silent.asked < len(texts)
    assert all(providers.asked(text, Direction.IN) for text in texts)
    assert not any(providers.answered(text, Direction.IN) for text in texts)
    assert not providers.asked("六", Direction.IN)


async def test_a_busy_chat_does_not_displace_what_was_said_of_replies() -> None:
    providers = Providers([Own()], remembered=1)
    await providers.ask("回复", Direction.OUT)
    for text in "一二":
        await providers.ask(text, Direction.IN)
    assert rules(providers, "回复", Direction.OUT) == []


async def test_a_failure_is_logged_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """Not once a message; and no word of a message."""
    broken = Own(does=fail)
    providers = Providers([broken])
    for text in ("你好", "再见"):
        await providers.ask(text, Direction.IN)
    broken.does = lambda: None
    await providers.ask("你好", Direction.IN)
    broken.does = fail
    await providers.ask("又来了", Direction.IN)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "provider own failed: OSError"
    ] * 2


def test_names_tell_providers_apart() -> None:
    with pytest.raises(ValueError, match="one name"):
        Providers([Own(), Own()])
