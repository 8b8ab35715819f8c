"""The engine's figures for Prometheus: each by its own name, with its unit. A figure that is not known here yet appears
as `cohost_engine_figure{name="…"}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

GAUGES = {
    "tokens_per_second": ("tokens_per_second", "Tokens drawn a second, over the last stretches of work."),
    "tokens_read_per_second": ("tokens_read_per_second", "Tokens of prompts read a second, likewise."),
    "rows": ("rows", "Rows in use: a draft takes one, a guided one two."),
    "rows_per_step": ("rows_per_step", "Rows that a step served on average, likewise."),
    "queue": ("queue", "Answers of which some drafts have not begun."),
    "states": ("states", "States kept in memory."),
    "states_bytes": ("states_bytes", "Memory that they take."),
    "states_disk_bytes": ("states_disk_bytes", "States kept on disk."),
    "memory_bytes": ("resident_memory_bytes", "Memory of the model's process."),
    "servers": ("servers", "Servers of a remote engine."),
    "servers_ready": ("servers_ready", "Those of them that answer."),
    "in_flight": ("requests_in_flight", "Requests that they are answering."),
    "waiting": ("requests_waiting", "Requests that wait for one of them."),
}
COUNTERS = {
    "tokens_drawn": ("tokens_drawn", "Tokens drawn for drafts."),
    "tokens_read": ("tokens_read", "Tokens of prompts that the model had to read."),
    "steps": ("steps", "Steps in which drafts grew."),
    "row_steps": ("row_steps", "Rows in use, summed over these steps: divided by them it is the batch's fill."),
    "states_disk_read": ("states_disk_read", "States read from disk."),
    "states_disk_written": ("states_disk_written", "States written to disk."),
    "states_disk_dropped": ("states_disk_dropped", "Damaged states that were dropped."),
    "states_disk_failed": ("states_disk_failed", "Times that the disk failed."),
}
SUMMARIES = {
    "queue_seconds": "From asking to the beginning of reading; quantiles are of recent answers.",
    "first_text_seconds": "From asking to the first text of the first draft; likewise.",
    "last_draft_seconds": "From asking to the end of the last draft; likewise.",
}
OUTCOMES = ("done", "lost", "cancelled")


def engine_metrics(figures: Mapping[str, float]) -> Iterable[Metric]:
    """What of it there is. Counters begin anew when the model's process does."""
    left = dict(figures)
    for figure, (name, text) in GAUGES.items():
        if figure in left:
            yield GaugeMetricFamily(f"cohost_engine_{name}", text, value=left.pop(figure))
    for figure, (name, text) in COUNTERS.items():
        if figure in left:
            yield CounterMetricFamily(f"cohost_engine_{name}", text, value=left.pop(figure))
    yield _outcomes(left)
    for name, text in SUMMARIES.items():
        if f"{name}_count" in left:
            yield _summary(name, text, left)
    others = GaugeMetricFamily("cohost_engine_figure", "Other figures of the engine.", labels=("name",))
    for name, value in left.items():
        others.add_metric((name,), float(value))
    yield others


def _outcomes(left: dict[str, float]) -> Metric:
    answers = CounterMetricFamily("cohost_engine_answers", "Requests for drafts that are over.", labels=("outcome",))
    for outcome in OUTCOMES:
        if f"answers_{outcome}" in left:
            answers.add_metric((outcome,), left.pop(f"answers_{outcome}"))
    return answers


def _summary(name: str, text: str, left: dict[str, float]) -> Metric:
    count, total = left.pop(f"{name}_count"), left.pop(f"{name}_sum")
    summary = SummaryMetricFamily(f"cohost_engine_{name}", text, count_value=int(count), sum_value=total)
    for percent in (50, 95):
        if f"{name}_p{percent}" in left:
            quantile = {"quantile": str(percent / 100)}
            summary.add_sample(f"cohost_engine_{name}", quantile, left.pop(f"{name}_p{percent}"))
    return summary
