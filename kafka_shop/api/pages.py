"""The pages that explain problems: where the `type` of each leads."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from kafka_shop.api.kinds import BY_NAME, KINDS, Kind, kind_of


@require_safe
def all_problems(request: HttpRequest) -> HttpResponse:
    """Every kind of problem."""
    return render(request, "api/problems.html", {"kinds": KINDS})


@require_safe
def one_problem(request: HttpRequest, name: str) -> HttpResponse:
    """One kind of problem."""
    if name not in BY_NAME:
        raise Http404
    return page_of(request, BY_NAME[name])


def instead(request: HttpRequest, problem: HttpResponse) -> HttpResponse:
    """The page that a browser gets instead of a problem that says when to come again."""
    page = page_of(request, kind_of(problem.status_code))
    page.status_code = problem.status_code
    page["Retry-After"] = problem["Retry-After"]
    return page


def page_of(request: HttpRequest, kind: Kind) -> HttpResponse:
    return render(request, "api/problems.html", {"kinds": [kind], "one": kind})


urlpatterns = [
    path("", all_problems, name="problems"),
    path("<slug:name>", one_problem, name="problem"),
]
