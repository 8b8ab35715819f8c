"""Figures for Prometheus."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.engine.scheduling.measures import Measures
from bot.web import auth
from tests.web.conftest import BEARER, Client, Site


def read(text: str) -> dict[str, float]:
    """Sample name with its labels' values, sorted → figure, as Prometheus itself would read it."""
    return {
        " ".join((sample.name, *sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_figures_are_the_shows(stranger: Client, site: Site) -> None:
    """Fresh at each look, in Prometheus' text format."""
    answer = await stranger.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    figures = read(await answer.text())
    expected = {
        "cohost_info 0.1.0 demo": 1,
        "cohost_engine_ready": 1,
        "cohost_engine_state ready": 1,
        "cohost_engine_tokens_per_second": 41.5,
        "cohost_show_state run": 1,
        "cohost_intake_waiting": 3,
        "cohost_pending": 2,
        "cohost_pending_oldest_seconds": 4.5,
        "cohost_adapter_live replay": 1,
        "cohost_adapter_received_total replay": 7,
        "cohost_adapter_bad_total replay": 1,
        "cohost_adapter_dropped_total replay": 2,
        "cohost_adapter_duplicates_total replay": 3,
        "cohost_adapter_reconnects_total replay": 4,
        "cohost_adapter_echoes_total replay": 0,
        "cohost_adapter_last_message_timestamp_seconds replay": 99.5,
        "cohost_save_ok": 1,
    }
    assert figures.items() >= expected.items()

    site.show.state |= {"pending": 5, "oldest": None, "save": {"state": "failed", "detail": "disk full"}}
    site.show.state["engine"]["state"] = "restarting"
    site.show.state["adapters"]["replay"]["last_message"] = None
    figures = read(await (await stranger.get("/metrics")).text())
    assert figures["cohost_pending"] == 5 and figures["cohost_pending_oldest_seconds"] == 0
    assert figures["cohost_engine_ready"] == figures["cohost_save_ok"] == 0
    assert "cohost_adapter_last_message_timestamp_seconds replay" not in figures


async def test_every_figure_of_the_engine_has_its_name_and_unit(stranger: Client, site: Site) -> None:
    """What the local engine measures, as Prometheus reads it; what is not known yet is not lost."""
    measures = Measures(clock=iter(range(100)).__next__)
    measures.tokens_read += 300
    for answer in (1, 2, 3):
        measures.asked(answer, count=1)
        measures.began(answer)
        measures.stepped(rows=2)
        measures.drew(answer, spoke=True)
    measures.finished(1)
    measures.lost(2)
    measures.cancelled(3)
    site.show.state["engine"]["figures"] = measures.figures() | {"rows": 2, "memory_bytes": 5e8, "new_figure": 7}
    figures = read(await (await stranger.get("/metrics")).text())
    expected = {
        "cohost_engine_tokens_drawn_total": 3,
        "cohost_engine_tokens_read_total": 300,
        "cohost_engine_steps_total": 3,
        "cohost_engine_row_steps_total": 6,
        "cohost_engine_rows": 2,
        "cohost_engine_resident_memory_bytes": 5e8,
        "cohost_engine_answers_total done": 1,
        "cohost_engine_answers_total lost": 1,
        "cohost_engine_answers_total cancelled": 1,
        "cohost_engine_queue_seconds_count": 3,
        "cohost_engine_queue_seconds_sum": 3,
        "cohost_engine_queue_seconds 0.5": 1,
        "cohost_engine_first_text_seconds 0.95": 2,
        "cohost_engine_last_draft_seconds_count": 1,
        "cohost_engine_figure new_figure": 7,
    }
    assert figures.items() >= expected.items()
    assert [name for name in figures if name.startswith("cohost_engine_figure")] == ["cohost_engine_figure new_figure"]


async def test_a_remote_engines_figures_have_names_too(stranger: Client, site: Site) -> None:
    """And what no answer has measured yet is left out."""
    site.show.state["engine"]["figures"] = {"servers": 2, "servers_ready": 1, "in_flight": 3, "waiting": 4}
    figures = read(await (await stranger.get("/metrics")).text())
    assert figures["cohost_engine_servers"] == 2 and figures["cohost_engine_requests_waiting"] == 4
    assert not [name for name in figures if "seconds" in name and name.startswith("cohost_engine")]


async def test_nothing_of_other_libraries_appears(stranger: Client) -> None:
    """The registry is our own."""
    assert all(name.startswith("cohost_") for name in read(await (await stranger.get("/metrics")).text()))


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer x"}, 401), (BEARER, 200)])
async def test_from_another_machine_a_token_is_needed(
    stranger: Client, monkeypatch: pytest.MonkeyPatch, headers: Any, status: int
) -> None:
    """This machine's programs read it without one."""
    monkeypatch.setattr(auth, "_address", lambda request: "192.168.1.9")
    assert (await stranger.get("/metrics", headers=headers)).status == status
