"""How the answers of ops/ look."""

from typing import Any

from rest_framework import serializers

from kafka_shop.api.fields import Moment

ORDER = "01a206da-c23e-73b8-a35f-79aa746d3f75"
PLACED, BILLED = "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.021000Z"


class PartitionOut(serializers.Serializer[Any]):
    partition = serializers.IntegerField(allow_null=True, help_text="null: what comes over HTTP.")
    position = serializers.IntegerField()
    lag = serializers.IntegerField(allow_null=True)
    beat_at = Moment(allow_null=True, help_text="When its owner last said that it lives, every 5 s.")
    moved_at = Moment(allow_null=True)
    state = serializers.ChoiceField(choices=["ok", "silent", "nobody", "http"])


class EdgeOut(serializers.Serializer[Any]):
    to = serializers.CharField()
    topic = serializers.CharField()
    paused = serializers.BooleanField(allow_null=True, help_text="Somebody wished that the consumer stands still.")
    paused_since = Moment(allow_null=True)
    paused_by = serializers.CharField()
    rate_1m = serializers.FloatField(allow_null=True, help_text="Applied, a second.")
    rate_15m = serializers.FloatField(allow_null=True)
    lag = serializers.IntegerField(allow_null=True, help_text="Over HTTP what waits in its sender's outbox. null: nobody here can say.")
    drain_seconds = serializers.FloatField(allow_null=True, help_text="The lag at the last minute's pace; null: nothing moves.")
    partitions = PartitionOut(many=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is no name in Python."""
        return {"from": serializers.CharField(), **super().get_fields()}


class OutboxOut(serializers.Serializer[Any]):
    topic = serializers.CharField()
    service = serializers.CharField()
    waiting = serializers.IntegerField(allow_null=True, help_text="10000: that many or more.")
    refused = serializers.IntegerField(allow_null=True)
    oldest_seconds = serializers.FloatField(allow_null=True)
    log_seen_at = Moment(allow_null=True, help_text="When the relay last saw the topic's log, every few seconds; null over HTTP.")


class PlaceToLetterOut(serializers.Serializer[Any]):
    letters = serializers.IntegerField(help_text="How many of the last 15 minutes were looked at, 1000 at most.")
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)


class MinuteOut(serializers.Serializer[Any]):
    at = Moment()
    letters = serializers.IntegerField()
    p95_ms = serializers.FloatField(allow_null=True)


class FingerprintOut(serializers.Serializer[Any]):
    consumer = serializers.CharField()
    fingerprint = serializers.CharField()
    count = serializers.IntegerField()
    reason = serializers.CharField()
    first_at = Moment()
    last_at = Moment()


class NewestOut(serializers.Serializer[Any]):
    what = serializers.CharField()
    order_id = serializers.UUIDField()
    at = Moment()


class FlowOut(serializers.Serializer[Any]):
    at = Moment()
    databases = serializers.DictField(child=serializers.ChoiceField(choices=["ok", "away"]))
    broker = serializers.CharField(allow_null=True, help_text="ok or away; null: the events go over HTTP.")
    edges = EdgeOut(many=True)
    outbox = OutboxOut(many=True)
    place_to_letter = PlaceToLetterOut(allow_null=True)
    minutes = MinuteOut(many=True, allow_null=True, help_text="The last 15, oldest first; null: letters are written elsewhere.")
    dead_letters = FingerprintOut(many=True)
    newest = NewestOut(many=True)
    elsewhere = serializers.ListField(child=serializers.CharField())
    example = {
        "at": PLACED,
        "databases": {"default": "ok"},
        "broker": "ok",
        "edges": [
            {
                "from": "orders",
                "to": "billing",
                "topic": "order-topic",
                "paused": False,
                "paused_since": None,
                "paused_by": "",
                "rate_1m": 12.5,
                "rate_15m": 9.8,
                "lag": 25,
                "drain_seconds": 2.0,
                "partitions": [{"partition": 0, "position": 4711, "lag": 25, "beat_at": PLACED, "moved_at": PLACED, "state": "ok"}],
            }
        ],
        "outbox": [
            {"topic": "order-topic", "service": "orders", "waiting": 3, "refused": 0, "oldest_seconds": 0.012, "log_seen_at": PLACED}
        ],
        "place_to_letter": {"letters": 750, "p50_ms": 42.0, "p95_ms": 96.5},
        "minutes": [{"at": PLACED, "letters": 750, "p95_ms": 96.5}],
        "dead_letters": [
            {
                "consumer": "billing",
                "fingerprint": "cc61fdc852393246",
                "count": 2,
                "reason": "KeyError in billing.services.charge_orders",
                "first_at": PLACED,
                "last_at": BILLED,
            }
        ],
        "newest": [{"what": "order.placed", "order_id": ORDER, "at": PLACED}],
        "elsewhere": [],
    }
