"""Scenes survive saving and loading, old folders open as they are, and the transcript goes back and forth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.scenario import (
    NARRATOR,
    Character,
    Line,
    Log,
    Origin,
    Scenario,
    ScenarioError,
    Transcript,
    canonical_name,
    canonical_text,
    dump_log,
    dump_scenario,
    load_scenario,
    parse,
    parse_log,
    parse_scenario,
    render,
)
from tests.hostile import hostile_text

NAMES = ("小麦", "Anna")
FIXTURES = Path(__file__).parent / "fixtures"

words = st.one_of(
    hostile_text, st.text(max_size=12), st.sampled_from(["12: 30", "他说: 好", "小麦: 不", "Anna：是", "a\n\nb"])
)
names = st.one_of(st.text(max_size=6), hostile_text).map(canonical_name).filter(bool)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
extras = st.dictionaries(st.text(min_size=1, max_size=4).map("x_".__add__), json_values, max_size=2)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    cast = draw(st.lists(names, max_size=4, unique=True))
    speakers = st.sampled_from([NARRATOR, "观众", "路人", *cast])
    opening = draw(st.lists(st.builds(Line, speakers, words), max_size=5))
    sides = st.sampled_from(["AI", "User"])
    return Scenario(
        series=draw(words),
        name=draw(words),
        background=draw(words),
        opening=tuple(opening),
        characters=tuple(Character(name, draw(sides), draw(extras)) for name in cast),
        extra=draw(extras),
    )


lines = st.builds(Line, st.one_of(st.just(NARRATOR), words), words, st.sampled_from(Origin), st.text(max_size=5))


# ---- text form ------------------------------------------------------------------------------------------------------


def is_plain(line: Line) -> bool:
    """Whether a line is in its canonical form already: what the text says of it is all there is."""
    return bool(line.text) and canonical_text(line.text) == line.text and parse(render([line]), NAMES) == (line,)


@given(
    st.lists(
        st.builds(Line, st.sampled_from([NARRATOR, *NAMES, "观众"]), words.map(canonical_text), st.just(Origin.OPENING))
    )
)
@example([Line(NARRATOR, "天亮了", Origin.OPENING), Line(NARRATOR, "\xa0\n0", Origin.OPENING)])
@example([Line("小麦", "好\n\u3000", Origin.OPENING), Line("Anna", "\u3000好", Origin.OPENING)])
@settings(max_examples=300)
def test_parse_is_the_inverse_of_render(said: list[Line]) -> None:
    """Lines come back from their text as they went in: words with colons, single line breaks and emoji included."""
    said = [replace(line, text=canonical_text(line.text)) for line in said]
    plain = tuple(line for line in said if is_plain(line))
    assert parse(render(plain), NAMES) == plain


@given(st.builds(Line, st.sampled_from([*NAMES, "观众"]), words.map(canonical_text), st.just(Origin.OPENING)))
def test_a_named_line_with_words_is_always_plain(line: Line) -> None:
    """Only narration can be read as another's words; whoever speaks under a name keeps every word."""
    assert is_plain(line) or not line.text


@given(words)
def test_reading_a_text_twice_changes_nothing_more(text: str) -> None:
    """Whatever a file holds, after one reading it is in the canonical form."""
    once = parse(text, NAMES)
    assert parse(render(once), NAMES) == once
    assert canonical_text(canonical_text(text)) == canonical_text(text)
    assert "\n\n" not in canonical_text(text)
    assert canonical_text(text).encode("utf-8").decode() == canonical_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("小麦: 你好", [("小麦", "你好")]),
        ("小麦:你好", [("小麦", "你好")]),
        ("小麦：你好", [("小麦", "你好")]),
        ("小麦: 现在: 12: 30", [("小麦", "现在: 12: 30")]),
        ("天黑了。\n\n小麦: 晚安\n明天见", [("", "天黑了。"), ("小麦", "晚安\n明天见")]),
        ("天黑了。\r\n \r\n\r\n小麦: 晚安", [("", "天黑了。"), ("小麦", "晚安")]),
        ("小麦想: 真好", [("", "小麦想: 真好")]),
        ("小麦:\n\nAnna:", []),
        ("路人: 借过", [("", "路人: 借过")]),
        ("观众: 【阿强】来了", [("观众", "【阿强】来了")]),
    ],
)
def test_parse_by_example(text: str, expected: list[tuple[str, str]]) -> None:
    """A known name and a colon at the start of a paragraph is a line; everything else is narration."""
    assert [(line.character, line.text) for line in parse(text, NAMES)] == expected


def test_the_longest_name_counts() -> None:
    """Of two names that begin alike the longer one is meant."""
    assert parse("小麦麦: 嗨", ("小麦", "小麦麦"))[0].character == "小麦麦"


# ---- files ----------------------------------------------------------------------------------------------------------


