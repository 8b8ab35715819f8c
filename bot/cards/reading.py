"""Any file that a writer may bring: what it is, and what it holds. All of it is read, or none."""

from __future__ import annotations

import base64
import binascii
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, NoReturn

from bot.cards import archive, card_export, drama, png, role_playing, webui
from bot.cards.card import is_card
from bot.cards.found import Found, Wishes
from bot.scenario import ScenarioError, decode, read_json

MOST_BYTES = 32 * 2**20  # of a file
MOST_JSON = 16 * 2**20

_PICTURES = {b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP"}
_CARD_TEXTS = ("ccv3", "chara")  # the newer first
_EMBEDDED = ("embeded://", "embedded://")  # the specification has it without its second d


def read(content: bytes, file: str, wishes: Wishes = Wishes()) -> tuple[Found, ...]:  # noqa: B008
    """The scenarios in a file. Raises ScenarioError with every mistake and its place."""
    if len(content) > MOST_BYTES:
        raise ScenarioError(file, "", f"超过 {MOST_BYTES >> 20} MiB。请检查是不是选错了文件。 Too large.")
    if content.startswith(png.SIGNATURE):
        return (_picture(content, file, wishes),)
    if content.startswith(b"PK") or zipfile.is_zipfile(io.BytesIO(content)):
        return _archive(content, file, wishes)
    for start, name in _PICTURES.items():
        if content.startswith(start):
            raise ScenarioError(file, "", f"是 {name} 图片，里面没有角色卡。角色卡是 PNG。 A card is a PNG.")
    return (_text(content, file, wishes),)


def _text(content: bytes, file: str, wishes: Wishes) -> Found:
    text = decode(content, file)
    if len(text) > MOST_JSON:
        raise ScenarioError(file, "", f"超过 {MOST_JSON >> 20} MiB。请检查是不是选错了文件。 Too large.")
    if not text.strip():
        raise ScenarioError(file, "", "是空的。 It is empty.")
    if text.lstrip()[0] in "{[":
        return _json(read_json(text, file), file, content, wishes)
    if PurePosixPath(file).suffix.lower() in (".yaml", ".yml"):
        return _json(webui.read_yaml(text, file), file, content, wishes)
    _unknown(file)


def _json(value: Any, file: str, content: bytes, wishes: Wishes) -> Found:
    if isinstance(value, dict):
        if drama.is_log(value):
            return drama.read_log(value, file, content)
        if drama.is_scenario(value):
            return drama.read_scenario(value, file)
        if role_playing.is_role(value):
            return role_playing.read_role(value, file, wishes)
        if is_card(value):
            return card_export.import_card(value, file, wishes)
        if webui.is_character(value):
            return webui.read_character(value, file, wishes)
    _unknown(file)


def _unknown(file: str) -> NoReturn:
    raise ScenarioError(
        file,
        "",
        "认不出是什么。能导入：场景剧本.json、回放 _Log.json、角色卡（PNG、JSON、CharX）、RWKV_Role_Playing 和 "
        "text-generation-webui 的角色、剧本文件夹的 zip。 Not a kind of file that can be imported.",
    )


def _picture(content: bytes, file: str, wishes: Wishes) -> Found:
    """A card in a picture, which becomes the character's."""
    try:
        texts = png.texts(content)
    except png.BadPicture as error:
        raise ScenarioError(file, "", f"{error}。请重新下载这张图片。 The picture is damaged.") from error
    keyword = next((keyword for keyword in _CARD_TEXTS if keyword in texts), None)
    if keyword is None:
        raise ScenarioError(file, "", "这张 PNG 里没有角色卡。请用原图：转存和截图会丢掉它。 No card in this picture.")
    card = _card_json(_unpacked(texts[keyword], file, keyword), file)
    found = card_export.import_card(card, file, wishes)
    return _with_avatar(found, drama.picture(content, file))


def _unpacked(text: bytes, file: str, keyword: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ScenarioError(file, keyword, "不是 Base64，角色卡已损坏。请重新下载。 The card is damaged.") from error


def _card_json(content: bytes, file: str) -> dict[str, Any]:
    value = read_json(decode(content, file), file)
    if not isinstance(value, dict) or not is_card(value):
        raise ScenarioError(file, "", "里面不是角色卡。 What is inside is no character card.")
    return value


def _archive(content: bytes, file: str, wishes: Wishes) -> tuple[Found, ...]:
    members = archive.unpack(content, file)
    if PurePosixPath("card.json") in members:
        return (_charx(members, file, wishes),)
    found = drama.read_folders(members)
    if not found:
        raise ScenarioError(
            file, "", "里面既没有 场景剧本.json，也没有 card.json。 Neither a scenario's folder nor a CharX card."
        )
    return found


def _charx(members: Mapping[PurePosixPath, bytes], file: str, wishes: Wishes) -> Found:
    """A card with its pictures; the main icon is the avatar, if it is a PNG."""
    card = _card_json(members[PurePosixPath("card.json")], f"{file}/card.json")
    found = card_export.import_card(card, f"{file}/card.json", wishes)
    path = _icon(card.get("data", {}).get("assets"))
    others = [str(one) for one in members if one.name != "card.json" and one != path]
    if others:
        found = replace(found, notes=(*found.notes, f"附带的 {len(others)} 个文件没有导入。 Files that were left out."))
    if path is None or path not in members:
        return found
    if not members[path].startswith(png.SIGNATURE):
        return replace(found, notes=(*found.notes, f"头像 {path.name} 不是 PNG，请在剧本页上传。 The icon is no PNG."))
    return _with_avatar(found, drama.picture(members[path], f"{file}/{path}"))


def _icon(assets: object) -> PurePosixPath | None:
    icons = (
        [one for one in assets if isinstance(one, dict) and one.get("type") == "icon"]
        if isinstance(assets, list)
        else []
    )
    icons.sort(key=lambda one: one.get("name") != "main")
    for one in icons:
        uri = str(one.get("uri", ""))
        for start in _EMBEDDED:
            if uri.startswith(start):
                return PurePosixPath(uri.removeprefix(start))
    return None


def _with_avatar(found: Found, avatar: bytes) -> Found:
    return replace(found, avatars={card_export.lead(found.scenario).name: avatar})
