"""Character cards become scenarios, and scenarios cards, without loss."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cards import Kind, Wishes, read, writing
from bot.cards.card_export import NobodyThere, export_card, import_card
from bot.desk.lorebook import lorebook_of
from bot.scenario import Character, Line, Origin, Scenario, ScenarioError, dump_scenario, parse_scenario, render
from tests.cards.people import BOOK, V1, V2, V3, Json, as_bytes
from tests.test_scenario import scenarios


def scenario_of(card: Json, wishes: Wishes = Wishes()) -> Scenario:  # noqa: B008
    (found,) = read(as_bytes(card), "card.json", wishes)
    return found.scenario


def kept(scenario: Scenario) -> Scenario:
    """As it is after a stay on the disk."""
    return parse_scenario(dump_scenario(scenario))


# ---- in ---------------------------------------------------------------------------------------------------------


def test_a_card_is_a_scenario_of_two() -> None:
    """The character is the model's, {{user}} is the person's; names stand in all their places."""
    scenario = scenario_of(V2)
    assert (scenario.series, scenario.name) == ("角色卡", "林守")
    assert [(one.name, one.side) for one in scenario.characters] == [("林守", "AI"), ("我", "User")]
    assert scenario.background == (
        "写出林守的下一句话。\n\n林守是雾岛的守灯人，今年四十岁。\n\n他不相信我。\n\n林守的性格：寡言，固执\n\n"
        "我的船在雾里触了礁。\n\n我: 现在几点？\n\n林守: 12: 30。\n这里的钟停了。\n\n林守: 数台阶。"
    )
    assert scenario.opening == (Line("林守", "*林守放下提灯*\n醒了？先喝口水。", Origin.OPENING),)
    assert scenario.extra["AuthorsNote"] == {"text": "雾还没有散。\n只写林守的话。", "depth": 4}


def test_the_version_is_told() -> None:
    """Each of the three by its own marks."""
    kinds = [read(as_bytes(card), "card.json")[0].kind for card in (V1, V2, V3)]
    assert kinds == [Kind.CARD_V1, Kind.CARD_V2, Kind.CARD_V3]


def test_a_nickname_is_who_speaks() -> None:
    """Version 3 puts it where {{char}} stands."""
    assert scenario_of(V3).speaker == "老林"
    assert scenario_of(V3).opening[0].text.startswith("*老林放下提灯*")


def test_the_person_has_the_name_that_was_asked_for() -> None:
    """Also where it is the character's own."""
    assert scenario_of(V2, Wishes("阿舟")).speakers == ("林守", "阿舟")
    assert scenario_of(V2, Wishes("林守")).speakers == ("林守", "林守（用户）")


def test_another_greeting_can_begin() -> None:
    """All of them are offered, with the names in their places; who speaks in them is read."""
    (found,) = read(as_bytes(V2), "card.json", Wishes(greeting=1))
    assert len(found.greetings) == 3 and found.greetings[2] == "塔里很静。"
    assert [(line.character, line.text) for line in found.scenario.opening] == [
        ("林守", "别动。"),
        ("我", "这是哪儿？"),
    ]
    assert scenario_of(V2, Wishes(greeting=9)).opening == scenario_of(V2).opening


def test_the_book_is_a_lorebook_that_the_desk_reads() -> None:
    """Keys, secondary keys where they count, priorities, the budget and how far is looked back."""
    book = lorebook_of(scenario_of(V2))
    tower, ship = book.entries
    assert (tower.keys, tower.secondary, tower.priority) == (("灯塔", "塔顶", "灯室", "林守的灯"), ("夜",), 10)
    assert tower.text == "灯塔有一百零八级台阶，林守每天数一遍。"
    assert (ship.name, ship.secondary, ship.priority, ship.enabled) == ("船", (), 90, False)
    assert (book.budget, book.depth) == (300, 6)


def test_a_pattern_for_a_key_is_told() -> None:
    """A choice of words is taken as words; anything cleverer is looked for as it stands, and the person learns it."""
    card = copy.deepcopy(V2)
    card["data"]["character_book"]["entries"][1]["keys"] = ["/船(只)?/"]
    (found,) = read(as_bytes(card), "card.json")
    assert "/船(只)?/" in "".join(found.notes) and "塔顶" not in "".join(found.notes)


def test_what_nobody_will_fill_in_is_told() -> None:
    """Dice and times are a chat program's."""
    (found,) = read(as_bytes({**V1, "first_mes": "{{roll:d6}} {{time}} {{time}}"}), "card.json")
    assert "{{roll:d6}}、{{time}}。" in found.notes[0]
    assert not read(as_bytes(V1), "card.json")[0].notes


