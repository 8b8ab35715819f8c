"""One stretch of memory for all packed weights, in huge pages where the system has them."""

from __future__ import annotations

import contextlib
import ctypes
import mmap

ALIGNED = 128


class Arena:
    """Hands out addresses one after another, in the order in which a pass reads them; frees all when it is dropped."""

    def __init__(self, size: int) -> None:
        """Raises MemoryError when there is not so much."""
        try:
            self._memory = _anonymous(size)
        except OSError as error:
            raise MemoryError(f"{size} bytes for the weights") from error
        if hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):  # a kernel without huge pages: slower, not wrong
                self._memory.madvise(mmap.MADV_HUGEPAGE)
        self._next = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._end = self._next + size

    def take(self, size: int) -> int:
        at = self._next
        self._next += size + -size % ALIGNED
        assert self._next <= self._end, "the arena is too small"
        return at


def _anonymous(size: int) -> mmap.mmap:
    """Private on Unix: shared memory gets no huge pages."""
    if hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return mmap.mmap(-1, size)
