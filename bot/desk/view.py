"""A scene as the JSON that the page reads. The shapes are a contract."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from urllib.parse import quote

from bot.desk.asks import Ask
from bot.desk.cast import next_speakers
from bot.desk.feeding import Shown, refreshed_from
from bot.desk.lorebook import Told
from bot.desk.preparing import Measured
from bot.desk.scene import Scene
from bot.desk.scratch import Scratch
from bot.desk.steps import Change
from bot.desk.story import Branch, Story
from bot.desk.tree import compare, home, lanes
from bot.engine.prompt_form import PromptForm
from bot.save.desk import SceneRow
from bot.scenario import Character, Line
from bot.view import Json


def row_json(row: SceneRow) -> Json:
    return {
        "id": row.id,
        "title": row.title,
        "series": row.series,
        "name": row.name,
        "created": row.created,
        "changed": row.changed,
        "lines": row.lines,
        "binned": row.binned,
    }


def line_json(line: Line, story: Story) -> Json:
    """`versions`: how many older ones there are to look at."""
    return {
        "id": line.id,
        "character": line.character,
        "text": line.text,
        "origin": line.origin.value,
        "versions": len(story.older.get(line.id, ())),
    }


def lines_json(lines: Iterable[Line], story: Story) -> list[Json]:
    return [line_json(line, story) for line in lines]


def ask_json(ask: Ask) -> Json:
    return {
        "ask": ask.id,
        "character": ask.character,
        "continue": ask.continues,
        "running": ask.running > 0,
        "error": ask.error,
        "drafts": [
            {"id": ask.draft_id(index), "text": draft.text, "done": draft.done}
            for index, draft in enumerate(ask.drafts)
        ],
    }


def draft_event(ask: Ask, index: int) -> Json:
    draft = ask.drafts[index]
    said = {"id": ask.draft_id(index), "text": draft.text, "done": draft.done}
    return {"event": "draft", "ask": ask.id, "index": index, **said}


def scene_json(scene: Scene) -> Json:
    """All but the confirmed lines, and what is not the scene's own."""
    story = scene.story
    return {
        "id": scene.id,
        "revision": scene.revision,
        "title": story.title,
        "series": scene.series,
        "name": scene.name,
        "background": story.scenario.background,
        "characters": [_character_json(scene, character) for character in story.scenario.characters],
        "pending": lines_json(story.pending, story),
        "branch": story.branch,
        "branches": [_branch_json(branch) for branch in story.branches.values()],
        "checkpoints": _checkpoints_json(story),
        "undo": _kind(scene.history.done),
        "redo": _kind(scene.history.undone),
        "cast": _cast_json(story),
        "note": {"text": story.note.text, "depth": story.note.depth},
        "refresh": _refresh_json(story),
        "asks": [ask_json(ask) for ask in scene.asks_here],
    }


def tree_json(story: Story) -> Json:
    """The `branch` of a checkpoint is where its line stands now."""
    ordered = lanes(story)
    branches = [
        {
            **_branch_json(lane.branch),
            "parent": lane.branch.parent,
            "fork": lane.fork,
            "shared": lane.shared,
            "current": lane.branch.id == story.branch,
        }
        for lane in ordered
    ]
    points = zip(story.checkpoints, _checkpoints_json(story), strict=True)
    return {"branches": branches, "checkpoints": [{**said, "branch": home(ordered, one)} for one, said in points]}


def compare_json(story: Story, a: str, b: str) -> Json:
    difference = compare(story, a, b)
    return {
        "common": difference.common,
        "a": lines_json(difference.a, story),
        "b": lines_json(difference.b, story),
    }


def versions_json(story: Story, line: str) -> Json:
    """The older words of a line, oldest first. A line that nobody knows has none."""
    return {"versions": lines_json(story.older.get(line, ()), story)}


def measures_json(story: Story, measured: Measured) -> Json:
    """`problem`: why nothing can be fed."""
    return {
        "lore": [_told_json(told) for told in measured.lore.active],
        "lore_left_out": [_told_json(told) for told in measured.lore.left_out],
        "lore_budget": measured.lore.budget,
        "length": {"lines": len(story.lines), "tokens": measured.tokens, "advice": measured.advice},
        "tokens_counted": measured.exact,
        "problem": measured.problem,
    }


def _refresh_json(story: Story) -> Json | None:
    """`first`: how many lines the summary stands for; null where it is of another way of the story and not told."""
    refresh = story.refresh
    if refresh is None:
        return None
    return {"summary": refresh.summary, "last": refresh.last, "since": refresh.since, "first": refreshed_from(story)}


def _told_json(told: Told) -> Json:
    """`key`: the word that was mentioned, "" for what is always told; `why` says the same for people."""
    return {"name": told.entry.name, "tokens": told.tokens, "key": told.key, "why": told.why}


def fed_json(shown: Sequence[Shown], exact: bool, form: PromptForm) -> Json:
    parts = [{"label": one.label.value, "name": one.name, "text": one.text, "tokens": one.tokens} for one in shown]
    total = sum(one.tokens for one in shown)
    return {"parts": parts, "total": total, "tokens_counted": exact, "form": form.value}


def scratch_json(scratch: Scratch) -> Json:
    return asdict(scratch)


def avatar_url(series: str, name: str, character: str) -> str:
    parts = (series, name, "avatars", character)
    return "/".join(("/api/scenarios", *(quote(part, safe="") for part in parts)))


def _character_json(scene: Scene, character: Character) -> Json:
    sampling, note = character.extra.get("Sampling", ""), character.extra.get("Note", "")
    preset = sampling if isinstance(sampling, str) else sampling.get("preset", "") if isinstance(sampling, dict) else ""
    return {
        "name": character.name,
        "side": character.side,
        "avatar": scene.avatars.get(character.name),
        "preset": preset if isinstance(preset, str) else "",
        "note": note if isinstance(note, str) else "",
    }


def _cast_json(story: Story) -> Json:
    """`next`: who would speak, the likeliest first."""
    following = next_speakers(story.here.everything, story.present, story.cast.turns)
    return {"present": list(story.present), "turns": story.cast.turns.value, "next": list(following)}


def _branch_json(branch: Branch) -> Json:
    return {"id": branch.id, "name": branch.name, "lines": len(branch.lines)}


def _checkpoints_json(story: Story) -> list[Json]:
    return [
        {"id": one.id, "name": one.name, "line": one.line, "branch": one.branch, "lines": len(one.lines)}
        for one in story.checkpoints
    ]


def _kind(steps: Sequence[Change]) -> str | None:
    return steps[-1].kind if steps else None