def test_every_mistake_of_a_card_is_said() -> None:
    """Which field, what stands there, what belongs there; null and a missing field are none."""
    card = {**V2, "data": {**V2["data"], "name": " ", "first_mes": 3, "alternate_greetings": "hi", "scenario": None}}
    card["data"]["character_book"] = {"entries": [{"keys": "船", "content": ["x"]}, 7]}
    with pytest.raises(ScenarioError) as error:
        read(as_bytes(card), "card.json")
    told = str(error.value)
    places = ("name", "first_mes", "alternate_greetings")
    inside = ("character_book.entries[0].keys", "character_book.entries[0].content", "character_book.entries[1]")
    assert all(f"card.json data.{place}：" in told for place in (*places, *inside))
    assert "data.scenario" not in told


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_a_card_without_data_is_a_mistake(data: object) -> None:
    """It says that it is a card, and is none."""
    with pytest.raises(ScenarioError, match="data"):
        read(as_bytes({"spec": "chara_card_v2", "data": data}), "card.json")


# ---- out and in again -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("card", [V1, V2, V3], ids=["v1", "v2", "v3"])
def test_a_card_that_nobody_changed_goes_out_as_it_came(card: Json) -> None:
    """Placeholders, unknown fields, extensions and the book are what they were, in version 3's dress."""
    out = export_card(kept(scenario_of(card)))
    data = copy.deepcopy(out["data"])
    del data["extensions"]["rwkv_cohost"]
    before = card if card is V1 else card["data"]
    assert {key: data[key] for key in before if key in data} == {key: before[key] for key in before if key in data}
    assert card is V1 or set(before) <= set(data)
    assert out["create_date"] == card["create_date"] and (out["spec"], out["spec_version"]) == ("chara_card_v3", "3.0")


@pytest.mark.parametrize("card", [V1, V2, V3], ids=["v1", "v2", "v3"])
def test_what_was_changed_goes_out_changed(card: Json) -> None:
    """Only that: the rest of the card stays as its author wrote it."""
    before = kept(scenario_of(card))
    data = export_card(replace(before, opening=(Line(before.speaker, "天亮了。"),)))["data"]
    assert data["first_mes"] == "天亮了。"
    original = card if card is V1 else card["data"]
    assert data["description"] == original["description"] and data["mes_example"] == original["mes_example"]
    data = export_card(replace(before, background="什么都没有了。"))["data"]
    assert (data["description"], data["scenario"], data["mes_example"]) == ("什么都没有了。", "", "")
    assert data["first_mes"] == original["first_mes"]


def test_one_changed_entry_leaves_the_others_of_the_book() -> None:
    """And of the changed one what was not changed, unknown fields included."""
    before = kept(scenario_of(V2))
    tower, ship = (dict(entry) for entry in before.extra["Lorebook"])
    ship |= {"text": "昨夜来了一艘船。", "secondary": ["雾"]}
    book = export_card(replace(before, extra={**before.extra, "Lorebook": [tower, ship]}))["data"]["character_book"]
    was = BOOK["entries"][1]
    changed = {"content": "昨夜来了一艘船。", "secondary_keys": ["雾"], "selective": True, "use_regex": False}
    assert book["entries"] == [BOOK["entries"][0], {**was, **changed}]
    assert {**book, "entries": []} == {**BOOK, "entries": []}


@pytest.mark.parametrize("card", [V1, V2, V3], ids=["v1", "v2", "v3"])
@pytest.mark.parametrize("change", ["background", "opening", "lore", "note", "name", "drop a card"])
def test_programs_that_do_not_know_us_see_the_changes(card: Json, change: str) -> None:
    """Without our own part of it, the card still says what the scenario says of the character."""
    entry = {"name": "雾", "keys": ["雾"], "secondary": ["夜"], "text": "雾不散。", "priority": 3, "constant": True}
    scenario = changed(kept(scenario_of(card)), change, "海上起风了", [entry | {"enabled": True, "case": False}])
    out = export_card(scenario)
    del out["data"]["extensions"]["rwkv_cohost"]
    seen = without_card(scenario_of(out))
    expected = without_card(scenario)
    assert (seen.speaker, seen.background, seen.opening) == (expected.speaker, expected.background, expected.opening)
    unlike = {"Lorebook"} if change == "name" else set()  # placeholders in the book follow to the new name
    assert {k: v for k, v in seen.extra.items() if k not in unlike} == {
        k: v for k, v in expected.extra.items() if k not in unlike
    }
    assert "nickname" not in out["data"] or change != "name"


def test_older_words_are_not_handed_on() -> None:
    """Who rewrites a card and gives it away gives away the new words only."""
    before = kept(scenario_of(V2))
    entry = {**before.extra["Lorebook"][0], "text": "没有灯塔。", "keys": ["没有"]}
    after = replace(before, background="新的背景", opening=(), extra={"Lorebook": [entry]})
    text = json.dumps(export_card(after), ensure_ascii=False)
    assert "守灯人" not in text and "一百零八级" not in text and "醒了" not in text


@settings(max_examples=60)
@given(scenarios())
def test_a_scenario_comes_back_from_its_card(scenario: Scenario) -> None:
    """All characters, settings and unknown keys of it, by way of JSON and of a picture."""
    if not scenario.characters:
        with pytest.raises(NobodyThere):
            export_card(scenario)
        return
    assert read(writing.card_file(scenario), "card.json")[0].scenario == scenario


