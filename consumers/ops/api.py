"""ops/: what operators see and do, as JSON. Staff only."""

from typing import Any
from uuid import UUID

from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from consumers.ops.flow import flow
from consumers.ops.outputs import FlowOut, TraceOut
from consumers.ops.permissions import OpsViewSet
from consumers.ops.stored import Stored, stored
from consumers.ops.stuck import waiting_for
from consumers.ops.trace import event, facts, steps
from consumers.pausing import paused_consumers


class FlowViewSet(OpsViewSet):
    """The flow at a glance, as this web sees it; gathered every 2 s at most."""

    outputs = {"list": FlowOut}
    paged = frozenset()

    def list(self, request: Request) -> Response:
        """Rates, lag and time to drain of each consumer, outbox, dead letters and newest events. null: database or broker do not say."""
        return Response(FlowOut(flow()).data)


class TraceViewSet(OpsViewSet):
    """The story of an order, from what the services have stored."""

    outputs = {"hops": TraceOut}

    @action(detail=True, methods=["get"], url_path="trace", url_name="trace")
    def hops(self, request: Request, pk: UUID) -> Response:
        """How the order moved, where each of its events was read, and what it waits for if it is stuck."""
        found = stored(pk)
        if not found:
            raise NotFound
        return Response(TraceOut(told(found)).data)


def told(found: Stored) -> dict[str, Any]:
    """The trace of an order."""
    told, order, invoice = facts(found), found.order, found.invoice
    return {
        "order_id": found.order_id,
        "customer_id": getattr(order or invoice, "customer_id", None),
        "status": order and order.status,
        "total": order.total if order else getattr(invoice, "amount", None),
        "currency": getattr(order or invoice, "currency", None),
        "invoice": invoice and invoice.status,
        "waiting_for": waiting_for(told, found, paused_consumers()),
        "steps": list(steps(told, found)),
        "events": [event(fact, found) for fact in told],
        "transfers": found.transfers,
        "letters": found.letters,
        "dead_letters": found.dead_letters,
        "elsewhere": found.elsewhere,
    }
