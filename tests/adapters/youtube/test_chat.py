"""The adapter for YouTube, against its API on this machine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.base import AdapterError, Phase
from adapters.testing import check_adapter
from adapters.youtube.chat import YouTubeAdapter
from adapters.youtube.reading import video_id
from bot.messages import Event, Message
from tests.adapters.events import cases, event
from tests.adapters.patience import soon
from tests.fakes.youtube import CHAT, KEY, VIDEO, YouTube, key_invalid, refusal
from tests.waiting import until

NOW = 1_800_000_000.0  # midnight in California
CASES = cases("youtube/items.json")
SPOKEN = [case for case in CASES if case["gives"].get("reason") != "ended"]


def said(number: int, second: int = 0) -> dict[str, Any]:
    snippet = {
        "type": "textMessageEvent",
        "publishedAt": f"2027-01-15T07:59:{second:02}Z",
        "textMessageDetails": {"messageText": f"第 {number} 条"},
    }
    return {"id": f"i-{number}", "snippet": snippet, "authorDetails": {"channelId": "UC-1", "displayName": "Ann"}}


class Clock:
    """Time passes only in pauses; `during` one, things happen, a list entry for each."""

    def __init__(self, *during: Callable[[], object]) -> None:
        self.now = NOW
        self.slept: list[float] = []
        self.passes = True
        self._during = list(during)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if not self._during:
            await asyncio.Event().wait()  # nothing more will happen
        self.slept.append(seconds)
        self.now += seconds if self.passes else 0.0
        self._during.pop(0)()
        await asyncio.sleep(0)


def adapter(tube: YouTube, clock: Clock, **settings: Any) -> YouTubeAdapter:
    settings = {"video": VIDEO, "api_key": KEY, "url": tube.url} | settings
    return YouTubeAdapter(**settings, clock=clock, sleep=clock.sleep, jitter=lambda: 1.0)


@asynccontextmanager
async def heard(chat: YouTubeAdapter, count: int) -> AsyncIterator[list[Event]]:
    """The first so many events, while the adapter goes on."""
    events: list[Event] = []
    async with aclosing(chat.messages()) as messages:
        while len(events) < count:
            events.append(await soon(anext(messages)))
        yield events


async def all_of(chat: YouTubeAdapter) -> list[Event]:
    async def hear() -> list[Event]:
        return [one async for one in chat.messages()]

    return await soon(hear())


def nothing() -> None:
    pass


def words(events: list[Event]) -> list[str]:
    return [one.text for one in events if isinstance(one, Message)]


async def test_what_is_written_comes_as_written_beside_it():
    """The whole list of fixtures over real HTTP, in order; items that cannot be read are counted."""
    expected = [event("youtube", case["gives"]) for case in SPOKEN if "reason" not in case["gives"]]
    async with YouTube() as tube:
        clock = Clock(lambda: tube.items.extend(case["item"] for case in SPOKEN))
        clock.passes = False
        chat = adapter(tube, clock)
        async with heard(chat, len(expected)) as events:
            assert events == expected
            assert chat.state.state is Phase.LIVE
            await until(lambda: chat.state.bad == sum(c["gives"] == {"reason": "broken"} for c in SPOKEN))
    assert [dict(look.query).get("pageToken") for look in tube.looks] == [None, "0"]


async def test_history_is_not_heard():
    """Whatever the first page holds was written before we came."""
    async with (
        YouTube([said(1), said(2)]) as tube,
        heard(adapter(tube, Clock(lambda: tube.items.append(said(3)))), 1) as events,
    ):
        assert words(events) == ["第 3 条"]


async def test_after_a_fault_it_goes_on_where_it_was():
    """What was written meanwhile is heard, once."""
    async with YouTube([said(1)]) as tube:
        clock = Clock(
            lambda: (tube.items.append(said(2)), tube.faults.append(web.Response(status=503))),
            lambda: tube.items.append(said(3)),
        )
        async with heard(adapter(tube, clock), 2) as events:
            assert words(events) == ["第 2 条", "第 3 条"]
    assert clock.slept[1] == 1.0  # the core's first pause, not a page's


@pytest.mark.parametrize("loses", ["token", "page"])
async def test_when_the_page_is_lost_only_what_is_new_is_heard(loses: str):
    """YouTube sends everything again; what is older than the newest we know was there."""
    async with YouTube([said(1, 10), said(2, 20)]) as tube:
        tube.gives_tokens = loses == "page"
        faults = [refusal(400, "pageTokenInvalid")] if loses == "page" else []
        clock = Clock(
            lambda: (tube.items.append(said(3, 30)), tube.faults.extend(faults)),
            lambda: tube.items.append(said(4, 30)),
            lambda: tube.items.append(said(5, 40)),
        )
        async with heard(adapter(tube, clock), 3) as events:
            assert words(events) == ["第 3 条", "第 4 条", "第 5 条"]


async def test_an_empty_chat_has_no_history():
    """All that is in it when the page is lost came after us."""
    async with YouTube() as tube:
        tube.gives_tokens = False
        async with heard(adapter(tube, Clock(lambda: tube.items.extend([said(1), said(2)]))), 2) as events:
            assert words(events) == ["第 1 条", "第 2 条"]


@pytest.mark.parametrize(
    ("asked", "pause"), [(3000, 3.0), ("4000", 4.0), (1, 1.0), (10**9, 60.0), (None, 5.0), ("soon", 5.0), (0, 5.0)]
)
async def test_it_looks_as_seldom_as_youtube_asks(asked: object, pause: float):
    """Within reason; where YouTube does not say, every five seconds."""
    async with YouTube() as tube:
        tube.polling = asked
        clock = Clock(nothing, lambda: tube.items.append(said(1)))
        async with heard(adapter(tube, clock, daily_quota=0), 1):
            assert clock.slept == [pause, pause]


async def test_the_quota_is_counted_shown_and_made_to_last():
    """10,000 units in four hours: one for the video, five a look, so one look every 7.2 s."""
    async with YouTube() as tube:
        clock = Clock(nothing, lambda: tube.items.append(said(1)))
        chat = adapter(tube, clock)
        async with heard(chat, 1):
            assert clock.slept[0] == pytest.approx(4 * 3600 / ((10_000 - 6) // 5))
            await until(lambda: "16 / 10,000" in chat.state.notices["quota"].text)


async def test_without_units_it_rests_until_midnight_in_california():
    """In naps, without a call; then it goes on where it was."""
    async with YouTube() as tube:
        clock = Clock(nothing, nothing, lambda: tube.items.append(said(1)), *[nothing] * 150)
        chat = adapter(tube, clock, daily_quota=11)  # the video and two looks
        async with heard(chat, 1) as events:
            assert words(events) == ["第 1 条"]
            assert (len(tube.asked), len(tube.looks)) == (4, 3)
    first, second, *naps, _ = clock.slept
    assert (first, second) == (4 * 3600, 5)  # the last look but one is saved for the end of the planned hours
    assert max(naps) == 15 * 60 * 1.25
    assert 24 * 3600 <= first + second + sum(naps) < 24 * 3600 + 1200


async def test_youtube_s_own_refusal_counts_as_used_up():
    """Another program may spend from the same project: no further call before midnight."""
    async with YouTube() as tube:
        tube.faults.append(refusal(403, "quotaExceeded"))
        clock = Clock(lambda: tube.items.append(said(1)), *[nothing] * 150, lambda: tube.items.append(said(2)))
        chat = adapter(tube, clock)
        async with aclosing(chat.messages()) as messages:
            waiting = asyncio.ensure_future(anext(messages))
            await until(lambda: len(tube.asked) > 1)
            assert clock.now >= NOW + 24 * 3600
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (key_invalid, "adapters.youtube.api_key"),
        (lambda: refusal(400, "keyInvalid"), "adapters.youtube.api_key"),
        (lambda: refusal(403, "accessNotConfigured"), "YouTube Data API v3"),
        (lambda: refusal(403, "forbidden"), "公开"),
        (lambda: refusal(403, "liveChatDisabled"), "聊天"),
    ],
    ids=["key invalid", "the old way", "not configured", "forbidden", "disabled"],
)
async def test_what_can_never_work_stops_with_advice(answer: Callable[[], web.Response], advice: str):
    async with YouTube() as tube:
        tube.faults.append(answer())
        with pytest.raises(AdapterError, match=advice):
            await all_of(adapter(tube, Clock()))


async def test_a_video_that_is_not_there_stops_with_advice():
    async with YouTube() as tube:
        tube.details = None
        with pytest.raises(AdapterError, match=VIDEO):
            await all_of(adapter(tube, Clock()))


async def test_a_chat_that_is_not_there_stops_with_advice():
    """Where somebody wrote its id by hand."""
    async with YouTube() as tube:
        with pytest.raises(AdapterError, match=r"live_chat_id"):
            await all_of(adapter(tube, Clock(), live_chat_id="chat-9"))


async def test_a_chat_that_is_known_is_not_looked_for():
    async with (
        YouTube() as tube,
        heard(adapter(tube, Clock(lambda: tube.items.append(said(1))), video="", live_chat_id=CHAT), 1),
    ):
        assert len(tube.asked) == len(tube.looks) == 2


async def test_a_broadcast_that_gets_another_chat_is_found_again():
    async with YouTube() as tube:
        tube.details = {"activeLiveChatId": "chat-0"}
        clock = Clock(lambda: setattr(tube, "details", {"activeLiveChatId": CHAT}), lambda: tube.items.append(said(1)))
        async with heard(adapter(tube, clock), 1) as events:
            assert words(events) == ["第 1 条"]


async def test_a_broadcast_that_has_not_begun_is_waited_for():
    """A minute and a bit, at one unit a call."""
    async with YouTube() as tube:
        tube.details = {"scheduledStartTime": "2027-01-15T09:00:00Z"}
        clock = Clock(lambda: setattr(tube, "details", {"activeLiveChatId": CHAT}), lambda: tube.items.append(said(1)))
        async with heard(adapter(tube, clock), 1):
            assert clock.slept[0] == 75.0


@pytest.mark.parametrize("how", ["event", "offline", "error", "before"])
async def test_the_end_of_the_broadcast_is_no_mistake(how: str):
    """What came with the end is heard first."""
    async with YouTube() as tube:

        def end() -> None:
            tube.items.append(said(1))
            if how == "event":
                tube.items.append(CASES[-1]["item"])
            if how == "offline":
                tube.offline = "2027-01-15T08:00:00Z"
            if how == "error":
                tube.faults.append(refusal(403, "liveChatEnded"))

        if how == "before":
            tube.details = {"actualEndTime": "2027-01-15T07:00:00Z"}
        chat = adapter(tube, Clock(end))
        assert words(await all_of(chat)) == (["第 1 条"] if how in ("event", "offline") else [])
    assert (chat.state.state, chat.state.detail) == (Phase.DONE, "直播结束")


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (lambda: refusal(403, "rateLimitExceeded"), 75.0),
        (lambda: web.Response(status=429, text="slow down"), 75.0),
        (lambda: web.Response(status=500, text="<html>oops</html>", content_type="text/html"), 1.0),
        (lambda: web.Response(status=200, text="<html>hotel wifi</html>", content_type="text/html"), 1.0),
        (lambda: web.Response(status=200, text="[1, 2]"), 1.0),
        (lambda: web.Response(status=200, text="[" * 100_000), 1.0),
        (lambda: web.Response(status=200, body=b'{"items": "' + b"x" * (9 << 20)), 1.0),
        (lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"}), 1.0),
        (lambda: refusal(418, "teapot"), 1.0),
    ],
    ids=["rate", "429", "500", "html", "list", "deep", "huge", "redirect", "unknown"],
)
async def test_what_may_work_later_is_tried_later(answer: Callable[[], web.Response], pause: float):
    """Minutes where YouTube asks for it; the key follows no redirection."""
    async with YouTube() as tube:
        tube.faults.append(answer())
        clock = Clock(nothing, lambda: tube.items.append(said(1)))
        async with heard(adapter(tube, clock), 1):
            assert clock.slept[0] == pause


@pytest.mark.parametrize("items", [None, "x", {"a": 1}, [None, 7, [], {"snippet": []}]], ids=repr)
async def test_a_page_of_an_odd_kind_is_an_empty_one(items: Any):
    async with YouTube() as tube:
        tube.faults.append(web.json_response({"items": [{"liveStreamingDetails": {"activeLiveChatId": CHAT}}]}))
        tube.faults.append(web.json_response({"items": items, "nextPageToken": "0"}))
        async with heard(adapter(tube, Clock(lambda: tube.items.append(said(1)))), 1) as events:
            assert words(events) == ["第 1 条"]


async def test_it_passes_the_check_for_adapters():
    async with YouTube() as tube:

        def make() -> YouTubeAdapter:
            tube.items.clear()
            return adapter(tube, Clock(lambda: tube.items.extend([said(1), said(2)])))

        assert await check_adapter(make) == []


async def test_the_key_is_in_no_log_and_no_text(caplog: pytest.LogCaptureFixture):
    """Whatever goes wrong: refused, dropped, not even there."""
    async with YouTube() as tube:
        tube.faults.extend([refusal(500, "x"), web.Response(status=302, headers={"Location": "/elsewhere"})])
        chat = adapter(tube, Clock(nothing, nothing, lambda: tube.items.append(said(1))))
        with caplog.at_level(logging.DEBUG):
            async with heard(chat, 1):
                pass
    gone = adapter(tube, Clock(nothing))
    with caplog.at_level(logging.DEBUG):
        async with aclosing(gone.messages()) as messages:
            waiting = asyncio.ensure_future(anext(messages))
            await until(lambda: gone.state.reconnects)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    assert "youtube" in caplog.text
    assert KEY not in caplog.text + repr(chat.state) + repr(gone.state)


@pytest.mark.parametrize(
    "video",
    [
        "abc-DEF_123", " abc-DEF_123 ", "https://www.youtube.com/watch?v=abc-DEF_123&t=10s", "youtu.be/abc-DEF_123?si=x",
        "https://www.youtube.com/live/abc-DEF_123", "https://m.youtube.com/watch?feature=x&v=abc-DEF_123",
    ],
)  # fmt: skip
def test_a_video_is_its_id_or_its_address(video: str):
    assert video_id(video) == "abc-DEF_123"


@pytest.mark.parametrize(
    "video", ["", "short", "https://example.com/watch?v=abc-DEF_123", "https://www.youtube.com/@name"]
)
def test_what_cannot_be_a_video_is_refused_at_once(video: str):
    with pytest.raises(AdapterError, match=r"adapters\.youtube\.video"):
        YouTubeAdapter(video, KEY)


def test_without_a_key_it_says_how_to_get_one():
    with pytest.raises(AdapterError, match="COHOST_YOUTUBE_KEY"):
        YouTubeAdapter(VIDEO, "")
