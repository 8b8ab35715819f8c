"""Finds an adapter by its name: those of this project and those of installed packages. Starts none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from adapters.base import API, Adapter, AdapterError
from adapters.texts import say

GROUP = "cohost.adapters"
SERVED = range(1, API + 1)  # the versions of the interface whose adapters this program runs

BUILT_IN = tuple(
    EntryPoint(name, value, GROUP)
    for name, value in (
        ("websocket", "adapters.websocket:WebsocketServer"),
        ("websocket_client", "adapters.websocket:WebsocketClient"),
        ("replay", "adapters.replay:Replay"),
        ("bilibili", "adapters.bilibili:BilibiliAdapter"),
        ("twitch", "adapters.twitch.chat:TwitchAdapter"),
        ("youtube", "adapters.youtube.chat:YouTubeAdapter"),
    )
)


def find(name: str, installed: Iterable[EntryPoint] | None = None, lang: str = "zh") -> Callable[..., Adapter]:
    """The class (or function) that makes the adapter `name`; nothing else is imported.

    Raises AdapterError when no package offers the name, when two offer it, or when the one that does cannot be loaded.
    """
    offers = _offers(installed)
    same = [offer for offer in offers if offer.name == name]
    if not same:
        raise AdapterError(say(lang, "unknown_adapter", name=name, names=", ".join(sorted({o.name for o in offers}))))
    if len(same) > 1:
        raise AdapterError(say(lang, "two_adapters", name=name, both=" / ".join(_origin(offer) for offer in same)))
    return _load(same[0], lang)


def make(name: str, settings: Mapping[str, object], lang: str = "zh") -> Adapter:
    """The adapter `name` with these settings. Raises AdapterError, also where it does not take them."""
    factory = find(name, lang=lang)
    try:
        return factory(**settings)
    except (TypeError, ValueError) as error:  # an unknown key, a missing one, a value of another kind
        raise AdapterError(say(lang, "bad_settings", name=name, reason=error)) from error


def _offers(installed: Iterable[EntryPoint] | None) -> list[EntryPoint]:
    """Every name on offer. A package seen twice on the path (the same name and target) counts once."""
    found = entry_points(group=GROUP) if installed is None else installed
    return list({(offer.name, offer.value): offer for offer in (*found, *BUILT_IN)}.values())


def _origin(offer: EntryPoint) -> str:
    return f"{offer.value} ({offer.dist.name} {offer.dist.version})" if offer.dist else offer.value


def _load(offer: EntryPoint, lang: str) -> Callable[..., Adapter]:
    """Somebody else's module is run here, so whatever it raises becomes one line that names it.

    What the package says of the interface that it was written for (`cohost_api` of the class or function) must be one
    that this version serves; a package that says nothing was written for the first.
    """
    try:
        factory: Callable[..., Adapter] = offer.load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise AdapterError(
            say(lang, "broken_adapter", name=offer.name, origin=_origin(offer), reason=reason)
        ) from error
    written_for = getattr(factory, "cohost_api", 1)
    if written_for not in SERVED:
        raise AdapterError(
            say(lang, "other_api", name=offer.name, origin=_origin(offer), api=written_for, served=_span(SERVED))
        )
    return factory


def _span(served: range) -> str:
    return str(served[0]) if len(served) == 1 else f"{served[0]}–{served[-1]}"
