"""config.yaml and its mistakes, as a streamer meets them."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.bridges.presets import PRESETS
from bot.config import (
    PROJECT,
    Config,
    ConfigError,
    PresetName,
    SamplingValues,
    find_config,
    load_config,
    setting_names,
)
from bot.config.texts import TEXTS
from bot.engine.sampling.limits import LIMITS
from bot.engine.types import Sampling
from bot.messages import Role

SHIPPED = PROJECT / "config.yaml"


def mistakes(tmp_path: Path, text: str, lang: str = "zh", **environment: str) -> list[str]:
    """What is said about this file, its place shortened."""
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file, environment=environment, lang=lang)
    return [line.replace(str(file), "config.yaml") for line in str(caught.value).splitlines()]


def config(tmp_path: Path, text: str, **environment: str) -> Config:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file, environment=environment)


def _leaves(values: dict[str, object], before: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, value in values.items():
        inside = isinstance(value, dict) and len(value) > 0
        found += _leaves(value, f"{before}{name}.") if inside else [(before + name, value)]
    return found


# -- the file that ships -----------------------------------------------------------------------------------------------


def test_shipped_file_says_the_defaults() -> None:
    """Whoever reads config.yaml reads what the program does without it."""
    assert load_config(SHIPPED).model_dump() == Config().model_dump()


def test_shipped_file_names_every_setting() -> None:
    """A setting that is missing from the file, or in it but gone from the program, fails here."""
    in_file = [key for key, _ in _leaves(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))]
    assert in_file == setting_names()


def test_every_setting_has_one_comment_in_chinese() -> None:
    """Each line with a value explains itself."""
    text = SHIPPED.read_text(encoding="utf-8")
    with_value = [line for line in text.splitlines() if re.match(r"\s*\w+: *[^#\s]", line)]
    assert len(with_value) == len(setting_names())
    for line in with_value:
        assert re.search(r"\s# .*[\u4e00-\u9fff]", line), line


def test_no_setting_approves_by_itself() -> None:
    """Nothing reaches the audience without a person, whatever is written in the file."""
    forbidden = re.compile(r"auto|approve[^_]*$|bypass|unattended|skip|trust|publish")
    assert not [name for name in setting_names() if forbidden.search(name)]


@pytest.mark.parametrize("key", ["auto_approve", "approval.auto_approve", "show.auto_approve", "approval.auto"])
def test_auto_approve_is_an_unknown_key(key: str) -> None:
    """Whoever asks for it is told that there is none."""
    with pytest.raises(ConfigError, match="没有这个设置"):
        load_config(None, {key: True})


# -- what it reads -----------------------------------------------------------------------------------------------------


def test_no_file_means_defaults() -> None:
    """The program starts without any file, and says so."""
    assert load_config(None).model_dump() == Config().model_dump()
    assert load_config(None).file is None


def test_empty_file_and_empty_section_mean_defaults(tmp_path: Path) -> None:
    """A section whose settings are all commented out is no mistake."""
    assert config(tmp_path, "").model_dump() == Config().model_dump()
    assert config(tmp_path, "web:\n  # port: 1\n").model_dump() == Config().model_dump()


def test_value_replaces_one_default_only(tmp_path: Path) -> None:
    """The neighbours keep theirs."""
    assert config(tmp_path, "web: {port: 8080}").web.model_dump() == Config().web.model_dump() | {"port": 8080}


def test_override_stands_above_the_file(tmp_path: Path) -> None:
    """Flag over file over default."""
    file = tmp_path / "config.yaml"
    file.write_text("web: {port: 8080, host: 10.0.0.1}", encoding="utf-8")
    web = load_config(file, {"web.port": 9090}).web
    assert (web.port, web.host) == (9090, "10.0.0.1")


def test_override_mends_a_mistake_in_the_file(tmp_path: Path) -> None:
    """A value that nobody uses is not complained about."""
    file = tmp_path / "config.yaml"
    file.write_text('model: "${UNSET}"\nweb: {port: x}', encoding="utf-8")
    assert load_config(file, {"web.port": 1, "model": ""}, environment={}).web.port == 1


def test_mistake_of_an_override_names_the_command_line() -> None:
    """A flag has no line in a file."""
    with pytest.raises(ConfigError, match=r"^命令行 web\.port：应为不大于 65535 的整数，现为 70000。"):
        load_config(None, {"web.port": 70000})


def test_variable_is_taken_from_the_environment(tmp_path: Path) -> None:
    """Inside text, and as a whole number when it stands bare."""
    read = config(tmp_path, 'overlay: {label: "由 ${WHO} 生成"}\nweb:\n  port: ${PORT}\n', WHO="AI", PORT="8080")
    assert (read.overlay.label, read.web.port) == ("由 AI 生成", 8080)


def test_paths_count_from_the_file(tmp_path: Path) -> None:
    """Not from wherever the program was started."""
    (tmp_path / "m.pth").touch()
    read = config(tmp_path, "save: Shows\nmodel: ./m.pth\nreplay: chat.jsonl\nmoderation: {words: [a.tsv]}")
    assert read.save_folder == tmp_path / "Shows"
    assert read.model_path == tmp_path / "m.pth"
    assert read.replay_path == tmp_path / "chat.jsonl"
    assert read.word_files == (tmp_path / "a.tsv",)


def test_names_that_are_no_paths_stay_names(tmp_path: Path) -> None:
    """`demo` is the show that ships; nothing is the model that ships."""
    read = config(tmp_path, "replay: demo")
    assert (read.replay_path, read.model_path, read.file) == ("demo", None, tmp_path / "config.yaml")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    """What was checked is what runs."""
    with pytest.raises(ValidationError, match="frozen"):
        Config().web.port = 1


def test_lifetime_zero_is_for_ever() -> None:
    """For cards, 0 seconds means that they wait for a person."""
    expire = load_config(None, {"approval.expire.other": 0}).approval.expire
    assert expire.by_class()["other"] is None
    assert expire.by_class()["guard"] == 600


def test_file_of_this_folder_is_found_before_the_projects(tmp_path: Path) -> None:
    """A streamer may keep one folder a show."""
    assert find_config(tmp_path) == SHIPPED
    (tmp_path / "config.yaml").touch()
    assert find_config(tmp_path) == tmp_path / "config.yaml"


# -- mistakes ----------------------------------------------------------------------------------------------------------


def test_mistake_says_line_key_value_and_what_to_write(tmp_path: Path) -> None:
    """The sentence that the design promises, to the letter."""
    assert mistakes(tmp_path, 'adapters:\n  bilibili:\n    room_id: "abc"\n') == [
        'config.yaml:3 adapters.bilibili.room_id：应为整数，现为 "abc"。请填直播间网址末尾的数字。'
    ]


def test_mistakes_in_english(tmp_path: Path) -> None:
    """The same with --lang en, or when the file itself asks for English."""
    english = ['config.yaml:1 web.port: must be a whole number, is "x". ' + TEXTS["en"]["web.port"]]
    assert mistakes(tmp_path, "web: {port: x}", lang="en") == english
    file = tmp_path / "config.yaml"
    file.write_text("lang: en\nweb: {port: x}", encoding="utf-8")
    with pytest.raises(ConfigError, match="must be a whole number"):
        load_config(file)


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    """Mistakes of form, of type, of range, of name and of several keys together, in the order of the file."""
    text = """
