#!/usr/bin/env python3
"""The one command: sets up .venv on the first start, then runs `cohost`. Needs nothing but Python 3.11 or newer.

python3 start.py                  开播 / the show (the same as `run`)
python3 start.py --replay demo    开播并回放自带的弹幕 / with the demo chat
python3 start.py check            检查设置 / check the settings
python3 start.py test             检查代码并跑全部测试 / ruff, mypy and every test
python3 start.py run --help       全部参数 / all options
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "cohost-set-up.json"  # written when everything is installed: which extras, for which key
UNFINISHED = VENV / "cohost-unfinished"  # there while pip is at work; found at a start, it means that pip was killed
NEEDED = (3, 11)
TORCH = "torch==2.13.0"
WHEELS = "https://download.pytorch.org/whl"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


class Trouble(Exception):
    """Something that the person has to mend; the text says how."""


def main(arguments: list[str]) -> int:
    if sys.version_info < NEEDED:
        print(too_old(sys.version_info[:3]), file=sys.stderr)
        return 1
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    command, rest = route(arguments)
    try:
        set_up(("test",) if command == "test" else ())
        return run_tests(rest) if command == "test" else become_cohost(rest)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# -- decisions (no I/O) ------------------------------------------------------------------------------------------------


def too_old(version: tuple[int, ...]) -> str:
    have, need = ".".join(map(str, version)), ".".join(map(str, NEEDED))
    return (
        f"需要 Python {need} 或更新的版本，现在是 {have}。请从 https://www.python.org/downloads/ 安装后再运行。\n"
        f"Python {need} or newer is needed, this is {have}. Install it from https://www.python.org/downloads/."
    )


def route(arguments: list[str]) -> tuple[str, list[str]]:
    """("test", pytest's arguments) or ("cohost", cohost's arguments). Nothing, or options only, means `run`."""
    if arguments[:1] == ["test"]:
        return "test", arguments[1:]
    if not arguments or arguments[0].startswith("-"):
        return "cohost", ["run", *arguments]
    return "cohost", arguments


@dataclass(frozen=True)
class TorchPlan:
    """Which build of torch, why, and the extra index to look in first (None: pip's own settings are enough)."""

    why: str
    index: str | None = None


def choose_torch(system: str, cuda: tuple[int, int] | None) -> TorchPlan:
    """`system` as `sys.platform`; `cuda`: the newest CUDA that the NVIDIA driver serves, None: no driver answered.

    The package index carries the CUDA build for Linux and the CPU build for Windows; other builds have indexes of their own.
    A local version such as 2.13.0+cpu counts as newer than 2.13.0, so an extra index wins where it has a wheel.
    """
    if system == "darwin":
        return TorchPlan("macOS：通用版 / the macOS build")
    if cuda is None:
        why = "没有可用的 NVIDIA 显卡驱动：CPU 版 / no NVIDIA driver answers: the CPU build"
        return TorchPlan(why, None if system == "win32" else f"{WHEELS}/cpu")
    serves = ".".join(map(str, cuda))
    if cuda >= (13, 0):
        why = f"NVIDIA 驱动支持 CUDA {serves}：CUDA 13.0 版 / the CUDA 13.0 build"
        return TorchPlan(why, f"{WHEELS}/cu130" if system == "win32" else None)
    why = f"NVIDIA 驱动支持到 CUDA {serves}：CUDA 12.6 版 / the CUDA 12.6 build (a newer driver would allow 13.0)"
    return TorchPlan(why, f"{WHEELS}/cu126")


def set_up_key(project: bytes, version: tuple[int, ...], root: str) -> str:
    """Changes when the set-up has to be done again: other requirements, another Python, a folder that was moved."""
    return hashlib.sha256(b"\0".join((project, repr(tuple(version)).encode(), root.encode()))).hexdigest()


def still_missing(stamp: str | None, key: str, wanted: tuple[str, ...]) -> tuple[str, ...] | None:
    """The extras to install now, with those that were asked for before; None: nothing is to be done.

    `stamp` is the stamp's text, None when there is none. A stamp that cannot be read counts as none.
    """
    try:
        kept = json.loads(stamp or "{}")
        extras = tuple(str(extra) for extra in kept.get("extras", []))
        fits = kept.get("key") == key
    except (ValueError, AttributeError, TypeError):
        extras, fits = (), False
    if fits and set(wanted) <= set(extras):
        return None
    return tuple(sorted({*wanted, *extras}))


def cuda_of(report: str) -> tuple[int, int] | None:
    """The CUDA version in the head of `nvidia-smi`'s report."""
    found = re.search(r"CUDA[A-Za-z ]* Version: *(\d+)\.(\d+)", report)
    return (int(found[1]), int(found[2])) if found else None


# -- set-up ------------------------------------------------------------------------------------------------------------


def set_up(wanted: tuple[str, ...]) -> None:
    """Brings .venv to what this checkout needs. Does nothing, and needs no network, when it is there already."""
    key = set_up_key((ROOT / "pyproject.toml").read_bytes(), sys.version_info[:2], str(ROOT))
    whole = venv_python().exists() and venv_script("cohost").exists()
    extras = still_missing(_text(STAMP) if whole else None, key, wanted)
    if extras is None:
        return
    print("正在准备 .venv，只有第一次需要几分钟…… / Setting up .venv; this takes minutes, once.", flush=True)
    make_venv()
    STAMP.unlink(missing_ok=True)
    UNFINISHED.touch()
    install_torch()
    pip("install", "-e", f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT))
    STAMP.write_text(json.dumps({"key": key, "extras": extras}), encoding="utf-8")
    UNFINISHED.unlink()
    build_kernels()
    print("准备好了。 / Set up.", flush=True)


