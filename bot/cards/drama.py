"""RWKV-Drama's files, which are ours: 场景剧本.json, logs, and a folder of both with its pictures.

The facts: https://github.com/ms-KuroNeko/RWKV-Drama, modules/Saver.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from bot.cards import png
from bot.cards.found import Found, Kind
from bot.scenario import LOG_END, SCENARIO_FILE, ScenarioError, decode, log_of, read_json, scenario_of

PICTURE_END = ".png"


def is_scenario(value: Mapping[str, Any]) -> bool:
    return any(key in value for key in ("ScenarioSeries", "ScenarioName", "CharacterData"))


def is_log(value: Mapping[str, Any]) -> bool:
    return "Chat" in value and "Scenario" in value


def read_scenario(value: Mapping[str, Any], file: str) -> Found:
    return Found(Kind.SCENARIO, scenario_of(value, file))


def read_log(value: Mapping[str, Any], file: str, content: bytes) -> Found:
    return Found(Kind.LOG, log_of(value, file).scenario, logs={PurePosixPath(file).name: content})


def read_folders(members: Mapping[PurePosixPath, bytes]) -> tuple[Found, ...]:
    """Every scenario of an unpacked archive. Raises ScenarioError for any file of it that is wrong."""
    homes = [path.parent for path in members if path.name == SCENARIO_FILE]
    found = [_folder({path: members[path] for path in members if path.parent == home}, home) for home in homes]
    alone = [path for path in members if path.parent not in homes and path.name.endswith(LOG_END)]
    return (*found, *(_log(members[path], path) for path in alone))


def _folder(members: Mapping[PurePosixPath, bytes], home: PurePosixPath) -> Found:
    path = home / SCENARIO_FILE
    scenario = scenario_of(read_json(decode(members[path], str(path)), str(path)), str(path))
    logs = {path.name: content for path, content in members.items() if path.name.endswith(LOG_END)}
    for name, content in logs.items():
        log_of(read_json(decode(content, str(home / name)), str(home / name)), str(home / name))
    avatars = {
        name: picture(members[home / f"{name}{PICTURE_END}"], str(home / f"{name}{PICTURE_END}"))
        for name in scenario.speakers
        if home / f"{name}{PICTURE_END}" in members
    }
    taken = {SCENARIO_FILE, *logs, *(f"{name}{PICTURE_END}" for name in avatars)}
    left = sorted(path.name for path in members if path.name not in taken)
    notes = (f"这些文件没有导入：{'、'.join(left[:8])}。 Files that were left out.",) if left else ()
    place = (home.parent.name, home.name) if len(home.parts) >= 2 else None
    return Found(Kind.FOLDER, scenario, avatars, logs, notes=notes, place=place)


def _log(content: bytes, path: PurePosixPath) -> Found:
    return read_log(read_json(decode(content, str(path)), str(path)), str(path), content)


def picture(content: bytes, file: str) -> bytes:
    """A clean avatar. Raises ScenarioError."""
    try:
        return png.clean(content)
    except png.BadPicture as error:
        raise ScenarioError(file, "", f"头像{error}。请换一张 PNG。 The picture is no whole PNG.") from error
