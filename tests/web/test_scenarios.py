"""Scenarios over HTTP: the real application on a real folder."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import quote, unquote

import pytest
from yarl import URL

from bot.cards import archive, png, writing
from bot.save.library import Library
from bot.scenario import SCENARIO_FILE, Character, Scenario, parse_scenario
from bot.web import replies, scenario_files
from tests.cards.people import ROLE, V2, V3, as_bytes, picture, text
from tests.cards.test_drama import FILES, LOG, NAME, SERIES
from tests.web.conftest import Client, Site

NAMES = [("雾岛", "初见 二"), ("50%", "a#b&c=d"), ("%2e%2e", "%2F"), ("a+b", "😀"), ("雾/岛", "什么?"), ("x;y", "..a")]


def at(series: str, name: str, *then: str) -> str:
    """As a page writes an address."""
    return "/api/scenarios/" + "/".join(quote(part, safe="") for part in (series, name, *then))


async def get(client: Client, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def post(client: Client, path: str, body: Any, status: int = 200) -> Any:
    sent = {"data": body} if isinstance(body, bytes) else {"json": body}
    answer = await client.post(path, **sent)
    assert answer.status == status, await answer.text()
    return await answer.json()


def raw(library: Library, series: str, name: str) -> Any:
    return json.loads(library.contents(series, name)[SCENARIO_FILE])


# ---- the list and the form --------------------------------------------------------------------------------------


async def test_the_list_has_everything_that_a_card_shows(operator: Client) -> None:
    """Series, characters with their pictures' addresses, logs, the bin and the presets."""
    listing = await get(operator, "/api/scenarios")
    (series,) = listing["series"]
    (one,) = series["scenarios"]
    assert (series["series"], one["name"], "problem" in one) == ("雾岛", "初见", False)
    assert one["characters"] == [
        {"name": "小铃", "side": "AI", "avatar": at("雾岛", "初见", "avatars", "小铃")},
        {"name": "我", "side": "User", "avatar": None},
    ]
    assert [(log["file"], log["lines"]) for log in one["logs"]] == [("20230801-2100_Log.json", 0)]
    assert listing["bin"] == [] and "drama" in listing["presets"]
    answer = await operator.get(one["characters"][0]["avatar"])
    assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", b"a picture")


@pytest.mark.parametrize(("series", "name"), NAMES)
async def test_any_name_can_be_made_found_and_thrown_away(operator: Client, series: str, name: str) -> None:
    """Chinese, spaces, percent signs, hashes and slashes survive the address."""
    made = await post(operator, "/api/scenarios/create", {"series": series, "name": name, "background": "雾"})
    form = await get(operator, at(made["series"], made["name"]))
    assert (form["title"], form["background"], form["digest"]) == (name, "雾", made["digest"])
    copy = await post(operator, at(made["series"], made["name"], "duplicate"), {})
    moved = await post(operator, at(copy["series"], copy["name"], "rename"), {"series": series, "name": f"{name} %"})
    assert (await get(operator, at(moved["series"], moved["name"])))["title"] == f"{name} %"
    gone = await post(operator, at(made["series"], made["name"], "bin"), {})
    assert (await operator.get(at(made["series"], made["name"]))).status == 404
    (binned,) = (await get(operator, "/api/scenarios"))["bin"]
    assert (binned["id"], binned["name"]) == (gone["id"], made["name"])
    back = await post(operator, "/api/scenarios/restore", {"id": gone["id"]})
    assert (back["series"], back["name"]) == (made["series"], made["name"])


