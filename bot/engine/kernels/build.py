"""Builds the C++ kernels with the machine's own compiler and keeps the result in the user's cache folder.

The file's name holds what it was made from (source, torch, compiler, processor) and a digest of its own content: another
version is another file, a damaged one is not used but built again, and several processes may build at once, since a
file only ever appears whole. `COHOST_KERNEL_CACHE` names another folder.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import torch

SOURCES = ("forward.cpp", "dot.h")
NAME = "cohost_kernels"


class CannotBuild(Exception):
    """No compiler, or it failed. The message is for people."""


def built_library() -> Path:
    """The shared library for this machine, built now if it is not there yet (some seconds)."""
    compiler = _compiler()
    folder = cache_folder()
    key = _key(compiler)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return next(_whole(folder, key), None) or _build(folder, key)
    except OSError as error:
        raise CannotBuild(f"缓存文件夹 {folder} 不能用 / The cache folder cannot be used: {error}") from error


def cache_folder() -> Path:
    return Path(os.environ.get("COHOST_KERNEL_CACHE") or platformdirs.user_cache_path("rwkv-cohost") / "kernels")


def _compiler() -> str:
    """The compiler that torch's builder will call, and its version; CannotBuild when there is none."""
    command = os.environ.get("CXX") or ("cl" if sys.platform == "win32" else "c++")
    found = shutil.which(command)
    if found is None:
        raise CannotBuild(f"找不到 C++ 编译器 {command}（{_where_from()}）。 / No C++ compiler found.")
    done = subprocess.run([found] if command == "cl" else [found, "--version"], capture_output=True, timeout=60)
    return f"{found} {(done.stdout + done.stderr).splitlines()[:1]}"


def _where_from() -> str:
    if sys.platform == "win32":
        return "安装 Visual Studio Build Tools，从 x64 Native Tools 命令行启动 / from an x64 Native Tools prompt"
    return "xcode-select --install" if sys.platform == "darwin" else "Debian、Ubuntu 上：sudo apt install g++"


def _key(compiler: str) -> str:
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    for part in (torch.__version__, compiler, _processor(), *_flags()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


def _processor() -> str:
    """What decides which instructions are built in."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    known = {line.partition(":")[0].strip(): line for line in reversed(lines)}
    return "\n".join(known.get(name, "") for name in ("model name", "flags", "Features"))


def _flags() -> list[str]:
    if sys.platform == "win32":
        wide = "AVX512" if "AVX512" in torch.backends.cpu.get_cpu_capability() else "AVX2"
        return ["/O2", "/openmp", f"/arch:{wide}"]
    flags = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-w"]
    return flags if sys.platform == "darwin" else [*flags, "-fopenmp"]  # Apple's compiler brings no OpenMP


def _whole(folder: Path, key: str) -> Iterator[Path]:
    for path in sorted(folder.glob(f"{NAME}-{key}-*")):
        if path.stem.rpartition("-")[2] == _digest(path):
            yield path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _build(folder: Path, key: str) -> Path:
    with tempfile.TemporaryDirectory(prefix="build-", dir=folder, ignore_cleanup_errors=True) as work:
        made = _compile(Path(work))
        target = folder / f"{NAME}-{key}-{_digest(made)}{made.suffix}"
        ready = shutil.copy(made, Path(work) / target.name)
        os.replace(ready, target)
    return target


def _compile(work: Path) -> Path:
    from torch.utils import cpp_extension  # slow to import, and seldom needed

    before = os.environ.copy()
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), before.get("PATH", "")))  # pip's ninja
    os.environ["TORCH_DONT_CHECK_COMPILER_ABI"] = "1"  # a plain C interface: any compiler will do
    try:
        with warnings.catch_warnings(action="ignore"):
            cpp_extension.load(
                NAME,
                [str(Path(__file__).with_name("forward.cpp"))],
                extra_cflags=_flags(),
                extra_ldflags=["-fopenmp"] if "-fopenmp" in _flags() else [],
                build_directory=str(work),
                is_python_module=False,
            )
    except (RuntimeError, OSError, ImportError, subprocess.SubprocessError) as error:
        raise CannotBuild(f"编译 C++ 内核失败 / The compiler failed: {str(error)[:2000]}") from error
    finally:
        os.environ.clear()
        os.environ.update(before)
    made = [path for path in work.iterdir() if path.suffix in (".so", ".dll", ".dylib", ".pyd")]
    if not made:
        raise CannotBuild("编译没有产生文件 / The compiler made no file.")
    return made[0]
