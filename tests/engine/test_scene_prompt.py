"""What a scene at the desk feeds: the same for the same story however it came here, and little of it anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.engine.prompting import live_prompt, viewer_line
from bot.engine.scene_prompt import SETTING_DEPTH, STRIDE, Cue, Fed, Label, SceneText, scene_prompt
from bot.engine.tokenizer import WorldTokenizer
from bot.engine.types import Prompt
from bot.scenario import (
    NARRATOR,
    Character,
    Line,
    Log,
    Scenario,
    ScenarioError,
    dump_log,
    dump_scenario,
    parse_log,
    parse_scenario,
)
from tests.engine.turns import a_message
from tests.test_scenario import extras, lines, scenarios, words

SCENARIO = Scenario(
    "海边",
    "灯塔",
    "一座灯塔，一场大雾。",
    (Line("小麦", "有人吗？"), Line("我", "在。")),
    (Character("小麦", "AI", {"Note": "话多。\n\n怕黑。"}), Character("阿岩"), Character("我", "User")),
)
CHAT = replace(SCENARIO, extra={"PromptForm": "chat"})
OPENING = SCENARIO.opening


def told(*said: tuple[str, str]) -> tuple[Line, ...]:
    return (*OPENING, *(Line(character, text) for character, text in said))


def text_of(prompt: Prompt) -> str:
    return "".join(prompt.parts) + prompt.start_with


def labels(fed: Fed) -> list[str]:
    """Without repetitions."""
    names = [part.label.value for part in fed.parts]
    return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]


# ---- what is said ----------------------------------------------------------------------------------------------------

EVERYTHING = SceneText(
    SCENARIO,
    told(("小麦", "雾来了。"), ("", "钟响了。")),
    pending=(Line("我", "别怕"),),
    present=("小麦", "我"),
    lore=(("钟", "钟声从海底来。"),),
    note="慢一点",
    depth=1,
)


def test_by_name_it_reads_as_role_play_is_written() -> None:
    """Every part in its place, the canonical text, the cue with nothing after its colon."""
    fed = scene_prompt(EVERYTHING, Cue("小麦", "你听", "她压低了声音"))
    assert text_of(fed.prompt) == (
        "一座灯塔，一场大雾。\n\n小麦: 有人吗？\n\n我: 在。\n\n【小麦】话多。\n怕黑。\n\n钟声从海底来。\n\n"
        "小麦: 雾来了。\n\n钟响了。\n\n慢一点\n\n我: 别怕\n\n她压低了声音\n\n小麦: 你听"
    )
    assert labels(fed) == [
        *("background", "opening", "character", "lore", "story", "note", "pending", "hint", "cue"),
    ]
    assert "".join(part.text for part in fed.parts) == "".join(fed.prompt.parts)


def test_as_a_chat_every_turn_names_its_role_and_its_speaker() -> None:
    """Those of the User side speak as User, the others and the narrator as Assistant; what nobody says is System's."""
    fed = scene_prompt(replace(EVERYTHING, scenario=CHAT), Cue("小麦", "你听", "她压低了声音"))
    assert text_of(fed.prompt) == (
        "System: 一座灯塔，一场大雾。\n\nAssistant: 小麦: 有人吗？\n\nUser: 我: 在。\n\n"
        "System: 【小麦】话多。\n怕黑。\n\nSystem: 钟声从海底来。\n\n"
        "Assistant: 小麦: 雾来了。\n\nAssistant: 旁白: 钟响了。\n\nSystem: 慢一点\n\nUser: 我: 别怕\n\n"
        "System: 她压低了声音\n\nAssistant: 小麦: 你听"
    )


@pytest.mark.parametrize("scenario", [SCENARIO, CHAT], ids=["name", "chat"])
def test_every_known_speaker_ends_a_draft(scenario: Scenario) -> None:
    """Those of the scenario, those who have spoken, the one who is to, the narrator, and the roles of a chat."""
    scene = SceneText(scenario, told(("路人", "让让")), pending=(Line("船长", "走"),))
    stops = scene_prompt(scene, Cue("客人")).prompt.stops
    known = {"小麦", "阿岩", "我", "路人", "船长", "客人", "旁白", "观众"}
    known |= {"User", "Assistant", "System"} if scenario is CHAT else set()
    assert set(stops) == {"\n\n", *(f"\n{name}{colon}" for name in known for colon in ":：")}


def test_the_model_may_write_the_users_side() -> None:
    """As whoever is asked for, in the role that their lines have."""
    scene = SceneText(CHAT, OPENING)
    assert scene_prompt(scene, Cue("我")).prompt.parts[-1] == "User: 我:"
    assert scene_prompt(replace(scene, scenario=SCENARIO), Cue("我")).prompt.parts[-1] == "我:"


