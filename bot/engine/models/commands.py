"""`cohost model …`: what each of its commands prints. The work is done by the modules beside this one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as SpeedColumn

from bot.engine.models.catalogue import CATALOGUE, find_entry
from bot.engine.models.describe import Description, describe
from bot.engine.models.folder import find_model, models_folder, models_in
from bot.engine.models.headers import FileFacts, read_facts
from bot.engine.models.memory import has_room
from bot.engine.strategy.auto import Machine, ModelSize


def show_list(console: Console | None = None) -> None:
    """What is here, and what can be had."""
    out = console or _console()
    folder = models_folder()
    here = models_in(folder)
    _say(out, f"本机 / here：{folder}")
    for path in here:
        _say(out, f"  {_wide(path.name, 44)}{_size(path.stat().st_size):>9}")
    for path in sorted(folder.glob("*.part")):
        _say(out, f"  {_wide(path.name, 44)}{_size(path.stat().st_size):>9}  没下完 / unfinished")
    if not here:
        _say(out, "  （还没有 / none yet）")
    _say(out, "")
    _say(out, "可以下载 / to be had：python3 start.py model download NAME")
    _say(out, f"  {_wide('NAME', 44)}{'文件/file':>8}{'fp32':>10}{'bf16 fp16':>11}")
    names = {path.name for path in here}
    for entry in CATALOGUE:
        about = "" if entry.size else "约"
        sizes = (about + _size(entry.expected_size), _size(4 * entry.parameters), _size(2 * entry.parameters))
        file, full, half = (" " * (10 - cell_len(text)) + text for text in sizes)
        mark = "  已有 / here" if entry.file in names else ""
        _say(out, f"  {_wide(entry.name, 43)}{file}{full}{half} {mark}")
    _say(out, "  fp32、bf16、fp16 两列是运行时权重占的内存或显存。 / The last columns: memory for the weights.")


def show_model(name: str, console: Console | None = None) -> None:
    """`cohost model info M`."""
    out = console or _console()
    facts = read_facts(find_model(name, models_folder()))
    model = describe(facts)
    for line in (*_lines(facts, model), *_memory(facts, model)):
        _say(out, line)


def download_model(name: str, console: Console | None = None) -> None:
    """`cohost model download NAME`."""
    from bot.engine.models.download import download, sources

    out = console or _console()
    entry, folder = find_entry(name), models_folder()
    with _Bar(out, entry.name) as bar:
        try:
            path = asyncio.run(download(entry, folder, sources(os.environ), bar))
        except KeyboardInterrupt:
            bar.say("已停下；再运行同一条命令会接着下。 / Stopped; the same command goes on from here.")
            raise
    _say(out, f"好了 / done：{path}")
    _say(out, f'开播 / to use it：python3 start.py --model "{_short(path)}"')


def convert_model(source: str, target: str, strategy: str, console: Console | None = None) -> None:
    """`cohost model convert SRC DST --strategy S`."""
    from bot.engine.models.convert import convert

    out = console or _console()
    with _Bar(out, Path(target).name) as bar:
        path = convert(find_model(source, models_folder()), Path(target).expanduser(), strategy, bar.progress)
    _say(out, f"好了 / done：{path}（{_size(path.stat().st_size)}）")


def _lines(facts: FileFacts, model: Description) -> list[str]:
    heads = f"，{model.heads} 个头 x {model.head_size} / heads" if model.heads else ""
    lines = [
        f"文件 / file       {facts.path}（{_size(facts.size)}）",
        f"版本 / version    RWKV-{model.version}",
        f"形状 / shape      {model.layers} 层 / layers，宽 / width {model.width}{heads}，词表 / vocabulary {model.vocab}",
        f"参数 / parameters {model.parameters / 1e6:,.1f} M（{', '.join(model.types)}）",
        f"状态 / state      每条候选 / each draft {_size(model.state)}",
        f"分词 / tokenizer  {model.tokenizer}",
    ]
    if facts.metadata.get("number_type"):
        kept = ("source", "strategy", "number_type", "program")
        lines.append(f"转换 / converted  {'，'.join(facts.metadata.get(key, '') for key in kept)}")
    if model.refusal:
        lines.append(f"注意 / note       {model.refusal}")
    return lines


def _memory(facts: FileFacts, model: Description) -> list[str]:
    """What the weights take with each strategy, and whether this machine has that much now."""
    if not model.memory:
        return []
    from bot.engine.strategy.machine import cards, free_memory  # torch

    machine, size = Machine(cards(), free_memory()), ModelSize.of(facts.tensors)
    lines = [f"内存 / memory     权重，按运行策略 / weights by strategy；{_free(machine)}"]
    for strategy, count in model.memory.items():
        fits = has_room(count, model.state, size, strategy, machine)
        verdict = {True: "放得下 / fits", False: "放不下 / does not fit", None: ""}[fits]
        if strategy.startswith("cuda") and not machine.cards:
            verdict = "没有能用的显卡 / no card"
        lines.append(f"  {strategy:<16}{_size(count):>9}  {verdict}".rstrip())
    return lines


def _free(machine: Machine) -> str:
    free = [] if machine.memory is None else [f"内存 / memory {_size(machine.memory)}"]
    free += [f"{card.device} {_size(card.free)}" for card in machine.cards]
    return "现在空闲 / free now：" + "，".join(free or ["不知道 / unknown"])


class _Bar:
    """A bar in the terminal with speed and time left; in a pipe, only the sentences."""

    def __init__(self, console: Console, name: str) -> None:
        name_column, shown = TextColumn("{task.description}"), (DownloadColumn(), SpeedColumn(), TimeRemainingColumn())
        self._progress = Progress(name_column, BarColumn(), *shown, console=console, disable=not console.is_terminal)
        self._name = name
        self._task: TaskID | None = None
        self._done = 0

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def progress(self, done: int, total: int) -> None:
        """What was here before counts for the bar, not for the speed."""
        if self._task is None or done < self._done:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(self._name, total=total, completed=done)
        else:
            self._progress.advance(self._task, done - self._done)
        self._done = done

    def say(self, text: str) -> None:
        _say(self._progress.console, text)


def _console() -> Console:
    return Console(highlight=False)


def _say(console: Console, text: str) -> None:
    """One line as it is, never wrapped: people copy paths out of it."""
    console.print(text, markup=False, emoji=False, soft_wrap=True)


def _wide(text: str, columns: int) -> str:
    return text + " " * max(1, columns - cell_len(text))


def _size(count: int) -> str:
    """In decimal units, as hubs and disks are labelled."""
    if count >= 10**9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 10**6 else f"{count / 1e3:.0f} kB"


def _short(path: Path) -> Path:
    """From here, for what lies below here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
