"""States on disk, for a process that computes: reading is asked for, writing happens behind its back.

A thread of its own writes, so no draft waits for a disk. It never has more than `ROOM` states waiting and writes no faster
than `PACE`. Whatever goes wrong with the disk costs time later, never an answer: it is said, and the show goes on.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import torch
from torch import Tensor

from bot.engine.model import LanguageModel
from bot.engine.state import State
from bot.engine.states import model_digest
from bot.engine.states.file import DamagedError, digest
from bot.engine.states.folder import StatesFolder
from bot.engine.states.keeping import Keeping
from bot.engine.states.memory import Kept, Place, places

FORM = 1
"""Raise it when the same tokens lead to another state: a change in how a model is computed, or in what is kept. How text
becomes tokens needs no number: a state is known by the tokens themselves."""

ROOM = 4
"""States that wait to be written. When there are more, the oldest gives way, but not the shortest: that is a scenario,
with which more prompts begin."""

PACE = 16e6
"""Bytes a second at most, so that a large model does not wear out the disk or get in a recording's way."""

LOGITS = "logits"
HEADER = 1 << 16
"""Bytes that a file may have beside its tensors."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A model as it was loaded. `stamp` is of its file, taken before; `about` is how it is computed."""

    file: Path
    stamp: model_digest.Stamp
    about: str


class StatesOnDisk:
    """Reads and writes the states of one model. The first time that a model file is met its content has to be read
    whole, which happens in the background; until then nothing is found."""

    def __init__(self, keeping: Keeping, origin: Origin, model: LanguageModel, say: Callable[[str], None]) -> None:
        """`say` gets what a person should know, from any thread."""
        start = model.zero_state(1)
        self._keeping = keeping
        self._origin = origin
        self._start = digest(start.tensors)
        self._devices = {name: tensor.device for name, tensor in start.tensors.items()}
        self._facts = {name: (tensor.shape, tensor.dtype) for name, tensor in start.tensors.items()}
        self._facts[LOGITS] = torch.Size([model.vocab]), torch.float32
        self._say = say
        self._folder: StatesFolder | None = None
        self._waiting: OrderedDict[Place, dict[str, Tensor]] = OrderedDict()
        self._changed = threading.Condition()  # guards `_waiting`
        self._in_trouble = False
        self._read = self._written = self._dropped = self._failed = self._bytes = 0
        content = model_digest.remembered(origin.file, origin.stamp, self._digests)
        if content is not None:
            self._open(content)
        threading.Thread(target=self._write_for_ever, daemon=True, name="states").start()

    @property
    def figures(self) -> dict[str, float]:
        """Since the process began; `bytes` of all models, as counted last."""
        return {
            "states_disk_bytes": self._bytes,
            "states_disk_read": self._read,
            "states_disk_written": self._written,
            "states_disk_dropped": self._dropped,
            "states_disk_failed": self._failed,
        }

    def put(self, place: Place, kept: Kept) -> None:
        """See `Further`. Tensors on a GPU are fetched at once, so that only one thread talks to it."""
        tensors = {name: tensor.cpu() for name, tensor in (kept.state.tensors | {LOGITS: kept.logits}).items()}
        with self._changed:
            self._waiting.pop(place, None)
            if len(self._waiting) == ROOM:
                shortest = min(self._waiting, key=lambda waiting: waiting.length)
                del self._waiting[next(waiting for waiting in self._waiting if waiting != shortest)]
            self._waiting[place] = tensors
            self._changed.notify()

    def find(self, tokens: Sequence[int], longer_than: int) -> tuple[Place, Kept] | None:
        """See `Further`."""
        folder = self._folder
        if folder is None:
            return None
        try:
            there = folder.places()
        except OSError as error:
            self._failure(error)
            return None
        lengths = {place.length for place in there if place.length > longer_than}
        for place in places(tokens, lengths):
            kept = self._take(folder, place) if place in there else None
            if kept is not None:
                return place, kept
        return None

    def _take(self, folder: StatesFolder, place: Place) -> Kept | None:
        try:
            tensors = folder.read(place, at_most=self._most_bytes)
            self._check(tensors)
        except DamagedError as error:
            self._drop(folder, place, error)
            return None
        except FileNotFoundError:  # another process made room just now
            return None
        except OSError as error:
            self._failure(error)
            return None
        self._read += 1
        state = State({name: tensors[name].to(device) for name, device in self._devices.items()})
        return Kept(place.length, state, tensors[LOGITS])

    @property
    def _most_bytes(self) -> int:
        return sum(shape.numel() * dtype.itemsize for shape, dtype in self._facts.values()) + HEADER

    def _check(self, tensors: Mapping[str, Tensor]) -> None:
        """Against what the model itself makes: the digest says that a file is what was written, not that it fits."""
        if {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()} != self._facts:
            raise DamagedError("shapes do not fit the model")

    def _drop(self, folder: StatesFolder, place: Place, why: DamagedError) -> None:
        self._dropped += 1
        self._say(
            f"缓存的状态 {place} 损坏（{why}），已丢弃，会重新读一遍剧情。 / A kept state was damaged and is dropped."
        )
        try:
            folder.drop(place)
        except OSError as error:
            self._failure(error)

    def _write_for_ever(self) -> None:
        folder = self._folder or self._first_meeting()
        if folder is None:
            return
        self._trim(folder)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                place, tensors = self._waiting.popitem(last=False)
            self._write(folder, place, tensors)

    def _first_meeting(self) -> StatesFolder | None:
        origin = self._origin
        try:
            content = model_digest.compute(origin.file, origin.stamp, self._digests)
        except OSError as error:
            self._failure(error)
            return None
        if content is None:
            self._say(
                f"{origin.file.name} 在载入时被改动，这次不缓存状态。 / The model file changed; no states on disk."
            )
            return None
        return self._open(content)

    def _open(self, content: str) -> StatesFolder:
        """`content` is the digest of the model file; with it, all is known on which a state depends beside its tokens."""
        parts = (str(FORM), content, self._origin.about, self._start)
        space = blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
        self._folder = StatesFolder(self._keeping.place, space, self._keeping.disk)
        return self._folder

    def _write(self, folder: StatesFolder, place: Place, tensors: dict[str, Tensor]) -> None:
        try:
            if not folder.write(place, tensors):
                return
        except (OSError, MemoryError) as error:
            self._failure(error)
        else:
            self._written += 1
            self._in_trouble = False
            self._trim(folder)
        time.sleep(sum(tensor.nbytes for tensor in tensors.values()) / PACE)

    def _trim(self, folder: StatesFolder) -> None:
        try:
            self._bytes = folder.trim()
        except FileNotFoundError:
            self._bytes = 0  # nothing was ever written
        except OSError as error:
            self._failure(error)

    def _failure(self, error: OSError | MemoryError) -> None:
        """Counted every time, said once until it works again."""
        self._failed += 1
        if not self._in_trouble:
            self._in_trouble = True
            self._say(
                f"状态缓存文件夹 {self._keeping.place} 用不了（{_reason(error)}）：节目照常，只是重启后要重新读一遍剧情。"
                "请检查磁盘空间和权限，或在 config.yaml 改 engine.states.folder。 / States cannot be kept on disk."
            )

    @property
    def _digests(self) -> Path:
        return self._keeping.place / "models.json"


def _reason(error: OSError | MemoryError) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
