"""States that outlive the process: found again, by the right model only, and no trouble with a disk costs an answer."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from bot.engine.rwkv7 import Model
from bot.engine.state import State
from bot.engine.states import disk as states_disk
from bot.engine.states import model_digest
from bot.engine.states.disk import LOGITS, ROOM, Origin, StatesOnDisk
from bot.engine.states.file import pack
from bot.engine.states.folder import StatesFolder
from bot.engine.states.keeping import Keeping
from bot.engine.states.memory import Kept, Place, StateCache, places
from bot.engine.states.tuned import TunedModel

TEXT = [1, 2, 3, 4, 5, 6]


class Disk:
    """A store on a folder, and what it said."""

    def __init__(self, path: Path, file: Path, tiny: Model, limit: int = 1 << 30, **origin: Any) -> None:
        self.said: list[str] = []
        self.path = path
        before = origin.pop("stamp", None) or model_digest.stamp(file)
        begins = origin.pop("begins", tiny)
        about = origin.pop("about", "cpu fp32")
        place = Keeping(disk=limit, folder=path)
        self.store = StatesOnDisk(place, Origin(file, before, about), begins, self.said.append)
        self.cache = StateCache(1 << 30, self.store)

    def figure(self, name: str) -> float:
        return self.store.figures[f"states_disk_{name}"]

    @property
    def files(self) -> list[Path]:
        return sorted(self.path.rglob("*.safetensors"), key=lambda path: int(path.name.split("-")[0]))


def soon(happens: Callable[[], object]) -> None:
    """Waits for the thread that writes."""
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def read(tiny: Model, tokens: list[int]) -> tuple[State, torch.Tensor]:
    state = tiny.zero_state(1)
    return state, tiny.forward(torch.tensor([tokens]), state)[0]


def keep(disk: Disk, tiny: Model, *texts: list[int]) -> None:
    """One after another, each until it is on the disk."""
    for n, tokens in enumerate(texts, 1 + int(disk.figure("written"))):
        disk.cache.put(tokens, *read(tiny, tokens))
        soon(lambda n=n: disk.figure("written") >= n)  # type: ignore[misc]


@pytest.fixture
def model(tmp_path: Path, tiny_path: Path) -> Path:
    """A file of one's own, to change."""
    return Path(shutil.copy(tiny_path, tmp_path / "model.safetensors"))


@pytest.fixture
def kept(tmp_path: Path, model: Path, tiny: Model) -> Disk:
    """The states after 2 and after 4 tokens are on the disk."""
    disk = Disk(tmp_path / "states", model, tiny)
    keep(disk, tiny, TEXT[:2], TEXT[:4])
    return disk


def again(kept: Disk, model: Path, tiny: Model, **origin: Any) -> Disk:
    """As after a restart: nothing in memory."""
    return Disk(kept.path, model, tiny, **origin)


def right(found: Kept | None, tiny: Model) -> bool:
    """Whether it is what reading those tokens gives."""
    if found is None:
        return False
    state, logits = read(tiny, TEXT[: found.length])
    same = all(torch.equal(tensor, found.state.tensors[name]) for name, tensor in state.tensors.items())
    return same and torch.equal(found.logits, logits)


def test_a_restart_finds_the_longest_beginning(kept: Disk, model: Path, tiny: Model) -> None:
    """At once, the state and what comes next; then it is in memory and the disk is not asked again."""
    disk = again(kept, model, tiny)
    for _ in range(2):
        found = disk.cache.find(TEXT)
        assert found is not None and found.length == 4 and right(found, tiny)
    assert disk.figure("read") == 1 and disk.said == []
    assert disk.cache.find([1, 2, 9]) is not None and disk.cache.find([9, 2, 3]) is None


def test_the_whole_text_is_found_too(kept: Disk, model: Path, tiny: Model) -> None:
    """Nothing at all has to be read then."""
    found = again(kept, model, tiny).cache.find(TEXT[:4])
    assert found is not None and found.length == 4 and right(found, tiny)


def test_memory_is_asked_first(kept: Disk, tiny: Model) -> None:
    """What is as long in memory is not read from the disk."""
    assert right(kept.cache.find(TEXT), tiny)
    assert kept.figure("read") == 0


def test_a_changed_scenario_finds_only_what_is_the_same(kept: Disk, model: Path, tiny: Model) -> None:
    """One token differs: the states beyond it are of another text."""
    found = again(kept, model, tiny).cache.find([1, 2, 9, 4, 5, 6])
    assert found is not None and found.length == 2 and right(found, tiny)


