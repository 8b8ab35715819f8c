"""The models that `cohost model download` knows, as data: to offer another one, add a line to CATALOGUE. No I/O.

They are the files of BlinkDL/rwkv7-g1 on the Hugging Face hub; ModelScope has the same files under RWKV/rwkv7-g1.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from bot.errors import UserError


@dataclass(frozen=True, slots=True)
class Scale:
    """A size in which RWKV-7 comes. `parameters` is about how many numbers there are."""

    layers: int
    width: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that can be downloaded. `size` in bytes and `sha256` are None where only the hub tells them."""

    name: str
    scale: str
    size: int | None = None
    sha256: str | None = None

    @property
    def file(self) -> str:
        return f"{self.name}.pth"

    @property
    def parameters(self) -> int:
        return SCALES[self.scale].parameters

    @property
    def expected_size(self) -> int:
        """Bytes, exact if known; else two for each parameter, as these files are bf16 or fp16."""
        return self.size or 2 * self.parameters


SCALES = {
    "0.1b": Scale(12, 768, 191_000_000),
    "0.4b": Scale(24, 1024, 451_000_000),
    "1.5b": Scale(24, 2048, 1_528_000_000),
    "2.9b": Scale(32, 2560, 2_948_000_000),
    "7.2b": Scale(32, 4096, 7_200_000_000),
    "13.3b": Scale(61, 4096, 13_270_000_000),
}

# The newest of a scale comes first: `cohost model download 1.5b` takes it.
CATALOGUE = (
    Entry("rwkv7-g1d-0.1b-20260129-ctx8192", "0.1b", 382_223_725),
    Entry("rwkv7-g1d-0.4b-20260210-ctx8192", "0.4b", 901_776_749),
    Entry("rwkv7-g1j-1.5b-20260831-ctx16384", "1.5b"),
    Entry("rwkv7-g1e-1.5b-20260309-ctx8192", "1.5b", 3_055_445_693),
    Entry("rwkv7-g1j-2.9b-20260831-ctx16384", "2.9b"),
    Entry("rwkv7-g1e-2.9b-20260312-ctx8192", "2.9b", 5_896_275_005),
    Entry("rwkv7-g1j-7.2b-20260831-ctx16384", "7.2b"),
    Entry("rwkv7-g1e-7.2b-20260301-ctx8192", "7.2b", 14_400_009_405),
    Entry("rwkv7-g1j-13.3b-20260831-ctx16384", "13.3b"),
    Entry("rwkv7-g1e-13.3b-20260309-ctx8192", "13.3b"),
)


def find_entry(name: str, catalogue: tuple[Entry, ...] = CATALOGUE) -> Entry:
    """By name or file name, by scale (the newest), or by a beginning that fits one only. UserError otherwise."""
    wanted = name.strip().lower().removesuffix(".pth")
    exact = [entry for entry in catalogue if wanted in (entry.name, entry.scale)]
    if exact:
        return exact[0]
    found = [entry for entry in catalogue if wanted and entry.name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    raise UserError(_ambiguous(name, found) if found else _unknown(name, wanted, catalogue))


def _ambiguous(name: str, found: list[Entry]) -> str:
    names = "、".join(entry.name for entry in found)
    return f'"{name}" 有好几个：{names}。请写全一些。 / More than one model begins so; write more of the name.'


def _unknown(name: str, wanted: str, catalogue: tuple[Entry, ...]) -> str:
    beginnings = ["-".join(entry.name.split("-")[:3]) for entry in catalogue]
    near = get_close_matches(wanted, [*(entry.name for entry in catalogue), *beginnings, *SCALES], n=1)
    hint = f"是不是 {near[0]}？" if near else ""
    return f'没有名叫 "{name}" 的模型。{hint}运行 python3 start.py model list 看有哪些。 / No such model; see the list.'