@given(scenarios())
def test_a_scenario_loads_as_it_was_saved(scenario: Scenario) -> None:
    """Unknown keys, odd names and hostile words included, and the file is always valid UTF-8."""
    text = dump_scenario(scenario)
    assert parse_scenario(text.encode().decode()) == scenario
    assert dump_scenario(parse_scenario(text)) == text


@given(scenarios(), st.lists(lines, max_size=6), extras)
def test_a_log_loads_as_it_was_saved(scenario: Scenario, said: list[Line], extra: dict[str, Any]) -> None:
    """Every line exactly: its words, its character, where it came from, its id."""
    log = Log(scenario, tuple(said), extra)
    assert parse_log(dump_log(log).encode().decode()) == log


def test_an_old_folder_opens_as_it_is() -> None:
    """A scenario and a log in the form of RWKV-Drama (the words are ours) load, and dump to the same JSON."""
    scenario_file, log_file = FIXTURES / "drama" / "场景剧本.json", FIXTURES / "drama" / "20230801-2100_Log.json"
    scenario, log = load_scenario(scenario_file), parse_log(log_file.read_text("utf-8"))
    assert scenario.speaker == "灯塔守"
    assert [line.character for line in scenario.lines] == ["", "灯塔守", "我", "灯塔守", "我"]
    assert {line.origin for line in log.lines} == set(Origin)
    assert log.scenario == scenario
    assert json.loads(dump_scenario(scenario)) == json.loads(scenario_file.read_text(encoding="utf-8"))
    assert json.loads(dump_log(log)) == json.loads(log_file.read_text(encoding="utf-8"))


def a_scenario_json(**changes: object) -> str:
    data = {
        "ScenarioSeries": "系列",
        "ScenarioName": "名",
        "Prompt": "背景",
        "Example": "小麦: 你好",
        "CharacterData": {"AI": ["小麦"], "User": ["我"]},
    }
    return json.dumps({**data, **changes}, ensure_ascii=False)


def test_characters_may_be_objects() -> None:
    """An entry with more than a name keeps the rest; an empty box of the old form is nobody."""
    cast = {"AI": [{"Name": "小麦", "avatar": "a.png"}, {"name": "小豆"}, ""], "User": [], "Crowd": 3}
    scenario = parse_scenario(a_scenario_json(CharacterData=cast, Author="我们"))
    assert scenario.characters == (Character("小麦", "AI", {"avatar": "a.png"}), Character("小豆", "AI"))
    assert scenario.extra == {"Author": "我们", "CharacterData": {"Crowd": 3}}
    assert parse_scenario(dump_scenario(scenario)) == scenario


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "第 1 行第 2 列"),
        ("[]", "最外层"),
        ("[" * 100_000, "括号"),
        ("[" * 80 + "]" * 80, "括号"),
        (a_scenario_json(Age=float("nan")), "NaN"),
        ("9" * 5000, "数字"),
        (a_scenario_json(ScenarioName=3), "ScenarioName"),
        (a_scenario_json(Prompt=None), "Prompt"),
        (a_scenario_json(Example=["小麦: 你好"]), "Example"),
        (a_scenario_json(CharacterData=[]), "CharacterData"),
        (a_scenario_json(CharacterData={"AI": "小麦"}), "CharacterData.AI"),
        (a_scenario_json(CharacterData={"AI": ["a:b"]}), "CharacterData.AI[0]"),
        (a_scenario_json(CharacterData={"AI": ["甲"], "User": ["乙", 5]}), "CharacterData.User[1]"),
        (a_scenario_json(CharacterData={"AI": ["甲"], "User": ["甲"]}), "写了两次"),
        (a_scenario_json(CharacterData={"AI": [{"Age": 3}]}), "CharacterData.AI[0]"),
    ],
)
def test_a_mistake_says_the_file_and_the_place(text: str, where: str) -> None:
    """Whoever wrote the file learns which one it is, where in it, and what belongs there."""
    with pytest.raises(ScenarioError) as error:
        parse_scenario(text, "Save/甲/乙/场景剧本.json")
    assert "Save/甲/乙/场景剧本.json" in str(error.value)
    assert where in str(error.value)


@pytest.mark.parametrize(
    ("chat", "where"),
    [
        ({}, "Chat"),
        (["hi"], "Chat[0]"),
        ([{"InputTag": "用户输入", "Message": "a"}, {"InputTag": "胡说", "Message": "a"}], "Chat[1].InputTag"),
        ([{"InputTag": ["用户输入"], "Message": "a"}], "Chat[0].InputTag"),
        ([{"InputTag": "用户输入"}], "Chat[0].Message"),
        ([{"InputTag": "用户输入", "Message": "a", "UUID": 3}], "Chat[0].UUID"),
    ],
)
def test_a_mistake_in_a_log_says_the_line(chat: object, where: str) -> None:
    """The same for logs: which entry, which key."""
    text = json.dumps({"Scenario": json.loads(a_scenario_json()), "Chat": chat})
    with pytest.raises(ScenarioError, match=where.replace("[", r"\[")):
        parse_log(text)


