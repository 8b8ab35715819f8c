"""The shell of the model's process: it hears the panel alone, and does not outlive it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.engine.process import worker_environment


def alive(pid: int) -> bool:
    """Not if it is gone, nor if it is dead and waits for someone to collect it."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


PARENT = """
import asyncio, sys
from pathlib import Path
from bot.engine.process import LocalEngine
async def main():
    engine = LocalEngine(Path(sys.argv[1]), "cpu fp32", on_status=lambda s: print(s.state, engine.pid, flush=True))
    await engine.run()
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_worker_dies_with_the_panel(tiny_path: Path) -> None:
    """Even when the panel is killed and cannot say goodbye."""
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tiny_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        state, pid = parent.stdout.readline().split()
        assert state == "ready"
        parent.kill()
    deadline = time.monotonic() + 60
    while alive(int(pid)):
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.01)


def test_the_panels_process_imports_no_torch() -> None:
    """It must start in a second, and stay small."""
    code = "import sys, bot.engine.process, bot.engine.scripted; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_noise_on_standard_output_does_not_reach_the_panel() -> None:
    """Libraries print what they like: frames have a pipe of their own."""
    code = (
        "import os; from bot.engine import worker; out = worker._own_stdout();"
        "print('noise', flush=True); os.system('echo noise'); out.write(b'frame\\n'); out.flush()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "frame\n"
    assert result.stderr == "noise\nnoise\n"


def test_waiting_threads_sleep_unless_the_person_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A game beside us needs the cores; what stands in the environment already is respected."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert worker_environment()["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert worker_environment()["OMP_WAIT_POLICY"] == "ACTIVE"