lore = st.fixed_dictionaries(
    {"name": st.text(max_size=4), "keys": st.lists(st.text(max_size=4), max_size=2), "text": st.text(max_size=6)},
    optional={"priority": st.integers(-9, 9), "secondary": st.lists(st.text(max_size=3), max_size=2), "x": st.none()},
)


@settings(max_examples=80)
@given(
    st.sampled_from([V1, V2, V3]),
    st.sampled_from(["我", "林守", "阿舟"]),
    st.integers(0, 2),
    st.text(max_size=20),
    st.lists(lore, max_size=3),
    st.sampled_from([None, "background", "opening", "lore", "note", "name", "drop a card"]),
)
def test_an_imported_card_may_be_changed_and_travel_on(
    card: Json, user: str, greeting: int, words: str, entries: list[Json], change: str | None
) -> None:
    """What the export of a changed card brings back is the changed scenario; a second journey changes nothing more."""
    scenario = changed(kept(scenario_of(card, Wishes(user, greeting))), change, words, entries)
    once = kept(read(writing.card_file(scenario), "card.json")[0].scenario)
    assert without_card(once) == without_card(scenario)
    assert export_card(once)["data"] == export_card(scenario)["data"]
    assert kept(read(writing.card_file(once), "card.json")[0].scenario) == once


def changed(scenario: Scenario, change: str | None, words: str, entries: list[Json]) -> Scenario:
    lead, other = scenario.characters
    if change == "background":
        return replace(scenario, background=words)
    if change == "opening":
        return kept(replace(scenario, opening=(Line(lead.name, words), Line(other.name, words))))
    if change == "lore":
        return replace(
            scenario, extra={**scenario.extra, "Lorebook": [*scenario.extra.get("Lorebook", [])[:1], *entries]}
        )
    if change == "note":
        return replace(scenario, extra={**scenario.extra, "AuthorsNote": {"text": words, "depth": len(words) % 3}})
    if change == "name":
        said = [replace(line, character="新名字") if line.character == lead.name else line for line in scenario.opening]
        return replace(scenario, characters=(replace(lead, name="新名字"), other), opening=tuple(said))
    if change == "drop a card":
        return replace(scenario, characters=(replace(lead, extra={}), other))
    return scenario


def without_card(scenario: Scenario) -> Scenario:
    """The card as it came is another one after it has gone out with changes; everything else is compared."""
    cast = [replace(one, extra={k: v for k, v in one.extra.items() if k != "Card"}) for one in scenario.characters]
    book = [{k: v for k, v in entry.items() if k != "extra"} for entry in scenario.extra.get("Lorebook", [])]
    return replace(scenario, characters=tuple(cast), extra={**scenario.extra, "Lorebook": book})


def test_a_card_that_was_changed_elsewhere_says_what_it_says() -> None:
    """Our own part of it is out of date then, and gives way."""
    scenario = Scenario("雾岛", "初见", "旧的背景", (), (Character("小麦"), Character("小豆"), Character("我", "User")))
    out = export_card(scenario)
    assert import_card(out, "card.json", Wishes()).scenario == scenario
    out["data"]["description"] = "别处写的新背景"
    there = import_card(out, "card.json", Wishes()).scenario
    assert there.background == "别处写的新背景" and there.speakers == ("小麦", "我")


def test_notes_of_others_on_our_card_are_kept() -> None:
    """What we have no place for does not make our part out of date."""
    scenario = Scenario("雾岛", "初见", "背景", (), (Character("小麦"), Character("小豆")))
    out = export_card(scenario)
    out["data"]["creator_notes"] = "很好用"
    back = import_card(out, "card.json", Wishes()).scenario
    assert back.speakers == ("小麦", "小豆")
    assert export_card(back)["data"]["creator_notes"] == "很好用"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "entries",
                        "keys",
                        "data",
                        "name",
                        "extensions",
                        "rwkv_cohost",
                        "scenario",
                        "card",
                        "extra",
                        "names",
                        "character_book",
                        "first_mes",
                        "depth_prompt",
                        "prompt",
                        "depth",
                        "alternate_greetings",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_any_card_is_read_or_is_a_clear_mistake(value: Any) -> None:
    """No card, however odd, gives another error than ours."""
    for card in (
        {"spec": "chara_card_v3", "data": value},
        {"spec": "chara_card_v2", "data": {**V2["data"], "extensions": value}},
        {**V1, "character_book": value},
        {**V1, "extensions": {"rwkv_cohost": value}, "data": value},
    ):
        try:
            scenario = scenario_of(card)
        except ScenarioError as error:
            assert "card.json" in str(error)
        else:
            export_card(kept(scenario))


def test_the_greeting_of_several_is_their_dialogue() -> None:
    """A card has one greeting; several people's lines are written out in it."""
    two = (Line("小麦", "早。"), Line("我", "早。"))
    scenario = Scenario("雾岛", "初见", "", two, (Character("小麦"), Character("我", "User")))
    assert export_card(scenario)["data"]["first_mes"] == render(scenario.opening) == "小麦: 早。\n\n我: 早。"