prot: 1
web:
  prot: 1
  port: 99999
lang: fr
model: a
model: b
drafts: 5
sampling: {temperature: .nan, top_k: 1.5, presence: 2026-01-01}
overlay: {min_seconds: 50, label: "${NOPE}"}
moderation: {words: a.txt, links: maybe}
show: {quote: 1}
adapters: {douyin: {}}
"""
    said = mistakes(tmp_path, text)
    assert [re.match(r"config\.yaml:(\d+) ([\w.]+)：", line).groups() for line in said] == [  # type: ignore[union-attr]
        ("2", "prot"),
        ("4", "web.prot"),
        ("5", "web.port"),
        ("6", "lang"),
        ("8", "model"),
        ("9", "drafts"),
        ("10", "sampling.temperature"),
        ("10", "sampling.top_k"),
        ("10", "sampling.presence"),
        ("11", "overlay.label"),
        ("11", "overlay.min_seconds"),
        ("12", "moderation.words"),
        ("12", "moderation.links"),
        ("13", "show.quote"),
        ("14", "adapters.douyin"),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("web: {prot: 1}", "web.port"),
        ("port: 1", "web.port"),
        ("modle: a", "model"),
        ("approval: {expire: {superchat: 1}}", "approval.expire.super_chat"),
        ("adapters: {bilibil: {}}", "adapters.bilibili"),
    ],
)
def test_unknown_key_names_the_nearest(tmp_path: Path, written: str, meant: str) -> None:
    """Beside it, by its name elsewhere, or among the platforms."""
    assert mistakes(tmp_path, written)[0].endswith(f"没有这个设置。是不是想写 {meant}？")


def test_unknown_key_with_a_dot_in_it_is_one_mistake(tmp_path: Path) -> None:
    """Somebody writes `web.port: 1` on one line."""
    assert mistakes(tmp_path, "web.port: 1") == [
        "config.yaml:1 web.port：没有这个设置。请分两行写：web: 和缩进的 port:。"
    ]


def test_unknown_key_like_no_other_says_what_to_do(tmp_path: Path) -> None:
    """No guess is better than a silly one."""
    assert mistakes(tmp_path, "zzzzzz: 1") == [
        "config.yaml:1 zzzzzz：没有这个设置。请删去这一行，或对照 config.yaml 改正名称。"
    ]


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    """A parser's complaint becomes a line and what to look at."""
    (said,) = mistakes(tmp_path, 'save: a\nweb:\n  host: "x\n')
    assert re.match(r"config\.yaml:[34]：YAML 写法有误", said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "config.yaml:1：应为“名称: 值”的形式，每行一项。"),
        ("web: &w {port: 1}\nlog: *w\n", "config.yaml:2：不支持 YAML 引用 *w。请把值直接写出来。"),
        ("a: &a [*a]\n", "config.yaml:1：不支持 YAML 引用 *a。请把值直接写出来。"),
    ],
)
def test_other_shapes_are_refused(tmp_path: Path, text: str, said: str) -> None:
    """Lists, references, and references to themselves."""
    assert mistakes(tmp_path, text) == [said]


