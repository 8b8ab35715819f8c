"""The command line, as a real process: exit codes, one clear line for a mistake, nothing slow before it is needed."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import command_line, main, overrides

SCENARIO = {
    "ScenarioSeries": "日常",
    "ScenarioName": "夜谈",
    "Prompt": "深夜的直播间。",
    "Example": "小禾: 大家晚上好。",
    "CharacterData": {"AI": ["小禾"], "User": ["我"]},
}


def cohost(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs `python -m bot` as a person would, with a home of its own."""
    home = {"HOME": str(cwd / "home"), "XDG_CONFIG_HOME": str(cwd / "home"), "APPDATA": str(cwd / "home")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **home, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


def config_file(folder: Path, text: str) -> Path:
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def a_show(folder: Path) -> None:
    """A scenario of one's own in the save folder."""
    place = folder / "Save" / "日常" / "夜谈"
    place.mkdir(parents=True)
    (place / "场景剧本.json").write_text(json.dumps(SCENARIO, ensure_ascii=False), encoding="utf-8")


# -- usage -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [(), ("fly",), ("run", "--prot", "1"), ("run", "--port", "x"), ("run", "--lang", "fr"), ("run", "--cuda_on", "2")],
)
def test_usage_is_exit_code_two(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse does it, with the usage line."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: cohost" in capsys.readouterr().err


def test_help_lists_the_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """And no command that is still to come."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    commands = [line.split()[0] for line in capsys.readouterr().out.splitlines() if re.match(r" {4}\S", line)]
    assert commands == ["run", "check", "scenario", "model", "moderation", "bench"]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """A start that is quick stays quick only when a test says so."""
    code = (
        "import sys\nfrom bot.__main__ import main\n"
        "try: main(['run', '--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'aiohttp', 'pydantic', 'yaml', 'numpy') if name in sys.modules])"
    )
    assert _python(code, tmp_path).splitlines()[-1] == "[]"


def test_panel_process_imports_no_torch(tmp_path: Path) -> None:
    """The model lives in a process of its own; the panel's must start in about a second."""
    assert _python("import sys, bot.app, bot.check; print('torch' in sys.modules)", tmp_path) == "False\n"


# -- settings ----------------------------------------------------------------------------------------------------------


def test_flags_become_settings() -> None:
    """Only those that were given; relative paths count from where one stands."""
    line = "run --listen --port 1 --model m.pth --strategy auto --lang en --replay chat.jsonl --speed 2"
    assert overrides(command_line().parse_args(line.split())) == {
        "web.host": "0.0.0.0",
        "web.port": 1,
        "model": os.path.abspath("m.pth"),
        "strategy": "auto",
        "lang": "en",
        "replay": os.path.abspath("chat.jsonl"),
        "replay_speed": 2.0,
    }
    assert overrides(command_line().parse_args(["run"])) == {}


def test_demo_replay_is_a_name_not_a_path() -> None:
    """Even where a file of that name lies about."""
    assert overrides(command_line().parse_args(["run", "--replay", "demo"])) == {"replay": "demo"}


# -- check -------------------------------------------------------------------------------------------------------------


def test_check_is_content_with_good_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which file it has read."""
    a_show(tmp_path)
    file = config_file(tmp_path, "scenario: 日常/夜谈\nreplay: demo\nstrategy: cpu fp32\n")
    assert main(["check", "--config", str(file)]) == 0
    assert capsys.readouterr() == (f"设置：{file}\n没有发现错误。\n", "")


def test_check_says_every_mistake(tmp_path: Path) -> None:
    """Of the settings and of the files that they name, in one go."""
    (tmp_path / "chat.jsonl").write_text('{"type": "danmaku"}\nnonsense\n', encoding="utf-8")
    file = config_file(
        tmp_path,
        "web: {port: abc}\nshoe: 1\nscenario: 日常/没有\nreplay: chat.jsonl\nmodel: gone.pth\n"
        "strategy: gpu\nmoderation: {words: [gone.tsv]}\n",
    )
    done = cohost("check", "--config", file, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for part in (
        "my.yaml:1 web.port",
        "my.yaml:2 shoe",
        "没有",
        "chat.jsonl:1",
        "chat.jsonl:2",
        "gone.pth",
        "gone.tsv",
        'my.yaml:6 strategy：看不懂运行策略 "【gpu】"（第 1 个字符起）：不认识的设备',
    ):
        assert part in done.stderr, part


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("cpu fp32 *99", '"【cpu fp32 *99】"（第 1 个字符起）与模型对不上：共写了 99 层'),
        ("cuda:99 fp16 *2 -> cpu fp32", '"【cuda:99 fp16 *2】 -> cpu fp32"（第 1 个字符起）要用 cuda:99'),
    ],
)
def test_check_lays_the_strategy_over_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], strategy: str, said: str
) -> None:
    """Too many layers for this very model, or a card that this machine does not have."""
    assert main(["check", "--config", str(config_file(tmp_path, f"strategy: {strategy}\n"))]) == 1
    assert said in capsys.readouterr().err


def test_check_speaks_english(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --lang en."""
    assert main(["check", "--lang", "en", "--config", str(config_file(tmp_path, "shoe: 1"))]) == 1
    assert "my.yaml:1 shoe: no such setting. Did you mean show?" in capsys.readouterr().err


# -- scenario ----------------------------------------------------------------------------------------------------------


def test_scenario_is_validated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file, or the folder that it lies in."""
    a_show(tmp_path)
    folder = tmp_path / "Save" / "日常" / "夜谈"
    for place in (folder, folder / "场景剧本.json"):
        assert main(["scenario", "validate", str(place)]) == 0
        assert "日常/夜谈" in capsys.readouterr().out


def test_bad_scenario_is_one_line(tmp_path: Path) -> None:
    """Which file, where in it, what to write; exit 1 and no traceback."""
    (tmp_path / "bad.json").write_text('{"ScenarioSeries": 1}', encoding="utf-8")
    for name in ("bad.json", "gone.json"):
        done = cohost("scenario", "validate", name, cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith(name)
        assert "Traceback" not in done.stderr


# -- run ---------------------------------------------------------------------------------------------------------------


def test_model_that_is_missing_is_one_line(tmp_path: Path) -> None:
    """Before the panel opens, not when the engine finds out."""
    assert_one_line(cohost("run", "--model", "gone.pth", cwd=tmp_path), str(tmp_path / "gone.pth"))


def test_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """Another show is running, most likely."""
    a_show(tmp_path)
    file = config_file(tmp_path, "scenario: 日常/夜谈\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cohost("run", "--config", file, "--port", str(port), cwd=tmp_path)
    assert_one_line(done, str(port))


def test_save_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """Here: because a file is in its place."""
    (tmp_path / "taken").touch()
    assert_one_line(cohost("run", "--config", config_file(tmp_path, "save: taken\n"), cwd=tmp_path), "taken")


def test_settings_file_that_is_missing_is_one_line(tmp_path: Path) -> None:
    """Named on the command line, so nothing else is taken in its stead."""
    assert_one_line(cohost("run", "--config", "gone.yaml", cwd=tmp_path), "gone.yaml")


def test_scenario_that_is_missing_is_one_line(tmp_path: Path) -> None:
    """Before anything is started."""
    assert_one_line(cohost("run", "--config", config_file(tmp_path, "scenario: 日常/夜谈\n"), cwd=tmp_path), "夜谈")


def test_replay_that_is_missing_is_one_line(tmp_path: Path) -> None:
    """The path is the one that the person wrote, from where they stand."""
    a_show(tmp_path)
    file = config_file(tmp_path, "scenario: 日常/夜谈\n")
    done = cohost("run", "--config", file, "--port", "0", "--replay", "gone.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    file = config_file(tmp_path, "scenario: 日常/夜谈\nweb: {port: 57999}\n")
    assert_one_line(
        cohost("run", "--config", file, "--replay", "gone.jsonl", cwd=tmp_path), str(tmp_path / "gone.jsonl")
    )


def test_word_list_that_is_missing_is_one_line(tmp_path: Path) -> None:
    """A show without its checks does not start."""
    a_show(tmp_path)
    file = config_file(tmp_path, "scenario: 日常/夜谈\nmoderation: {words: [gone.tsv]}\n")
    assert_one_line(cohost("run", "--config", file, cwd=tmp_path), "gone.tsv")


def assert_one_line(done: subprocess.CompletedProcess[str], part: str) -> None:
    """Exit 1 with one line for people that holds `part`."""
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert part in done.stderr


def _python(code: str, cwd: Path) -> str:
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **path}, capture_output=True, text=True, encoding="utf-8", check=True
    ).stdout
