"""The connection to Twitch, against a server that speaks its IRC."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from adapters.base import AdapterError, Phase
from adapters.testing import check_adapter
from adapters.twitch.chat import TwitchAdapter
from adapters.twitch.irc import channel_name
from bot.messages import Event
from tests.adapters.events import cases, event, starred
from tests.adapters.patience import soon
from tests.fakes.twitch import Chat, Mood, drops, refuses_login, refuses_tags, says, silent
from tests.waiting import until

NOW = 1_800_000_000.0
CASES = cases("twitch/lines.json")
HELLO = "@id=h-1;user-id=1;display-name=Minty :minty!minty@x PRIVMSG #demo_room :hello"


def hello(number: int) -> str:
    return HELLO.replace("h-1", f"h-{number}")


class Pauses:
    """Lets every pause pass at once, and keeps them."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def adapter(chat: Chat, pauses: Pauses | None = None, channel: str = "demo_room") -> TwitchAdapter:
    return TwitchAdapter(channel, url=chat.url, clock=lambda: NOW, sleep=pauses or Pauses(), jitter=lambda: 1.0)


@asynccontextmanager
async def heard(twitch: TwitchAdapter, count: int) -> AsyncIterator[list[Event]]:
    """The first so many events, while the adapter goes on."""
    events: list[Event] = []
    async with aclosing(twitch.messages()) as messages:
        while len(events) < count:
            events.append(await soon(anext(messages)))
        yield events


async def test_what_is_written_comes_as_written_beside_it():
    """The whole list of fixtures over a real websocket, in order; lines that cannot be read are counted."""
    entries = [case["gives"] for case in CASES]
    expected = [event("twitch", entry) for entry in entries if entry and "reason" not in entry]
    async with Chat([case["line"] for case in CASES]) as chat:
        twitch = adapter(chat)
        async with heard(twitch, len(expected)) as events:
            assert [starred(one, "twitch") for one in events] == expected
            await until(lambda: twitch.state.bad == sum(e in (None, {"reason": "broken"}) for e in entries))
        assert (twitch.state.state, twitch.state.detail) == (Phase.LIVE, "#demo_room")


async def test_what_comes_twice_is_one():
    async with Chat([hello(1), hello(1), hello(2)]) as chat:
        twitch = adapter(chat)
        async with heard(twitch, 2):
            assert twitch.state.duplicates == 1


async def test_it_passes_the_check_for_adapters():
    async with Chat([hello(1), hello(2)]) as chat:
        assert await check_adapter(lambda: adapter(chat)) == []


async def test_a_ping_is_answered_with_its_own_words():
    async with Chat([hello(1)]) as chat, heard(adapter(chat), 1):
        await chat.say("PING :tmi.twitch.tv")
        await until(lambda: "PONG :tmi.twitch.tv" in chat.heard)


async def test_a_chat_in_which_nobody_writes_is_alive():
    """Our own PING is answered, and each answer is a sign of life."""
    async with Chat([hello(1)]) as chat:
        twitch = adapter(chat)
        twitch.ping_seconds = 0.005
        async with heard(twitch, 1):
            signs: list[None] = []
            twitch.alive = lambda: signs.append(None)  # type: ignore[method-assign]
            await until(lambda: len(signs) >= 3 and chat.heard.count("PING :cohost") >= 3)


async def test_a_chat_that_answers_no_ping_is_called_again():
    """A connection that hangs looks like a quiet room, but for this."""
    async with Chat([hello(1)]) as chat:
        chat.answers_pings = False
        twitch = adapter(chat)
        twitch.silence, twitch.ping_seconds = 0.1, 0.02
        async with heard(twitch, 1):
            await until(lambda: len(chat.joined) >= 2)


@pytest.mark.parametrize(
    "mood",
    [drops("door"), drops("login"), drops("in"), says(":tmi.twitch.tv RECONNECT"), says("RECONNECT", lets_in=False)],
    ids=["door", "login", "in", "reconnect", "reconnect before we are in"],
)
async def test_a_connection_that_ends_is_made_again(mood: Mood):
    """At once, for a first time: up to a second later."""
    async with Chat([hello(1)]) as chat:
        chat.moods.append(mood)
        pauses = Pauses()
        async with heard(adapter(chat, pauses), 1):
            assert pauses.slept == [1.0]