def test_another_model_of_the_same_name_finds_nothing(kept: Disk, model: Path, tiny: Model) -> None:
    """Not even one whose file differs in a single number."""
    weights = load_file(model)
    weights["blocks.1.ffn.key.weight"][3, 3] += 1
    save_file(weights, model)
    disk = again(kept, model, tiny)
    keep(disk, tiny, TEXT[:1])  # by now the content of the file is known
    assert disk.store.find(TEXT, 1) is None


@pytest.mark.parametrize("about", ["cpu bf16", "cpu fp32 · AVX512"])
def test_another_way_to_compute_finds_nothing(kept: Disk, model: Path, tiny: Model, about: str) -> None:
    """Its states would be a little different, and so would the text."""
    disk = again(kept, model, tiny, about=about)
    assert disk.cache.find(TEXT) is None


def test_another_beginning_finds_nothing(kept: Disk, model: Path, tiny: Model) -> None:
    """A tuned state colours everything that is read after it."""
    start = tiny.zero_state(1)
    start.tensors["wkv"][0, 0, 0, 0, 0] = 1e-3
    assert again(kept, model, tiny, begins=TunedModel(tiny, start, "tuned")).cache.find(TEXT) is None


def test_another_form_finds_nothing(kept: Disk, model: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version constant is part of the key."""
    monkeypatch.setattr(states_disk, "FORM", states_disk.FORM + 1)
    assert again(kept, model, tiny).cache.find(TEXT) is None


def test_a_model_that_changed_while_it_was_loaded_keeps_nothing(tmp_path: Path, model: Path, tiny: Model) -> None:
    """Nobody knows which content was loaded."""
    before = model_digest.stamp(model)
    model.write_bytes(model.read_bytes() + b"x")
    disk = Disk(tmp_path / "states", model, tiny, stamp=before)
    soon(lambda: disk.said)
    disk.cache.put(TEXT, *read(tiny, TEXT))
    assert "改动" in disk.said[0] and disk.files == []


# ---- damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broken_ground(tmp_path_factory: pytest.TempPathFactory, tiny_path: Path, tiny: Model) -> tuple[Disk, bytes]:
    disk = Disk(tmp_path_factory.mktemp("damage"), tiny_path, tiny)
    keep(disk, tiny, TEXT[:2], TEXT[:4])
    return disk, disk.files[1].read_bytes()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_is_dropped_or_harmless(
    data: st.DataObject, broken_ground: tuple[Disk, bytes], tiny_path: Path, tiny: Model
) -> None:
    """A flipped bit, a hole, a cut: the state is right, or a shorter one that is; and it was said."""
    written, whole = broken_ground
    path = written.path / next(iter(written.path.rglob("2-*"))).parent / f"{places(TEXT, [4])[0]}.safetensors"
    at = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, 400))
    bad = data.draw(
        st.sampled_from([whole[:at], whole[:at] + bytes(len(whole) - at), whole + b"more"])
        | st.integers(0, 7).map(lambda bit: whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
    )
    path.write_bytes(bad)
    disk = again(written, tiny_path, tiny)
    found = disk.cache.find(TEXT)
    assert found is not None and right(found, tiny)
    dropped = found.length == 2
    assert disk.figure("dropped") == len(disk.said) == dropped
    assert path.exists() != dropped


def test_a_foreign_state_is_dropped(kept: Disk, model: Path, tiny: Model) -> None:
    """Whole, and under the right name, but of another text, or of another model's shape."""
    shorter, longer = kept.files
    longer.write_bytes(shorter.read_bytes())
    disk = again(kept, model, tiny)
    found = disk.cache.find(TEXT)
    assert found is not None and found.length == 2 and len(disk.said) == 1
    key = f"{shorter.parent.name}/{shorter.stem}"
    tensors = {name: tensor[:1] for name, tensor in tiny.zero_state(1).tensors.items()}
    shorter.write_bytes(pack(tensors | {LOGITS: torch.zeros(tiny.vocab)}, key))
    disk = again(kept, model, tiny)
    assert disk.cache.find(TEXT) is None and "shapes" in disk.said[0]
    assert kept.files == [] and disk.figure("dropped") == 1


# ---- trouble ---------------------------------------------------------------------------------------------------------


def test_trouble_is_said_once_and_costs_nothing(
    tmp_path: Path, model: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the show goes on from memory; when there is room again, states are kept again."""
    monkeypatch.setattr(states_disk, "PACE", 1e12)
    full = threading.Event()
    full.set()
    fsync = os.fsync

    def sync(handle: int) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", sync)
    disk = Disk(tmp_path / "states", model, tiny)
    for n in range(1, 4):
        disk.cache.put(TEXT[:n], *read(tiny, TEXT[:n]))
        soon(lambda n=n: disk.figure("failed") >= n)  # type: ignore[misc]
    assert len(disk.said) == 1 and "No space left" in disk.said[0] and "engine.states.folder" in disk.said[0]
    assert right(disk.cache.find(TEXT), tiny) and disk.files == []
    full.clear()
    keep(disk, tiny, TEXT[:5])
    assert len(disk.files) == 1 and len(disk.said) == 1


def test_no_memory_to_write_with_is_survived(
    tmp_path: Path, model: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread goes on: the next state may fit."""
    monkeypatch.setattr(states_disk, "PACE", 1e12)
    really, refused = StatesFolder.write, threading.Event()

    def write(self: StatesFolder, place: Place, tensors: dict[str, torch.Tensor]) -> bool:
        if self._folder == tmp_path / "states" and not refused.is_set():
            refused.set()
            raise MemoryError
        return really(self, place, tensors)

    monkeypatch.setattr(StatesFolder, "write", write)
    disk = Disk(tmp_path / "states", model, tiny)
    disk.cache.put(TEXT, *read(tiny, TEXT))
    soon(lambda: disk.figure("failed"))
    keep(disk, tiny, TEXT[:3])
    assert len(disk.said) == 1 and "MemoryError" in disk.said[0]


@pytest.mark.parametrize("obstacle", ["a file", "no permission"])
def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path, model: Path, tiny: Model, obstacle: str) -> None:
    """Something else in its place, or a system that refuses, whoever asks."""
    path = tmp_path / "states"
    path.write_bytes(b"")
    if obstacle == "no permission":
        path = Path("/sys/cohost-states")
    disk = Disk(path, model, tiny)
    disk.cache.put(TEXT, *read(tiny, TEXT))
    soon(lambda: disk.figure("failed") and disk.said)  # it is counted first
    assert right(disk.cache.find(TEXT), tiny) and len(disk.said) == 1


def test_a_file_that_vanishes_is_no_trouble(
    kept: Disk, model: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process made room between looking and reading."""
    disk = again(kept, model, tiny)
    look = StatesFolder.places

    def vanish(folder: StatesFolder) -> object:
        found = look(folder)
        kept.files[1].unlink()
        return found

    monkeypatch.setattr(StatesFolder, "places", vanish)
    found = disk.cache.find(TEXT)
    assert found is not None and found.length == 2 and disk.said == [] and disk.figure("failed") == 0


def test_the_limit_holds(tmp_path: Path, model: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was used last stays, and the figure tells how much there is."""
    monkeypatch.setattr(states_disk, "PACE", 1e12)
    size = sum(tensor.nbytes for tensor in (tiny.zero_state(1).tensors | {LOGITS: torch.zeros(tiny.vocab)}).values())
    disk = Disk(tmp_path / "states", model, tiny, limit=int(3.5 * size))
    keep(disk, tiny, *(TEXT[:n] for n in range(1, 7)))
    soon(lambda: len(disk.files) == 3)
    assert [path.name.split("-")[0] for path in disk.files] == ["4", "5", "6"]
    soon(lambda: disk.figure("bytes") == sum(path.stat().st_size for path in disk.files))


# ---- the waiting room ------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(tmp_path: Path, model: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """A disk that stands still until the test ends; its first state is being written."""
    go_on, begun = threading.Event(), threading.Event()

    really = StatesFolder.write

    def write(self: StatesFolder, place: Place, tensors: dict[str, torch.Tensor]) -> bool:
        if self._folder != tmp_path / "states":  # the thread of an earlier test
            return really(self, place, tensors)
        begun.set()
        return go_on.wait(30)

    monkeypatch.setattr(StatesFolder, "write", write)
    disk = Disk(tmp_path / "states", model, tiny)
    disk.cache.put([0], *read(tiny, [0]))
    begun.wait(30)
    yield disk
    go_on.set()


def test_drafts_never_wait_for_the_disk(slow: Disk, tiny: Model) -> None:
    """It stands still: `put` returns, little waits, the scenario and the newest stay."""
    for n in range(1, 30):
        tokens = [1] * n
        slow.cache.put(tokens, *read(tiny, tokens))
    waiting = [place.length for place in slow.store._waiting]
    assert len(waiting) == ROOM
    assert waiting == [1, 27, 28, 29]


def test_the_same_text_waits_once(slow: Disk, tiny: Model) -> None:
    """Whoever asks for more drafts of one prompt writes it once."""
    for _ in range(3):
        slow.cache.put(TEXT, *read(tiny, TEXT))
    assert len(slow.store._waiting) == 1
