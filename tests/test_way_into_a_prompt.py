"""There is one way for a viewer's words and name into a prompt, and it leads through the sanitiser."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.test_structure import imports, modules

TREES = dict(modules())
PROMPTING = "bot.engine.prompting"


def calls_of(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)) == name:
                yield node


def reads(tree: ast.AST) -> set[str]:
    """What is read of a message in there: `message.text`, `item.message.viewer.name` …"""
    chains = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {chain for chain in chains if chain.endswith(("message.text", "viewer.name"))}


def sanitised(tree: ast.AST) -> set[str]:
    """The same, but only where it stands inside a call of the sanitiser."""
    return {found for name in ("sanitise", "sanitise_name") for call in calls_of(tree, name) for found in reads(call)}


def bare_reads(tree: ast.AST) -> list[str]:
    """Reads that no call of the sanitiser is around."""
    inside = {id(node) for n in ("sanitise", "sanitise_name") for call in calls_of(tree, n) for node in ast.walk(call)}
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and id(node) not in inside
        and ast.unparse(node).endswith(("message.text", "viewer.name"))
    ]


def test_the_engine_knows_no_messages() -> None:
    """Of everything that drafts, only the module that builds prompts has heard of viewers."""
    knowing = {
        module
        for module, tree in TREES.items()
        if module.startswith("bot.engine")
        and any(one.startswith(("bot.messages", "adapters", "bot.intake", "bot.approval")) for one in imports(tree))
    }
    assert knowing == {PROMPTING}


def test_what_is_read_of_a_message_there_is_sanitised() -> None:
    """Its text and its viewer's name, both and nothing besides, each inside a call of the sanitiser."""
    assert sanitised(TREES[PROMPTING]) == {"message.text", "message.viewer.name"}
    assert bare_reads(TREES[PROMPTING]) == []


def test_prompts_are_made_there() -> None:
    """Elsewhere only out of another prompt, or of words that stand in the program."""
    makers = {module for module, tree in TREES.items() if any(calls_of(tree, "Prompt"))}
    assert makers == {
        PROMPTING,
        "bot.engine.scene_prompt",  # a scene at the desk, whose lines come from its record
        "bot.engine.frames",  # the worker's copy of one
        "bot.engine.scheduling.reading",  # the second text of guidance, out of the first
        "bot.engine.remote.server",  # a probe
        "bot.engine.bench.restart",
    }


def test_the_show_feeds_viewers_lines_only() -> None:
    """What it says of a message to the model now comes from `viewer_line`, and what it remembers from `item_lines`."""
    show = TREES["bot.show"]
    for call in calls_of(show, "live_prompt"):
        assert ast.unparse(call.args[2]) == "asked"
    (asked,) = (
        node for node in ast.walk(show) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "asked"
    )
    assert ast.unparse(asked.value).startswith("viewer_line(item.message,")
    assert not any(reads(call) for name in ("Line", "replace", "append") for call in calls_of(show, name))
    assert any(calls_of(show, "item_lines"))


def test_what_was_aired_is_told_by_viewers_lines_only() -> None:
    """In the model's memory and at the desk: the one module that makes lines of cards reads no message by itself."""
    aired = TREES["bot.aired"]
    (line,) = calls_of(aired, "viewer_line")
    assert ast.unparse(line.args[0]) == "item.message"
    assert reads(aired) == set()


def test_the_role_of_viewers_is_spoken_in_one_place() -> None:
    """`Line(VIEWER, …)` is written by `viewer_line` alone."""
    speaking = {
        module
        for module, tree in TREES.items()
        for call in calls_of(tree, "Line")
        if call.args and ast.unparse(call.args[0]) in ("VIEWER", "'观众'")
    }
    assert speaking == {PROMPTING}


def test_a_bare_read_would_be_seen() -> None:
    """The eyes of this file are open."""
    tree = ast.parse("line = f'{message.text}' + sanitise(message.text) + sanitise_name(message.viewer.name)")
    assert bare_reads(tree) == ["message.text"]
