"""The folder of states: least recently used out, shared between processes, never half a file."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from bot.engine.process import worker_environment
from bot.engine.states.file import DamagedError, pack
from bot.engine.states.folder import StatesFolder
from bot.engine.states.memory import Place, places
from bot.engine.states.model_digest import REMEMBERED, compute, remembered, stamp
from bot.engine.states.whole_files import STALE, write_whole

SPACE, OTHER_SPACE = "a" * 32, "b" * 32
SIZE = len(pack({"x": torch.zeros(1000)}, f"{SPACE}/1-{'0' * 32}"))


def place(*tokens: int) -> Place:
    return places(tokens, [len(tokens)])[0]


def tensors(number: float) -> dict[str, torch.Tensor]:
    return {"x": torch.full((1000,), float(number))}


def folder(path: Path, states: float = 100, space: str = SPACE) -> StatesFolder:
    """With room for so many states."""
    return StatesFolder(path, space, int(states * SIZE))


def used(path: Path, at: Place, seconds_ago: float) -> None:
    then = time.time() - seconds_ago
    os.utime(path / SPACE / f"{at}.safetensors", (then, then))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """By whoever asks for the same tokens in the same space, and nobody else."""
    assert folder(tmp_path / "new").write(place(1), tensors(1))
    assert folder(tmp_path / "new").places() == {place(1)}
    assert folder(tmp_path / "new").read(place(1), 10 * SIZE)["x"][0] == 1
    assert folder(tmp_path / "new", space=OTHER_SPACE).places() == set()


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
def test_only_the_user_may_look(tmp_path: Path) -> None:
    """Viewers' words are in there."""
    (tmp_path / "deep").mkdir()
    where = tmp_path / "deep" / "states"
    folder(where).write(place(1), tensors(1))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [where, *where.rglob("*")]}
    assert modes == {"states": 0o700, SPACE: 0o700, f"{place(1)}.safetensors": 0o600}


def test_the_least_recently_used_goes(tmp_path: Path) -> None:
    """Of all spaces together; reading counts as use, and so does writing the same again."""
    states = folder(tmp_path, 3.5)
    for n in range(4):
        states.write(place(n), tensors(n))
        used(tmp_path, place(n), 1000 - n)
    states.read(place(0), SIZE)
    assert not states.write(place(1), tensors(1))
    folder(tmp_path, 3.5, OTHER_SPACE).write(place(0), tensors(9))
    assert states.trim() <= 3.5 * SIZE
    assert states.places() == {place(0), place(1)}


def test_what_could_never_fit_is_not_written(tmp_path: Path) -> None:
    """It would push out everything else and still be too large."""
    assert not folder(tmp_path, 0.5).write(place(1), tensors(1))
    assert list(tmp_path.iterdir()) == []


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    """Whoever points the setting at a folder of his own loses nothing."""
    theirs = [tmp_path / "novel.txt", tmp_path / "photos" / "1-aa.safetensors", tmp_path / SPACE / "notes.safetensors"]
    for path in theirs:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(10 * SIZE))
    assert folder(tmp_path, 0).trim() == 0 and folder(tmp_path).places() == set()
    assert all(path.exists() for path in theirs)


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    """A foreign file under our name must not fill the memory."""
    states = folder(tmp_path)
    states.write(place(1), tensors(1))
    with pytest.raises(DamagedError, match="large"):
        states.read(place(1), SIZE - 1)
    states.drop(place(1))
    states.drop(place(1))
    assert states.places() == set()


WRITER = """
import sys, torch
from pathlib import Path
from bot.engine.states.memory import places
from bot.engine.states.folder import StatesFolder
torch.set_num_threads(1)
folder, first = StatesFolder(Path(sys.argv[1]), "a" * 32, int(sys.argv[2])), int(sys.argv[3])
for n in range(int(sys.argv[4])):
    (place,) = places([first + n], [1])
    folder.write(place, {"x": torch.full((int(sys.argv[5]),), float(first + n))})
    folder.trim()
    print(n, flush=True)
    for place in folder.places():
        try:
            number = folder.read(place, 1 << 30)["x"].unique()
        except FileNotFoundError:
            continue  # the other one made room
        assert len(number) == 1 and places([int(number)], [1]) == [place]
"""


def writer(path: Path, limit: int, first: int, count: int, numbers: int = 1000) -> subprocess.Popen[str]:
    arguments = [str(path), *map(str, (limit, first, count, numbers))]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=worker_environment(),
    )


