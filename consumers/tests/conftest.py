"""Fixtures of the engine's tests."""

from collections.abc import Iterator

import pytest

from kafka_shop.databases import run

CREATE = "CREATE TABLE effects (event_id text NOT NULL, read_at text, place bigserial)"


@pytest.fixture
def effects_table(db: None) -> None:
    """A table that stub handlers write their effects to, a row a call and event."""
    run("default", CREATE)


@pytest.fixture
def committed_effects_table(committed: None) -> Iterator[None]:
    """The same for tests whose transactions are real ones."""
    run("default", CREATE)
    yield
    run("default", "DROP TABLE effects")
