"""The pages that explain problems: where the `type` of each leads."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from kafka_shop.api.kinds import BY_NAME, KINDS


@require_safe
def all_problems(request: HttpRequest) -> HttpResponse:
    """Every kind of problem."""
    return render(request, "api/problems.html", {"kinds": KINDS})


@require_safe
def one_problem(request: HttpRequest, name: str) -> HttpResponse:
    """One kind of problem."""
    if name not in BY_NAME:
        raise Http404
    return render(request, "api/problems.html", {"kinds": [BY_NAME[name]], "one": BY_NAME[name]})


urlpatterns = [
    path("", all_problems, name="problems"),
    path("<slug:name>", one_problem, name="problem"),
]