def test_variable_that_is_not_set_is_one_mistake(tmp_path: Path) -> None:
    """Not a second one because the empty text is no number."""
    assert mistakes(tmp_path, "web:\n  port: ${PORT}\n") == [
        "config.yaml:2 web.port：没有环境变量 PORT。请先设置它，或直接把值写在这里。"
    ]


def test_value_from_the_environment_is_not_shown(tmp_path: Path) -> None:
    """It may be a secret; the name of its variable says enough."""
    (said,) = mistakes(tmp_path, 'adapters: {websocket: {client: {url: "${URL}"}}}', URL="http://h/?token=s3cret")
    assert "s3cret" not in said
    assert "${URL}" in said


@pytest.mark.parametrize("scenario", ["one", "a/b/c", "../x", "a/..", "/etc", "a\\b/c"])
def test_scenario_cannot_lead_out_of_the_save_folder(scenario: str) -> None:
    """It is a name of two parts, not a path."""
    with pytest.raises(ConfigError, match="应为“剧本系列/剧本名”"):
        load_config(None, {"scenario": scenario})


def test_sampling_that_contradicts_itself_is_a_mistake(tmp_path: Path) -> None:
    """Each contradiction once, at the line that is nearest, with what to write; a preset's over the rest."""
    text = """
sampling:
  mirostat_tau: 5
  top_k: 40
  presets:
    温柔: {temperature: 0.001}
drafts: {max_tokens: 10}
"""
    both = mistakes(tmp_path, text)
    assert both[0].startswith("config.yaml:3 sampling.mirostat_tau：mirostat 自己决定")
    assert both[0].endswith("不能与 top_p、top_k 同用。请写 top_p: 1，top_k: 0。")
    assert both[1].startswith("config.yaml:6 sampling.presets.温柔.temperature：temperature：应为 0（每次选最可能的）")
    assert mistakes(tmp_path, text.replace("mirostat_tau: 5", "min_tokens: 11")) == [
        "config.yaml:3 sampling.min_tokens：最少 11 个 token 多于最多的 10 个。请改小 min_tokens。",
        both[1],
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("order: [top_p]", None),
        ("order: [temperature, top_p]", None),
        ("order: [top_p, top_q]", "sampling.order：应为这些步骤的排列"),
        ("order: [temperature]", "sampling.order：缺少用到的 top_p"),
        ("ban: [加群, 261]", None),
        ("ban: 加群", "sampling.ban：应为列表"),
        ("ban: [1.5]", "sampling.ban：应为列表，写词句（或 token 编号）"),
        ("logit_bias: [[叮铃, 2], [261, -1.5]]", None),
        ("logit_bias: {叮铃: 2}", "sampling.logit_bias：应为列表"),
        ("logit_bias: [[叮铃, 很多]]", "sampling.logit_bias：应为列表，每项是词"),
        ("presets: [温柔]", "sampling.presets：应为一组设置"),
        ("presets: {温柔: {top_q: 1}}", "sampling.presets.温柔.top_q：没有这个设置。是不是想写"),
        ("presets: {温柔: {top_p: 2}}", "sampling.presets.温柔.top_p：应为不大于 1 的数字"),
    ],
)
def test_lists_of_sampling_are_checked(tmp_path: Path, written: str, said: str | None) -> None:
    """What a streamer may write, and what is said to what he may not."""
    text = f"sampling:\n  {written}\n"
    if said is None:
        assert config(tmp_path, text).base_sampling
    else:
        (mistake,) = mistakes(tmp_path, text)
        assert mistake.startswith(f"config.yaml:2 {said}")