async def test_a_form_changes_what_is_on_it(operator: Client, site: Site) -> None:
    """Everything else in the file is kept: unknown keys, what is known of a character, what the form left out."""
    library = site.library
    before = {"ScenarioSeries": "雾岛", "ScenarioName": "二", "Prompt": "旧", "Example": "小麦: 早。", "Author": "某人"}
    cast = {"AI": [{"Name": "小麦", "Age": 7, "Note": "旧友"}, "小豆"], "User": ["我"], "Crowd": 3}
    library.create(parse_scenario(json.dumps({**before, "CharacterData": cast})), avatars={"小麦": png.plain(4, 4, 9)})
    form = await get(operator, at("雾岛", "二"))
    assert form["opening"] == "小麦: 早。" and form["characters"][0]["note"] == "旧友"
    people = [{"name": "麦子", "was": "小麦", "side": "AI", "sampling": "drama"}, {"name": "阿舟", "side": "User"}]
    lore = [{"name": "雾", "keys": ["雾"], "text": "散不开。", "page": 3}]
    changed = {"digest": form["digest"], "background": "新\n\n小麦: 我来过", "characters": people, "lorebook": lore}
    answer = await post(operator, at("雾岛", "二", "edit"), {**changed, "authors_note": {"text": "慢一点", "depth": 2}})
    now = raw(library, "雾岛", "二")
    assert now["Author"] == "某人" and now["CharacterData"]["Crowd"] == 3
    assert now["CharacterData"]["AI"] == [{"Name": "麦子", "Age": 7, "Note": "旧友", "Sampling": "drama"}]
    assert now["CharacterData"]["User"] == ["阿舟"]
    assert now["Prompt"] == "新\n\n麦子: 我来过" and now["Example"] == "麦子: 早。"
    assert now["Lorebook"][0]["page"] == 3 and now["AuthorsNote"] == {"text": "慢一点", "depth": 2}
    assert library.avatar("雾岛", "二", "麦子") is not None and library.avatar("雾岛", "二", "小麦") is None
    empty = {"digest": answer["digest"], "lorebook": [], "authors_note": {"text": " "}, "form": "chat"}
    await post(operator, at("雾岛", "二", "edit"), empty)
    now = raw(library, "雾岛", "二")
    assert "Lorebook" not in now and "AuthorsNote" not in now and now["PromptForm"] == "chat"


async def test_two_tabs_do_not_overwrite_each_other(operator: Client) -> None:
    """The second to save is told, and nothing of it is kept."""
    form = await get(operator, at("雾岛", "初见"))
    await post(operator, at("雾岛", "初见", "edit"), {"digest": form["digest"], "background": "甲"})
    refused = await post(operator, at("雾岛", "初见", "edit"), {"digest": form["digest"], "background": "乙"}, 409)
    assert refused["error"] == "stale_revision" and "别处" in refused["message"]
    assert (await get(operator, at("雾岛", "初见")))["background"] == "甲"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"characters": [{"name": "a:b"}]}, "冒号"),
        ({"characters": [{"name": "a"}, {"name": "a"}]}, "两次"),
        ({"characters": [{"name": ""}]}, "characters.0.name"),
        ({"lorebook": [{"keys": "雾", "text": ""}]}, "lorebook.0.keys"),
        ({"form": "poem"}, "form"),
        ({"background": 3}, "background"),
        ({"lore_budget": -1}, "lore_budget"),
    ],
)
async def test_a_wrong_form_is_told(operator: Client, body: dict[str, Any], why: str) -> None:
    """Which field; nothing is made."""
    refused = await post(operator, "/api/scenarios/create", {"series": "雾岛", "name": "新", **body}, 400)
    assert why in refused["message"]
    assert (await operator.get(at("雾岛", "新"))).status == 404


async def test_names_that_cannot_be(operator: Client) -> None:
    """Taken ones and empty ones, with the reason."""
    taken = await post(operator, "/api/scenarios/create", {"series": "雾岛", "name": "初见"}, 409)
    assert taken["error"] == "name_taken"
    nothing = await post(operator, "/api/scenarios/create", {"series": "雾岛", "name": "\u200b"}, 400)
    assert nothing["error"] == "mistake" and "不能当名字" in nothing["message"]
    for series, name in (("%2e%2e", "%2e%2e"), ("雾岛", "%2e%2e"), ("雾岛", "没有"), ("雾岛", "%2e%2e%2f雾岛%2f初见")):
        for then in ("", "/export", "/avatars/小铃"):
            path = URL(quote(f"/api/scenarios/{series}/{name}{then}", safe="/%"), encoded=True)
            assert (await operator.get(path)).status == 404


async def test_odd_things_in_a_file_do_not_stop_the_form(operator: Client, site: Site) -> None:
    """What somebody wrote there by hand is somebody else's."""
    odd = {"AuthorsNote": 3, "Lorebook": "x", "LoreBudget": None, "Sampling": [1], "PromptForm": {}}
    site.library.create(Scenario("雾岛", "怪", characters=(Character("甲", extra={"Note": 3}),), extra=odd))
    assert (await get(operator, at("雾岛", "怪")))["authors_note"] == {"text": "", "depth": 4}


# ---- files coming -----------------------------------------------------------------------------------------------


