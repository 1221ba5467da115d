"""Figures of a flow as consumers/ops/flow.py gathers them, to change in one place."""

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def part(**changed: Any) -> dict[str, Any]:
    return {"partition": 0, "position": 3, "lag": 0, "beat_at": NOW, "moved_at": NOW, "state": "ok", **changed}


def edge(**changed: Any) -> dict[str, Any]:
    figures = {"rate_1m": 1.0, "rate_15m": 1.0, "lag": 0, "drain_seconds": 0.0, "partitions": [part()]}
    pause = {"paused": False, "paused_since": None, "paused_by": ""}
    return {"from": "orders", "to": "billing", "topic": "order-topic", **pause, **figures, **changed}


def box(**changed: Any) -> dict[str, Any]:
    figures = {"waiting": 0, "refused": 0, "oldest_seconds": 0.0, "log_seen_at": NOW}
    return {"topic": "order-topic", "service": "orders", **figures, **changed}


def flow(**changed: Any) -> dict[str, Any]:
    letters: dict[str, Any] = {"place_to_letter": None, "minutes": [], "dead_letters": [], "newest": [], "elsewhere": []}
    return {"at": NOW, "databases": {"default": "ok"}, "broker": "ok", "edges": [edge()], "outbox": [box()], **letters, **changed}
