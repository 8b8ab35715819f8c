"""Reads a YAML file into plain values and remembers the line of each. Knows no setting by name.

Aliases and merges (`*name`, `<<`) are refused: settings are few, and a file that says each thing once can be checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.config.texts import say

Key = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """`place` is the file's name or what else the value came from; `line` 0: no line. `text` says what to write."""

    place: str
    line: int
    path: Key
    text: str
    colon: str = "："

    @property
    def key(self) -> str:
        return dotted(self.path)

    def __str__(self) -> str:
        where = f"{self.place}:{self.line}" if self.line else self.place
        return f"{where} {self.key}{self.colon}{self.text}" if self.key else f"{where}{self.colon}{self.text}"


@dataclass(slots=True)
class Tree:
    """What a file says: nested values, the line of each key, each scalar as it was written, and mistakes of form."""

    place: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)
    written: dict[Key, str] = field(default_factory=dict)
    problems: list[tuple[Key, int, str, dict[str, object]]] = field(default_factory=list)

    def put(self, key: str, value: object) -> None:
        """Sets a dotted key, as the command line does."""
        *sections, last = key.split(".")
        section = self.values
        for depth, name in enumerate(sections):
            inner = section.get(name)
            if not isinstance(inner, dict):
                inner = section[name] = {}
                self.lines.pop(tuple(sections[: depth + 1]), None)
            section = inner
        section[last] = value
        whole = (*sections, last)
        for known in [known for known in self.lines if known[: len(whole)] == whole]:
            del self.lines[known]
            self.written.pop(known, None)
        self.problems = [problem for problem in self.problems if problem[0] != whole]

    def get(self, key: str) -> Any:
        """The value of a dotted key, None when the file does not say."""
        value: Any = self.values
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def shown(self, key: Key, value: object) -> str:
        """A value for people: as it was written, text in quotes. What came from the environment may be secret."""
        if "${" in self.written.get(key, ""):
            return self.written[key]
        if isinstance(value, str):
            return f'"{value if len(value) <= 60 else value[:60] + "…"}"'
        return self.written.get(key) or str(value)

    def mistake(self, lang: str, key: Key, text: str) -> Mistake:
        """A mistake at this key; a key that is in the file has a line, one from the command line has not."""
        known = next((key[:n] for n in range(len(key), 0, -1) if key[:n] in self.lines), ())
        from_file = key[:1] == known[:1] and bool(known)
        place = self.place if from_file else say(lang, "command_line")
        return Mistake(place, self.lines.get(known, 0), key, text, say(lang, "colon"))

    def mistakes(self, lang: str) -> Iterator[Mistake]:
        """Mistakes of form: the file itself, its syntax, its keys, variables that are not set."""
        for key, line, code, words in self.problems:
            yield Mistake(self.place, line, key, say(lang, code, **words), say(lang, "colon"))


def dotted(key: Key) -> str:
    """`web.port`, `moderation.words[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def read_tree(file: Path, environment: Mapping[str, str]) -> Tree:
    """Never raises: a file that cannot be read is a tree with one problem."""
    tree = Tree(place=_short(file))
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        tree.problems.append(((), 0, "not_utf8", {}))
        return tree
    except OSError as error:
        tree.problems.append(((), 0, "unreadable", {"reason": error.strerror or error}))
        return tree
    _parse(tree, text, environment)
    return tree


def _short(file: Path) -> str:
    """The file as people look for it: from here where it lies below, else whole."""
    try:
        return str(file.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def _parse(tree: Tree, text: str, environment: Mapping[str, str]) -> None:
    try:
        aliases = (event for event in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(event, yaml.AliasEvent))
        alias = next(aliases, None)
        root = None if alias else yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or ""
        tree.problems.append(((), mark.line + 1 if mark else 0, "syntax", {"reason": reason}))
        return
    except (yaml.YAMLError, RecursionError) as error:
        tree.problems.append(((), 0, "syntax", {"reason": " ".join(str(error).split())}))
        return
    if alias:
        line = alias.start_mark.line + 1 if alias.start_mark else 0
        tree.problems.append(((), line, "alias", {"name": alias.anchor}))
    elif root is not None and not isinstance(root, yaml.MappingNode):
        tree.problems.append(((), root.start_mark.line + 1, "not_mapping", {}))
    elif root is not None:
        tree.values = _Reader(tree, environment).mapping(root, ())


class _Reader:
    """Turns nodes into values, noting lines and problems in the tree."""

    def __init__(self, tree: Tree, environment: Mapping[str, str]) -> None:
        self._tree = tree
        self._environment = environment
        self._loader = yaml.SafeLoader("")

    def mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            name = str(name_node.value) if isinstance(name_node, yaml.ScalarNode) else "?"
            inner = (*key, name)
            if name in values:
                self._problem(inner, line, "duplicate", first=self._tree.lines[inner])
                continue
            self._tree.lines[inner] = line
            values[name] = self.value(value_node, inner)
        return values

    def value(self, node: yaml.Node, key: Key) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, key)
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, key)

    def _sequence(self, node: yaml.SequenceNode, key: Key) -> list[Any]:
        for index, item in enumerate(node.value):
            self._tree.lines[(*key, index)] = item.start_mark.line + 1
        return [self.value(item, (*key, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.ScalarNode, key: Key) -> Any:
        """A scalar; `${NAME}` in it is replaced first, so a bare `port: ${PORT}` can be a number."""
        text = _VARIABLE.sub(lambda match: self._variable(match[1], node, key), node.value)
        tag = node.tag
        if text != node.value and node.style is None:
            tag = str(self._loader.resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]
        self._tree.written[key] = node.value
        if tag == "tag:yaml.org,2002:str":
            return text
        return self._construct(yaml.ScalarNode(tag, text, node.start_mark, node.end_mark), key)

    def _construct(self, node: yaml.ScalarNode, key: Key) -> Any:
        """Numbers, yes and no, nothing. A date or a tag of somebody's own stays text, for the type check to refuse."""
        kind = node.tag.rpartition(":")[2]
        make: Callable[[Any], Any] | None = {
            "null": self._loader.construct_yaml_null,
            "bool": self._loader.construct_yaml_bool,
            "int": self._loader.construct_yaml_int,
            "float": self._loader.construct_yaml_float,
        }.get(kind)
        try:
            return make(node) if make else node.value
        except (ValueError, KeyError):
            return node.value

    def _variable(self, name: str, node: yaml.ScalarNode, key: Key) -> str:
        if name not in self._environment:
            self._problem(key, node.start_mark.line + 1, "no_variable", name=name)
        return self._environment.get(name, "")

    def _problem(self, key: Key, line: int, code: str, **words: object) -> None:
        self._tree.problems.append((key, line, code, words))
