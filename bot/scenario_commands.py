"""`cohost scenario …`: the library from the command line. The program may be running meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.cards import archive
from bot.cards.found import DEFAULT_USER, Found, Wishes
from bot.errors import Refused, UserError
from bot.save.catalogue import Listed
from bot.save.library import Library
from bot.scenario_files import FORMS, look, shelve


def show_list(library: Library) -> Iterator[str]:
    """A line for each scenario, and what is wrong with it."""
    listing = library.listing()
    yield from map(_line, listing) if listing else ["还没有剧本。 There are no scenarios yet."]


def _line(one: Listed) -> str:
    if one.scenario is None:
        return f"{one.series}/{one.name}  ✗ {one.problem}"
    names, logs = "、".join(one.scenario.speakers), f"{len(one.logs)} 份回放" if one.logs else ""
    return "  ".join(part for part in (f"{one.series}/{one.name}", names, logs) if part)


def describe(file: Path) -> Iterator[str]:
    """What is in a file or in a scenario's folder, without keeping it. Raises UserError."""
    for one in _found(file, Wishes(), ""):
        yield f"{_described(one)} OK"
        yield from one.notes


def take_in(library: Library, file: Path, series: str, user: str, greeting: int) -> Iterator[str]:
    """Keeps what is in a file or a folder. Raises UserError, and then nothing was kept."""
    found = _found(file, Wishes(user or DEFAULT_USER, greeting), series)
    for one, place in zip(found, shelve(library, found), strict=True):
        yield f"{_described(one)} → {place.series}/{place.name}{f'/{place.log}' if place.log else ''}"
        yield from one.notes


def take_out(library: Library, place: str, file: Path, form: str) -> str:
    """Writes a scenario as a file that is not there yet. `form` "": by the file's end. Raises UserError."""
    series, _, name = place.partition("/")
    chosen = FORMS[form or {".zip": "zip", ".png": "png"}.get(file.suffix.lower(), "drama")]
    try:
        content = chosen.write(library, series, name)
        with file.open("xb") as out:
            out.write(content)
    except Refused as refused:
        raise UserError(str(refused)) from refused
    except FileExistsError as error:
        raise UserError(f"{file} 已经有了，没有覆盖。请换个文件名。 It is there already and was left alone.") from error
    except OSError as error:
        raise UserError(f"写不了 {file}（{error.strerror}）。 The file cannot be written.") from error
    return f"{place} → {file}"


def _described(one: Found) -> str:
    scenario = one.scenario
    logs = f"；{len(one.logs)} 份回放" if one.logs else ""
    names = "、".join(scenario.speakers)
    return f"{scenario.series}/{scenario.name}：{names}；{len(scenario.opening)} 行前置剧情{logs}。"


def _found(file: Path, wishes: Wishes, series: str) -> list[Found]:
    try:
        if file.is_dir():
            return look(_packed(file), f"{file}", wishes, series)
        return look(file.read_bytes(), str(file), wishes, series)
    except OSError as error:
        raise UserError(f"{file}：读不了（{error.strerror}）。请检查路径。 The file cannot be read.") from error


def _packed(folder: Path) -> bytes:
    """A folder of scenarios, or one scenario's, as if it had come in a zip."""
    whole = folder.resolve()
    files = (path for path in sorted(whole.rglob("*")) if path.suffix in (".json", ".png") and path.is_file())
    top = whole.parent.parent if whole.parent != whole else whole
    return archive.pack({path.relative_to(top).as_posix(): path.read_bytes() for path in files})