def test_limits_of_sampling_are_the_engines() -> None:
    """What the settings take, the engine takes; what they refuse, it refuses: at each border of each number."""
    for name, (least, most) in LIMITS.items():
        if name == "max_tokens":
            continue
        for value in (least, most, least - 1, most + 1):
            values: dict[str, object] = {name: value}
            with suppress(ValidationError):
                SamplingValues(**values)  # type: ignore[arg-type]
                assert least <= value <= most
                continue
            assert not least <= value <= most, (name, value)


def test_settings_left_out_are_the_engines_defaults() -> None:
    """But for top_p, of which five drafts need a little more to differ."""
    assert Config().base_sampling == Sampling(top_p=0.7)


def test_model_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    """Said with its line, before the panel opens."""
    assert mistakes(tmp_path, "save: a\nmodel: gone.pth\n") == [
        f"config.yaml:2 model：没有这个文件：{tmp_path / 'gone.pth'}。请检查路径；不写 model 就用自带的演示小模型。"
    ]
    with pytest.raises(ConfigError, match="^命令行 model：没有这个文件：/gone.pth"):
        load_config(None, {"model": "/gone.pth"})


def test_tuned_state_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    """Unless servers draft: it is for the model on this machine."""
    text = "engine:\n  state: gone.pth\n"
    assert mistakes(tmp_path, text) == [
        f"config.yaml:2 engine.state：没有这个文件：{tmp_path / 'gone.pth'}。请检查路径；没有状态文件就留空。"
    ]
    assert config(tmp_path, text + '  remote: {urls: ["http://10.0.0.5:8000/v1"]}').tuned_path is not None
    (tmp_path / "gone.pth").touch()
    assert config(tmp_path, text).tuned_path == tmp_path / "gone.pth"


