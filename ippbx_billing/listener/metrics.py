"""The listener's figures in Prometheus' text format.

ippbx_bill_refused_total{reason="too_large"} 2
"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ippbx_billing.listener.capacity import Capacity

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]  # what is added to the name, the labels, the value


def text(capacity: Capacity, connections: int, figures: Mapping[str, Any]) -> str:
    """All metrics; `figures` are those of both files: numbers by name, or by one label's value, and `last_event_at`."""
    last = capacity.writer.last_kept_at or figures.get("last_event_at")
    return "".join(
        [
            *_of_doors(capacity, connections),
            *_of_writer(capacity),
            *(_of_last_event(last) if last else ()),
            *_of_ledger(figures),
        ]
    )


def _of_doors(capacity: Capacity, connections: int) -> Iterator[str]:
    counts = capacity.counts
    yield _metric("received_total", "counter", "Requests that came to the doors.", counts.received)
    yield _metric("acknowledged_total", "counter", "Requests answered 200, each on the disk.", counts.acknowledged)
    refused: list[Sample] = [("", {"reason": reason}, count) for reason, count in sorted(counts.refused.items())]
    yield _metric("refused_total", "counter", "Requests and connections refused, by reason.", refused)
    yield _metric("connections", "gauge", "Connections open now.", connections)
    yield _metric("held_bytes", "gauge", "Bodies being received or committed.", capacity.held_bytes)


def _of_writer(capacity: Capacity) -> Iterator[str]:
    writer = capacity.writer
    yield _metric("waiting_events", "gauge", "Events received and not yet committed.", writer.waiting)
    failing = bool(writer.failure or capacity.shortage())
    yield _metric("store_failing", "gauge", "1 while the disk takes no events.", failing)
    times = writer.commit_times
    buckets: list[Sample] = [("_bucket", {"le": le}, count) for le, count in times.cumulative()]
    sums: list[Sample] = [("_sum", {}, round(times.total_s, 6)), ("_count", {}, times.count)]
    yield _metric("commit_seconds", "histogram", "How long the disk took for each group of events.", buckets + sums)


def _of_last_event(last: datetime) -> Iterator[str]:
    yield _metric("last_event_timestamp_seconds", "gauge", "When the last event was kept.", last.timestamp())
    age = max(0.0, time.time() - last.timestamp())
    yield _metric("last_event_age_seconds", "gauge", "How long ago the last event was kept.", round(age, 3))


_LEDGER = {  # name: help, label
    "backlog_events": ("Events kept and not yet read.", ""),
    "events": ("Events that were read, by what became of them.", "status"),
    "calls": ("Calls in the ledger, by the status of their charge.", "status"),
    "unrated_calls": ("Calls without a price, by reason.", "reason"),
}


def _of_ledger(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, (about, label) in _LEDGER.items():
        if name not in figures:
            continue
        found = figures[name]
        yield _metric(name, "gauge", about, [("", {label: key}, n) for key, n in found.items()] if label else found)


def _metric(name: str, kind: str, about: str, samples: float | list[Sample]) -> str:
    name = f"ippbx_bill_{name}"
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    for suffix, labels, value in samples if isinstance(samples, list) else [("", {}, samples)]:
        lines.append(f"{name}{suffix}{_labels(labels)} {_number(value)}")
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    parts = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return "{" + ",".join(parts) + "}" if parts else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