async def test_a_file_is_looked_at_first_and_then_taken_in(operator: Client) -> None:
    """The preview keeps nothing; the person's choices count."""
    asked = "/api/scenarios/import?name=" + quote("林守 #1.png") + "&series=" + quote("雾 岛") + "&user=Bo&greeting=2"
    card = picture(extra=[text("chara", V2)])
    seen = await post(operator, f"{asked}&preview=1", card)
    (found,) = seen["found"]
    assert (found["kind"], found["series"], found["name"], found["lore"]) == ("card_v2", "雾 岛", "林守", 2)
    assert found["characters"][0] == {"name": "林守", "side": "AI", "avatar": True}
    assert len(found["greetings"]) == 3 and "taken" not in seen
    assert len((await get(operator, "/api/scenarios"))["series"]) == 1
    (place,) = (await post(operator, asked, card))["taken"]
    form = await get(operator, at(place["series"], place["name"]))
    assert form["opening"] == "林守: 塔里很静。" and form["characters"][1]["name"] == "Bo"
    answer = await operator.get(form["characters"][0]["avatar"])
    assert await answer.read() == png.clean(picture())


async def test_every_kind_of_file_is_taken_in(operator: Client) -> None:
    """Pasted or dropped; a second time it gets a number, and a log joins its scenario."""
    folder = writing.folder_file(SERIES, NAME, FILES)
    kinds = []
    for name, content in (
        ("a.json", FILES[SCENARIO_FILE]),
        (LOG, FILES[LOG]),
        ("a.zip", folder),
        ("小禾", as_bytes(ROLE)),
    ):
        answer = await post(operator, f"/api/scenarios/import?name={quote(name)}", content)
        kinds.append((answer["found"][0]["kind"], answer["taken"][0]))
    assert kinds == [
        ("scenario", {"series": SERIES, "name": NAME}),
        ("log", {"series": SERIES, "name": NAME, "log": LOG}),
        ("folder", {"series": SERIES, "name": f"{NAME} 2"}),
        ("role_playing", {"series": "角色卡", "name": "小禾"}),
    ]


async def test_a_bad_file_is_told_and_nothing_is_kept(operator: Client) -> None:
    """Every mistake with its place, by preview and by import; of a zip not even the good half."""
    good, bad = FILES[SCENARIO_FILE], FILES[SCENARIO_FILE].replace(b'"Prompt": "', b'"Prompt": 3, "x": "')
    for query in ("preview=1&", ""):
        path = f"/api/scenarios/import?{query}name=a.zip"
        refused = await post(
            operator, path, archive.pack({"甲/一/场景剧本.json": good, "甲/二/场景剧本.json": bad}), 400
        )
        assert "甲/二/场景剧本.json Prompt" in refused["message"]
        assert (await post(operator, path, b"", 400))["error"] == "mistake"
    assert [one["series"] for one in (await get(operator, "/api/scenarios"))["series"]] == ["雾岛"]


