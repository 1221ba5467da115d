"""Fixtures of the engine's tests."""

from collections.abc import Iterator

import pytest

from kafka_shop.databases import run


@pytest.fixture
def effects_table(committed: None) -> Iterator[None]:
    """A table that stub handlers write their effects to; an event id is one effect, or more when `place` says so."""
    run("default", "CREATE TABLE effects (event_id text NOT NULL, read_at text, place bigserial)")
    yield
    run("default", "DROP TABLE effects")
