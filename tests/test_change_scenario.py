"""The co-host gets another scenario while the program runs: all of it or nothing, and never under a card that waits."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.approval import Item, ItemId, Refused, State
from bot.backstage import Backstage
from bot.config import load_config
from bot.engine.types import Sampling
from bot.rules import Rules
from bot.save import Save
from bot.scenario import Character, Line, Scenario, ScenarioError
from bot.staging import Staging
from moderation import Chain, WatchedWords, build_chain
from tests.test_show import ANNA, SCENE, House, code
from tests.waiting import until

INN = Scenario(
    "夜谈", "客栈", "雨夜，一家客栈。", (Line("掌柜", "客官里边请。"),), (Character("掌柜"), Character("客人", "User"))
)
SCENES = {"演示/直播间": SCENE, "夜谈/客栈": INN}
HOT = Sampling(temperature=1.7)


@functools.cache
def checks(key: str) -> Chain:
    """Reading the word lists takes its time; the program reads them once."""
    return build_chain(speakers=SCENES[key].speakers)


def stage(series: str, name: str) -> Staging:
    key = f"{series}/{name}" if series else "演示/直播间"
    if (scene := SCENES.get(key)) is None:
        raise Refused("not_found", "没有这个剧本")
    rules = Rules(drafts=2, sampling=HOT if scene is INN else Sampling(), lifetimes={"question": 60.0})
    return Staging(
        scene,
        build_chain(speakers=scene.speakers),
        rules,
        {scene.speaker: Path("face.png")},
        f"{series}/{name}".strip("/"),
    )


def opened(folder: Path, **more: Any) -> House:
    return House(folder, stage=stage, **more)


async def test_everything_follows_the_scenario(tmp_path: Path) -> None:
    """Prompts, the name that is listened for, the checks, the voices, the memory, the board, the pictures, every panel."""
    told: list[Staging] = []
    house = opened(tmp_path, on_change=told.append)
    async with house.running():
        house.hear("你是谁？", 1)
        await house.approve(await house.card(), "我是小芽！")
        await until(lambda: house.stage.seen)
        house.now += 60.0
        await until(lambda: house.items("done"))
        with house.feed.subscribe() as reader:
            house.show.change_scenario("夜谈", "客栈", ANNA)
            snapshot = await anext(reader)
        assert snapshot["event"] == "snapshot" and snapshot["status"]["scenario"] == "夜谈/客栈"
        assert house.show.status()["character"] == "掌柜" and house.items() == []
        assert told[0].avatars == {"掌柜": Path("face.png")}
        house.hear("掌柜在吗", 2)
        card = await house.card()
        assert (card["character"], card["class"]) == ("掌柜", "mention")
        fed = "".join(house.engine.prompts[-1].parts)
        assert "雨夜" in fed and "掌柜: 客官里边请。" in fed and "小芽" not in fed
        assert house.engine.samplings[-1] == HOT
        with pytest.raises(Refused) as forged:
            await house.approve(card, "好\n\n客人: 谢谢")
        assert code(forged) == "blocked"
        await house.approve(card, "在呢。")
        await until(lambda: house.stage.seen[-1] == "在呢。")
        assert [line.text for line in house.show.transcript_lines()][-1] == "在呢。"


async def test_each_scenario_has_its_own_cards_and_its_own_memory(tmp_path: Path) -> None:
    """Back again, they are there; meanwhile a card of the other one cannot be brought back."""
    house = opened(tmp_path)
    async with house.running():
        house.show.say("", "说过的话", ANNA)
        await until(lambda: house.stage.seen)
        house.now += 60.0
        await until(lambda: house.items("done"))
        house.hear("你是谁？", 1)
        card = await house.card()
        house.show.reject(card["id"], card["revision"], ANNA)
        before = house.show.transcript_lines()
        house.show.change_scenario("夜谈", "客栈", ANNA)
        with pytest.raises(Refused) as gone:
            house.show.undo(card["id"], card["revision"] + 1, ANNA)
        assert code(gone) == "not_found"
        assert [line.text for line in house.show.transcript_lines()] == ["客官里边请。"]
        house.show.change_scenario("", "", ANNA)
        assert house.show.transcript_lines() == before
        assert [item["state"] for item in house.items()] == ["rejected", "done"]


async def waiting(house: House) -> None:
    house.hear("你是谁？")
    await house.card()


async def approved(house: House) -> None:
    await waiting(house)
    house.show.say("", "先播这句", ANNA)
    await until(lambda: house.stage.now)
    await house.approve(await house.card())


async def aired(house: House) -> None:
    house.show.say("", "正在播", ANNA)
    await until(lambda: house.stage.now)


@pytest.mark.parametrize("busy", [waiting, approved, aired])
async def test_it_is_refused_while_a_card_is_not_over(tmp_path: Path, busy: Callable[[House], Any]) -> None:
    """And says why; the file of the other scenario is not even read."""
    house = opened(tmp_path)
    async with house.running():
        await busy(house)
        before = house.show.snapshot()
        with pytest.raises(Refused, match="还有") as refusal:
            house.show.change_scenario("夜谈", "没有这个", ANNA)
        assert code(refusal) == "busy" and house.show.snapshot() == before


@pytest.mark.parametrize("fault", ["unknown", "remember", "settle"])
async def test_whatever_goes_wrong_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A scenario that is not there; a disk that refuses the choice, or the undoing of an old approval."""
    house = opened(tmp_path)
    if fault == "settle":
        old = Item(ItemId("old"), 1.0, "掌柜", state=State.APPROVED, revision=2, text="旧的认可", by="Anna")
        house.save.record("夜谈/客栈", old, None)
    async with house.running():
        before, lines = house.show.snapshot(), house.show.transcript_lines()
        if fault != "unknown":
            house.save._db.execute("PRAGMA query_only = ON")
        with pytest.raises(Refused) as refusal:
            house.show.change_scenario("夜谈", "没有" if fault == "unknown" else "客栈", ANNA)
        assert code(refusal) == ("not_found" if fault == "unknown" else "save_failed")
        house.save._db.execute("PRAGMA query_only = OFF")
        after = house.show.snapshot()
        assert {k: v for k, v in after.items() if k != "status"} == {k: v for k, v in before.items() if k != "status"}
        assert after["status"]["scenario"] == "演示/直播间" and house.show.transcript_lines() == lines
        assert house.save.recollect("scenario") is None


