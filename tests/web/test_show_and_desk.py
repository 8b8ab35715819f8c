"""The desk and the show together over HTTP: the co-host's scenario, what was aired, the figures."""

from __future__ import annotations

import json

from bot.approval import ApprovalQueue, Item, ItemId, Operator, Refused
from tests.figures.season import broadcasts
from tests.web.conftest import Client, Site

ANNA = Operator("Anna")


async def test_the_show_is_told_which_scenario(operator: Client, site: Site) -> None:
    """Neither name: the one of the settings. Its no goes on to the page."""
    for body, called in (({"series": "雾岛", "name": "初见"}, ("雾岛", "初见")), ({}, ("", ""))):
        assert (await operator.post("/api/show/scenario", json=body)).status == 200
        assert site.show.calls[-1][:3] == ("change_scenario", *called)
    site.show.refusal = Refused("busy", "还有 1 条未决")
    answer = await operator.post("/api/show/scenario", json={"series": "雾岛", "name": "初见"})
    assert (answer.status, (await answer.json())["error"]) == (409, "busy")


async def test_a_scene_becomes_a_scenario_and_is_played(operator: Client, site: Site) -> None:
    """Characters, background and pictures kept; the confirmed lines are its opening; nothing is written over."""
    before = site.library.read("雾岛", "初见").scenario
    answer = await operator.post("/api/desk/scene-1/as-scenario", json={"series": "雾岛", "name": "第二幕"})
    assert await answer.json() == {"ok": True, "series": "雾岛", "name": "第二幕"}
    kept = site.library.read("雾岛", "第二幕").scenario
    story = site.desk.scene("scene-1").story
    assert [line.text for line in kept.opening] == [line.text for line in story.lines]
    assert (kept.background, kept.characters, kept.name) == (before.background, before.characters, "第二幕")
    assert set(site.library.avatars("雾岛", "第二幕")) == set(site.library.avatars("雾岛", "初见"))
    assert site.show.calls[-1][:3] == ("change_scenario", "雾岛", "第二幕")
    again = await operator.post("/api/desk/scene-1/as-scenario", json={"series": "雾岛", "name": "初见"})
    assert again.status == 409 and site.library.read("雾岛", "初见").scenario == before


async def test_without_a_name_it_has_the_scenes_title_and_a_number(operator: Client, site: Site) -> None:
    """In the file, too: two scenarios of one name would share what was aired."""
    names = [
        (await (await operator.post("/api/desk/scene-1/as-scenario", json={"play": False})).json())["name"]
        for _ in "ab"
    ]
    assert len({"初见", *names}) == 3
    assert [site.library.read("雾岛", name).scenario.name for name in names] == names
    assert site.show.calls == []


async def test_nothing_is_written_while_the_show_cannot_change(operator: Client, site: Site) -> None:
    site.show.refusal = Refused("busy", "还有 1 条未决")
    before = len(site.library.listing())
    assert (await operator.post("/api/desk/scene-1/as-scenario", json={})).status == 409
    assert len(site.library.listing()) == before
    assert (await operator.post("/api/desk/nothing/as-scenario", json={"play": False})).status == 404


async def test_what_was_aired_is_listed_by_show(operator: Client, site: Site) -> None:
    """With its days, the newest first."""
    assert await (await operator.get("/api/show/aired")).json() == {"shows": []}
    for show, at in (("雾岛/初见", 1_000_000_000.0), ("雾岛/初见", 1_000_200_000.0), ("别的/剧本", 1_000_100_000.0)):
        queue = ApprovalQueue(lambda item, decision, show=show: site.save.record(show, item, decision))  # type: ignore[misc]
        queue.open(Item(ItemId(f"{at}"), at, "小铃"))
        queue.approve(f"{at}", 1, "好", ANNA, at)
        queue.air(f"{at}", at, 5.0)
    shows = (await (await operator.get("/api/show/aired")).json())["shows"]
    assert [(one["series"], one["name"], one["replies"], len(one["days"])) for one in shows] == [
        ("雾岛", "初见", 2, 2), ("别的", "剧本", 1, 1),
    ]  # fmt: skip
    assert shows[0]["days"][0]["day"] > shows[0]["days"][1]["day"]


async def test_a_wrong_question_about_figures_says_what_to_write(operator: Client) -> None:
    answer = await operator.get("/api/stats?from=gestern")
    assert answer.status == 400 and "2026-11-23" in (await answer.json())["message"]


async def test_figures_come_as_json_and_as_a_file(operator: Client) -> None:
    """Which a browser keeps under a name and Excel reads as UTF-8."""
    assert (await (await operator.get("/api/stats?place=desk")).json())["place"] == "desk"
    answer = await operator.get("/api/stats.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cohost-stats.csv"'
    assert (await answer.read()).startswith(b"\xef\xbb\xbf")


async def test_preferences_come_as_lines(operator: Client, site: Site) -> None:
    """In pieces, all of them."""
    broadcasts(site.save, 1, 1_000_000_000.0, cards=40)
    answer = await operator.get("/api/stats/pairs.jsonl")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cohost-pairs.jsonl"'
    pairs = [json.loads(line) for line in (await answer.text()).splitlines()]
    totals = (await (await operator.get("/api/stats")).json())["totals"]
    assert len(pairs) == totals["taken"] + totals["edited"] > 0
