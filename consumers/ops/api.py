"""ops/: what operators see and do, as JSON. Staff only."""

from uuid import UUID

from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from consumers.ops.flow import flow
from consumers.ops.outputs import FlowOut
from consumers.ops.permissions import OpsViewSet
from consumers.ops.story import story, told
from consumers.ops.trace_out import TraceOut


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
        found = story(pk)
        if found is None:
            raise NotFound
        return Response(TraceOut(told(found)).data)
