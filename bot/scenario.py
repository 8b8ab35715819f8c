"""The story: scenarios, characters, lines, the transcript, and their text and JSON forms. Reads files, writes none.

One canonical text form, in feeding, saving and loading alike: a line is `名: 话`, narration is just its words, lines
are joined by a blank line. Inside a line there is no blank line. `parse` is the inverse of `render`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

from bot.errors import UserError
from bot.letters import BLANK_EDGES, BLANK_LINES, CONTROL, LONE_SURROGATE, one_newline

SCENARIO_FILE, LOG_END = "场景剧本.json", "_Log.json"  # in a scenario's folder

NARRATOR = ""
VIEWER = "观众"  # the one role that speaks for every viewer
# Roles that models have learnt from other people's prompts; a viewer may not put a colon after one.
COMMON_ROLES = (
    *("User", "Assistant", "System", "Bot", "Human", "AI", "Instruction", "Response", "Input", "Output", "Q", "A"),
    *("用户", "助手", "系统", "主播", VIEWER, "旁白", "机器人", "管理员", "场控", "问", "答"),
)

Side = Literal["AI", "User"]
SIDES: tuple[Side, ...] = ("AI", "User")


class Origin(StrEnum):
    """Where a line came from. The values are the `InputTag` of a saved log."""

    SYSTEM = "系统提示"
    OPENING = "初始对话"
    PERSON = "用户输入"
    MODEL = "模型生成"
    EDITED = "模型生成(人工编辑)"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said or told. `character` is NARRATOR for narration. `id` is empty when nothing refers to the line."""

    character: str
    text: str
    origin: Origin = Origin.PERSON
    id: str = ""

    @property
    def told(self) -> bool:
        """Part of the story after the opening: a notice of the program is not, and the opening is the scenario's."""
        return self.origin not in (Origin.SYSTEM, Origin.OPENING)


@dataclass(frozen=True, slots=True)
class Character:
    """Someone in the story. `extra` keeps whatever else a file said about them."""

    name: str
    side: Side = "AI"
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or canonical_name(self.name) != self.name:
            raise ValueError(f"character name {self.name!r} is empty or holds a colon, a line break or outer spaces")


# ---- text form --------------------------------------------------------------------------------------------------


def canonical_text(text: str) -> str:
    """A line's words as the model reads them: no blank lines, no control characters, no outer spaces. Idempotent."""
    text = CONTROL.sub("", one_newline(text)).replace("\t", " ")
    text = BLANK_LINES.sub("\n", LONE_SURROGATE.sub("\ufffd", text))
    text = BLANK_EDGES.sub("", text).strip(" ")
    return text if text.strip() else ""


def canonical_name(name: str) -> str:
    """A name that can stand before a colon: one line, no colon, no control characters. Idempotent."""
    name = LONE_SURROGATE.sub("\ufffd", CONTROL.sub("", name))
    return " ".join(re.sub("[:：]", " ", name).split())


def names_pattern(names: Iterable[str]) -> str:
    """A regular expression for any of these names. Latin ones count as whole words: "banana" does not end in "A"."""
    known = sorted({name for name in names if name.strip()}, key=len, reverse=True)
    return "|".join(
        rf"(?a:(?<![0-9A-Za-z])){re.escape(n)}" if re.match("[0-9A-Za-z]", n) else re.escape(n) for n in known
    )


def render(lines: Iterable[Line]) -> str:
    """The canonical text. Lines without words are left out."""
    return "\n\n".join(shown for line in lines if (shown := _render_line(line)))


def _render_line(line: Line) -> str:
    name, text = canonical_name(line.character), canonical_text(line.text)
    return f"{name}: {text}" if name and text else text


def parse(text: str, speakers: Iterable[str], origin: Origin = Origin.OPENING) -> tuple[Line, ...]:
    """The lines of a text: a paragraph that opens with a speaker's name and a colon is theirs, any other is narration.

    观众 is always a speaker. A full-width colon and a missing space count too, so hand-written and old files read well.
    A name with no words after it is left out.
    """
    speaker = _speaker_pattern(speakers)
    paragraphs = (canonical_text(block) for block in BLANK_LINES.split(one_newline(text)))
    lines = (_parse_line(paragraph, speaker, origin) for paragraph in paragraphs)
    return tuple(line for line in lines if line.text)


