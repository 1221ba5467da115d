"""Actions of staff on rows: asked for once more, with a reason, done one by one, and noted in the admin's log with both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from kafka_shop.staff.base import Admin
from kafka_shop.users.models import User

MOST = 100  # rows at once


@dataclass(frozen=True)
class Deed:
    """What is done to a row.

    do(row, user, reason) returns what became of it, for the log and the person. What it raises of `refusals` is no fault, and is told the
    person. `noted`: it writes the log itself.
    """

    title: str
    warning: str
    do: Callable[[Any, User, str], str]
    refusals: tuple[type[Exception], ...]
    noted: bool = False


class Why(forms.Form):
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget(), help_text="It is kept in the log, with your name.")


def confirmed(admin: Admin, request: HttpRequest, rows: QuerySet[Any] | list[Any], deed: Deed) -> HttpResponse | None:
    """Asks for the reason; when it is given, does the deed to at most MOST rows and returns None: then the admin shows its list again."""
    chosen = list(rows[: MOST + 1])
    if len(chosen) > MOST:
        messages.error(request, f"At most {MOST} at once.")
        return None
    form = Why(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        return _question(admin, request, chosen, deed, form)
    for row in chosen:
        _do(admin, request, row, deed, form.cleaned_data["reason"])
    return None


def confirmed_one(admin: Admin, request: HttpRequest, id: str, deed: Deed) -> HttpResponse:
    """The same for the row of a page, which is shown again. Raises Http404."""
    row = admin.get_object(request, id)
    if row is None:
        raise Http404
    page = f"admin:{admin.opts.app_label}_{admin.opts.model_name}_change"
    return confirmed(admin, request, [row], deed) or redirect(page, id)


def _do(admin: Admin, request: HttpRequest, row: Model, deed: Deed, reason: str) -> None:
    try:
        done = deed.do(row, cast(User, request.user), reason)
    except deed.refusals as refusal:
        messages.error(request, f"{row}: {refusal}")
    else:
        messages.success(request, f"{row}: {done}.")
        if not deed.noted:
            admin.log_change(request, row, f"{done}, because {reason}.")


def _question(admin: Admin, request: HttpRequest, rows: list[Model], deed: Deed, form: Why) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": deed.title,
        "opts": admin.opts,
        "deed": deed,
        "rows": rows,
        "form": form,
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "staff/confirm.html", context)