@pytest.mark.parametrize("folder", ["Save", "Save/states", "./Save/../Save/a/b"])
def test_states_are_not_kept_where_people_share(tmp_path: Path, folder: str) -> None:
    """They hold what viewers wrote; Save/ is passed on."""
    assert mistakes(tmp_path, f"engine:\n  states:\n    folder: {folder}\n") == [
        f"config.yaml:3 engine.states.folder：不能放在存档文件夹 {tmp_path / 'Save'} 里，那里会和别人共用。"
        "请换一个文件夹，或留空。"
    ]
    assert config(tmp_path, "engine: {states: {folder: Saved}}").states_folder == tmp_path / "Saved"


def test_model_may_be_missing_where_servers_draft(tmp_path: Path) -> None:
    """Their models are not here."""
    read = config(tmp_path, 'model: gone.pth\nengine: {remote: {urls: ["http://10.0.0.5:8000/v1"]}}')
    assert read.engine.remote.urls == ("http://10.0.0.5:8000/v1",)


@pytest.mark.parametrize(
    "url", ["10.0.0.5:8000", "ws://h/v1", "http://", "http://name:s3cret@h/v1", "http://h/v1?key=s3cret", "http://a b"]
)
def test_server_is_an_address_without_secrets(tmp_path: Path, url: str) -> None:
    """A key in an address would stand in every log; what to write is said."""
    (said,) = mistakes(tmp_path, f'engine:\n  remote:\n    urls: ["{url}"]\n')
    assert said.startswith("config.yaml:3 engine.remote.urls[0]：应为 http:// 或 https:// 开头的网址，现为 ")
    assert said.endswith('请写成列表，例如 ["http://10.0.0.5:8000/v1"]，没有就写 []；密钥写在 engine.remote.api_key。')


def test_key_is_never_shown(tmp_path: Path) -> None:
    """Neither in the settings as they are printed, nor in what a mistake says."""
    read = config(tmp_path, 'engine: {remote: {api_key: "${KEY}"}}', KEY="s3cret")
    assert read.engine.remote.api_key.get_secret_value() == "s3cret"
    assert "s3cret" not in f"{read} {read!r} {read.model_dump()}"
    (said,) = mistakes(tmp_path, "engine: {remote: {api_key: 20261123}}")
    assert said == (
        'config.yaml:1 engine.remote.api_key：应为文字，现为 ***。请加上引号，最好取自环境变量：api_key: "${COHOST_API_KEY}"。'
    )


def test_file_that_is_missing_or_no_text_is_one_line(tmp_path: Path) -> None:
    """With what to do about it."""
    with pytest.raises(ConfigError, match=r"nowhere\.yaml：读不了（.+）。请检查路径和权限"):
        load_config(tmp_path / "nowhere.yaml")
    (tmp_path / "gbk.yaml").write_bytes("save: 存档".encode("gbk"))
    with pytest.raises(ConfigError, match=r"gbk\.yaml：不是 UTF-8 文本"):
        load_config(tmp_path / "gbk.yaml")