async def test_an_approval_of_an_earlier_time_needs_a_person_again(tmp_path: Path) -> None:
    """A crash has left approved words under the other scenario: they wait, and are not aired."""
    house = opened(tmp_path)
    old = Item(ItemId("old"), 1.0, "掌柜", state=State.APPROVED, revision=2, text="旧的认可", by="Anna")
    house.save.record("夜谈/客栈", old, None)
    async with house.running():
        house.show.change_scenario("夜谈", "客栈", ANNA)
        assert [(item["state"], item["text"]) for item in house.items()] == [("pending", None)]
        await asyncio.sleep(0.25)  # more than one turn of the show
        assert house.stage.seen == []


async def test_a_stop_and_a_change_while_an_outlet_takes_its_time(tmp_path: Path) -> None:
    """The second outlet stays silent and the show goes on."""
    house = opened(tmp_path)
    async with house.running():
        house.stage.delay = asyncio.Event()
        house.show.say("", "慢慢播", ANNA)
        await until(lambda: house.items("aired"))
        house.show.stop(ANNA)
        house.show.change_scenario("夜谈", "客栈", ANNA)
        house.stage.delay.set()
        house.stage.delay = None
        house.show.pause("run", ANNA)
        house.show.say("", "新的一幕", ANNA)
        await until(lambda: house.second.seen == ["新的一幕"])