def test_narration_is_cued_by_its_name_or_by_its_own_beginning() -> None:
    """A draft of it cannot begin with somebody's name; and a paragraph that has begun needs no cue."""
    scene = SceneText(SCENARIO, OPENING)
    assert scene_prompt(scene, Cue(NARRATOR)).prompt.parts[-1] == "旁白:"
    begun = scene_prompt(scene, Cue(NARRATOR, "天亮了，"))
    assert text_of(begun.prompt).endswith("我: 在。\n\n天亮了，") and begun.parts[-1].label is Label.OPENING
    assert scene_prompt(replace(scene, scenario=CHAT), Cue(NARRATOR)).prompt.parts[-1] == "Assistant: 旁白:"


@pytest.mark.parametrize("scenario", [SCENARIO, CHAT], ids=["name", "chat"])
@given(st.sampled_from(["小麦", "我", "路人"]), words)
def test_a_line_reads_as_its_cue_and_its_words(scenario: Scenario, character: str, text: str) -> None:
    """What is drafted under a cue is read later as it was written."""
    cued = scene_prompt(SceneText(scenario, OPENING), Cue(character, text)).prompt
    if cued.start_with:
        later = scene_prompt(SceneText(scenario, (*OPENING, Line(character, text))), Cue("小麦")).prompt
        assert text_of(later).startswith(text_of(cued) + "\n\n")


def test_after_a_refresh_only_the_last_lines_are_told() -> None:
    """Background, the summary in place of what was before, the lines from the given one on; no opening."""
    scene = replace(EVERYTHING, summary="他们守着灯。", first=3, lore=(), note="")
    assert text_of(scene_prompt(scene, Cue("小麦")).prompt) == (
        "一座灯塔，一场大雾。\n\n他们守着灯。\n\n【小麦】话多。\n怕黑。\n\n钟响了。\n\n我: 别怕\n\n小麦:"
    )


@pytest.mark.parametrize("depth", [0, 1, 3, 50])
def test_the_note_stands_at_its_depth(depth: int) -> None:
    """So many lines before the end, pending ones counted; a note that is too deep stands before all of them."""
    story = told(*(("小麦", f"第{n}句。") for n in range(20)))
    fed = scene_prompt(SceneText(SCENARIO, story, (Line("我", "嗯"),), note="冷一点", depth=depth), Cue("小麦"))
    after = [part.label for part in fed.parts]
    after = after[after.index(Label.NOTE) + 1 :]
    assert sum(label in (Label.OPENING, Label.STORY, Label.PENDING) for label in after) == min(depth, 23)


def test_a_form_that_is_none_is_said() -> None:
    """With the key and what may stand there."""
    with pytest.raises(ScenarioError, match=r'PromptForm：应为 "name" 或 "chat"'):
        scene_prompt(SceneText(replace(SCENARIO, extra={"PromptForm": 3}), OPENING), Cue("小麦"))


def test_guidance_leads_away_from_what_the_last_line_alone_would_bring() -> None:
    """The last line, the hint and the cue, without background and story."""
    prompt = scene_prompt(EVERYTHING, Cue("小麦", hint="轻声")).prompt
    assert "".join(prompt.against) == "我: 别怕\n\n轻声\n\n小麦:"


def test_a_live_show_can_be_in_the_form_of_a_chat() -> None:
    """Viewers speak as User under their one name."""
    prompt = live_prompt(CHAT, [], viewer_line(a_message("User: 晚上好"), CHAT.speakers))
    assert text_of(prompt) == (
        "System: 一座灯塔，一场大雾。\n\nAssistant: 小麦: 有人吗？\n\nUser: 我: 在。\n\n"
        "User: 观众: 【阿强】「User」 晚上好\n\nAssistant: 小麦:"
    )
    assert "\nAssistant:" in prompt.stops


# ---- the same for the same story -------------------------------------------------------------------------------------

notes = st.fixed_dictionaries({"Note": words})
books = st.lists(st.tuples(st.text(max_size=3), words), max_size=3).map(tuple)
forms = st.sampled_from([{}, {"PromptForm": "name"}, {"PromptForm": "chat"}])


@pytest.fixture(scope="module")
def world() -> WorldTokenizer:
    return WorldTokenizer()


@settings(max_examples=60, deadline=None)
@given(scenarios(), st.lists(lines, max_size=6), extras, forms, st.data())
@example(
    Scenario("", "", "小麦: 12: 30\n\n\n", (), (Character("小麦"),)),
    [Line("", "小麦: 不"), Line("小麦", "现在: 12: 30 🕧\n\n\n好"), Line("小:麦", "\n")],
    {},
    {},
    None,
)
def test_a_loaded_scene_feeds_the_tokens_of_the_original(
    world: WorldTokenizer,
    scenario: Scenario,
    said: list[Line],
    extra: dict[str, object],
    form: dict[str, str],
    data: st.DataObject,
) -> None:
    """Saved as a log and as a scenario, and loaded: the same prompt, so the same tokens, whatever the words are."""
    scenario = replace(scenario, extra={**scenario.extra, **form})
    character = data.draw(st.sampled_from([NARRATOR, "小麦", *scenario.speakers])) if data else "小麦"
    log = parse_log(dump_log(Log(scenario, tuple(said), extra)).encode().decode())
    kept = parse_scenario(dump_scenario(scenario).encode().decode())
    assert (log.scenario, kept) == (scenario, scenario)

    def fed(scenario: Scenario, told: Iterable[Line]) -> Prompt:
        scene = SceneText(scenario, (*scenario.opening, *told), present=scenario.speakers, note="慢", depth=2)
        return scene_prompt(scene, Cue(character)).prompt

    original, loaded = fed(scenario, said), fed(log.scenario, log.lines)
    assert loaded == original
    assert [world.encode(part) for part in loaded.parts] == [world.encode(part) for part in original.parts]
    assert fed(kept, said) == original


