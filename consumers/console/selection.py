"""Which dead letters a page of the desk is about, as its address says it."""

from typing import Any
from urllib.parse import urlencode

from django import forms

from consumers.choosing import STATES, Choice
from consumers.replay import MOST_ATTEMPTS, PER_SECOND
from consumers.routes import ROUTES
from kafka_shop.api.filters import IdField

LONGEST = 500


class Filters(forms.Form):
    """What the desk lists."""

    consumer = forms.ChoiceField(choices=[("", "all"), *((name, name) for name in ROUTES)], required=False)
    fingerprint = forms.CharField(max_length=LONGEST, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(label="A part of the reason", max_length=LONGEST, required=False)
    subject = forms.CharField(label="Order", max_length=LONGEST, required=False)
    state = forms.ChoiceField(choices=[(state, state) for state in STATES], required=False)
    before = IdField(required=False)

    def choice(self) -> Choice:
        """Of a valid form."""
        return Choice(**filters_of(self.cleaned_data), state=self.cleaned_data["state"] or "open")


class Selection(forms.Form):
    """What is mended: one letter, or the open ones of a consumer that a filter chooses."""

    id = IdField(required=False, widget=forms.HiddenInput)
    consumer = forms.ChoiceField(choices=[("", ""), *((name, name) for name in ROUTES)], required=False, widget=forms.HiddenInput)
    fingerprint = forms.CharField(max_length=LONGEST, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(max_length=LONGEST, required=False, widget=forms.HiddenInput)
    subject = forms.CharField(max_length=LONGEST, required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not found.get("id") and not found.get("consumer"):
            raise forms.ValidationError("Say which: a dead letter, or a consumer whose dead letters it is about.")
        return found


class Deed(Selection):
    """A selection with what is to be done about it, which goes on from part to part."""

    after = IdField(required=False, widget=forms.HiddenInput)
    total = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)  # when it began


class Replay(Deed):
    why = forms.CharField(label="Why", max_length=LONGEST, required=False, help_text="What was mended; it is kept in the log of the admin.")
    per_second = forms.IntegerField(label="At most so many a second", min_value=1, max_value=1000, initial=PER_SECOND)
    exhausted = forms.BooleanField(label=f"Also those that have been tried {MOST_ATTEMPTS} times or more", required=False)


class Discard(Deed):
    why = forms.CharField(label="Why", max_length=LONGEST, help_text="It is kept with each letter, and in the log of the admin.")


def filters_of(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in ("consumer", "fingerprint", "reason", "subject") if data.get(name)}


def query(data: dict[str, Any]) -> str:
    """The address's part that chooses the same again."""
    chosen = {"id": str(data["id"])} if data.get("id") else filters_of(data)
    return urlencode(chosen)
