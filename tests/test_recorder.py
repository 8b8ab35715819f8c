"""Recordings under Save/: a file a day and a size, and a disk that refuses harms nothing but the recording."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.replay import read_recording
from bot.messages import Kind, Message, MessageId, Viewer
from bot.save import Recorder, Save

NOON = 1_800_000_000.0


class Room:
    """A folder, a clock and what the panel was told."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.now = NOON
        self.told: list[str] = []
        self.folder = folder
        self.recorder = Recorder(folder, lambda: self.now, self.told.append, **more)

    def hear(self, *numbers: int) -> None:
        for number in numbers:
            viewer = Viewer("p", f"u{number}", "阿强")
            self.recorder.write(Message(MessageId(f"p:{number}"), Kind.DANMAKU, viewer, f"第 {number} 句"))

    def texts(self) -> list[list[str]]:
        """The words of each file, oldest first; every file can be played."""
        recordings = [read_recording(path, "replay") for path in sorted(self.folder.iterdir())]
        assert not any(recording.mistakes for recording in recordings)
        return [[line.event.text for line in recording.lines] for recording in recordings]  # type: ignore[union-attr]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path / "recordings" / "p")
    yield room
    room.recorder.close()


def test_lines_are_in_the_file_at_once(room: Room) -> None:
    """A crash costs nothing that was heard before it."""
    room.hear(1, 2)
    assert room.texts() == [["第 1 句", "第 2 句"]]


def test_each_day_has_its_file(room: Room) -> None:
    """And begins at its own zero."""
    room.hear(1)
    room.now += 86_400
    room.hear(2)
    assert room.texts() == [["第 1 句"], ["第 2 句"]]
    last = read_recording(sorted(room.folder.iterdir())[-1], "replay")
    assert last.lines[0].at == 0.0


def test_a_full_file_is_followed_by_another(tmp_path: Path) -> None:
    """Within the same second, too."""
    room = Room(tmp_path, most_bytes=300)
    room.hear(1, 2, 3, 4)
    room.recorder.close()
    assert len(room.texts()) > 1
    assert [text for texts in sorted(room.texts()) for text in texts] == [f"第 {number} 句" for number in (1, 2, 3, 4)]


def test_a_recording_never_writes_into_an_old_one(tmp_path: Path) -> None:
    for number in (1, 2):
        room = Room(tmp_path)
        room.hear(number)
        room.recorder.close()
    assert sorted(room.texts()) == [["第 1 句"], ["第 2 句"]]


class Disk:
    """Stands between the recorder and its file: takes `room` bytes, then half a line, then nothing."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self._room = file, room

    def write(self, line: bytes) -> int:
        taken = int(self._file.write(line[: self._room]))
        self._room -= taken
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_full_disk_harms_nothing_but_the_recording(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, half a line is taken back, and a minute later the recording goes on by itself."""
    begin = Recorder._begin
    monkeypatch.setattr(Recorder, "_begin", lambda self, now: Disk(begin(self, now), 200))
    room.hear(1, 2, 3)
    assert len(room.told) == 1 and "录像写不进" in room.told[0]
    room.now += 30
    room.hear(4)
    monkeypatch.undo()
    room.now += 31
    room.hear(5, 6)
    assert room.told[1:] == [""]
    assert room.texts() == [["第 1 句"], ["第 5 句", "第 6 句"]]


def test_a_folder_that_cannot_be_made_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file is in the way")
    room = Room(tmp_path / "recordings" / "p")
    room.hear(1, 2)
    assert len(room.told) == 1


def test_an_adapters_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    save = Save(tmp_path)
    recorder = save.recorder("../../etc/直播", lambda: NOON, print, names=False)
    recorder.write(Message(MessageId("p:1"), Kind.LIKE, Viewer("p", "u", "阿强")))
    assert [path.parent.name for path in tmp_path.rglob("*.jsonl")] == ["______etc_直播"]
    recorder.close()
    save.close()