def _speaker_pattern(speakers: Iterable[str]) -> re.Pattern[str]:
    names = sorted({canonical_name(name) for name in (*speakers, VIEWER)} - {""}, key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, names))})[ \t]*[:：]")


def _parse_line(paragraph: str, speaker: re.Pattern[str], origin: Origin) -> Line:
    if not (opening := speaker.match(paragraph)):
        return Line(NARRATOR, paragraph, origin)
    return Line(opening[1], canonical_text(paragraph[opening.end() :]), origin)


# ---- scenario ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the model reads before the story goes on. `extra` keeps a file's unknown keys.

    The opening is held as its text form says it, with `Origin.OPENING`, and the characters by side, as the file has
    them: what is saved, loaded and fed is one thing.
    """

    series: str
    name: str
    background: str = ""
    opening: tuple[Line, ...] = ()
    characters: tuple[Character, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "opening", parse(render(self.opening), self.speakers))
        by_side = [character for side in SIDES for character in self.characters if character.side == side]
        object.__setattr__(self, "characters", tuple(by_side))

    @property
    def key(self) -> str:
        """series/name, under which its show is on record. Half a character counts as a question mark: no record holds it."""
        return LONE_SURROGATE.sub("\ufffd", f"{self.series}/{self.name}")

    @property
    def speaker(self) -> str:
        """The character the model plays: the first on the AI side, "" when there is none."""
        return next((character.name for character in self.characters if character.side == "AI"), "")

    @property
    def speakers(self) -> tuple[str, ...]:
        return tuple(character.name for character in self.characters)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Background and opening as lines, in the order in which they are fed."""
        return parse(self.background, self.speakers) + self.opening


class ScenarioError(UserError):
    """A scenario or log that cannot be read: which file, where in it, and what to write there instead.

    `more`: what else is wrong with the file. The message has a line for each.
    """

    def __init__(self, file: str, where: str, problem: str, more: Sequence[ScenarioError] = ()) -> None:
        shown = [f"{file} {where}：{problem}" if where else f"{file}：{problem}", *map(str, more[: _MOST_SHOWN - 1])]
        if len(more) >= _MOST_SHOWN:
            shown.append(f"{file}：还有 {len(more) + 1 - _MOST_SHOWN} 处。 There are more.")
        super().__init__("\n".join(shown))
        self.file, self.where, self.problem = file, where, problem


_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Log:
    """A saved scene: its scenario and every line, notices and opening included. `extra` keeps unknown keys."""

    scenario: Scenario
    lines: tuple[Line, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)


def load_scenario(path: Path) -> Scenario:
    """Reads 场景剧本.json. Raises ScenarioError."""
    return parse_scenario(_read(path), str(path))


def parse_scenario(text: str, file: str = "场景剧本.json") -> Scenario:
    """The inverse of `dump_scenario`; `file` is named in errors."""
    return scenario_of(read_json(text, file), file)


def scenario_of(value: object, file: str) -> Scenario:
    """The scenario in JSON that has been decoded. Raises ScenarioError with every mistake."""
    reader = _Reader(file)
    return reader.without_mistakes(reader.scenario(value, ""))


def parse_log(text: str, file: str = "Log.json") -> Log:
    """The inverse of `dump_log`; `file` is named in errors."""
    return log_of(read_json(text, file), file)


def log_of(value: object, file: str) -> Log:
    reader = _Reader(file)
    return reader.without_mistakes(reader.log(value))


def dump_scenario(scenario: Scenario) -> str:
    return _dump(_scenario_json(scenario))


def dump_log(log: Log) -> str:
    lines = [_line_json(line) for line in log.lines]
    return _dump({"Scenario": _scenario_json(log.scenario), "Chat": lines, **log.extra})


# ---- JSON: writing ----------------------------------------------------------------------------------------------


def _scenario_json(scenario: Scenario) -> dict[str, Any]:
    extra = dict(scenario.extra)
    sides = {side: [_character_json(c) for c in scenario.characters if c.side == side] for side in SIDES}
    return {
        "ScenarioSeries": scenario.series,
        "ScenarioName": scenario.name,
        "Prompt": scenario.background,
        "Example": render(scenario.opening),
        "CharacterData": {**sides, **extra.pop("CharacterData", {})},
        **extra,
    }


