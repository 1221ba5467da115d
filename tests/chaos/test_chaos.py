"""A short chaos run: every fault once, on one node."""

import pytest

from tests import ahead
from tests.kafka.fixtures import require_kafka


@pytest.mark.kafka
@pytest.mark.timeout(1800)  # a bound for what never comes: a busy machine takes several times as long as an idle one
def test_nothing_is_lost_and_nothing_doubled_whatever_fails() -> None:
    require_kafka()
    ended = ahead.result("test_chaos")

    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
