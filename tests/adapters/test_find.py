"""Adapters are found by name, those of other packages too."""

from importlib.metadata import EntryPoint

import pytest

from adapters import GROUP, find, make
from adapters.base import API, AdapterError
from adapters.replay import Replay
from adapters.websocket import WebsocketClient, WebsocketServer


def offer(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


@pytest.mark.parametrize(
    ("name", "factory"), [("replay", Replay), ("websocket", WebsocketServer), ("websocket_client", WebsocketClient)]
)
def test_our_own_are_found(name: str, factory: type):
    """With nothing installed but the project."""
    assert find(name) is factory


def test_a_package_adds_one():
    """An entry point of the group `cohost.adapters` is all it takes."""
    assert find("other", [offer("other", "adapters.replay:Replay")]) is Replay


def test_an_unknown_name_lists_the_known_ones():
    """So that a slip of the keyboard is seen at once."""
    with pytest.raises(AdapterError, match="replya.*replay, twitch, websocket"):
        find("replya", [])


def test_two_of_one_name_are_an_error_that_names_both():
    """Which of them would get the viewers' words must not depend on the order of installation."""
    with pytest.raises(AdapterError) as caught:
        find("tv", [offer("tv", "first_tv:Tv"), offer("tv", "second_tv:Tv")])
    assert "first_tv:Tv" in str(caught.value) and "second_tv:Tv" in str(caught.value)


def test_a_package_cannot_take_one_of_our_names():
    """The same rule."""
    with pytest.raises(AdapterError, match="adapters.replay:Replay"):
        find("replay", [offer("replay", "evil:Replay")])


def test_the_same_package_seen_twice_is_one():
    """An editable install beside its wheel lists every entry point twice."""
    assert find("tv", [offer("tv", "adapters.replay:Replay")] * 2) is Replay


@pytest.mark.parametrize("value", ["no_such_module:Tv", "adapters.replay:NoSuchClass"])
def test_a_package_that_cannot_be_loaded_is_one_line(value: str):
    """Name, target and reason; no traceback for the streamer."""
    with pytest.raises(AdapterError, match=f"tv.*{value}.*Error"):
        find("tv", [offer("tv", value)])


class Newer:
    """An adapter of another time."""

    cohost_api = 99


class Fitting:
    cohost_api = API


def test_a_package_for_another_interface_is_refused_in_words():
    """Before it is made: with the package, its version and ours."""
    with pytest.raises(AdapterError, match=r"tv.*test_find:Newer.*版本 99.*支持 1"):
        find("tv", [offer("tv", f"{__name__}:Newer")])
    assert find("tv", [offer("tv", f"{__name__}:Fitting")]) is Fitting


def test_only_the_adapter_that_is_asked_for_is_loaded():
    """A broken package that nobody has configured costs nothing."""
    assert find("replay", [offer("tv", "no_such_module:Tv")]) is Replay


def test_settings_that_an_adapter_does_not_take_are_one_line():
    """A key too many, or one that is missing."""
    with pytest.raises(AdapterError, match=r"adapters\.replay.*unexpected keyword argument 'port'"):
        make("replay", {"path": "demo", "port": 1})
    with pytest.raises(AdapterError, match=r"adapters\.replay.*'path'"):
        make("replay", {})
    assert make("replay", {"path": "demo"}).name == "replay"
