"""All scenarios by name."""

from tests.crash import batches, commands, relays, requests
from tests.crash.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {**requests.SCENARIOS, **relays.SCENARIOS, **batches.SCENARIOS, **commands.SCENARIOS}
# On a real Kafka; their calls of the client come in the same order every time. What they show the others show, too.
ON_KAFKA = ("relay-publishes", "notify-one-letter")
ON_MODEL = [name for name in SCENARIOS if name not in ON_KAFKA]
