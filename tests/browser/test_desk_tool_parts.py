"""The pure parts of the desk's tools, run in the browser that they are for: lanes of a tree, and differences of texts."""

from __future__ import annotations

import random
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.conftest import OpenTheatre

pytestmark = pytest.mark.asyncio(loop_scope="session")

LANES = "async ([tree, closed]) => (await import('/static/desk/tools/lanes.js')).rowsOf(tree, new Set(closed))"
ALIGN = "async (pairs) => { const m = await import('/static/desk/tools/differences.js'); return pairs.map(([a, b]) => m.align(a, b)); }"
CUT = "async (pairs) => { const m = await import('/static/desk/tools/differences.js'); return pairs.map(([a, b]) => m.cut(a, b)); }"


async def a_page(theatre: OpenTheatre) -> Page:
    house = await theatre()
    page = await (await house.context()).new_page()
    house.watch(page)
    await page.goto(house.url("/login"))
    return page


def any_tree(dice: random.Random) -> dict[str, Any]:
    """Branches that hang on one another anyhow, with checkpoints; one is where the story is."""
    branches: list[dict[str, Any]] = []
    for number in range(dice.randint(1, 30)):
        parent = dice.choice(branches) if branches else None
        shared = dice.randint(0, parent["lines"]) if parent else 0
        lines = shared + dice.randint(0, 100)
        parent_id = parent["id"] if parent else ""
        branches.append(
            {"id": f"b{number}", "name": "", "parent": parent_id, "shared": shared, "lines": lines, "current": False}
        )
    dice.choice(branches)["current"] = True
    checkpoints = [
        {"id": f"c{number}", "name": "", "branch": dice.choice([branch["id"], branch["id"], ""]), "lines": 7}
        for number, branch in enumerate(dice.choices(branches, k=dice.randint(0, 20)))
    ]
    return {"branches": branches, "checkpoints": checkpoints}


async def test_every_branch_and_mark_has_one_row_and_no_lane_is_torn(theatre: OpenTheatre) -> None:
    """What leaves a row at its foot enters the next one at its head, in the same columns; a lane begins and ends at a dot."""
    page = await a_page(theatre)
    for seed in range(40):
        tree = any_tree(random.Random(seed))
        rows = await page.evaluate(LANES, [tree, []])
        places = [row["key"] for row in rows]
        assert sorted(places) == sorted(
            [f"branch {one['id']}" for one in tree["branches"]]
            + [f"checkpoint {one['id']}" for one in tree["checkpoints"]]
            + ["here"]
        )
        for above, below in zip([None, *rows], [*rows, None], strict=True):
            leaving = sorted(column for column, _, to in above["rails"] if to == 1) if above else []
            entering = sorted(column for column, start, _ in below["rails"] if start == 0) if below else []
            assert leaving == entering, (seed, above, below)
        for row in rows:
            if row["up"]:
                assert places.index(row["up"]) < places.index(row["key"])


async def test_what_happens_on_a_branch_stands_in_the_order_of_the_story(theatre: OpenTheatre) -> None:
    """Forks and marks by line, and at one line the marks first; the present place comes last."""
    page = await a_page(theatre)
    tree = {
        "branches": [
            {"id": "main", "name": "主线", "parent": "", "shared": 0, "lines": 40, "current": True},
            {"id": "late", "name": "后来", "parent": "main", "shared": 30, "lines": 50, "current": False},
            {"id": "early", "name": "早先", "parent": "main", "shared": 10, "lines": 12, "current": False},
        ],
        "checkpoints": [{"id": "k", "name": "转折", "branch": "main", "lines": 10}],
    }
    rows = await page.evaluate(LANES, [tree, []])
    assert [row["key"] for row in rows] == ["branch main", "checkpoint k", "branch early", "branch late", "here"]
    assert [row["level"] for row in rows] == [1, 2, 2, 2, 2]
    assert [row["own"] for row in rows if row["kind"] == "branch"] == [10, 2, 20]
    closed = await page.evaluate(LANES, [tree, ["branch main"]])
    assert [(row["key"], row["open"], row["rails"]) for row in closed] == [("branch main", False, [])]


async def test_two_ways_of_a_story_are_laid_side_by_side_without_loss(theatre: OpenTheatre) -> None:
    """Both texts are there in order, equal lines are paired, and as many as could be."""
    page = await a_page(theatre)
    dice = random.Random(6)
    pairs = [
        [[{"character": "甲", "text": dice.choice("一二三四五")} for _ in range(dice.randint(0, 12))] for _ in "ab"]
        for _ in range(60)
    ]
    for (a, b), rows in zip(pairs, await page.evaluate(ALIGN, pairs), strict=True):
        assert [row["a"] for row in rows if row["a"]] == a
        assert [row["b"] for row in rows if row["b"]] == b
        assert all(row["a"] or row["b"] for row in rows)
        assert sum(row["a"] == row["b"] for row in rows) >= common(a, b)


def common(a: list[Any], b: list[Any]) -> int:
    """The length of the longest common subsequence, written once more and slowly."""
    best = {(i, j): 0 for i in range(len(a) + 1) for j in range(len(b) + 1)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            longer = best[i - 1, j - 1] + 1 if a[i - 1] == b[j - 1] else 0
            best[i, j] = max(longer, best[i - 1, j], best[i, j - 1])
    return best[len(a), len(b)]


async def test_only_what_differs_within_a_line_is_marked(theatre: OpenTheatre) -> None:
    """The middle that the other does not have; an emoji is not cut in two, and repeated letters are not taken twice."""
    page = await a_page(theatre)
    pairs = [
        ["她没有回头。", "她回头。"],
        ["她回头。", "她没有回头。"],
        ["a😀b", "a😁b"],
        ["哈哈哈", "哈哈"],
        ["", "新的"],
    ]
    assert await page.evaluate(CUT, pairs) == [
        ["她", "没有", "回头。"],
        ["她", "", "回头。"],
        ["a", "😀", "b"],
        ["哈哈", "哈", ""],
        ["", "", ""],
    ]


async def test_of_two_languages_the_page_says_its_own(theatre: OpenTheatre) -> None:
    """What the server says in one language only, or about words of the other, stays whole."""
    page = await a_page(theatre)
    say = "async ([lang, said]) => { const m = await import('/static/texts.js'); m.useLanguage(lang); return said.map(m.ours); }"
    both = {
        "还有 5 条。请先决定完。 5 cards are undecided.": ("还有 5 条。请先决定完。", "5 cards are undecided."),
        "没有这一幕。 There is no such scene.": ("没有这一幕。", "There is no such scene."),
        "a.png：不完整。请重新下载。 The picture is damaged.": (
            "a.png：不完整。请重新下载。",
            "The picture is damaged.",
        ),
        "没有「Mary Sue」。\nNobody is called 「玛丽。 苏」.": (
            "没有「Mary Sue」。",
            "Nobody is called 「玛丽。 苏」.",
        ),
    }
    one = ["磁盘满了：/Save/My Story", "Not found.", "", "第 2 行不对。（Expecting value）。请检查。"]
    for column, lang in enumerate(("zh", "en")):
        assert await page.evaluate(say, [lang, list(both)]) == [words[column] for words in both.values()]
        assert await page.evaluate(say, [lang, one]) == one
