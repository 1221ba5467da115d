"""How the trace of an order looks in the answers of ops/."""

from typing import Any

from rest_framework import serializers

from billing.api import TransferOut
from consumers.ops.outputs import BILLED, ORDER, PLACED
from consumers.ops.trace import STATES
from kafka_shop.api.fields import Moment, Money
from notify.api import LetterOut

PUBLISHED = "2026-01-31T12:00:00.009000Z"


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
    state = serializers.ChoiceField(choices=STATES)
    at = Moment(allow_null=True)
    published_at = Moment(allow_null=True, help_text="The time of its record in the log; null: nobody tells.")
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
    away = serializers.ListField(child=serializers.CharField(), help_text="The services whose database does not answer.")
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
            {"what": "published", "service": "orders", "at": PUBLISHED, "waiting_ms": 9.0, "working_ms": None},
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
                "published_at": PUBLISHED,
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
                "published_at": None,
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
        "away": [],
        "elsewhere": [],
    }
