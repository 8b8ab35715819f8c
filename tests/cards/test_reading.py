"""Any file that somebody brings is read as what it is, or refused with a reason; nothing hostile gets further."""

from __future__ import annotations

import base64
import io
import json
import tracemalloc
import zipfile
import zlib
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.cards import Kind, Wishes, archive, png, read, reading, webui
from bot.scenario import ScenarioError
from tests.cards.people import PYGMALION, ROLE, V1, V2, V3, WEBUI_YAML, as_bytes, picture, text


def said(found: object) -> list[tuple[str, str]]:
    return [(line.character, line.text) for line in found.scenario.opening]  # type: ignore[attr-defined]


# ---- RWKV_Role_Playing, text-generation-webui -------------------------------------------------------------------


def test_a_role_of_rwkv_role_playing() -> None:
    """Persona and example before, the greeting as the story's opening; who is not named is the character."""
    (found,) = read(as_bytes(ROLE), "小禾.json")
    assert (found.kind, found.scenario.name, found.scenario.speakers) == (Kind.ROLE_PLAYING, "小禾", ("小禾", "洛"))
    assert said(found) == [("小禾", "（小禾撞上了洛。）\n哎呀！"), ("洛", "没事吧？"), ("小禾", "没、没事。")]
    assert found.scenario.background == (
        "请你扮演小禾，我来扮演洛。\n小禾在书店打工。\n\n洛: 请介绍一下自己。\n\n小禾: （有些紧张）\n我叫小禾。\n\n洛: 12: 30 见。"
    )
    assert found.scenario.characters[0].extra["Card"] == {"role": ROLE}


def test_a_role_for_questions_and_answers() -> None:
    """use_qa is the form of the prompt that chat models know."""
    (found,) = read(as_bytes({**ROLE, "use_qa": True}), "小禾.json")
    assert found.scenario.extra["PromptForm"] == "chat"


@pytest.mark.parametrize("change", [{"bot": ""}, {"bot": "洛"}, {"greeting": 3}, {"use_qa": "yes"}])
def test_a_wrong_role_is_told(change: dict[str, object]) -> None:
    """Which key, and what belongs there."""
    with pytest.raises(ScenarioError, match=f"小禾.json {next(iter(change))}"):
        read(as_bytes({**ROLE, **change}), "小禾.json")


def test_a_character_of_text_generation_webui() -> None:
    """YAML, JSON, and the older keys."""
    (yaml,) = read(WEBUI_YAML.encode(), "Mira.yaml")
    assert yaml.kind is Kind.WEBUI and yaml.scenario.background.startswith("Mira's Persona: Mira repairs radios.")
    assert said(yaml) == [("Mira", "*Mira waves*\nHi, 我!")]
    (old,) = read(as_bytes(PYGMALION), "Mira.json", Wishes("Bo"))
    assert old.scenario.background == "Mira repairs radios.\n\nA workshop.\n\nBo: Hello\n\nMira: Hey"
    assert said(old) == [("Mira", "Hi, Bo!")]


def test_yaml_references_are_refused() -> None:
    """Nine lines of them stand for more than any machine holds."""
    laughs = "name: &a [x]\n" + "\n".join(f"k{n}: &b{n} [*a, *a]" for n in range(3))
    with pytest.raises(ScenarioError, match="第 2 行第 10 列.*引用"):
        read(laughs.encode(), "Mira.yaml")
    for bad in ("name: [", "a: 1\n b: 2", "\x00", "- " * 5000 + "x"):
        with pytest.raises(ScenarioError):
            read(bad.encode(), "Mira.yml")
    with pytest.raises(ScenarioError, match="KiB"):
        read(b"name: " + b"x" * webui.MOST_YAML, "Mira.yaml")


# ---- cards in pictures and archives -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "marks",
    [
        [text("chara", V2)],
        [text("chara", V1), text("ccv3", V2)],
        [text("ccv3", V2), text("chara", V1)],
        [(b"iTXt", b"chara\0\0\0\0\0" + text("", V2)[1][1:])],
        [(b"zTXt", b"ccv3\0\0" + zlib.compress(text("", V2)[1][1:]))],
    ],
    ids=["chara", "both", "both, newer first", "international", "packed"],
)
def test_a_card_in_a_picture(marks: list[tuple[bytes, bytes]]) -> None:
    """The newer text counts, and the picture without its texts is the avatar."""
    (found,) = read(picture(extra=marks), "林守.png")
    assert (found.kind, found.scenario.speaker) == (Kind.CARD_V2, "林守")
    assert found.avatars == {"林守": png.clean(picture())}


def a_charx(icon: bytes, start: bytes = b"") -> bytes:
    members = {"card.json": as_bytes(V3), "assets/icon/image/1.png": icon, "assets/icon/image/2.png": b"other"}
    return start + archive.pack(members)


def test_a_card_in_an_archive() -> None:
    """CharX: the main icon is the avatar; what is left out is told. A picture may stand before the archive."""
    for start in (b"", b"\xff\xd8\xff\xe0 a JPEG \xff\xd9"):
        (found,) = read(a_charx(picture(), start), "老林.charx")
        assert found.kind is Kind.CARD_V3 and found.avatars == {"老林": png.clean(picture())}
        assert "1 个文件" in "".join(found.notes)
    (found,) = read(a_charx(b"RIFF....WEBP"), "老林.charx")
    assert not found.avatars and "不是 PNG" in "".join(found.notes)