def test_two_processes_share_a_folder(tmp_path: Path) -> None:
    """Both write, read and make room at once; every state that is found is whole and the right one."""
    both = [writer(tmp_path, 10 * SIZE, first, 30) for first in (0, 15)]  # half of the states are the same
    for process in both:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
    assert 0 < folder(tmp_path, 10).trim() <= 10 * SIZE
    assert list(tmp_path.rglob("*.tmp")) == []


def test_a_killed_writer_leaves_nothing_half(tmp_path: Path) -> None:
    """Killed at any moment: what is there is whole, and what was not finished goes when it is surely nobody's."""
    for milliseconds in (3, 11):
        process = writer(tmp_path, 1 << 30, milliseconds * 10_000, 1000, 500_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    found = folder(tmp_path).places()
    assert len(found) >= 2
    assert all(len(folder(tmp_path).read(each, 1 << 30)["x"].unique()) == 1 for each in found)
    (tmp_path / SPACE / ".left.tmp").write_bytes(b"half")  # surely one, if the kills missed
    folder(tmp_path, 10**6).trim()
    assert list(tmp_path.rglob("*.tmp")), "it may still be in the making"
    for path in tmp_path.rglob("*.tmp"):
        os.utime(path, (time.time() - STALE - 1,) * 2)
    folder(tmp_path, 10**6).trim()
    assert list(tmp_path.rglob("*.tmp")) == []


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full in the middle: nothing new, nothing half."""
    write_whole(tmp_path / "a", b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "a", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


# ---- which model a state belongs to ----------------------------------------------------------------------------------


def digest_of(model: Path, memory: Path) -> str:
    before = stamp(model)
    assert before is not None
    found = compute(model, before, memory)
    assert found is not None and remembered(model, before, memory) == found
    return found


def test_every_byte_of_a_model_counts(tmp_path: Path) -> None:
    """Two fine-tuned models of one name and size may differ in a few numbers, anywhere."""
    model, memory = tmp_path / "model.pth", tmp_path / "models.json"
    found = set()
    for at in (0, 1, 5_000_000, 5_000_001, 9_999_999):
        data = bytearray(10_000_000)
        data[at] = 1
        model.write_bytes(data)
        found.add(digest_of(model, memory))
    assert len(found) == 5


def test_a_digest_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    """By what the system says of it: a new file of the same name, size and time is another one."""
    model, memory = tmp_path / "model.pth", tmp_path / "models.json"
    model.write_bytes(b"one")
    digest_of(model, memory)
    before = stamp(model)
    other = tmp_path / "other"
    other.write_bytes(b"two")
    os.utime(other, ns=(model.stat().st_atime_ns, model.stat().st_mtime_ns))
    other.replace(model)
    after = stamp(model)
    assert before is not None and after is not None
    assert remembered(model, after, memory) is None
    assert compute(model, before, memory) is None, "it was replaced while it was being read"


def test_a_copy_of_a_model_has_its_digest(tmp_path: Path) -> None:
    """Moving a model costs one reading and no states."""
    one, two, memory = tmp_path / "a.pth", tmp_path / "b.pth", tmp_path / "models.json"
    for path in (one, two):
        path.write_bytes(b"the same")
    assert digest_of(one, memory) == digest_of(two, memory)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b'{"a": 1}', b'{"a": [1]}', b"\xff", b"[" * 99999])
def test_a_damaged_memory_of_digests_is_begun_anew(tmp_path: Path, text: bytes) -> None:
    """Nothing is lost but a second a gigabyte."""
    model, memory = tmp_path / "model.pth", tmp_path / "models.json"
    model.write_bytes(b"one")
    memory.write_bytes(text)
    assert remembered(model, stamp(model) or [], memory) is None
    digest_of(model, memory)


def test_few_models_are_remembered(tmp_path: Path) -> None:
    """The list does not grow for ever."""
    memory = tmp_path / "models.json"
    for n in range(REMEMBERED + 3):
        model = tmp_path / f"{n}.pth"
        model.write_bytes(b"x")
        digest_of(model, memory)
    assert remembered(tmp_path / "2.pth", stamp(tmp_path / "2.pth") or [], memory) is None
    assert remembered(tmp_path / "3.pth", stamp(tmp_path / "3.pth") or [], memory) is not None
