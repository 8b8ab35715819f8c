"""A recording plays at its pace, on a clock that the test moves; a bad file is refused with every mistake."""

import json
from pathlib import Path

import pytest

from adapters.base import AdapterError, Phase
from adapters.replay import Replay, resolve
from bot.messages import Message


class Clock:
    """Time that passes only when somebody sleeps; `work` passes while a message is being handled."""

    def __init__(self) -> None:
        self.now = 5000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds


def line(text: str = "好", **more: object) -> dict:
    return {"type": "danmaku", "user": {"id": "u1", "name": "阿强"}, "text": text, **more}


def write(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "show.jsonl"
    rows = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in lines]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def replay(path: Path, speed: float = 1.0) -> tuple[Replay, Clock]:
    clock = Clock()
    return Replay(path, speed, clock=lambda: clock.now + 1e6, pace=clock, sleep=clock.sleep), clock


async def play(adapter: Replay, clock: Clock, work: float = 0.0) -> list[tuple[float, Message]]:
    heard, start = [], clock.now
    async for message in adapter.messages():
        heard.append((round(clock.now - start, 6), message))
        clock.now += work
    return heard


async def test_messages_come_at_their_own_pace(tmp_path: Path):
    """`at` counts from the start of the replay."""
    adapter, clock = replay(write(tmp_path, line("a", at=0.5), line("b", at=2), line("c", at=2), line("d", at=60)))
    assert [(when, m.text) for when, m in await play(adapter, clock)] == [(0.5, "a"), (2, "b"), (2, "c"), (60, "d")]


async def test_speed_divides_the_pauses(tmp_path: Path):
    """`--speed 10` plays a minute in six seconds."""
    adapter, clock = replay(write(tmp_path, line(at=0), line(at=60)), speed=10)
    assert [when for when, _ in await play(adapter, clock)] == [0, 6]


async def test_speed_zero_does_not_wait(tmp_path: Path):
    """Everything at once, but others get their turn between two messages."""
    adapter, clock = replay(write(tmp_path, line(at=0), line(at=60), line(at=900)), speed=0)
    assert [when for when, _ in await play(adapter, clock)] == [0, 0, 0]
    assert clock.slept == [0, 0, 0]


async def test_a_slow_reader_does_not_delay_the_rest(tmp_path: Path):
    """The pace counts from the start: after 5 s of work on the first message the second, due at 2 s, comes at once."""
    adapter, clock = replay(write(tmp_path, line(at=0), line(at=2), line(at=20)))
    assert [when for when, _ in await play(adapter, clock, work=5)] == [0, 5, 20]


async def test_a_replayed_message_is_new(tmp_path: Path):
    """Present time and a fresh id in every run, or the second rehearsal would look like duplicates of the first."""
    path = write(tmp_path, line(at=0, id="1", time=1_600_000_000), line(at=3, id="1"))
    first, second = [await play(*replay(path)) for _ in range(2)]
    assert len({m.id for _, m in first + second}) == 4
    assert [m.time for _, m in first] == [1_005_000.0, 1_005_003.0]
    assert all(m.id.startswith("replay:") and m.viewer.key == ("replay", "u1") for _, m in first)


async def test_a_recording_without_at_goes_by_time(tmp_path: Path):
    """Plain wire frames with `time` (seconds or milliseconds) play too; a small step back comes at once."""
    frames = [
        line(time=1_700_000_010),
        line(time=1_700_000_012_500),
        line(time=1_700_000_011),
        line(),
        line(time=1_700_000_020),
    ]
    assert [when for when, _ in await play(*replay(write(tmp_path, *frames)))] == [0, 2.5, 2.5, 2.5, 10]


async def test_the_state_says_how_far_it_is(tmp_path: Path):
    """The panel shows the progress, the age of the last message, and the end."""
    adapter, _clock = replay(write(tmp_path, line(at=0), line(at=4)))
    stream = adapter.messages()
    await anext(stream)
    assert (adapter.state.state, adapter.state.received) == (Phase.LIVE, 1)
    assert "第 1 条，共 2 条" in adapter.state.detail
    assert [m async for m in stream]
    assert (adapter.state.state, adapter.state.last_message) == (Phase.DONE, 1_005_004.0)


def test_all_mistakes_are_told_at_once(tmp_path: Path):
    """Each with file, line, field, value and what to write; nothing is played."""
    path = write(
        tmp_path,
        line(at=1),
        "not json",
        line(at=3, price="x"),
        "",
        line(at="soon"),
        line(at=2),
        line(at=-1),
        line(at=9, text=""),
    )
    with pytest.raises(AdapterError) as caught:
        Replay(path)
    first, *mistakes = str(caught.value).splitlines()
    assert "5 处错误" in first
    assert [text.split("：")[0].split(": ")[0] for text in mistakes] == [f"{path}:{n}" for n in (2, 3, 5, 7, 8)]
    assert 'price 现为 "x"' in mistakes[1] and 'at 现为 "soon"' in mistakes[2]


def test_at_must_not_go_back(tmp_path: Path):
    """Two recordings put together would play the second all at once; the line is named."""
    path = write(tmp_path, line(at=5), line(at=4))
    with pytest.raises(AdapterError, match=r"show.jsonl:2: .*不小于上一行的 5"):
        Replay(path)


def test_many_mistakes_are_counted_not_listed(tmp_path: Path):
    """A file of another kind must not fill the screen."""
    with pytest.raises(AdapterError) as caught:
        Replay(write(tmp_path, *["{"] * 500))
    assert "500 处错误" in str(caught.value) and "还有 480 处" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 22


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_recording_without_messages_is_refused(tmp_path: Path, content: bytes):
    """Somebody pointed at the wrong file."""
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    with pytest.raises(AdapterError, match="一条消息也没有"):
        Replay(path)


async def test_windows_files_are_read(tmp_path: Path):
    """A byte order mark and CRLF line ends."""
    path = tmp_path / "win.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(line("甲", at=0)).encode() + b"\r\n\r\n" + json.dumps(line("乙")).encode()
    )
    assert [m.text for _, m in await play(*replay(path))] == ["甲", "乙"]


def test_a_file_in_another_encoding_is_refused(tmp_path: Path):
    """GBK is named as a mistake of the line, not read as nonsense."""
    path = tmp_path / "gbk.jsonl"
    path.write_bytes(json.dumps(line("晚上好", at=0), ensure_ascii=False).encode("gbk"))
    with pytest.raises(AdapterError, match=r"gbk.jsonl:1: .*UTF-8"):
        Replay(path)


def test_an_endless_line_is_refused(tmp_path: Path):
    """A line is a frame, and a frame has 64 KiB."""
    with pytest.raises(AdapterError, match="65536"):
        Replay(write(tmp_path, line("长" * 30_000)))


def test_a_missing_file_says_so(tmp_path: Path):
    """One line with the path and what to do."""
    with pytest.raises(AdapterError, match=r"nowhere.jsonl.*demo"):
        Replay(tmp_path / "nowhere.jsonl")


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
def test_a_speed_that_means_nothing_is_refused(speed: float):
    """The sentence names the option."""
    with pytest.raises(AdapterError, match="--speed"):
        Replay("demo", speed)


def test_demo_is_the_show_that_ships():
    """By name, from any working directory."""
    assert resolve("demo").is_file()
    assert resolve("demo.jsonl") == Path("demo.jsonl")
