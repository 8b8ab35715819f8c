"""The process in which the model lives: `python -m bot.engine.worker MODEL STRATEGY`. Frames in, frames out.

This is the shell of that process; what it does is in `work.py`. It ends when its input ends, so it never outlives the
panel, and leaves the terminal's Ctrl-C to the panel.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from bot.engine.frames import Frame, from_line, to_line
from bot.engine.states.keeping import Keeping

BROKEN = 3
"""Exit code: the model or the strategy can never work; starting again is useless."""

MAX_ORDERS = 1000
"""Orders that wait between two steps. When there are more, reading pauses and the panel's pipe fills up."""


def main() -> int:
    options = _options()
    out = _own_stdout()
    _die_with_parent(options.parent)
    orders: queue.Queue[Frame] = queue.Queue(MAX_ORDERS)
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()

    one_at_a_time = threading.Lock()

    def say(frame: Frame) -> None:
        try:
            with one_at_a_time:
                out.write(to_line(frame))
                out.flush()
        except BrokenPipeError:
            os._exit(0)  # nobody is left to hear it

    from bot.engine.weights import ModelError  # the first import of torch: from here on `_listen` may end the process
    from bot.engine.work import Work

    try:
        work = Work(
            options.model,
            options.strategy,
            options.threads,
            keeping=Keeping.of(options),
            tuned=options.state,
            notify=lambda text: say({"is": "notice", "message": text}),
        )
    except ModelError as error:
        say({"is": "broken", "message": str(error)})
        return BROKEN
    say({"is": "ready", "strategy": work.strategy, "why": work.why})
    work.run(orders, say)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bot.engine.worker", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("strategy")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes by itself")
    parser.add_argument("--parent", type=int, default=0, help="process id of the panel")
    parser.add_argument("--state", type=Path, default=None, help="a file of tuned states to begin with")
    Keeping.add_to(parser)
    return parser.parse_args()


def _own_stdout() -> BinaryIO:
    """The pipe to the panel, for frames alone: whatever else is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _die_with_parent(parent: int) -> None:
    """No Ctrl-C of the terminal's; and on Linux the kernel ends this process with the panel, whatever it is doing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent and os.getppid() != parent:  # it died before that was set
            os._exit(0)


def _listen(stdin: BinaryIO, orders: queue.Queue[Frame]) -> None:
    for line in stdin:
        orders.put(from_line(line))
    os._exit(0)  # at once, even in the middle of a step: nothing here is worth keeping


if __name__ == "__main__":
    sys.exit(main())
