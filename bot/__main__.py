"""`cohost …` and `python -m bot …`: reads the command line and calls the part that does the work.

Imports a part only when its command runs, so that `--help` is quick. Exit codes: 0 fine, 1 a mistake of the user's (clear
lines, no traceback), 2 usage.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.save.library import Library

FINE, MISTAKE = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    _speak_plainly()
    options = command_line().parse_args(arguments)
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        return FINE
    except UserError as error:
        print(error, file=sys.stderr)
        return MISTAKE
    return code


def command_line() -> argparse.ArgumentParser:
    """The commands that exist, with their options."""
    parser = argparse.ArgumentParser(
        prog="cohost",
        description="直播副播：模型出候选，场控认可，观众才看得到。 / An AI co-host that a person approves.",
    )
    commands = parser.add_subparsers(title="命令 / commands", metavar="COMMAND", required=True)
    _add_run(commands.add_parser("run", help="开播 / the show"))
    _add_check(commands.add_parser("check", help="检查设置、剧本、录像和词表 / say every mistake in the settings"))
    _add_scenario(commands.add_parser("scenario", help="剧本 / scenarios"))
    _add_model(commands.add_parser("model", help="模型文件 / model files"))
    _add_moderation(commands.add_parser("moderation", help="词表和审核 / word lists and checks"))
    _add_bench(commands.add_parser("bench", help="测速 / measure the speed"))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument("--listen", action="store_true", help="允许别的设备打开场控面板 / listen on all interfaces")
    parser.add_argument("--port", type=int, metavar="57860", help="场控面板和悬浮窗的端口 / port of panel and overlay")
    parser.add_argument(
        "--model", metavar="M", help="RWKV-7 模型文件，或已下载模型的名字 / model file, or name of one that is here"
    )
    parser.add_argument("--strategy", metavar="S", help='例如 / such as "cuda fp16", "cpu fp32", auto')
    parser.add_argument(
        "--cuda_on",
        choices=("0", "1"),
        help="C++ 内核：不写是能编译就用，1 一定要用，0 不用 / kernels: where they can be built, always, never",
    )
    parser.add_argument("--jit_on", choices=("0", "1"), help="0：什么都不编译，只用 PyTorch / nothing is compiled")
    parser.add_argument("--replay", metavar="F", help="回放弹幕录像，demo 是自带的 / play a recorded chat; demo ships")
    parser.add_argument("--speed", type=float, metavar="X", help="回放速度 / how fast to replay; 0 does not wait")
    parser.set_defaults(run=_run)


def _add_check(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument(
        "--sample", metavar="FILE", type=Path, help="试读：每行一帧的文件，逐行说出读成什么 / what each frame becomes"
    )
    parser.add_argument("--preset", metavar="P", help="用哪个 preset 试读，不写就看设置 / preset for --sample")
    parser.set_defaults(run=_check)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="F", type=Path, help="设置文件 / settings file (default: config.yaml)")
    parser.add_argument("--lang", choices=("zh", "en"), help="语言 / language")


def _add_scenario(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="命令 / commands", metavar="COMMAND", required=True)
    have = commands.add_parser("list", help="Save/ 里有哪些剧本 / what is in Save/")
    _add_config(have)
    have.set_defaults(run=_scenario_list)
    taken = commands.add_parser("import", help="导入剧本、回放、角色卡、文件夹或 zip / take in a file")
    _add_config(taken)
    taken.add_argument("file", type=Path, metavar="F", help="文件或文件夹 / file or folder")
    taken.add_argument("--series", default="", metavar="S", help="放进哪个系列 / into which series")
    taken.add_argument("--user", default="", metavar="NAME", help="角色卡里的 {{user}} 叫什么 / who {{user}} is")
    taken.add_argument("--greeting", type=int, default=0, metavar="N", help="用第几条开场白，0 起 / which greeting")
    taken.set_defaults(run=_scenario_import)
    given = commands.add_parser("export", help="导出剧本 / write a scenario as a file")
    _add_config(given)
    given.add_argument("place", metavar="SERIES/NAME", help="剧本系列/剧本名")
    given.add_argument("file", type=Path, metavar="F", help="新文件：.json .png .zip / new file")
    given.add_argument(
        "--form", choices=("drama", "card", "png", "zip"), default="", help="不写就看后缀，.json 是 drama / by its end"
    )
    given.set_defaults(run=_scenario_export)
    validate = commands.add_parser("validate", help="检查一个文件能不能导入 / check a file that could be imported")
    validate.add_argument("file", type=Path, metavar="F", help="场景剧本.json、角色卡…… / scenario, card, …")
    validate.set_defaults(run=_validate)


def _add_model(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="命令 / commands", metavar="COMMAND", required=True)
    have = commands.add_parser("list", help="这里有哪些，能下载哪些 / what is here and to be had")
    have.set_defaults(run=_model_list)
    info = commands.add_parser("info", help="文件里是什么模型 / what a file holds")
    info.add_argument("model", metavar="M", help="文件，或已下载模型的名字 / file, or name of a model that is here")
    info.set_defaults(run=_model_info)
    download = commands.add_parser("download", help="下载，可以断点续传 / fetch; goes on where it stopped")
    download.add_argument("name", metavar="NAME", help="名字，或大小如 1.5b / name, or size such as 1.5b")
    download.set_defaults(run=_model_download)
    convert = commands.add_parser("convert", help="转成一种数字格式 / into a strategy's number type")
    convert.add_argument("source", metavar="SRC", help="RWKV-7 的 .pth 或 .safetensors")
    convert.add_argument("target", metavar="DST", help="新文件 / new file (.safetensors)")
    convert.add_argument("--strategy", metavar="S", required=True, help='例如 / such as "cuda fp16", "cpu bf16"')
    convert.set_defaults(run=_model_convert)


def _add_moderation(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="命令 / commands", metavar="COMMAND", required=True)
    lint = commands.add_parser("lint", help="检查词表：重复、同音、误伤 / what is wrong with word lists")
    _add_config(lint)
    lint.add_argument("files", nargs="*", type=Path, metavar="F", help="词表；不写就是设置里的 / default: those in use")
    lint.add_argument("--benign", type=Path, metavar="F", help="平常的弹幕，一行一句 / everyday chat to count hits on")
    lint.add_argument("--force", action="store_true", help="误伤多也算通过 / false alarms are no mistake")
    lint.set_defaults(run=_moderation_lint)
    test = commands.add_parser("test", help="一句话在审核里是什么样 / how the checks see a text")
    _add_config(test)
    test.add_argument("text", metavar="TEXT")
    test.add_argument("--reply", action="store_true", help="当作回复来查 / as words on their way out")
    test.set_defaults(run=_moderation_test)
    imported = commands.add_parser("import", help="导入别处的词表、B 站屏蔽词 / take over a list")
    imported.add_argument("source", type=Path, metavar="SRC", help="文本、JSON 或 XML / text, JSON or XML")
    imported.add_argument("target", type=Path, metavar="DST", help="新词表 / new list (.tsv)")
    imported.add_argument("--category", default="custom", help="类别 / category")
    imported.add_argument("--severity", default="2", help="级别 1–4 / severity")
    imported.set_defaults(run=_moderation_import)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="命令 / commands", metavar="COMMAND", required=True)
    engine = commands.add_parser("engine", help="预填充和五条候选 / prefill and five drafts")
    engine.add_argument("--json", action="store_true", help="只输出 JSON / print JSON only")
    engine.set_defaults(run=_bench_engine)
    intake = commands.add_parser("intake", help="弹幕从收到到候场 / chat, from bytes to the waiting room")
    intake.add_argument("--json", action="store_true", help="只输出 JSON / print JSON only")
    intake.add_argument(
        "--day", type=int, metavar="2000000", help="多少条算一天，0 不量内存 / messages in a day; 0: no memory test"
    )
    intake.set_defaults(run=_bench_intake)
    desk = commands.add_parser(
        "desk", help="剧本推演：打开长场景，回退再要候选 / opening a long scene, rewinding in it"
    )
    desk.add_argument("--json", action="store_true", help="只输出 JSON / print JSON only")
    desk.set_defaults(run=_bench_desk)
    checks = commands.add_parser(
        "moderation", help="审核查得出什么、误伤多少、多快 / what the checks find, and how fast"
    )
    checks.add_argument("--json", action="store_true", help="只输出 JSON / print JSON only")
    checks.add_argument("--data", type=Path, metavar="FOLDER", help="公开数据所在的文件夹 / folder of the public texts")
    checks.set_defaults(run=_bench_moderation)


# -- commands ----------------------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    for flag, variable in ((options.cuda_on, "RWKV_CUDA_ON"), (options.jit_on, "RWKV_JIT_ON")):
        if flag is not None:
            os.environ[variable] = flag
    config = _settings(options, overrides(options))
    print(_which_file(config), flush=True)
    from bot.app import run_show

    run_show(config)
    return FINE


def _check(options: argparse.Namespace) -> int:
    from bot.check import mistakes
    from bot.config import ConfigError
    from bot.config.texts import say

    wrong: list[str] = []
    try:
        config = _settings(options, _language(options))
    except ConfigError as error:
        wrong, config = [str(error)], error.rest
    print(_which_file(config), flush=True)
    if options.sample is not None and not wrong:
        return _sample(options.sample, options.preset, config)
    wrong += mistakes(config)
    print("\n".join(wrong) or say(config.lang, "all_fine"), file=sys.stderr if wrong else sys.stdout)
    return MISTAKE if wrong else FINE


def _sample(file: Path, preset: str | None, config: Config) -> int:
    """By the preset that is named, else by the client's in the settings, else by the server's."""
    from adapters.bridges.presets import PRESETS
    from adapters.bridges.reading import platform_of, reading
    from bot.check import sample
    from bot.config.texts import say

    if preset is not None and preset not in PRESETS:
        raise UserError(say(config.lang, "no_preset", name=preset, names=", ".join(PRESETS)))
    websocket = config.adapters.websocket
    spoken = next((one for one in (websocket.client, websocket.server) if one.preset or one.mapping), websocket.server)
    name = spoken.preset if preset is None else preset
    reader = reading(name, spoken.mapping if preset is None else None)
    for line in sample(file, reader, platform_of(name, spoken.platform or "websocket"), config.lang):
        print(line)
    return FINE


def _validate(options: argparse.Namespace) -> int:
    from bot.scenario_commands import describe

    return _say(describe(options.file))


def _scenario_list(options: argparse.Namespace) -> int:
    from bot.scenario_commands import show_list

    return _say(show_list(_library(options)))


def _scenario_import(options: argparse.Namespace) -> int:
    from bot.scenario_commands import take_in

    return _say(take_in(_library(options), options.file, options.series, options.user, options.greeting))


def _scenario_export(options: argparse.Namespace) -> int:
    from bot.scenario_commands import take_out

    return _say([take_out(_library(options), options.place, options.file, options.form)])


def _library(options: argparse.Namespace) -> Library:
    from bot.save.library import Library

    return Library(_settings(options, _language(options)).save_folder)


def _say(lines: Iterable[str]) -> int:
    for line in lines:
        print(line)
    return FINE


def _model_list(options: argparse.Namespace) -> int:
    from bot.engine.models.commands import show_list

    show_list()
    return FINE


def _model_info(options: argparse.Namespace) -> int:
    from bot.engine.models.commands import show_model

    show_model(options.model)
    return FINE


def _model_download(options: argparse.Namespace) -> int:
    from bot.engine.models.commands import download_model

    download_model(options.name)
    return FINE


def _model_convert(options: argparse.Namespace) -> int:
    from bot.engine.models.commands import convert_model

    convert_model(options.source, options.target, options.strategy)
    return FINE


def _moderation_lint(options: argparse.Namespace) -> int:
    from moderation.commands import lint

    files = options.files or _settings(options, _language(options)).word_files
    return FINE if lint(files, options.benign, force=options.force) else MISTAKE


def _moderation_test(options: argparse.Namespace) -> int:
    from bot.backstage import build_checks, scenario_file
    from bot.scenario import load_scenario
    from moderation import Direction
    from moderation.commands import test
    from moderation.lists import load_lists

    config = _settings(options, _language(options))
    words = load_lists(config.word_files, force=config.moderation.force)
    checks = build_checks(config, load_scenario(scenario_file(config)), words)
    test(options.text, checks, Direction.OUT if options.reply else Direction.IN)
    return FINE


def _moderation_import(options: argparse.Namespace) -> int:
    from moderation.commands import import_file

    import_file(options.source, options.target, options.category, options.severity)
    return FINE


def _bench_engine(options: argparse.Namespace) -> int:
    from bot.engine.bench.run import run

    run(as_json=options.json)
    return FINE


def _bench_intake(options: argparse.Namespace) -> int:
    from bot.bench.intake import DAY, run

    run(as_json=options.json, day=DAY if options.day is None else options.day)
    return FINE


def _bench_desk(options: argparse.Namespace) -> int:
    from bot.bench.desk import run

    run(as_json=options.json)
    return FINE


def _bench_moderation(options: argparse.Namespace) -> int:
    from bot.bench.moderation import run

    run(options.json, options.data)
    return FINE


# -- settings ----------------------------------------------------------------------------------------------------------


def overrides(options: argparse.Namespace) -> dict[str, object]:
    """What the command line says over config.yaml. Its relative paths count from where the person stands."""
    given: dict[str, object] = {
        "lang": options.lang,
        "web.host": "0.0.0.0" if options.listen else None,
        "web.port": options.port,
        "model": _model_from_here(options.model),
        "strategy": options.strategy,
        "replay": options.replay if options.replay == "demo" else _from_here(options.replay),
        "replay_speed": options.speed,
    }
    return {key: value for key, value in given.items() if value is not None}


def _language(options: argparse.Namespace) -> dict[str, object]:
    return {"lang": options.lang} if options.lang else {}


def _from_here(path: str | None) -> str | None:
    return os.path.abspath(os.path.expanduser(path)) if path else path


def _model_from_here(model: str | None) -> str | None:
    """A file as seen from here, or a downloaded model by its name."""
    if model is None:
        return None
    from bot.engine.models.folder import find_model, models_folder

    return _from_here(str(find_model(model, models_folder())))


def _settings(options: argparse.Namespace, over: dict[str, object]) -> Config:
    from bot.config import find_config, load_config

    return load_config(options.config or find_config(), over, lang=options.lang)


def _which_file(config: Config) -> str:
    from bot.config.texts import say

    return say(config.lang, "read_file", file=config.file) if config.file else say(config.lang, "no_file")


# -- people ------------------------------------------------------------------------------------------------------------


def _speak_plainly() -> None:
    """A terminal that cannot show Chinese gets question marks, not a crash; a pipe gets each line at once."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError, OSError):
                stream.reconfigure(errors="replace", line_buffering=True)


if __name__ == "__main__":
    sys.exit(main())
