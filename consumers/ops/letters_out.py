"""How dead letters look in the answers of ops/."""

from typing import Any

from rest_framework import serializers

from consumers.ops.outputs import BILLED, ORDER
from kafka_shop.api.fields import Moment

LETTER = "01a20753-84cf-76cb-8d22-a3acfff58285"


class DeadLetterOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    consumer = serializers.CharField()
    event_type = serializers.CharField()
    subject = serializers.CharField(help_text="The order.")
    reason = serializers.CharField()
    fingerprint = serializers.CharField(help_text="Equal for all that failed alike.")
    attempts = serializers.IntegerField()
    state = serializers.CharField(help_text="open, or how it was closed: applied, replayed or discarded.")
    failed_at = Moment()
    closed_at = Moment(allow_null=True)
    closed_because = serializers.CharField()
    example = {
        "id": LETTER,
        "consumer": "billing",
        "event_type": "shop.order.placed.v1",
        "subject": ORDER,
        "reason": "KeyError in billing.services.charge_orders",
        "fingerprint": "cc61fdc852393246",
        "attempts": 3,
        "state": "open",
        "failed_at": BILLED,
        "closed_at": None,
        "closed_because": "",
    }


class HeaderOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.CharField()


class WholeDeadLetterOut(DeadLetterOut):
    identity = serializers.CharField(help_text="The event's id, else where it lies, else the SHA-256 of what came.")
    topic = serializers.CharField()
    partition = serializers.IntegerField(allow_null=True, help_text="null: it came over HTTP.")
    offset = serializers.IntegerField(allow_null=True)
    key = serializers.CharField(allow_null=True)
    headers = HeaderOut(many=True)
    decoded = serializers.JSONField(help_text="The message's JSON; null: it is none.")
    text = serializers.CharField(allow_null=True, help_text="What is no UTF-8 is escaped.")
    raw = serializers.CharField(allow_null=True, help_text="As it came, in base64.")
    example = {
        **DeadLetterOut.example,
        "identity": f"order.placed:{ORDER}",
        "topic": "order-topic",
        "partition": 1,
        "offset": 4711,
        "key": "01a206d0-5a51-7c8e-b9d2-0f6c3c1f7a10",
        "headers": [{"name": "ce_type", "value": "shop.order.placed.v1"}],
        "decoded": {"amount": "24.00"},
        "text": '{"amount":"24.00"}',
        "raw": "eyJhbW91bnQiOiIyNC4wMCJ9",
    }


class OutcomeOut(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="letter.id")
    state = serializers.ChoiceField(
        choices=["replayed", "failed", "held back", "left out", "gone"], help_text="left out: tried too often. gone: it is closed."
    )
    reason = serializers.CharField()


class ReplayOut(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField()
    results = OutcomeOut(many=True, help_text="Older open ones of the same customers go first, chosen or not.")
    counts = serializers.DictField(child=serializers.IntegerField())
    left = serializers.IntegerField(help_text="How many of those that were chosen by filters are open now.")
    more = serializers.BooleanField(help_text="There is more to do: ask again, with `after` as it is here.")
    after = serializers.UUIDField(allow_null=True, help_text="Those that were chosen by filters are done up to this one.")
    example = {
        "dry_run": False,
        "results": [{"id": LETTER, "state": "replayed", "reason": ""}],
        "counts": {"replayed": 1},
        "left": 0,
        "more": False,
        "after": LETTER,
    }