def make_venv() -> None:
    """A .venv with a working pip and this Python; one that is broken, half made or of another Python is made anew."""
    if _venv_is_sound():
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise Trouble(
            f"这个 Python 缺少 venv。请先运行 sudo apt install {package} 再试。\n"
            f"This Python lacks venv. Run: sudo apt install {package}"
        )
    python = getattr(sys, "_base_executable", None) or sys.executable  # never the .venv that is about to be cleared
    if subprocess.call([python, "-m", "venv", "--clear", str(VENV)]) != 0:
        raise Trouble(
            f"无法建立 {VENV}。请检查磁盘空间和文件夹权限。 / Could not make .venv: check disk and permissions."
        )


def _venv_is_sound() -> bool:
    if UNFINISHED.exists() or not venv_python().exists():
        return False
    question = "import pip, sys; print(sys.version_info[:2])"
    try:
        answer = subprocess.run([str(venv_python()), "-c", question], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.strip() == str(sys.version_info[:2])


def install_torch() -> None:
    plan = choose_torch(sys.platform, driver_cuda())
    print(f"PyTorch: {plan.why}", flush=True)
    if plan.index is not None:
        if answers(f"{plan.index}/torch/") and try_pip("install", TORCH, "--extra-index-url", plan.index):
            return
        print(f"连不上 {plan.index}，改用默认的软件源 / not reachable: using pip's own index", flush=True)
    pip("install", TORCH)


def build_kernels() -> None:
    """Now, or the first start of the model would do it. It says itself what it did; a machine without compiler is fine."""
    subprocess.call([str(venv_python()), "-m", "bot.engine.kernels"], cwd=ROOT)


def driver_cuda() -> tuple[int, int] | None:
    """What the NVIDIA driver says, None when there is none or it does not answer."""
    try:
        report = subprocess.run(["nvidia-smi"], capture_output=True, text=True, errors="replace", timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return (cuda_of(report.stdout) or (12, 0)) if report.returncode == 0 else None


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (OSError, ValueError, urllib.error.URLError):
        return False


def pip(*arguments: str) -> None:
    if not try_pip(*arguments):
        UNFINISHED.unlink(missing_ok=True)  # pip ended by itself: what it has installed is whole
        raise Trouble(
            "安装没有完成。请检查网络和磁盘空间，再运行一次即可接着装；国内可先设置镜像：\n"
            "  pip config set global.index-url https://pypi.tuna.tsinghua.edu.cn/simple\n"
            "The installation failed. Check network and disk, then run the same command again."
        )


def try_pip(*arguments: str) -> bool:
    command = [str(venv_python()), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    return subprocess.call(command, cwd=ROOT) == 0


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def venv_script(name: str) -> Path:
    return venv_python().with_name(f"{name}.exe" if sys.platform == "win32" else name)


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


# -- what runs then ----------------------------------------------------------------------------------------------------


def become_cohost(arguments: list[str]) -> int:
    """Hands over to `cohost`: on POSIX this process becomes it; on Windows, which has no such thing, it waits for it."""
    command = [str(venv_script("cohost")), *arguments]
    sys.stdout.flush()
    if sys.platform == "win32":
        return _wait_for(command)
    os.execv(command[0], command)


def _wait_for(command: list[str]) -> int:
    """Ctrl-C reaches the child through its console: it ends by itself."""
    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def run_tests(pytest_arguments: list[str]) -> int:
    """ruff, mypy and pytest, all of them whatever the others say; 0 when all are content."""
    provide_chromium()
    build_kernels()  # once, or every process of the tests would, after a change of the source
    commands = {
        "ruff": ["-m", "ruff", "check", "."],
        "mypy": ["-m", "mypy"],
        "pytest": ["-m", "pytest", "-n", "auto", "--maxprocesses", "4", "--dist", "worksteal", *pytest_arguments],
    }
    failed = [name for name, command in commands.items() if not _passes(name, command)]
    print(f"没有通过 / failed: {', '.join(failed)}" if failed else "全部通过 / all passed", flush=True)
    return 1 if failed else 0


def _passes(name: str, command: list[str]) -> bool:
    print(f"── {name}", flush=True)
    return subprocess.call([str(venv_python()), *command], cwd=ROOT) == 0


def provide_chromium() -> None:
    """The browser tests drive a real Chromium: the machine's own, else Debian's package, else playwright's download."""
    if has_chromium():
        return
    print("浏览器测试需要 Chromium，正在安装…… / Installing Chromium for the browser tests.", flush=True)
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        subprocess.call(["apt-get", "update"])
        subprocess.call(["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-noto-cjk"])
    if not has_chromium():
        subprocess.call([str(venv_python()), "-m", "playwright", "install", "chromium"])
    if not has_chromium():
        missing = "没有 Chromium，浏览器测试跑不了。请自行安装 chromium 或 Google Chrome。 / No Chromium: install one."
        if os.environ.get("CI"):
            raise Trouble(missing)
        print(missing, flush=True)


def has_chromium() -> bool:
    return any(shutil.which(name) for name in CHROMIUM_NAMES) or _playwright_has_chromium()


def _playwright_has_chromium() -> bool:
    question = (
        "from playwright.sync_api import sync_playwright as start, Error; import os, sys\n"
        "with start() as play: sys.exit(0 if os.path.exists(play.chromium.executable_path) else 1)"
    )
    return subprocess.call([str(venv_python()), "-c", question], stderr=subprocess.DEVNULL) == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
