"""A user's own services in the show: asked in time and in order, and what they have not answered is seen as such."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from adapters.base import AdapterError
from bot.approval import Refused
from bot.asking import Asking
from bot.messages import Event, Kind, Message, MessageId, Viewer, Withdrawn
from moderation import Direction
from moderation.http_service import HttpService
from moderation.providers import Providers
from moderation.verdict import Finding
from tests.fakes.moderation_service import Service, serving
from tests.test_show import ANNA, House, code
from tests.waiting import until


class Gated:
    """A provider that finds nothing, and answers about a text when the test says so."""

    name = "own"

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.asked: list[str] = []

    async def check(self, text: str, direction: Direction) -> Iterable[Finding]:
        self.asked.append(text)
        await self.gates.setdefault(text, asyncio.Event()).wait()
        return ()

    def answer(self, *texts: str) -> None:
        for text in texts:
            self.gates.setdefault(text, asyncio.Event()).set()


def message(text: str, number: int = 1, name: str = "") -> Message:
    return Message(MessageId(f"m{number}"), Kind.DANMAKU, Viewer("test", f"v{number}", name), text, time=1000.0)


def texts(events: Iterable[Event]) -> list[str]:
    return [event.text if isinstance(event, Message) else "withdrawn" for event in events]


# -- the row -----------------------------------------------------------------------------------------------------------


async def test_without_services_an_event_is_heard_at_once() -> None:
    """In the same step, with no task: what takes it is what hears it."""
    heard: list[Event] = []
    async with Asking().in_turn(heard.append) as put:
        assert put == heard.append
    assert not Asking().must_ask("你好") and not Asking().too_early("你好")


async def test_order_is_kept_however_the_answers_come() -> None:
    """A withdrawal stays behind the message that it is about."""
    own, heard = Gated(), list[Event]()
    async with Asking(Providers([own])).in_turn(heard.append) as put:
        for event in (
            message("一"),
            message("二", 2),
            Withdrawn("test", frozenset({MessageId("m1")})),
            message("三", 3),
        ):
            put(event)
        await until(lambda: len(own.asked) == 3)
        own.answer("二", "三")
        await asyncio.sleep(0.01)
        assert heard == []
        own.answer("一")
        await until(lambda: len(heard) == 4)
    assert texts(heard) == ["一", "二", "withdrawn", "三"]


async def test_a_service_that_never_answers_holds_a_message_up_for_its_time_only() -> None:
    """All are heard, in order, before the platform's end is."""
    heard: list[Event] = []
    services = Providers([Gated()], seconds=0.02, at_once=1)
    async with Asking(services).in_turn(heard.append) as put:
        for number in range(20):
            put(message(str(number), number))
    assert texts(heard) == [str(number) for number in range(20)]
    assert not services.answered("0", Direction.IN)


async def test_no_more_than_so_many_wait() -> None:
    """The first goes on without an answer: none is lost, and the platform is never kept waiting."""
    heard: list[Event] = []
    services = Providers([Gated()], seconds=60)
    with pytest.raises(RuntimeError):
        async with Asking(services, most=3).in_turn(heard.append) as put:
            for number in range(10):
                put(message(str(number), number))
                assert number + 1 - len(heard) <= 3
            assert texts(heard) == ["0", "1", "2", "3", "4", "5", "6"]
            raise RuntimeError  # the end of the show, which waits for nobody
    assert len(heard) == 7
    await until(lambda: len(asyncio.all_tasks()) == 1)


async def test_a_fault_while_asking_loses_no_message(caplog: pytest.LogCaptureFixture) -> None:
    """It is heard, unchecked."""
    services, heard = Providers([Gated()]), list[Event]()

    async def broken(text: str, direction: Direction) -> None:
        raise KeyError(text)

    services.ask = broken  # type: ignore[method-assign]
    async with Asking(services).in_turn(heard.append) as put:
        put(message("你好"))
    assert texts(heard) == ["你好"]
    assert "KeyError" in caplog.text and "你好" not in caplog.text


# -- the show, with a real service -------------------------------------------------------------------------------------


class Script:
    """An adapter that says its lines, and may end in an error."""

    name = "script"

    def __init__(self, *events: Event, error: AdapterError | None = None) -> None:
        self.events = events
        self.error = error

    async def messages(self) -> AsyncIterator[Event]:
        for event in self.events:
            yield event
        if self.error:
            raise self.error


@asynccontextmanager
async def watched(folder: Path, service: Service, seconds: float = 30.0) -> AsyncIterator[House]:
    async with serving(service.answer) as url:
        services = Providers([HttpService("own", url, seconds=seconds)], seconds=seconds)
        house = House(folder, services=services)
        try:
            async with house.running():
                yield house
        finally:
            service.gate.set()
            await services.aclose()


def answered(house: House, words: str) -> bool:
    assert house.services is not None
    return house.services.answered(words, Direction.OUT)


def held(house: House) -> list[tuple[str, list[str]]]:
    return [
        (row["message"]["text"], [flag["category"] for flag in row["flags"]]) for row in house.show.snapshot()["held"]
    ]


async def test_what_a_service_finds_in_a_message_or_a_name_holds_it(tmp_path: Path) -> None:
    """What it finds nothing in gets a card as ever."""
    async with watched(tmp_path, service := Service()) as house:
        script = Script(
            message("你是笨蛋吗？", 1, "甲"), message("今天玩什么？", 2, "乙"), message("在吗？", 3, "笨蛋丙")
        )
        await house.show.listen(script)
        card = await house.card()
        assert (card["message"]["text"], card["findings"]) == ("今天玩什么？", [])
        assert sorted(held(house)) == [("你是笨蛋吗？", ["insult"]), ("在吗？", ["insult"])]
        assert {"text": "甲", "direction": "in"} in service.asked
        assert [draft["flags"] for draft in card["drafts"]] == [[], []]