def test_every_mistake_of_a_file_is_said() -> None:
    """One reading is enough to mend a file; very many are counted."""
    lines = [{"InputTag": "胡说", "Message": number} for number in range(30)]
    with pytest.raises(ScenarioError) as error:
        parse_log(json.dumps({"Scenario": json.loads(a_scenario_json(Prompt=3)), "Chat": lines}))
    told = str(error.value).splitlines()
    assert "Scenario.Prompt" in told[0] and "Chat[0].Message" in told[1] and "Chat[0].InputTag" in told[2]
    assert len(told) == 21 and "还有 41 处" in told[-1]


@given(
    st.recursive(
        json_values,
        lambda inner: st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("Scenario", "Chat", "ScenarioSeries", "ScenarioName", "CharacterData", "AI"), inner | json_values
            ),
        ),
    )
)
def test_any_json_loads_or_is_a_clear_mistake(value: object) -> None:
    """No file, however odd, gives another error than ours."""
    for read in (parse_scenario, parse_log):
        try:
            read(json.dumps(value))
        except ScenarioError as error:
            assert str(error)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder and another encoding are said in one line."""
    gbk = tmp_path / "场景剧本.json"
    gbk.write_bytes("小麦".encode("gbk"))
    for path in (tmp_path / "没有.json", tmp_path, gbk):
        with pytest.raises(ScenarioError, match=str(path)):
            load_scenario(path)


def test_a_file_with_a_byte_order_mark_loads(tmp_path: Path) -> None:
    """Windows editors put one there."""
    file = tmp_path / "场景剧本.json"
    file.write_text(a_scenario_json(), encoding="utf-8-sig")
    assert load_scenario(file).speaker == "小麦"


@pytest.mark.parametrize("name", ["", " 小麦", "小:麦", "小：麦", "小\n麦", "a\x00"])
def test_a_character_needs_a_name_that_can_stand_before_a_colon(name: str) -> None:
    """A name that would break the text form cannot be made."""
    with pytest.raises(ValueError, match="character name"):
        Character(name)


# ---- transcript -----------------------------------------------------------------------------------------------------


class TranscriptStory(RuleBasedStateMachine):
    """A writer at work, beside a plain list that says what the transcript should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.transcript = Transcript()
        self.model: list[Line] = []
        self.recalled: set[str] = set()
        self.kept: list[tuple[Any, list[Line]]] = []
        self.branches: list[tuple[Transcript, list[Line]]] = []
        self.count = 0

    @rule(pair=st.booleans())
    def a_line_is_told(self, pair: bool) -> None:
        self.count += 1
        for _ in range(1 + pair):
            line = Line("小麦", f"第 {self.count} 句", Origin.MODEL, f"id{self.count}")
            self.transcript.append(line)
            self.model.append(line)

    @rule()
    def a_checkpoint_is_set(self) -> None:
        self.kept.append((self.transcript.checkpoint(), list(self.model)))

    @rule(data=st.data())
    def the_story_goes_back(self, data: st.DataObject) -> None:
        if self.kept:
            checkpoint, then = data.draw(st.sampled_from(self.kept))
            self.transcript.rewind(checkpoint)
            self.model = [line for line in then if line.id not in self.recalled]

    @rule(data=st.data())
    def a_line_is_recalled(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.count + 1))
        id = f"id{number}"
        gone = self.transcript.remove(id)
        assert list(gone) == [line for line in self.model if line.id == id]
        self.recalled.add(id)
        self.model = [line for line in self.model if line.id != id]

    @rule()
    def a_branch_is_made(self) -> None:
        self.branches.append((self.transcript.branch(), list(self.model)))

    @invariant()
    def the_transcript_is_as_the_plain_list_says(self) -> None:
        assert list(self.transcript.lines) == self.model
        for branch, then in self.branches:
            assert list(branch.lines) == then


TestTranscript = TranscriptStory.TestCase


def test_a_branch_forgets_nothing_of_what_was_recalled() -> None:
    """A recalled line does not come back through a branch and an old checkpoint."""
    transcript = Transcript([Line("小麦", "错话", Origin.MODEL, "1")])
    before = transcript.checkpoint()
    transcript.remove("1")
    branch = transcript.branch()
    branch.rewind(before)
    assert branch.lines == ()


def test_lines_without_an_id_are_not_removed_by_accident() -> None:
    """Removing "" would take every unnamed line."""
    with pytest.raises(ValueError, match="id"):
        Transcript([Line("小麦", "话")]).remove("")