async def test_nothing_is_lost_or_told_twice_over_reconnections():
    """Twitch sends nothing again; what is said after each RECONNECT is heard."""
    async with Chat() as chat:
        chat.moods.extend(says(hello(number), ":tmi.twitch.tv RECONNECT") for number in range(5))
        chat.said = [hello(5)]
        async with heard(adapter(chat), 6) as events:
            assert [one.id for one in events] == [f"twitch:h-{number}" for number in range(6)]


async def test_joins_keep_to_twitch_s_limit():
    """Twenty in ten seconds, whatever happens: the one after them waits for the first to be ten seconds old."""
    async with Chat([hello(1)]) as chat:
        chat.moods.extend(drops("login") for _ in range(21))
        pauses = Pauses()
        twitch = TwitchAdapter("demo_room", url=chat.url, sleep=pauses, jitter=lambda: 0.0)
        async with heard(twitch, 1):
            waits = [seconds for seconds in pauses.slept if seconds > 0]
    assert len(chat.joined) == 22
    assert waits and all(seconds <= 10 for seconds in waits)


async def test_a_channel_that_does_not_answer_is_said_on_the_panel():
    """Twitch does not say that there is no such channel: it says nothing. When it answers, the notice goes."""
    async with Chat([hello(1)]) as chat:
        chat.moods.append(silent)
        twitch = adapter(chat)
        twitch.answer_seconds = 0.05
        async with aclosing(twitch.messages()) as messages:
            waiting = asyncio.ensure_future(anext(messages))
            await until(lambda: "no_answer" in twitch.state.notices)
            twitch.answer_seconds = 15.0
            await soon(waiting)
            assert "no_answer" not in twitch.state.notices


async def test_a_suspended_channel_stops_for_good():
    """With Twitch's words and what to look at."""
    notice = "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #demo_room :This channel has been suspended."
    async with Chat() as chat:
        chat.moods.append(says(notice, lets_in=False))
        twitch = adapter(chat)
        with pytest.raises(AdapterError, match=r"demo_room.*has been suspended.*adapters\.twitch\.channel"):
            async with heard(twitch, 1):
                pass
    assert twitch.state.state is Phase.FAILED


async def test_a_proxy_that_needs_another_package_is_said(monkeypatch: pytest.MonkeyPatch):
    """Where the system is set to a SOCKS proxy and python-socks is not installed."""
    monkeypatch.setitem(sys.modules, "python_socks", None)
    monkeypatch.setitem(sys.modules, "python_socks.async_.asyncio", None)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("all_proxy", "socks_proxy", "ws_proxy", "http_proxy"):
        monkeypatch.setenv(name, "socks5h://127.0.0.1:9")
    async with Chat() as chat:
        with pytest.raises(AdapterError, match="python-socks"):
            async with heard(adapter(chat), 1):
                pass


@pytest.mark.parametrize("mood", [refuses_login, refuses_tags])
async def test_a_refusal_is_not_repeated_at_once(mood: Mood):
    async with Chat([hello(1)]) as chat:
        chat.moods.append(mood)
        pauses = Pauses()
        async with heard(adapter(chat, pauses), 1):
            assert pauses.slept == [600 * 1.25]


async def test_what_twitch_says_to_us_is_on_the_panel():
    """The room went into slow mode: no message, and no end."""
    async with Chat([hello(1)]) as chat:
        twitch = adapter(chat)
        async with heard(twitch, 1):
            await chat.say("@msg-id=slow_on :tmi.twitch.tv NOTICE #demo_room :This room is now in slow mode.")
            await until(lambda: "told" in twitch.state.notices)
            assert "slow mode" in twitch.state.notices["told"].text


@pytest.mark.parametrize(
    "name", ["Demo_Room", "#demo_room", " twitch.tv/demo_room ", "https://www.twitch.tv/Demo_Room/"]
)
def test_a_channel_is_its_name_or_its_page(name: str):
    assert channel_name(name) == "demo_room"


@pytest.mark.parametrize("name", ["", "两个字", "a b", "https://example.com/demo", "x" * 26, "a\r\nQUIT"])
def test_what_cannot_be_a_channel_is_refused_at_once(name: str):
    with pytest.raises(AdapterError, match=r"adapters\.twitch\.channel"):
        TwitchAdapter(name)