def test_rest_of_a_file_with_mistakes_is_kept(tmp_path: Path) -> None:
    """So that `cohost check` can go on to the files that the good settings name."""
    file = tmp_path / "config.yaml"
    file.write_text("web: {port: x}\nreplay: chat.jsonl\nzzz: 1\nmoderation: {words: [1, a]}", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    rest = caught.value.rest
    assert (rest.web.port, rest.replay_path, rest.word_files) == (57860, tmp_path / "chat.jsonl", ())


def test_both_languages_have_every_text() -> None:
    """With the same blanks to fill in."""
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for name, text in TEXTS["zh"].items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", TEXTS["en"][name])), name


# -- whatever somebody writes ------------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.sampled_from(["${A}", "${B}"]),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SCALARS, inner, max_size=2))
KEYS = st.sampled_from([name for name in setting_names() if name != "overlay.min_seconds"])  # max_seconds depends on it
FILES = st.dictionaries(KEYS, VALUES, max_size=6)


def nested(settings: dict[str, object]) -> dict[str, object]:
    """Dotted keys as the file has them."""
    tree: dict[str, object] = {}
    for key, value in settings.items():
        *sections, last = key.split(".")
        inner = tree
        for name in sections:
            inner = inner.setdefault(name, {})  # type: ignore[assignment]
        inner[last] = value
    return tree


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES)
def test_any_value_is_read_or_refused_in_words(tmp_path: Path, written: dict[str, object]) -> None:
    """Never another error; each mistake has its line and a sentence, and what was no mistake is kept."""
    text = yaml.safe_dump(nested(written), allow_unicode=True)
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        load_config(file, environment={"A": "1"})
    except ConfigError as error:
        assert error.mistakes
        for mistake in error.mistakes:
            assert 1 <= mistake.line <= len(text.splitlines())  # YAML, too, breaks lines at more than \n
            assert mistake.text.endswith("。") or mistake.key in ("adapters.websocket.client.url", "strategy")
        wrong = {mistake.key for mistake in error.mistakes}
        if any(each.startswith(f"{key}.") for each in wrong for key in written):
            return  # inside a value, whose good parts stay
        right = {key: value for key, value in written.items() if not any(each.startswith(key) for each in wrong)}
        mended = yaml.safe_dump(nested(right), allow_unicode=True)
        file.write_text(mended, encoding="utf-8")
        assert load_config(file, environment={"A": "1"}).model_dump() == error.rest.model_dump()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab:- \n\"'#[]{}&*!|>%@`$\t,?é\x00\x85", max_size=40))
def test_any_text_is_read_or_refused_in_words(tmp_path: Path, text: str) -> None:
    """Broken YAML of every kind."""
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with suppress(ConfigError):
        load_config(file, environment={})


def test_a_downloaded_model_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beside the settings comes first; a beginning of the name is enough."""
    monkeypatch.setenv("COHOST_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    downloaded = tmp_path / "models" / "rwkv7-small-2026.pth"
    downloaded.write_bytes(b"")
    assert config(tmp_path, "model: rwkv7-small").model_path == downloaded
    (tmp_path / "rwkv7-small").write_bytes(b"")
    assert config(tmp_path, "model: rwkv7-small").model_path == tmp_path / "rwkv7-small"


def test_a_wrong_strategy_is_said_with_its_line_and_place(tmp_path: Path) -> None:
    """Before any model is loaded; what only the model or the machine can judge passes here."""
    (line,) = mistakes(tmp_path, "lang: zh\nstrategy: cuda fp16 *10 -> cpu fp8\n")
    assert line.startswith('config.yaml:2 strategy：看不懂运行策略 "cuda fp16 *10 -> cpu 【fp8】"（第 22 个字符起）')
    assert config(tmp_path, "strategy: cuda:7 fp16i8 *10+\n").strategy == "cuda:7 fp16i8 *10+"


# -- bridges -----------------------------------------------------------------------------------------------------------


def test_presets_are_those_that_exist() -> None:
    """A new one is a line in each of two places."""
    assert set(get_args(PresetName)) == {"", *PRESETS}


def test_several_bridges_each_have_their_own_name(tmp_path: Path) -> None:
    """The platform's; a second of the same gets a number, and each is recorded as its own section says."""
    text = """
adapters:
  websocket:
    server: {preset: dycast, record: true}
    client: {url: "ws://a/", preset: laplace}
    clients: [{url: "ws://b/", preset: douyin_live, record: names}, {url: "ws://c/", platform: own}, {url: ""}]
"""
    read = config(tmp_path, text)
    assert list(read.adapters.websocket.platforms()) == ["douyin", "bilibili", "douyin_2", "own"]
    assert read.adapters.recorded() == {"douyin": True, "douyin_2": "names"}