async def test_what_is_too_large_is_not_read(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither with a length that is told nor without one."""
    monkeypatch.setattr(scenario_files.cards, "MOST_BYTES", 2**20)
    monkeypatch.setattr(scenario_files, "AVATAR_LIMIT", 2**20)

    async def endless() -> Any:
        for _ in range(300):
            yield bytes(2**16)

    for path in ("/api/scenarios/import?name=a", at("雾岛", "初见", "avatars", "小铃")):
        for body in (io.BytesIO(bytes(2**20 + 1)), endless()):
            answer = await operator.post(path, data=body)
            assert answer.status == 413 and "1 MiB" in (await answer.json())["message"]


# ---- files going ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "end"), [("drama", ".json"), ("card", ".card.json"), ("png", ".png"), ("zip", ".zip")]
)
async def test_an_export_comes_back_by_import(operator: Client, form: str, end: str) -> None:
    """Under the scenario's own name, as a file to be kept, with all that a card of elsewhere had."""
    card = writing.card_picture(parse_scenario(FILES[SCENARIO_FILE].decode()), {"阿砚": FILES["阿砚.png"]})
    (place,) = (await post(operator, "/api/scenarios/import?name=a.png&series=50%25%20%23", card))["taken"]
    answer = await operator.get(
        at(place["series"], place["name"], f"export?form={form}").replace("%3F", "?").replace("%3D", "=")
    )
    content = await answer.read()
    assert answer.status == 200
    kind, _, file = answer.headers["Content-Disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(file)) == ("attachment", f"{NAME}{end}")
    (again,) = (await post(operator, f"/api/scenarios/import?name={quote(NAME + end)}", content))["taken"]
    before, after = [await get(operator, at(one["series"], one["name"])) for one in (place, again)]
    unlike = ("name", "digest", "changed", "characters")
    assert {k: v for k, v in before.items() if k not in unlike} == {k: v for k, v in after.items() if k not in unlike}
    assert [one["name"] for one in after["characters"]] == ["阿砚", "我"]
    assert (after["characters"][0]["avatar"] is not None) == (form in ("png", "zip"))


async def test_a_form_that_there_is_not(operator: Client) -> None:
    """Told with those that there are; a card of nobody, too."""
    refused = await operator.get(f"{at('雾岛', '初见', 'export')}?form=pdf")
    assert refused.status == 400 and "zip" in (await refused.json())["message"]
    await post(operator, "/api/scenarios/create", {"series": "雾岛", "name": "无人"})
    refused = await operator.get(f"{at('雾岛', '无人', 'export')}?form=card")
    assert refused.status == 400 and "没有角色" in (await refused.json())["message"]


async def test_a_log_can_be_taken_away(operator: Client) -> None:
    """As it lies on the disk; there is no other file to be had."""
    answer = await operator.get(at("雾岛", "初见", "logs", "20230801-2100_Log.json"))
    assert (await answer.json())["Scenario"]["ScenarioName"] == "初见"
    for file in (SCENARIO_FILE, "小铃.png", "..", "../../show.db", "x_Log.json"):
        assert (await operator.get(at("雾岛", "初见", "logs", file))).status == 404


# ---- pictures ---------------------------------------------------------------------------------------------------


async def test_a_picture_is_checked_cleaned_and_shown(operator: Client) -> None:
    """Only a whole PNG becomes one; it can be replaced and removed."""
    path = at("雾岛", "初见", "avatars", "小铃")
    for bad in (b"", b"GIF89a", picture()[:-20], b"\x89PNG\r\n\x1a\n" + bytes(100)):
        refused = await post(operator, path, bad, 400)
        assert "头像" in refused["message"]
    await post(operator, path, picture())
    answer = await operator.get(path)
    assert await answer.read() == png.clean(picture()) and answer.headers["Cache-Control"] == "no-cache"
    await post(operator, f"{path}/remove", {})
    assert (await operator.get(path)).status == 404


async def test_pictures_of_odd_names(operator: Client) -> None:
    """Percent signs, slashes and hashes in a character's name."""
    people = [{"name": "50% #/?"}, {"name": "甲 乙"}]
    await post(operator, "/api/scenarios/create", {"series": "雾岛", "name": "名", "characters": people})
    for one in people:
        await post(operator, at("雾岛", "名", "avatars", one["name"]), picture())
    for shown in (await get(operator, at("雾岛", "名")))["characters"]:
        assert (await operator.get(shown["avatar"])).status == 200


async def test_a_character_who_is_nobody_gets_no_picture(operator: Client, site: Site) -> None:
    """A folder is not filled with pictures of names that somebody thinks up."""
    await post(operator, at("雾岛", "初见", "avatars", "别人"), picture(), 404)
    assert "别人.png" not in site.library.contents("雾岛", "初见")


async def test_a_card_of_an_archive_can_be_taken_in(operator: Client) -> None:
    """CharX, with what was left out told."""
    members = {"card.json": as_bytes(V3), "assets/icon/image/1.png": picture(), "assets/x.ogg": b"noise"}
    answer = await post(operator, "/api/scenarios/import?name=a.charx", archive.pack(members))
    assert "1 个文件" in answer["warnings"][0] and answer["found"][0]["characters"][0]["avatar"]


def test_addresses_of_files_are_plain_ascii() -> None:
    """A header holds nothing else."""
    answer = replies.as_file(b"", '雾"岛\r\nX: y.zip', "application/zip")
    assert answer.headers["Content-Disposition"].isascii() and "\n" not in answer.headers["Content-Disposition"]


async def test_scenes_stay_with_a_scenario_that_gets_another_name(operator: Client) -> None:
    """Open ones and those on record; what is saved of them lies in the folder's new place."""
    (opened,) = (await get(operator, "/api/desk"))["scenes"]
    await post(operator, at("雾岛", "初见", "rename"), {"series": "雾岛", "name": "再见"})
    shown = await get(operator, f"/api/desk/{opened['id']}")
    assert (shown["name"], shown["characters"][0]["avatar"]) == ("再见", at("雾岛", "再见", "avatars", "小铃"))
    assert [scene["name"] for scene in (await get(operator, "/api/desk"))["scenes"]] == ["再见"]
    saved = await post(operator, f"/api/desk/{opened['id']}/save", {})
    assert (await operator.get(at("雾岛", "再见", "logs", saved["file"]))).status == 200
