"""Characters that draw their words in a way of their own, from the scenario's file to the request for drafts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.backstage import show_rules
from bot.config import Config, load_config
from bot.scenario import ScenarioError, dump_scenario, load_scenario, parse_scenario


def written(tmp_path: Path, sampling: object = None, **characters: object) -> Config:
    """Settings that lead to a scenario with these `Sampling` keys."""
    cast = [{"Name": name, "Sampling": own} if own is not None else name for name, own in characters.items()]
    data = {"ScenarioSeries": "日常", "ScenarioName": "夜谈", "CharacterData": {"AI": cast, "User": ["观众"]}}
    file = tmp_path / "Save" / "日常" / "夜谈" / "场景剧本.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(data | ({"Sampling": sampling} if sampling is not None else {})), encoding="utf-8")
    config = "scenario: 日常/夜谈\nsampling:\n  no_repeat: ，\n  presets: {温柔: {temperature: 0.8}}\n"
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    return load_config(tmp_path / "config.yaml")


def scenario_of(config: Config) -> Path:
    return config.save_folder / config.scenario / "场景剧本.json"


def test_a_characters_settings_stand_over_the_scenarios_and_those_over_the_programs(tmp_path: Path) -> None:
    """Those who say nothing have the scenario's."""
    config = written(tmp_path, "drama", 小禾=None, 阿岚="温柔", 老周={"preset": "chat", "max_tokens": 30})
    rules = show_rules(config, load_scenario(scenario_of(config)))
    assert (rules.sampling_of("小禾").temperature, rules.sampling_of("小禾").top_p) == (2.0, 0.7)
    assert (rules.sampling_of("阿岚").temperature, rules.sampling_of("阿岚").top_p) == (0.8, 0.7)
    assert (rules.sampling_of("老周").top_p, rules.sampling_of("老周").max_tokens) == (0.3, 30)
    assert {rules.sampling_of(name).no_repeat for name in ("小禾", "阿岚", "老周", "观众")} == {"，"}


def test_the_settings_are_kept_with_the_scenario(tmp_path: Path) -> None:
    """Saving a scenario loses none of them."""
    config = written(tmp_path, {"top_p": 0.9}, 小禾="温柔")
    text = scenario_of(config).read_text(encoding="utf-8")
    assert json.loads(dump_scenario(parse_scenario(text)))["Sampling"] == {"top_p": 0.9}
    assert parse_scenario(dump_scenario(parse_scenario(text))) == parse_scenario(text)


@pytest.mark.parametrize(
    ("sampling", "own", "said"),
    [
        ("冷淡", None, "Sampling：没有名为 '冷淡' 的采样预设，现有：chat、demo、think、drama、mirostat、温柔。"),
        (None, "冷淡", "CharacterData 小禾 Sampling：没有名为 '冷淡'"),
        ("mirostat", {"top_p": 0.5}, "CharacterData 小禾 Sampling：mirostat_tau：mirostat 自己决定"),
    ],
)
def test_a_wrong_name_is_said_at_the_start_and_by_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sampling: object, own: object, said: str
) -> None:
    """With the file and the place in it."""
    config = written(tmp_path, sampling, 小禾=own)
    with pytest.raises(ScenarioError) as caught:
        show_rules(config, load_scenario(scenario_of(config)))
    assert str(caught.value).startswith(f"{scenario_of(config)} {said}")
    assert main(["check", "--config", str(tmp_path / "config.yaml")]) == 1
    assert said in "".join(capsys.readouterr())


def test_check_goes_on_where_the_settings_contradict_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The settings' mistake and the scenario's, in one go."""
    written(tmp_path, "冷淡", 小禾=None)
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "  mirostat_tau: 5\n", encoding="utf-8")
    assert main(["check", "--config", str(file)]) == 1
    out = "".join(capsys.readouterr())
    assert "请写 top_p: 1" in out and "没有名为 '冷淡'" in out
