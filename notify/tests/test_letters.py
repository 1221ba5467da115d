"""What the letters say, in every language."""

from string import Formatter

import pytest

from notify.letters import form_of
from notify.models import Outcome

REASONS = ["insufficient_funds", "no_account", "wrong_currency", "a reason of tomorrow"]
LANGUAGES = ["en", "ru"]


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", Outcome.values)
def test_each_letter_names_order_and_amount_and_nothing_else(language: str, outcome: str) -> None:
    for reason in ["", *REASONS]:
        form = form_of(language, outcome, reason)
        assert names(form.subject) == set()
        assert names(form.body) == {"order_id", "amount", "currency"}
        assert 0 < len(form.subject) <= 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_of_grief_gives_the_reason_in_words(language: str) -> None:
    bodies = {form_of(language, "rejected", reason).body for reason in REASONS}
    assert len(bodies) == len(REASONS)
    assert not [body for body in bodies for reason in REASONS if reason in body]


@pytest.mark.parametrize("outcome", Outcome.values)
def test_each_language_has_letters_of_its_own(outcome: str) -> None:
    english, russian = (form_of(language, outcome, "") for language in LANGUAGES)
    assert english.subject.isascii()
    assert english.body.isascii()
    assert not russian.subject.isascii()
    assert not russian.body.isascii()


def test_the_outcomes_have_different_letters() -> None:
    assert len({form_of("en", outcome, "") for outcome in Outcome.values}) == 4
