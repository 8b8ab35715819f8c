"""start.py's decisions: which arguments, which torch, when to set up. Its commands are run for real by every `start.py test`."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import start

KEY = start.set_up_key(b"project", (3, 11), "/here")


def stamp(key: str = KEY, extras: tuple[str, ...] = ()) -> str:
    return json.dumps({"key": key, "extras": extras})


# -- arguments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "routed"),
    [
        ([], ("cohost", ["run"])),
        (["--replay", "demo"], ("cohost", ["run", "--replay", "demo"])),
        (["run", "--listen"], ("cohost", ["run", "--listen"])),
        (["check"], ("cohost", ["check"])),
        (["bench", "engine", "--json"], ("cohost", ["bench", "engine", "--json"])),
        (["test"], ("test", [])),
        (["test", "-k", "panel"], ("test", ["-k", "panel"])),
    ],
)
def test_arguments_go_where_people_mean(arguments: list[str], routed: tuple[str, list[str]]) -> None:
    """Nothing, or options only, is the show."""
    assert start.route(arguments) == routed


def test_help_needs_no_set_up(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks what it does has not agreed to a download."""
    monkeypatch.setattr(start, "set_up", lambda wanted: pytest.fail("set up"))
    assert start.main(["--help"]) == 0
    assert "start.py --replay demo" in capsys.readouterr().out


def test_old_python_is_told_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, before anything else happens."""
    monkeypatch.setattr(start, "sys", SimpleNamespace(version_info=(3, 9, 18), stderr=sys.stderr))
    assert start.main([]) == 1
    assert "需要 Python 3.11 或更新的版本，现在是 3.9.18。" in capsys.readouterr().err


def test_old_python_can_read_the_file() -> None:
    """A syntax error would come before the sentence."""
    ast.parse((Path(start.__file__)).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_start_imports_the_standard_library_only() -> None:
    """It runs before anything is installed."""
    tree = ast.parse((Path(start.__file__)).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


# -- torch -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "cuda", "index"),
    [
        ("linux", None, f"{start.WHEELS}/cpu"),
        ("win32", None, None),
        ("darwin", None, None),
        ("linux", (13, 0), None),
        ("win32", (13, 1), f"{start.WHEELS}/cu130"),
        ("linux", (12, 8), f"{start.WHEELS}/cu126"),
        ("win32", (12, 8), f"{start.WHEELS}/cu126"),
    ],
)
def test_torch_fits_the_machine(system: str, cuda: tuple[int, int] | None, index: str | None) -> None:
    """The CUDA build where a driver answers, else the CPU build; the plain index where it carries that build."""
    assert start.choose_torch(system, cuda).index == index


def test_torch_choice_says_why() -> None:
    """The person reads which build and for what reason."""
    assert "CPU 版" in start.choose_torch("linux", None).why
    assert "CUDA 13.1" in start.choose_torch("linux", (13, 1)).why


def test_torch_is_the_version_of_the_project() -> None:
    """start.py and pyproject.toml must not pull in two."""
    assert f'"{start.TORCH}"' in (start.ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("report", "cuda"),
    [
        ("| NVIDIA-SMI 580.65   Driver Version: 580.65   CUDA Version: 13.0  |", (13, 0)),
        ("| NVIDIA-SMI 590.44   Driver Version: 590.44   CUDA UMD Version: 13.2 |", (13, 2)),
        ("No devices were found", None),
    ],
)
def test_driver_report_is_read(report: str, cuda: tuple[int, int] | None) -> None:
    """The head of nvidia-smi's table, old and new."""
    assert start.cuda_of(report) == cuda


