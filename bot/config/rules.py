"""Rules over several settings, and over the files that they name."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import get_args

from adapters.bridges.mapping import problems as mapping_problems
from bot.config.chats import chat_mistakes
from bot.config.file import Key, Mistake, Tree
from bot.config.platforms import Adapters, Record
from bot.config.policy import policy_mistakes, service_mistakes
from bot.config.sections import OverlaySettings, SamplingSettings
from bot.config.settings import Config
from bot.config.texts import say
from bot.config.wording import hint_for, short
from bot.engine.sampling.limits import problems
from bot.engine.sampling.presets import as_fields
from bot.engine.strategy.grammar import StrategyError, is_auto, parse_strategy


def beyond_types(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Rules over several keys."""
    yield from _scenario_form(tree, lang)
    yield from _mappings(tree, lang)
    yield from chat_mistakes(tree, lang)
    yield from policy_mistakes(tree, lang)
    yield from service_mistakes(tree, lang)
    yield from _strategy(tree, lang)
    yield from _screen_times(tree, lang)
    sections = tree.get("adapters")
    for name in sections if isinstance(sections, dict) else ():
        if name not in Adapters.model_fields:
            yield from _other_adapter(tree, name, lang)


def _mappings(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Mappings that a user wrote, in each of the websockets' sections."""
    section: Key = ("adapters", "websocket")
    clients = tree.get("adapters.websocket.clients")
    several = [((*section, "clients", n), one) for n, one in enumerate(clients)] if isinstance(clients, list) else []
    single = [((*section, name), tree.get(f"adapters.websocket.{name}")) for name in ("server", "client")]
    for key, values in (*single, *several):
        if isinstance(values, dict) and values.get("mapping"):
            for problem in mapping_problems(values["mapping"]):
                yield tree.mistake(lang, (*key, "mapping", *problem.key), problem.text(lang))
            if values.get("preset"):
                yield tree.mistake(lang, (*key, "preset"), say(lang, "preset_and_mapping"))


def _scenario_form(tree: Tree, lang: str) -> Iterator[Mistake]:
    """A name, not a path: it must not lead out of the save folder."""
    scenario = tree.get("scenario")
    if isinstance(scenario, str) and scenario:
        names = scenario.split("/")
        if len(names) != 2 or any(name.strip(". ") == "" or "\\" in name for name in names):
            value = tree.shown(("scenario",), scenario)
            yield tree.mistake(lang, ("scenario",), say(lang, "scenario_form", value=value))


def _strategy(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Its grammar; whether it fits the model and the machine is seen by those who know them."""
    strategy = tree.get("strategy")
    if isinstance(strategy, str) and not is_auto(strategy):
        try:
            parse_strategy(strategy)
        except StrategyError as error:
            yield tree.mistake(lang, ("strategy",), str(error))


def _screen_times(tree: Tree, lang: str) -> Iterator[Mistake]:
    least, most = tree.get("overlay.min_seconds"), tree.get("overlay.max_seconds")
    least = OverlaySettings().min_seconds if least is None else least
    most = OverlaySettings().max_seconds if most is None else most
    if not (isinstance(least, int | float) and isinstance(most, int | float) and least > most):
        return
    if tree.get("overlay.max_seconds") is not None:
        name, value, what = "max_seconds", most, say(lang, "not_below", least=short(least))
    else:
        name, value, what = "min_seconds", least, say(lang, "not_above", most=short(most))
    hint = hint_for(("overlay", name), "", lang)
    yield tree.mistake(lang, ("overlay", name), say(lang, "wrong", what=what, value=short(value), hint=hint))


def sampling_mistakes(tree: Tree, config: Config, lang: str) -> Iterator[Mistake]:
    """Settings that contradict each other, and lists whose entries make no sense; a preset's over the rest."""
    base = config.sampling.model_dump(exclude={"presets"}) | {"max_tokens": config.drafts.max_tokens}
    wrong: set[str] = set()
    for name, *said in problems(as_fields(base)):
        wrong.add(name)
        yield tree.mistake(lang, ("sampling", name), said[lang == "en"])
    base |= {name: getattr(SamplingSettings(), name) for name in wrong}
    for preset, values in config.sampling.own_presets.items():
        for name, *said in problems(as_fields(base | values)):
            key: Key = ("sampling", "presets", preset, name)
            yield tree.mistake(lang, key if name in values else key[:-1], f"{name}：{said[lang == 'en']}")


def _other_adapter(tree: Tree, name: str, lang: str) -> Iterator[Mistake]:
    """A section that is none of ours needs an installed package that brings an adapter of that name."""
    key = ("adapters", name)
    if name not in entry_points(group="cohost.adapters").names:
        near = get_close_matches(name, list(Adapters.model_fields), n=1, cutoff=0.6)
        if near:
            yield tree.mistake(lang, key, say(lang, "unknown", near=say(lang, "near", key=f"adapters.{near[0]}")))
        else:
            yield tree.mistake(lang, key, say(lang, "not_adapter", name=name))
    elif not isinstance(tree.get(f"adapters.{name}"), dict | None):
        what, hint = say(lang, "section"), say(lang, "write_section")
        value = tree.shown(key, tree.get(f"adapters.{name}"))
        yield tree.mistake(lang, key, say(lang, "wrong", what=what, value=value, hint=hint))
    elif tree.get(f"adapters.{name}.record") not in (None, *get_args(Record)):
        what, hint = say(lang, "choice", choices="false, true, names"), say(lang, "write_choice")
        value = tree.shown((*key, "record"), tree.get(f"adapters.{name}.record"))
        yield tree.mistake(lang, (*key, "record"), say(lang, "wrong", what=what, value=value, hint=hint))


def missing_model(tree: Tree, config: Config, lang: str) -> Iterator[Mistake]:
    """Said before the panel opens: the engine, in its own process, would find out later."""
    if config.model_path is not None and not config.engine.remote.urls and not config.model_path.is_file():
        yield tree.mistake(lang, ("model",), say(lang, "no_model", file=config.model_path))


def state_files(tree: Tree, config: Config, lang: str) -> Iterator[Mistake]:
    """Save/ is shared and belongs to the store alone; states hold what viewers wrote."""
    if config.tuned_path is not None and not config.engine.remote.urls and not config.tuned_path.is_file():
        yield tree.mistake(lang, ("engine", "state"), say(lang, "no_state", file=config.tuned_path))
    if config.states_folder is not None and config.states_folder.is_relative_to(config.save_folder):
        yield tree.mistake(lang, ("engine", "states", "folder"), say(lang, "states_in_save", save=config.save_folder))