async def test_a_message_that_a_service_fails_at_is_held_as_unchecked(tmp_path: Path) -> None:
    """And those around it are not."""
    service = Service()
    service.broken = {"二在吗？"}
    async with watched(tmp_path, service) as house:
        await house.show.listen(Script(message("一在吗？"), message("二在吗？", 2), message("三在吗？", 3)))
        await house.card(2)
        assert held(house) == [("二在吗？", ["unchecked"])]
        assert "own" in house.show.snapshot()["held"][0]["flags"][0]["reason"]


async def test_what_was_heard_before_a_platform_failed_is_not_lost(tmp_path: Path) -> None:
    async with watched(tmp_path, Service()) as house:
        await house.show.listen(Script(message("在吗？"), error=AdapterError("no such room")))
        assert (await house.card())["message"]["text"] == "在吗？"


async def test_a_masked_message_is_known_by_what_is_left_of_it(tmp_path: Path) -> None:
    """Its card does not say unchecked."""
    async with watched(tmp_path, service := Service()) as house:
        house.show.pause("hold", ANNA)
        await house.show.listen(Script(message("我的手机13800138000，加吗？")))
        await until(lambda: len(service.asked) == 2)
        masked = service.asked[1]["text"]
        assert "13800138000" not in masked
        await until(lambda: house.services is not None and house.services.answered(masked, Direction.IN))
        house.show.pause("run", ANNA)
        card = await house.card()
        assert "unchecked" not in [flag["category"] for flag in card["findings"]]


async def test_a_draft_is_finished_when_the_service_has_seen_it(tmp_path: Path) -> None:
    """Until then it can be read and not chosen; then it says what was found."""
    async with watched(tmp_path, service := Service()) as house:
        house.engine.answer = "笨蛋"
        service.gate.clear()
        house.show.generate(ANNA)
        await until(lambda: len(service.asked) == 2)
        (card,) = house.items("pending")
        assert [(draft["text"], draft["done"]) for draft in card["drafts"]] == [("笨蛋0", False), ("笨蛋1", False)]
        service.gate.set()
        card = await house.card()
        assert [flag["reason"] for flag in card["drafts"][0]["flags"]] == ["骂人"]
        assert card["drafts"][0]["flags"][0]["level"] == "block"
        with pytest.raises(Refused) as refusal:
            await house.approve(card)
        assert code(refusal) == "blocked"


async def test_drafts_of_a_card_that_is_decided_meanwhile_come_to_nothing(tmp_path: Path) -> None:
    """The service's answer changes nothing any more, and is no error."""
    async with watched(tmp_path, service := Service()) as house:
        service.gate.clear()
        house.show.generate(ANNA)
        await until(lambda: len(service.asked) == 2)
        (card,) = house.items("pending")
        house.show.reject(card["id"], card["revision"], ANNA)
        service.gate.set()
        await until(lambda: not house.show._drafting)
        assert house.items("pending") == []


async def test_words_of_a_persons_own_are_asked_about_at_the_first_click(tmp_path: Path) -> None:
    """The second goes by what the service found."""
    async with watched(tmp_path, service := Service()) as house:
        house.show.generate(ANNA)
        card = await house.card()
        for words, outcome in (("你个笨蛋", "blocked"), ("大家好！", "")):
            with pytest.raises(Refused) as refusal:
                await house.approve(card, words)
            assert code(refusal) == "unchecked"
            await until(partial(answered, house, words))
            if outcome:
                with pytest.raises(Refused) as refusal:
                    await house.approve(card, words)
                assert code(refusal) == outcome
        await house.approve(card, "大家好！")
        await until(lambda: house.stage.seen == ["大家好！"])
        assert [asked["text"] for asked in service.asked].count("大家好！") == 1


async def test_while_a_service_is_down_a_person_may_go_on_and_says_why(tmp_path: Path) -> None:
    """A plain click does not pass; a reason does, and is on record."""
    async with watched(tmp_path, service := Service()) as house:
        service.broken = {"好呀0", "好呀1"}
        house.show.generate(ANNA)
        card = await house.card()
        (flag,) = card["drafts"][0]["flags"]
        assert (flag["category"], flag["level"], flag["firm"]) == ("unchecked", "block", False)
        with pytest.raises(Refused) as refusal:
            await house.approve(card)
        assert code(refusal) == "blocked" and "own" in str(refusal.value)
        house.show.approve(card["id"], card["revision"], "好呀0", ANNA, override="服务坏了，我看过")
        await until(lambda: house.stage.seen == ["好呀0"])
        assert [flag["category"] for flag in house.items("aired")[0]["flags"]] == ["unchecked"]


async def test_words_that_are_being_written_are_asked_about(tmp_path: Path) -> None:
    """So the first click already knows."""
    async with watched(tmp_path, Service()) as house:
        said = await house.show.check("你个笨蛋")
        assert (said["action"], said["flags"][0]["source"]) == ("block", "own")
        assert await house.show.check("大家好！") == {"action": "clean", "flags": []}


async def test_a_piece_of_an_approved_reply_is_not_asked_about_again(tmp_path: Path) -> None:
    """Outlets that cut a reply cannot wait; our own checks see each piece."""
    async with watched(tmp_path, service := Service()) as house:
        assert house.show.objection("大家") == house.show.objection("脑残") == ""  # found, but not stopped
        assert house.show.objection("看 https://example.com/") != ""
        assert service.asked == []
