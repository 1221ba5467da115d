"""How the answers of ops/ look."""

from typing import Any

from rest_framework import serializers

from billing.api import TransferOut
from kafka_shop.api.fields import Moment, Money
from notify.api import LetterOut

ORDER = "01a206da-c23e-73b8-a35f-79aa746d3f75"
PLACED, BILLED = "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.021000Z"


class StepOut(serializers.Serializer[Any]):
    what = serializers.CharField()
    service = serializers.CharField()
    at = Moment(allow_null=True)
    waiting_ms = serializers.FloatField(allow_null=True, help_text="From the fact to the begin of the batch that applied it.")
    working_ms = serializers.FloatField(allow_null=True, help_text="From the begin of the batch to the making of its row.")


class EventOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    topic = serializers.CharField()
    told_by = serializers.CharField()
    read_by = serializers.CharField()
    state = serializers.ChoiceField(choices=["applied", "dead letter", "refused", "in the outbox", "on its way", "elsewhere"])
    at = Moment(allow_null=True)
    applied_at = Moment(allow_null=True)
    partition = serializers.IntegerField(allow_null=True, help_text="null: it is not applied, or came over HTTP.")
    offset = serializers.IntegerField(allow_null=True)
    waiting_ms = serializers.FloatField(allow_null=True)
    working_ms = serializers.FloatField(allow_null=True)


class DeadLetterOfOrderOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    consumer = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    failed_at = Moment()


class TraceOut(serializers.Serializer[Any]):
    order_id = serializers.UUIDField()
    customer_id = serializers.UUIDField(allow_null=True)
    status = serializers.CharField(allow_null=True, help_text="null: orders is served elsewhere.")
    total = Money(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    invoice = serializers.CharField(allow_null=True, help_text="The invoice's status; null: there is none, or billing is served elsewhere.")
    waiting_for = serializers.CharField(help_text="What has to happen next; empty: nothing is awaited.")
    steps = StepOut(many=True)
    events = EventOut(many=True)
    transfers = TransferOut(many=True)
    letters = LetterOut(many=True)
    dead_letters = DeadLetterOfOrderOut(many=True)
    elsewhere = serializers.ListField(child=serializers.CharField(), help_text="The services whose database this process does not serve.")
    example = {
        "order_id": ORDER,
        "customer_id": LetterOut.example["customer_id"],
        "status": "pending",
        "total": "24.00",
        "currency": "EUR",
        "invoice": "paid",
        "waiting_for": f"orders: it has not read invoice.settled:{ORDER} yet. Does its consumer run, and how far behind is it?",
        "steps": [
            {"what": "accepted", "service": "orders", "at": PLACED, "waiting_ms": None, "working_ms": None},
            {"what": "published", "service": "orders", "at": None, "waiting_ms": None, "working_ms": None},
            {"what": "billed", "service": "billing", "at": BILLED, "waiting_ms": 21.0, "working_ms": 2.4},
        ],
        "events": [
            {
                "id": f"order.placed:{ORDER}",
                "topic": "order-topic",
                "told_by": "orders",
                "read_by": "billing",
                "state": "applied",
                "at": PLACED,
                "applied_at": BILLED,
                "partition": 1,
                "offset": 4711,
                "waiting_ms": 21.0,
                "working_ms": 2.4,
            },
            {
                "id": f"invoice.settled:{ORDER}",
                "topic": "billing-topic",
                "told_by": "billing",
                "read_by": "orders",
                "state": "on its way",
                "at": BILLED,
                "applied_at": None,
                "partition": None,
                "offset": None,
                "waiting_ms": None,
                "working_ms": None,
            },
        ],
        "transfers": [TransferOut.example | {"kind": "charge", "amount": "24.00", "balance": "76.00"}],
        "letters": [],
        "dead_letters": [],
        "elsewhere": [],
    }


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
    rate_1m = serializers.FloatField(allow_null=True, help_text="Applied, a second.")
    rate_15m = serializers.FloatField(allow_null=True)
    lag = serializers.IntegerField(allow_null=True, help_text="null: the broker is away, or the events go over HTTP.")
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


class PlaceToLetterOut(serializers.Serializer[Any]):
    letters = serializers.IntegerField(help_text="How many of the last 15 minutes were looked at, 1000 at most.")
    p50_ms = serializers.FloatField(allow_null=True)
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
                "rate_1m": 12.5,
                "rate_15m": 9.8,
                "lag": 25,
                "drain_seconds": 2.0,
                "partitions": [{"partition": 0, "position": 4711, "lag": 25, "beat_at": PLACED, "moved_at": PLACED, "state": "ok"}],
            }
        ],
        "outbox": [{"topic": "order-topic", "service": "orders", "waiting": 3, "refused": 0, "oldest_seconds": 0.012}],
        "place_to_letter": {"letters": 750, "p50_ms": 42.0, "p95_ms": 96.5},
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