def test_mistakes_in_a_mapping_and_in_a_list_of_clients_have_their_lines(tmp_path: Path) -> None:
    """With every other mistake of the file; a secret is never shown."""
    text = """adapters:
  websocket:
    server:
      origins: [example.com]
      preset: dycast
      mapping:
        rules:
          - {type: danmaku}
          - type: gift
            unit: -1
    client: {platform: 抖音, token: [s3cret]}
    clients:
      - url: ws://a/
        preset: nobody
        mapping: {rules: []}
"""
    told = mistakes(tmp_path, text)
    assert [line.removeprefix("config.yaml:").partition("：")[0] for line in told] == [
        "4 adapters.websocket.server.origins[0]",
        "5 adapters.websocket.server.preset",
        "10 adapters.websocket.server.mapping.rules[1].unit",
        "11 adapters.websocket.client.token",
        "11 adapters.websocket.client.platform",
        "14 adapters.websocket.clients[0].preset",
        "14 adapters.websocket.clients[0].preset",
        "15 adapters.websocket.clients[0].mapping.rules",
    ]
    assert "s3cret" not in "".join(told) and "小写字母" in told[4] and "https://example.com" in told[0]


def test_mistakes_in_the_policy_have_their_lines(tmp_path: Path) -> None:
    """Levels out of range, categories that there are not, and what nobody can be excepted from."""
    text = """moderation:
  level: 5
  levels:
    messages:
      insult: 7
      insultt: 1
      unchecked: 0
    replies: {politics: x}
  exceptions:
    streamer: [minors]
    moderator: [nonsense]
    guard: insult
"""
    told = mistakes(tmp_path, text)
    assert [line.removeprefix("config.yaml:").partition("：")[0] for line in told] == [
        "2 moderation.level",
        "5 moderation.levels.messages.insult",
        "6 moderation.levels.messages.insultt",
        "7 moderation.levels.messages.unchecked",
        "8 moderation.levels.replies.politics",
        "10 moderation.exceptions.streamer",
        "11 moderation.exceptions.moderator",
        "12 moderation.exceptions.guard",
    ]
    assert "可能是 insult。" in told[2] and "谁也不能例外于 minors" in told[5] and "没有类别 nonsense" in told[6]


def test_the_policy_of_the_settings(tmp_path: Path) -> None:
    """What is written stands; the rest is as it ships."""
    read = config(tmp_path, "moderation: {level: 3, levels: {replies: {insult: 4}}, exceptions: {guard: [insult]}}")
    assert (read.moderation.level, read.moderation.levels.replies, read.moderation.levels.messages) == (
        3,
        {"insult": 4},
        {},
    )
    assert read.moderation.exceptions.by_role() == {
        Role.STREAMER: ("ads_fraud", "quality"),
        Role.MODERATOR: ("ads_fraud", "quality"),
        Role.GUARD: ("insult",),
    }


def test_mistakes_in_services_have_their_lines(tmp_path: Path) -> None:
    """A key is not shown; each needs a name and an address of its own."""
    text = """moderation:
  services:
    - {name: own, url: "http://127.0.0.1:9000/check?kind=chat", direction: in}
    - name: own
      url: ftp://a/
      timeout: 31
      api_key: [s3cret]
    - {name: "two words"}
    - 7
"""
    told = mistakes(tmp_path, text)
    assert [line.removeprefix("config.yaml:").partition("：")[0] for line in told] == [
        "3 moderation.services[0].direction",
        "4 moderation.services[1].name",
        "5 moderation.services[1].url",
        "6 moderation.services[1].timeout",
        "7 moderation.services[1].api_key",
        "8 moderation.services[2].name",
        "8 moderation.services[2].url",
        "9 moderation.services[3]",
    ]
    assert "s3cret" not in "".join(told) and "own 已经是" in told[1]
    assert mistakes(tmp_path, "moderation: {services: own}")[0].startswith("config.yaml:1 moderation.services：")


def test_a_services_key_is_taken_from_the_environment(tmp_path: Path) -> None:
    """And the rest of what it needs has defaults."""
    file = tmp_path / "config.yaml"
    file.write_text('moderation: {services: [{name: own, url: "https://a/", api_key: "${KEY}"}]}', encoding="utf-8")
    (service,) = load_config(file, environment={"KEY": "k3y"}).moderation.services
    assert (service.api_key.get_secret_value(), service.timeout, service.direction) == ("k3y", 3.0, "both")
    assert "k3y" not in repr(service)
