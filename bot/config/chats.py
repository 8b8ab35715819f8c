"""Rules for the chat platforms' sections that go beyond the type of one value. Asks no platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from adapters.twitch.irc import channel_name
from adapters.youtube.reading import video_id
from bot.config.file import Key, Mistake, Tree
from bot.config.texts import say

# What a name or an address has to be, and who can tell.
NAMES: dict[Key, tuple[str, Callable[[str], str | None]]] = {
    ("adapters", "twitch", "channel"): ("twitch_channel", channel_name),
    ("adapters", "youtube", "video"): ("youtube_video", video_id),
}


def chat_mistakes(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Names that cannot be one, and keys that are wanted and missing."""
    for key, (what, read) in NAMES.items():
        value = tree.get(".".join(map(str, key)))
        if isinstance(value, str) and value and read(value) is None:
            hint = say(lang, ".".join(map(str, key)))
            text = say(lang, "wrong", what=say(lang, what), value=tree.shown(key, value), hint=hint)
            yield tree.mistake(lang, key, text)
    if tree.get("adapters.youtube.video") or tree.get("adapters.youtube.live_chat_id"):
        yield from _wanted(tree, ("adapters", "youtube", "api_key"), "no_youtube_key", lang)
    if tree.get("adapters.twitch.post") is True:
        yield from _wanted(tree, ("adapters", "twitch", "channel"), "no_twitch_channel", lang)
        yield from _wanted(tree, ("adapters", "twitch", "token"), "no_twitch_token", lang)
    if tree.get("adapters.bilibili.open_live.code"):
        for name in ("app_id", "access_key_id", "access_key_secret"):
            yield from _wanted(tree, ("adapters", "bilibili", "open_live", name), "no_open_live_key", lang)
    if tree.get("adapters.bilibili.post") is True:
        for name in ("room_id", "sessdata", "bili_jct"):
            yield from _wanted(tree, ("adapters", "bilibili", name), "no_bilibili_account", lang)


def _wanted(tree: Tree, key: Key, text: str, lang: str) -> Iterator[Mistake]:
    """A variable that is not set has been reported already."""
    unset = any(problem[0] == key for problem in tree.problems)
    if not unset and not tree.get(".".join(map(str, key))):
        yield tree.mistake(lang, key, say(lang, text))
