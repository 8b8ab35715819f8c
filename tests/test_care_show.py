"""Somebody in danger gets a person's words, by a person's hand; sexual words about children get nowhere at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.approval import Refused
from bot.messages import Kind
from bot.show import MOST_CARE
from moderation import build_chain
from moderation.care import care_words
from tests.moderation.suites import lines
from tests.test_show import ANNA, SCENE, House, code
from tests.waiting import until

LINE = "心理援助热线 010-12345678"
WORDS = care_words(LINE)
IN_DANGER = "我不想活了"


def a_house(folder: Path, **rules: object) -> House:
    return House(folder, checks=build_chain(speakers=SCENE.speakers, allow=[LINE]), care=WORDS, **rules)


async def test_a_card_with_a_persons_words_comes_up(tmp_path: Path) -> None:
    """At once, before its turn; no model is asked; it waits until somebody comes."""
    house = a_house(tmp_path, max_pending=1)
    async with house.running():
        house.hear("今天玩什么？", 1)
        await house.card()
        house.hear(IN_DANGER, 2)
        (card,) = [item for item in house.items("pending") if item["class"] == "care"]
        assert [(draft["text"], draft["flags"], draft["by_person"]) for draft in card["drafts"]] == [(WORDS, [], True)]
        assert card["expires"] is None and card["quote"] is None
        assert ("care", "self_harm") in [(flag["rule"], flag["category"]) for flag in card["findings"]]
        assert len(house.engine.prompts) == 1


async def test_it_is_sent_by_a_person(tmp_path: Path) -> None:
    """Nothing is shown before somebody approves; the help line's number is no finding then."""
    house = a_house(tmp_path)
    async with house.running():
        house.hear(IN_DANGER)
        card = await house.card()
        assert house.stage.seen == []
        await house.approve(card)
        await until(lambda: house.stage.seen == [WORDS])


async def test_no_model_writes_for_it(tmp_path: Path) -> None:
    """Not when more is asked for, not when it is answered from the list of those passed over."""
    house = a_house(tmp_path)
    async with house.running():
        house.hear(IN_DANGER)
        card = await house.card()
        with pytest.raises(Refused) as refusal:
            house.show.more(card["id"], card["revision"], ANNA)
        assert code(refusal) == "care"
        assert house.engine.prompts == []


async def test_a_flood_of_them_brings_a_few_at_once(tmp_path: Path) -> None:
    """The rest wait for their turn, and get the same words."""
    house = a_house(tmp_path, max_pending=MOST_CARE)
    async with house.running():
        for number, text in enumerate(lines("self_harm")[: MOST_CARE + 2]):
            house.hear(text, number)
        cards = [item for item in house.items("pending") if item["class"] == "care"]
        assert len(cards) == MOST_CARE
        house.show.reject(cards[0]["id"], cards[0]["revision"], ANNA)
        await until(lambda: len([item for item in house.items("pending") if item["class"] == "care"]) == MOST_CARE)
        assert house.engine.prompts == []


async def test_without_words_for_it_the_message_is_only_marked(tmp_path: Path) -> None:
    """A program that embeds the show may have none."""
    house = House(tmp_path)
    async with house.running():
        house.hear(IN_DANGER)
        card = await house.card()
        assert card["class"] != "care" and card["findings"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_words_name_the_help_line(lang: str) -> None:
    """The operator's, or any where there is none."""
    assert LINE in care_words(LINE, lang)
    assert "{" not in care_words("", lang)


@pytest.mark.parametrize("text", lines("minors"))
async def test_sexual_words_about_children_can_never_be_approved(tmp_path: Path, text: str) -> None:
    """Not as a model's draft, not as an edit, not as a line of one's own, and no reason lets them through."""
    house = House(tmp_path)
    house.engine.answer = text
    async with house.running():
        house.hear("晚上好？", 1, Kind.DANMAKU)
        card = await house.card()
        assert all(
            any(flag["rule"] == "minors" and flag["level"] == "block" for flag in draft["flags"])
            for draft in card["drafts"]
        )
        for words, reason in ((None, ""), (None, "我说可以"), (f"好的，{text}", ""), (f"好的，{text}", "我说可以")):
            with pytest.raises(Refused):
                house.show.approve(card["id"], card["revision"], words or card["drafts"][0]["text"], ANNA, reason)
        with pytest.raises(Refused):
            house.show.say("", text, ANNA)
        assert house.show.objection(text)
        assert house.stage.seen == []


@pytest.mark.parametrize("text", lines("minors"))
async def test_such_a_message_does_not_reach_the_model(tmp_path: Path, text: str) -> None:
    """It is held."""
    house = House(tmp_path)
    async with house.running():
        house.hear(text)
        assert [held["message"]["id"] for held in house.show.snapshot()["held"]] == ["m1"]
        assert house.engine.prompts == []
