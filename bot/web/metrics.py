"""Figures for Prometheus, taken from the show's status at the moment they are asked for. They name no viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from bot.web.engine_metrics import engine_metrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


_ADAPTER_COUNTS = {
    "received": "Messages received.",
    "bad": "Messages that could not be read.",
    "dropped": "Messages that gave way because too many waited.",
    "duplicates": "Messages that the platform sent again.",
    "echoes": "Our own messages that came back.",
    "reconnects": "Connections after the first.",
}


class Figures(Collector):
    """One scrape is one look at the status."""

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self._status = status

    def describe(self) -> Iterable[Metric]:
        return []  # registering looks at nothing

    def collect(self) -> Iterable[Metric]:
        status = self._status()
        engine = status["engine"]
        yield _gauge("cohost_info", "The program and its model.", 1, version=status["version"], model=engine["model"])
        yield _gauge("cohost_engine_ready", "Whether the engine can draft.", engine["state"] == "ready")
        yield _gauge("cohost_engine_state", "The engine's state.", 1, state=engine["state"])
        yield _gauge("cohost_show_state", "Whether the show runs, holds or drops.", 1, pause=status["pause"])
        yield _gauge("cohost_operators", "Open panels.", status["operators"])
        yield _gauge("cohost_overlays", "Open overlay pages.", status["overlays"])
        yield _gauge("cohost_intake_waiting", "Messages waiting to be chosen.", status["intake"]["waiting"])
        yield _gauge("cohost_pending", "Cards waiting for a person.", status["pending"])
        yield _gauge("cohost_pending_oldest_seconds", "Age of the oldest such card.", status["oldest"] or 0)
        yield _gauge("cohost_save_ok", "Whether the record can be written.", status["save"]["state"] == "ok")
        yield from engine_metrics(engine["figures"])
        yield from _adapters(status["adapters"])


class Metrics:
    """A registry of its own: nothing that another library registers appears here."""

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(Figures(status))

    def text(self) -> bytes:
        return generate_latest(self._registry)


def _gauge(name: str, help_text: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=tuple(labels))
    family.add_metric(tuple(labels.values()), float(value))
    return family


def _adapters(adapters: dict[str, dict[str, Any]]) -> Iterable[Metric]:
    live = GaugeMetricFamily("cohost_adapter_live", "Whether the platform is connected.", labels=("adapter",))
    counts = {
        name: CounterMetricFamily(f"cohost_adapter_{name}", text, labels=("adapter",))
        for name, text in _ADAPTER_COUNTS.items()
    }
    last = GaugeMetricFamily(
        "cohost_adapter_last_message_timestamp_seconds", "When the last message came.", labels=("adapter",)
    )
    for name, state in adapters.items():
        live.add_metric((name,), float(state["state"] == "live"))
        for count, family in counts.items():
            family.add_metric((name,), float(state[count]))
        if state["last_message"] is not None:
            last.add_metric((name,), float(state["last_message"]))
    yield from (live, *counts.values(), last)