def _character_json(character: Character) -> str | dict[str, Any]:
    return {"Name": character.name, **character.extra} if character.extra else character.name


def _line_json(line: Line) -> dict[str, str]:
    named = {"UUID": line.id} if line.id else {}
    return {**named, "InputTag": line.origin.value, "Message": line.text, "Character": line.character}


def _dump(value: Mapping[str, Any]) -> str:
    """Readable JSON. A lone surrogate is written as its escape, so that the text can be stored as UTF-8."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text) + "\n"


# ---- JSON: reading ----------------------------------------------------------------------------------------------


def _read(path: Path) -> str:
    try:
        return decode(path.read_bytes(), str(path))
    except OSError as error:
        raise ScenarioError(str(path), "", f"读不了（{error.strerror or error}）。请检查路径和权限。") from error


def decode(content: bytes, file: str) -> str:
    """A file's text, with line breaks as they are. Raises ScenarioError, which names `file`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(file, f"第 {error.start} 字节", "不是 UTF-8 文本。请用 UTF-8 编码另存。") from error


def read_json(text: str, file: str) -> Any:
    """Decoded JSON, of a depth that everything of ours can walk. Raises ScenarioError, which names `file`."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        where = f"第 {error.lineno} 行第 {error.colno} 列"
        raise ScenarioError(file, where, f"不是合法的 JSON（{error.msg}）。请检查逗号、引号和括号。") from error
    except RecursionError as error:
        raise ScenarioError(file, "", _TOO_DEEP) from error
    except ValueError as error:  # NaN, or thousands of digits
        raise ScenarioError(file, "", f"有不能用的数字（{str(error)[:80]}）。请改成普通的数字。") from error
    if _depth(value) > MOST_DEPTH:
        raise ScenarioError(file, "", _TOO_DEEP)
    return value


MOST_DEPTH = 64
_TOO_DEEP = "括号套得太深。请检查文件是否损坏。"


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        nested = [one for one in level if isinstance(one, dict | list)]
        level = [inner for one in nested for inner in (one.values() if isinstance(one, dict) else one)]
        depth += bool(nested)
    return depth


T = TypeVar("T")


class _Reader:
    """Turns decoded JSON into values. What is wrong is noted, with its place in the file, and read as something empty."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[ScenarioError] = []

    def without_mistakes(self, value: T) -> T:
        if self.mistakes:
            first, *more = self.mistakes
            raise ScenarioError(first.file, first.where, first.problem, more)
        return value

    def wrong(self, where: str, value: object, wanted: str) -> None:
        shown = json.dumps(value, ensure_ascii=False)
        shown = shown if len(shown) <= 40 else shown[:40] + "…"
        self.mistakes.append(ScenarioError(self.file, where or "最外层", f"{wanted}，现为 {shown}。"))

    def mapping(self, value: object, where: str, example: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return dict(value)
        self.wrong(where, value, f"应为对象，写成 {example}")
        return {}

    def items(self, value: object, where: str, example: str) -> list[Any]:
        if isinstance(value, list):
            return value
        self.wrong(where, value, f"应为列表，写成 {example}")
        return []

    def text(self, value: object, where: str, example: str) -> str:
        if isinstance(value, str):
            return value
        self.wrong(where, value, f"应为文字，写成 {example}")
        return ""

    def scenario(self, value: object, where: str) -> Scenario:
        if not isinstance(value, dict):
            self.wrong(where, value, '应为对象，写成 {"ScenarioSeries": …, "ScenarioName": …, …}')
            return Scenario("", "")
        data = dict(value)
        dot = f"{where}." if where else ""
        series = self.text(data.pop("ScenarioSeries", None), f"{dot}ScenarioSeries", '"剧本系列的名字"')
        name = self.text(data.pop("ScenarioName", None), f"{dot}ScenarioName", '"剧本的名字"')
        background = self.text(data.pop("Prompt", ""), f"{dot}Prompt", '"故事的背景"')
        example = self.text(data.pop("Example", ""), f"{dot}Example", '"名: 话\\n\\n名: 话"')
        cast, rest = self.cast(data.pop("CharacterData", {}), f"{dot}CharacterData")
        extra = {**data, "CharacterData": rest} if rest else data
        opening = parse(example, [character.name for character in cast])
        return Scenario(series, name, background, opening, cast, extra)

    def cast(self, value: object, where: str) -> tuple[tuple[Character, ...], dict[str, Any]]:
        """The characters, and what else `CharacterData` holds."""
        data = self.mapping(value, where, '{"AI": ["角色名"], "User": ["角色名"]}')
        found: list[Character | None] = []
        for side in SIDES:
            for index, entry in enumerate(self.items(data.pop(side, []), f"{where}.{side}", '["角色名"]')):
                if entry != "":  # an empty box on the old form's page
                    found.append(self.character(entry, side, f"{where}.{side}[{index}]"))
        cast = tuple(character for character in found if character is not None)
        self.refuse_twins(cast, where)
        return cast, data

    def character(self, entry: object, side: Side, where: str) -> Character | None:
        extra = dict(entry) if isinstance(entry, dict) else {}
        key = "Name" if "Name" in extra else "name"
        name = extra.pop(key, None) if isinstance(entry, dict) else entry
        if not isinstance(name, str):
            self.wrong(where, name, '应为文字，写成 "角色名"')
            return None
        try:
            return Character(name, side, extra)
        except ValueError:
            self.wrong(where, name, "角色名不能为空，不能有冒号、换行和首尾空格")
            return None

    def refuse_twins(self, found: Sequence[Character], where: str) -> None:
        names = [character.name for character in found]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                self.wrong(where, name, "同一个角色名写了两次，请改掉一个")

    def log(self, value: object) -> Log:
        if not isinstance(value, dict):
            self.wrong("", value, '应为对象，写成 {"Scenario": {…}, "Chat": […]}')
            return Log(Scenario("", ""), ())
        data = dict(value)
        scenario = self.scenario(data.pop("Scenario", None), "Scenario")
        chat = self.items(data.pop("Chat", []), "Chat", '[{"InputTag": …, "Message": …, "Character": …}]')
        lines = tuple(self.line(entry, f"Chat[{index}]") for index, entry in enumerate(chat))
        return Log(scenario, lines, data)

    def line(self, value: object, where: str) -> Line:
        if not isinstance(value, dict):
            self.wrong(where, value, '应为对象，写成 {"InputTag": …, "Message": …, "Character": …}')
            return Line(NARRATOR, "")
        return Line(
            character=self.text(value.get("Character", ""), f"{where}.Character", '"角色名"'),
            text=self.text(value.get("Message"), f"{where}.Message", '"台词"'),
            origin=self.origin(value.get("InputTag"), f"{where}.InputTag"),
            id=self.text(value.get("UUID", ""), f"{where}.UUID", '"编号"'),
        )

    def origin(self, value: object, where: str) -> Origin:
        try:
            return Origin(value)  # type: ignore[arg-type]  # anything else than a known text is the error below
        except ValueError:
            self.wrong(where, value, "应为其中之一：" + "、".join(Origin))
            return Origin.PERSON


# ---- transcript -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The transcript as it was at one moment."""

    lines: tuple[Line, ...]


class Transcript:
    """The story so far, in order. The truth; a model's state is only a cache of it.

    A line that was removed (recalled) stays away: a rewind to an older checkpoint does not bring it back.
    """

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._lines = list(lines)
        self._removed: set[str] = set()

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(self._lines)

    def append(self, line: Line) -> None:
        self._lines.append(line)

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.lines)

    def rewind(self, checkpoint: Checkpoint) -> None:
        self._lines = [line for line in checkpoint.lines if line.id not in self._removed]

    def branch(self) -> Transcript:
        """A transcript of its own that begins with these lines."""
        twin = Transcript(self._lines)
        twin._removed = set(self._removed)
        return twin

    def remove(self, id: str) -> tuple[Line, ...]:
        """Takes out every line with this id (a recalled reply and its question share one) and returns them."""
        if not id:
            raise ValueError("lines without an id cannot be removed")
        gone = tuple(line for line in self._lines if line.id == id)
        self._lines = [line for line in self._lines if line.id != id]
        self._removed.add(id)
        return gone
