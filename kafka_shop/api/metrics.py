"""`/metrics` of the web, and what it counts of requests. A web has one process; several replicas are several targets."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

from kafka_shop.api.authentication import carries
from kafka_shop.api.problems import answer

REQUESTS = Counter("shop_http_requests", "Answered requests.", ["method", "route", "status"])
SECONDS = Histogram("shop_http_seconds", "From a request to its answer, in seconds.", ["method", "route"])
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class MetricsMiddleware:
    """Counts every request by its route: paths with ids in them would be endless."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun = time.monotonic()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(method, route).observe(time.monotonic() - begun)
        return response


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All that this process counts, for Prometheus: to staff, and to whoever sends METRICS_TOKEN."""
    if not request.user.is_staff and not carries(request, settings.METRICS_TOKEN):
        return answer(request, 403 if request.user.is_authenticated else 401, "Staff, or METRICS_TOKEN.", **{"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