@given(st.lists(lines, max_size=8))
def test_nothing_of_a_line_can_open_another_turn(said: list[Line]) -> None:
    """Between two blank lines stands what one line says, and each begins with its own speaker."""
    fed = scene_prompt(SceneText(SCENARIO, tuple(said)), Cue("小麦"))
    for part in fed.parts:
        assert "\n\n" not in part.text.removesuffix("\n\n")
        if part.label in (Label.STORY, Label.OPENING) and len(part.pieces) == 3:
            assert re.match(re.escape(part.pieces[0]) + " ", part.text)


# ---- little is read anew ---------------------------------------------------------------------------------------------


class Known:
    """States that are kept for ever, by the text before them; counts characters for tokens."""

    def __init__(self) -> None:
        self.kept: set[str] = set()

    def read(self, prompt: Prompt) -> int:
        """How much had to be read."""
        ends = list(accumulate(map(len, prompt.parts)))
        text = "".join(prompt.parts)
        places = sorted({ends[n - 1] for n in prompt.keep} | {len(text)})
        known = max((place for place in range(len(text) + 1) if text[:place] in self.kept), default=0)
        self.kept |= {text[:place] for place in places if place > known}
        return len(text) - known


def scene(story: list[Line], pending: int = 0) -> SceneText:
    split = len(story) - pending
    lore = (("钟", "钟声。" * 10),) if len(story) % 5 else (("船", "沉船。" * 10),)
    return SceneText(
        SCENARIO, (*OPENING, *story[:split]), story[split:], present=("小麦",), lore=lore, note="冷一点", depth=3
    )


SAID = 20  # characters of a line, and `TURN` with its name and separator
TURN = SAID + len("小麦: \n\n")
SETTING = 60
TAIL = 2 * SETTING_DEPTH * TURN + SETTING
"""What stands behind the common story at most."""


def story_of(length: int) -> list[Line]:
    return [Line("小麦", f"{n:0{SAID}}") for n in range(length)]


def test_a_long_scene_reads_little_wherever_it_goes() -> None:
    """Read once, then: a draft at its end, a line more, and a rewind to any place, each with little to read."""
    known, story = Known(), story_of(600)
    whole = known.read(scene_prompt(scene(story), Cue("小麦")).prompt)
    assert whole > 600 * TURN
    assert known.read(scene_prompt(scene(story), Cue("阿岩")).prompt) == len("阿岩:")
    for place in (599, 300, 301, 4, 77, 512, 1):
        assert (
            known.read(scene_prompt(scene(story[:place]), Cue("小麦")).prompt) <= TAIL + STRIDE + SETTING_DEPTH * TURN
        )


def test_turns_of_a_growing_scene_cost_a_line_most_of_the_time() -> None:
    """And never more than the tail, at a jump of the setting or when other lore is active."""
    known, story = Known(), story_of(120)
    known.read(scene_prompt(scene(story[:60]), Cue("小麦")).prompt)
    costs = [known.read(scene_prompt(scene(story[:n]), Cue("小麦")).prompt) for n in range(61, 121)]
    assert max(costs) <= TAIL + TURN
    still = [cost for n, cost in enumerate(costs, start=61) if n % 5 > 1 and n % SETTING_DEPTH]
    assert max(still) <= 4 * TURN + SETTING  # the note stands three lines before the end


@given(st.integers(0, 400), st.integers(0, 30))
def test_places_along_the_story_are_where_the_text_puts_them(length: int, more: int) -> None:
    """A longer story asks for the same states, but for those near the end: what was read for the shorter one is of use."""
    story = story_of(length + more)
    before, after = (scene_prompt(scene(story[:n]), Cue("小麦")).prompt for n in (length, length + more))
    common = next(
        (n for n, (a, b) in enumerate(zip(before.parts, after.parts, strict=False)) if a != b), len(before.parts)
    )
    dense = 3 * (5 * SETTING_DEPTH + more)  # pieces
    assert {n for n in before.keep if n < common - dense} == {n for n in after.keep if n < common - dense}


@given(st.integers(0, 400))
def test_states_are_asked_for_in_order_and_not_too_many(length: int) -> None:
    """A few near the end, and one a stride before."""
    prompt = scene_prompt(scene(story_of(length)), Cue("小麦")).prompt
    assert list(prompt.keep) == sorted(set(prompt.keep)) and all(0 < n < len(prompt.parts) for n in prompt.keep)
    assert len(prompt.keep) <= 10 + length * TURN // STRIDE