# ---- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "file", "why"),
    [
        (b"", "a.json", "空的"),
        (b"  \n", "a.json", "空的"),
        (b"{", "a.json", "第 1 行第 2 列"),
        (b"[1]", "a.json", "认不出"),
        (b"3", "a.json", "认不出"),
        (b'{"hello": 1}', "a.json", "认不出"),
        (b"once upon a time", "a.txt", "认不出"),
        ("小麦".encode("gbk"), "a.json", "UTF-8"),
        (b"[" * 200, "a.json", "合法|括号"),
        (b'{"name": "a", "first_mes": ' + b"[" * 70 + b"]" * 70 + b"}", "a.json", "括号"),
        (b"GIF89a....", "a.gif", "GIF"),
        (b"\xff\xd8\xff\xe0....", "a.jpg", "JPEG"),
        (b"RIFF....WEBP", "a.webp", "WebP"),
        (picture(), "a.png", "没有角色卡"),
        (picture()[:60], "a.png", "不完整"),
        (picture(extra=[(b"tEXt", b"chara\0!!!")]), "a.png", "Base64"),
        (picture(extra=[(b"tEXt", b"chara\0" + base64.b64encode(b"[]"))]), "a.png", "不是角色卡"),
        (picture(extra=[(b"tEXt", b"chara\0" + base64.b64encode(b"\xff"))]), "a.png", "UTF-8"),
        (b"PK\x03\x04 and no more", "a.zip", "解不开"),
        (archive.pack({}), "a.zip", "既没有"),
        (archive.pack({"card.json": b"[]"}), "a.charx", "不是角色卡"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, file: str, why: str) -> None:
    """The file's name, and what is the matter with it."""
    with pytest.raises(ScenarioError, match=why) as error:
        read(content, file)
    assert file in str(error.value)


def test_a_file_that_is_too_large_is_not_read() -> None:
    """Nobody writes so much."""
    with pytest.raises(ScenarioError, match="MiB"):
        read(b" " * (reading.MOST_BYTES + 1), "a.json")


def a_zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return out.getvalue()


def a_link() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("甲/场景剧本.json")
    link.external_attr = 0o120777 << 16
    return link


@pytest.mark.parametrize(
    "name",
    ["../a.json", "/etc/a.json", "a/../../b.json", "a\\b.json", "C:/a.json", "a/./b", "a//b.json", a_link()],
    ids=str,
)
def test_a_zip_that_leads_elsewhere_is_refused(name: str | zipfile.ZipInfo) -> None:
    """As a whole, whatever else is in it."""
    with pytest.raises(ScenarioError, match="外面"):
        read(a_zip(("甲/一/场景剧本.json", b"{}"), (name, b"x")), "a.zip")


def test_a_zip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted is what comes out, not what the archive says of itself."""
    monkeypatch.setattr(archive, "MOST_BYTES", 10_000)
    with pytest.raises(ScenarioError, match="解开后超过"):
        read(a_zip(("a.json", bytes(6_000)), ("b.json", bytes(6_000))), "a.zip")
    bomb = a_zip(("a.json", bytes(100 * 2**20)))
    tracemalloc.start()
    with pytest.raises(ScenarioError, match="解开后超过"):
        read(bomb, "a.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20
    lying = a_zip(("a.json", bytes(20_000))).replace((20_000).to_bytes(4, "little"), (20).to_bytes(4, "little"))
    with pytest.raises(ScenarioError, match="解不开|解开后超过"):
        read(lying, "a.zip")
    with pytest.raises(ScenarioError, match="太多|最多"):
        read(a_zip(*((f"{n}.json", b"") for n in range(archive.MOST_MEMBERS + 1))), "a.zip")


def test_a_locked_zip_is_told() -> None:
    """We do not ask for passwords."""
    locked = bytearray(a_zip(("甲/一/场景剧本.json", b"{}")))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + at] |= 1
    with pytest.raises(ScenarioError, match="密码"):
        read(bytes(locked), "a.zip")


def test_chinese_names_of_windows_zips() -> None:
    """Written in GBK without a word about it."""
    packed = a_zip(("aaaaaa/b/cccccccc.json", b"{}"))
    packed = packed.replace(b"aaaaaa", "雾岛志".encode("gbk")).replace(b"cccccccc", "场景剧本".encode("gbk"))
    assert list(archive.unpack(packed, "a.zip")) == [PurePosixPath("雾岛志/b/场景剧本.json")]


@settings(max_examples=150)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"PK\x03\x04", png.SIGNATURE, b"{", b'{"name": "a", "description": ']),
)
@example(b'"x", "first_mes": "\\ud800"}', b'{"name": "a", "description": ')
def test_any_bytes_are_read_or_refused(rest: bytes, start: bytes) -> None:
    """No file gives another error than ours."""
    try:
        read(start + rest, "a.yaml" if len(rest) % 2 else "a.json")
    except ScenarioError as error:
        assert str(error)


@settings(max_examples=60)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=4), st.sampled_from(["png", "zip", "charx"]))
def test_a_damaged_file_is_read_or_refused(at: int, change: bytes, kind: str) -> None:
    """Bytes that fell over on the way."""
    whole = {
        "png": picture(extra=[text("chara", V2)]),
        "zip": archive.pack(
            {"甲/一/场景剧本.json": json.dumps({"ScenarioSeries": "甲", "ScenarioName": "一"}).encode()}
        ),
        "charx": a_charx(picture()),
    }[kind]
    at %= len(whole)
    try:
        read(whole[:at] + change + whole[at + len(change) :], f"a.{kind}")
    except ScenarioError as error:
        assert f"a.{kind}" in str(error) or "甲" in str(error)