@pytest.fixture
def asked_of_pip(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What pip would have been asked to do; nothing is installed."""
    asked: list[tuple[str, ...]] = []

    def pretend(*arguments: str) -> bool:
        asked.append(arguments)
        return True

    monkeypatch.setattr(start, "try_pip", pretend)
    monkeypatch.setattr(start, "driver_cuda", lambda: None)
    monkeypatch.setattr(sys, "platform", "linux")
    return asked


def test_unreachable_index_leaves_pip_to_its_own_settings(
    asked_of_pip: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror that somebody set up keeps working; --index-url is never passed."""
    monkeypatch.setattr(start, "answers", lambda url: False)
    start.install_torch()
    assert asked_of_pip == [("install", start.TORCH)]


def test_reachable_index_is_an_extra_one(asked_of_pip: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU build is looked for there first."""
    monkeypatch.setattr(start, "answers", lambda url: True)
    start.install_torch()
    assert asked_of_pip == [("install", start.TORCH, "--extra-index-url", f"{start.WHEELS}/cpu")]


# -- set-up ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted", "missing"),
    [
        (None, (), ()),
        (None, ("test",), ("test",)),
        (stamp(), (), None),
        (stamp(), ("test",), ("test",)),
        (stamp(extras=("test",)), (), None),
        (stamp(extras=("test",)), ("test",), None),
        (stamp("other key", ("test",)), (), ("test",)),
        ("{ half a sta", ("test",), ("test",)),
        ("[]", (), ()),
        ('{"key": 1, "extras": 2}', (), ()),
    ],
)
def test_set_up_is_done_when_something_is_missing(
    text: str | None, wanted: tuple[str, ...], missing: tuple[str, ...] | None
) -> None:
    """None means that nothing is to be done; extras that are there stay."""
    assert start.still_missing(text, KEY, wanted) == missing


def test_key_changes_with_what_it_stands_for() -> None:
    """Other requirements, another Python, a folder that was moved."""
    keys = {
        KEY,
        start.set_up_key(b"other", (3, 11), "/here"),
        start.set_up_key(b"project", (3, 12), "/here"),
        start.set_up_key(b"project", (3, 11), "/there"),
    }
    assert len(keys) == 4


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_of_pip: list[tuple[str, ...]]) -> Path:
    """A fresh checkout in which venv and pip only pretend."""
    (tmp_path / "pyproject.toml").write_text("[project]")
    venv = tmp_path / ".venv"
    monkeypatch.setattr(start, "ROOT", tmp_path)
    monkeypatch.setattr(start, "VENV", venv)
    monkeypatch.setattr(start, "STAMP", venv / start.STAMP.name)
    monkeypatch.setattr(start, "UNFINISHED", venv / start.UNFINISHED.name)
    monkeypatch.setattr(start, "answers", lambda url: False)

    def make_venv() -> None:
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        (venv / "bin" / "python").touch()
        (venv / "bin" / "cohost").touch()

    monkeypatch.setattr(start, "make_venv", make_venv)
    monkeypatch.setattr(start, "build_kernels", lambda: asked_of_pip.append(("kernels",)))
    return tmp_path


def test_second_start_asks_pip_for_nothing(checkout: Path, asked_of_pip: list[tuple[str, ...]]) -> None:
    """No set-up time and no network."""
    start.set_up(())
    assert asked_of_pip[:2] == [("install", start.TORCH), ("install", "-e", str(checkout))]
    asked_of_pip.clear()
    start.set_up(())
    assert asked_of_pip == []


def test_set_up_builds_the_kernels_once_all_is_installed(checkout: Path, asked_of_pip: list[tuple[str, ...]]) -> None:
    """So that the first start of the show does not wait for a compiler."""
    start.set_up(())
    assert asked_of_pip.index(("kernels",)) == len(asked_of_pip) - 1 > 0


def test_a_machine_without_compiler_is_set_up_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line says so; nothing fails."""
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(start, "venv_python", lambda: Path(sys.executable))
    start.build_kernels()
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 1 and "no-such-compiler" in out and not err


def test_tests_add_their_extra_once(checkout: Path, asked_of_pip: list[tuple[str, ...]]) -> None:
    """And a show started after them is still set up."""
    start.set_up(())
    start.set_up(("test",))
    assert ("install", "-e", f"{checkout}[test]") in asked_of_pip
    asked_of_pip.clear()
    start.set_up(("test",))
    start.set_up(())
    assert asked_of_pip == []


def test_changed_requirements_are_installed(checkout: Path, asked_of_pip: list[tuple[str, ...]]) -> None:
    """After an update of the checkout, the next start brings .venv along."""
    start.set_up(())
    asked_of_pip.clear()
    (checkout / "pyproject.toml").write_text("[project] # new")
    start.set_up(())
    assert ("install", "-e", str(checkout)) in asked_of_pip


def test_lost_script_is_mended(checkout: Path, asked_of_pip: list[tuple[str, ...]]) -> None:
    """A stamp alone does not make a program."""
    start.set_up(())
    asked_of_pip.clear()
    (checkout / ".venv/bin/cohost").unlink()
    start.set_up(())
    assert asked_of_pip


def test_killed_set_up_starts_over(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip has left half done is cleared away at the next start."""

    def killed(*arguments: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "try_pip", killed)
    with pytest.raises(KeyboardInterrupt):
        start.set_up(())
    assert start.UNFINISHED.exists()
    assert not start.STAMP.exists()
    assert not start._venv_is_sound()


def test_failed_install_says_what_to_do_and_goes_on_next_time(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback; what is installed already is kept."""
    monkeypatch.setattr(start, "try_pip", lambda *arguments: False)
    assert start.main([]) == 1
    assert "请检查网络和磁盘空间" in capsys.readouterr().err
    assert not start.UNFINISHED.exists()
    assert not start.STAMP.exists()


def test_python_without_venv_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Debian splits it off."""
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(start, "STAMP", tmp_path / ".venv" / "stamp")
    monkeypatch.setattr(start, "UNFINISHED", tmp_path / ".venv" / "unfinished")
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None)
    assert start.main([]) == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"apt install python{version}-venv" in capsys.readouterr().err


# -- tests -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_chromium(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine without a browser where nothing can install one."""
    called: list[list[str]] = []

    def call(command: list[str], **settings: object) -> int:
        called.append(command)
        return 1

    monkeypatch.setattr(start, "has_chromium", lambda: False)
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    monkeypatch.setattr(start.subprocess, "call", call)
    return called


def test_missing_chromium_is_a_failure_in_ci(no_chromium: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """There the browser tests must not be skipped unnoticed."""
    monkeypatch.setenv("CI", "1")
    with pytest.raises(start.Trouble, match="Chromium"):
        start.provide_chromium()
    assert no_chromium[-1][-3:] == ["playwright", "install", "chromium"]


def test_missing_chromium_is_said_elsewhere(
    no_chromium: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other tests run all the same."""
    monkeypatch.delenv("CI", raising=False)
    start.provide_chromium()
    assert "没有 Chromium" in capsys.readouterr().out


def test_one_failure_fails_the_run_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ruff, mypy and pytest all have their say."""
    monkeypatch.setattr(start, "provide_chromium", lambda: None)
    monkeypatch.setattr(start.subprocess, "call", lambda command, **settings: int("mypy" in command))
    assert start.run_tests([]) == 1
    out = capsys.readouterr().out
    assert "── pytest" in out
    assert "failed: mypy\n" in out


def test_it_works_from_another_folder(tmp_path: Path) -> None:
    """The program's folder is where start.py lies, not where one stands."""
    done = subprocess.run(
        [sys.executable, start.__file__, "--help"], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8"
    )
    assert (done.returncode, start.ROOT) == (0, Path(start.__file__).parent)
    assert list(tmp_path.iterdir()) == []