async def test_half_a_character_in_a_title_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be played, and what is said in it is on record: a file from elsewhere may end in half an emoji."""
    half = replace(INN, name="客栈\ud83d")
    monkeypatch.setitem(SCENES, "夜谈/半", half)
    house = opened(tmp_path)
    async with house.running():
        house.show.change_scenario("夜谈", "半", ANNA)
        house.show.say("", "打烊了。", ANNA)
        await until(lambda: house.stage.seen)
        assert house.show.status()["scenario"] == half.key == "夜谈/客栈\ufffd"
        assert [item.text for item in house.save.published_items(half.key)] == ["打烊了。"]


async def test_without_other_scenarios_there_is_no_change(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running():
        with pytest.raises(Refused) as refusal:
            house.show.change_scenario("夜谈", "客栈", ANNA)
        assert code(refusal) == "no_scenarios"


@pytest.mark.parametrize("seed", range(3))
async def test_approving_and_changing_at_once_airs_nothing_that_nobody_approved(tmp_path: Path, seed: int) -> None:
    """Viewers, two operators who approve old and new screens, one who changes the scenario, and the clock, all at once.

    What is aired was approved in these words, as a card of the scenario that is played; each scenario remembers its own.
    """
    dice, house = random.Random(seed), opened(tmp_path)
    queue, played = house.show._queue, "演示/直播间"  # a snapshot a click would cost more than the clicks
    meant: dict[tuple[str, str], str] = {}  # item and words -> the scenario that was played when somebody said yes
    changes, refusals, screens = 0, 0, list[Item]()

    async def viewers() -> None:
        for number in range(30):
            house.hear(f"第{number}个问题是什么？", number)
            for _ in range(dice.randrange(20)):
                await asyncio.sleep(0)

    async def approve() -> None:
        for _ in range(200):
            screens.extend(queue.items(State.PENDING))
            if screens:
                card, words = dice.choice(screens[-8:]), f"{dice.random()}"
                with contextlib.suppress(Refused):
                    house.show.approve(card.id, card.revision, words, ANNA)
                    meant[card.id, words] = played
            await asyncio.sleep(0)

    async def change() -> None:
        nonlocal changes, refusals, played
        for _ in range(200):
            (other,) = SCENES.keys() - {played}
            busy = queue.items(State.PENDING, State.APPROVED, State.AIRED)
            try:
                house.show.change_scenario(*other.split("/"), ANNA)
                assert not busy
                changes, played = changes + 1, other
            except Refused as refusal:
                assert refusal.code == "busy"
                refusals += 1
            for item in queue.items(State.PENDING)[:1] if dice.random() < 0.3 else []:
                house.show.reject(item.id, item.revision, ANNA)
            house.now += 1.0
            house.show._wake()
            await asyncio.sleep(0)

    async with house.running():
        await asyncio.gather(viewers(), approve(), change(), approve())
        for key in SCENES:
            house.show.pause("drop", ANNA)
            house.show.stop(ANNA)
            house.show.pause("drop", ANNA)
            house.show.change_scenario(*key.split("/"), ANNA)
            rows = house.save._db.execute(
                "SELECT item, text FROM decisions JOIN items ON items.id = item "
                "WHERE action = 'air' AND scenario = ? ORDER BY number", (key,)
            ).fetchall()  # fmt: skip
            assert all(meant.get(row) == key for row in rows)
            replies = [line.text for line in house.show.transcript_lines() if line.character == SCENES[key].speaker]
            assert replies[1:] == [words for _, words in rows]
        aired = list(house.stage.seen)
        assert set(aired) <= {words for _, words in meant} and len(set(aired)) == len(aired)
    assert changes > 5 and refusals > 5 and len(aired) > 3


# -- which one comes first ---------------------------------------------------------------------------------------------


def backstage(folder: Path, save: Save, scenario: str = "演示/直播间") -> Backstage:
    config = folder / "config.yaml"
    config.write_text(f"save: Save\nscenario: {scenario}\n", encoding="utf-8")
    return Backstage(load_config(config), save, WatchedWords(()))


@pytest.fixture
def save(tmp_path: Path) -> Any:
    save = Save(tmp_path / "Save")
    for scene in SCENES.values():
        save.library.create(scene, avatars={scene.speaker: b"a picture"})
    yield save
    save.close()


def test_a_choice_survives_a_restart_until_the_settings_name_another(tmp_path: Path, save: Save) -> None:
    """Then the settings are right, and stay right when they are changed back."""
    assert backstage(tmp_path, save).first().key == "演示/直播间"
    staging = backstage(tmp_path, save)("夜谈", "客栈")
    assert (staging.choice, list(staging.avatars)) == ("夜谈/客栈", ["掌柜"])
    save.remember("scenario", staging.choice)
    assert backstage(tmp_path, save).first().key == "夜谈/客栈"
    save.library.create(Scenario("演示", "别的"))
    assert backstage(tmp_path, save, "演示/别的").first().key == "演示/别的"
    assert backstage(tmp_path, save).first().key == "演示/直播间"


def test_a_chosen_scenario_that_is_gone_gives_way_to_the_settings(
    tmp_path: Path, save: Save, caplog: pytest.LogCaptureFixture
) -> None:
    """Said in the log; one of the settings that is gone ends the start."""
    assert backstage(tmp_path, save).first().choice == ""
    save.remember("scenario", "夜谈/客栈")
    save.library.discard("夜谈", "客栈")
    assert backstage(tmp_path, save).first().key == "演示/直播间"
    assert "夜谈/客栈" in caplog.text
    save.library.discard("演示", "直播间")
    with pytest.raises(ScenarioError):
        backstage(tmp_path, save).first()


def test_a_scenario_with_a_mistake_cannot_be_chosen(tmp_path: Path, save: Save) -> None:
    """The person is told where it is; so is one whose name leads out of the folder."""
    kept = save.library.read("夜谈", "客栈")
    file = save.library.folder("夜谈", "客栈") / "场景剧本.json"
    data = json.loads(file.read_text(encoding="utf-8")) | {"Sampling": {"temperature": -1}}
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ScenarioError, match="Sampling"):
        backstage(tmp_path, save)(kept.series, kept.name)
    for series, name in (("..", "Save"), ("夜谈", "../../演示/直播间"), ("夜谈", "")):
        with pytest.raises(Refused):
            backstage(tmp_path, save)(series, name)
