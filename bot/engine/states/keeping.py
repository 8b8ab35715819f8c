"""Where states are kept, and how much of them. Shared by the panel and the model's process; no torch here."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from platformdirs import user_cache_path

MEBIBYTE = 1 << 20
MEMORY = 256 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class Keeping:
    """Limits in bytes. `disk` 0: nothing is written. `folder` None: `COHOST_STATES`, else the user's own cache folder."""

    memory: int = MEMORY
    disk: int = 0
    folder: Path | None = None

    @property
    def place(self) -> Path:
        """The folder; it need not exist yet."""
        named = os.environ.get("COHOST_STATES")
        return self.folder or (
            Path(named).absolute() if named else user_cache_path("rwkv-cohost", appauthor=False) / "states"
        )

    def arguments(self) -> list[str]:
        """For the worker's command line."""
        return [f"--states-memory={self.memory}", f"--states-disk={self.disk}", f"--states-folder={self.place}"]

    @staticmethod
    def add_to(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--states-memory", type=int, default=MEMORY, help="bytes of states in memory")
        parser.add_argument("--states-disk", type=int, default=0, help="bytes of states on disk; 0: none")
        parser.add_argument("--states-folder", type=Path, default=None)

    @classmethod
    def of(cls, options: argparse.Namespace) -> Self:
        return cls(options.states_memory, options.states_disk, options.states_folder)


IN_MEMORY = Keeping()
"""Nothing on disk."""
