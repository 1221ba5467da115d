"""Links between the admin's pages. What this process does not serve has no page here, and is plain text."""

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

LINK = '<a class="text-primary-600 hover:underline dark:text-primary-500" href="{}" title="{}">{}</a>'


def page(name: str, *args: Any, text: str = "", **query: Any) -> str:
    """A link to a page of the admin by its name, `orders_order_change`; without its page the text alone."""
    shown = text or short(args[0])
    try:
        address = reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return shown
    return format_html(LINK, f"{address}?{urlencode(query)}" if query else address, " ".join(map(str, args)), shown)


def found(model: str, term: Any, *, text: str) -> str:
    """A link to what a search finds in a list: `found("billing_invoice", order.id, text="invoice")`."""
    return page(f"{model}_changelist", text=text, q=term)


def several(term: Any, **models: str) -> str:
    """Links to what the same search finds in several lists: `several(user.id, orders="orders_order")`."""
    return joined(*(found(model, term, text=text) for text, model in models.items()))


def joined(*links: str) -> str:
    return format_html_join(" · ", "{}", ((link,) for link in links))


def account(id: Any) -> str:
    """A link to an account, or a dash."""
    return page("billing_account_change", id) if id else "–"


def customer(id: Any) -> str:
    """A link to a user, or a dash."""
    return page("users_user_change", id) if id else "–"


def short(id: Any) -> str:
    """The end of a UUID, by which people tell one from another: its beginning is the time."""
    return f"…{str(id)[-12:]}"
