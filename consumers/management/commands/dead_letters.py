"""`dead_letters list|show|replay|discard`: what could not be applied, and what to do with it."""

from argparse import ArgumentParser
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consumers.bars import bar
from consumers.choosing import STATES, Choice, count, find
from consumers.models import DeadLetter
from consumers.names import refuse_unserved
from consumers.process import one_line_errors
from consumers.replay import MOST_ATTEMPTS, PER_SECOND, Outcome, discard, paced, replay
from consumers.routes import ROUTES

FILTERS = ("consumer", "fingerprint", "subject")


class Command(BaseCommand):
    help = "Lists, shows, replays or discards the messages that their consumers could not apply."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|replay|discard")
        listed = actions.add_parser("list", help="the open ones, oldest first, without what they carry")
        add_filters(listed, limit=100)
        listed.add_argument("--reason", default="", metavar="TEXT", help="a part of the reason")
        listed.add_argument("--state", choices=STATES, default="open", help="open (the default), how they were closed, or all")
        shown = actions.add_parser("show", help="all of one, with its headers and its value: they may hold personal data")
        shown.add_argument("ids", nargs=1, metavar="ID")
        replayed = actions.add_parser("replay", help="applies them again, each by itself and after the older ones of its customer")
        add_choice(replayed)
        replayed.add_argument("--reason", default="", metavar="TEXT", help="a part of the reason")
        replayed.add_argument(
            "--per-second", type=positive, default=PER_SECOND, metavar="N", help=f"at most so many a second ({PER_SECOND})"
        )
        tried = f"also those that have been tried {MOST_ATTEMPTS} times or more; named by their ids they are replayed anyway"
        replayed.add_argument("--exhausted", action="store_true", help=tried)
        discarded = actions.add_parser("discard", help="closes them for good; the rows stay")
        add_choice(discarded)
        discarded.add_argument("--reason", dest="why", required=True, metavar="TEXT", help="why they are discarded; it is kept with them")

    def handle(self, action: str, **options: Any) -> None:
        with one_line_errors():
            choice = chosen(options)
            getattr(self, f"_{action}")(choice, options)

    def _list(self, choice: Choice, options: dict[str, Any]) -> None:
        letters = find(choice=choice, limit=options["limit"])
        self._write(*(line for letter in letters for line in summary(letter)), amount(len(letters), count(choice=choice)))

    def _show(self, choice: Choice, options: dict[str, Any]) -> None:
        self._write(*details(known(choice)[0]))

    def _replay(self, choice: Choice, options: dict[str, Any]) -> None:
        tries, dry_run = tries_below(choice, options), options["dry_run"]
        letters = self._open(choice, options, tries)
        outcomes: list[Outcome] = []
        with bar() as progress:
            task = progress.add_task("replayed", total=len(letters))
            tried = replay(letters=letters, clock=timezone.now, dry_run=dry_run, attempts_below=tries)
            for outcome in paced(tried, options["per_second"]):
                outcomes.append(outcome)
                progress.update(task, completed=len(outcomes), total=max(len(letters), len(outcomes)))
        self._write(*(f"{each.letter.id} {each.state}: {printable(each.reason)}" for each in outcomes if each.reason))
        self._write(verdict(outcomes, dry_run))
        if any(each.state != "replayed" for each in outcomes):
            raise CommandError("some are still open: mend the reason, then replay again, or discard them")

    def _discard(self, choice: Choice, options: dict[str, Any]) -> None:
        letters = self._open(choice, options)
        if options["dry_run"]:
            self._write(*(line for letter in letters for line in summary(letter)), f"{len(letters)} would be discarded")
        else:
            self._write(f"{discard(letters=letters, why=options['why'], now=timezone.now())} discarded")

    def _open(self, choice: Choice, options: dict[str, Any], tries_below: int = 0) -> list[DeadLetter]:
        """The open ones that were named or chosen. Raises CommandError when that is none, or nothing was said."""
        if choice == Choice() and not options["all"]:
            raise CommandError("which? Name ids or a filter, or --all: see `dead_letters list`")
        if closed := [each for each in known(choice) if each.state != "open"]:
            raise CommandError(f"dead letter {closed[0].id} is closed: it was {closed[0].state}")
        wanted = replace(choice, attempts_below=tries_below)
        letters, there = find(choice=wanted, limit=options["limit"]), count(choice=wanted)
        self._write(amount(len(letters), there))
        if left_out := count(choice=choice) - there:
            self._write(f"{left_out} more left out, tried {tries_below} times or more: see --exhausted")
        return letters

    def _write(self, *lines: str) -> None:
        for line in lines:
            self.stdout.write(line)


def add_filters(parser: ArgumentParser, limit: int) -> None:
    parser.add_argument("--consumer", default="", help=", ".join(ROUTES))
    parser.add_argument("--fingerprint", default="", metavar="HEX", help="those that failed alike")
    parser.add_argument("--subject", default="", metavar="ID", help="the order")
    parser.add_argument("--limit", type=positive, default=limit, metavar="N", help=f"at most so many ({limit})")


def add_choice(parser: ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID")
    add_filters(parser, limit=1000)
    parser.add_argument("--all", action="store_true", help="all that are open")
    parser.add_argument("--dry-run", action="store_true", help="says what would happen, and changes nothing")


def identifier(text: str) -> UUID:
    """Raises CommandError for what is no id."""
    try:
        return UUID(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not the id of a dead letter: see `dead_letters list`") from error


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def chosen(options: dict[str, Any]) -> Choice:
    """The choice that the options make. Raises CommandError for a consumer that is not there or not served here."""
    if name := options.get("consumer"):
        refuse_unserved(name)
    asked = {option: options[option] for option in (*FILTERS, "reason", "state") if options.get(option)}
    return Choice(ids=tuple(map(identifier, options.get("ids", []))), **asked)


def tries_below(choice: Choice, options: dict[str, Any]) -> int:
    """What has been tried so often is not replayed; 0: it was asked for, by its id or as a whole."""
    return 0 if choice.ids or options["exhausted"] else MOST_ATTEMPTS


def known(choice: Choice) -> list[DeadLetter]:
    """The dead letters that were named by their ids, open or not. Raises CommandError when one is not there."""
    found = {each.id: each for each in find(choice=Choice(ids=choice.ids, state="all"), limit=len(choice.ids))}
    if missing := [str(id) for id in choice.ids if id not in found]:
        raise CommandError(f"there is no dead letter {missing[0]} in the databases of {', '.join(settings.SERVICES)}")
    return [found[id] for id in choice.ids]


def summary(letter: DeadLetter) -> list[str]:
    """Two lines without anything that the message carries."""
    what = f"{letter.event_type} of {letter.subject}" if letter.event_type else f"{letter.topic}[{letter.partition}]@{letter.offset}"
    tries = f"{letter.attempts} {'try' if letter.attempts == 1 else 'tries'}"
    state = "" if letter.state == "open" else f"  {letter.state}"
    return [
        f"{letter.id}  {letter.failed_at:%Y-%m-%d %H:%M:%S}  {letter.consumer}  {printable(what)}{state}",
        f"    {letter.fingerprint}  {tries}  {printable(letter.reason)}",
    ]


def details(letter: DeadLetter) -> list[str]:
    """Everything that is known of one letter."""
    closed = f"{letter.state} at {letter.closed_at}" if letter.closed_at else "open"
    fields = {
        "id": letter.id,
        "state": f"{closed}, because {letter.closed_because}" if letter.closed_because else closed,
        "consumer": letter.consumer,
        "reason": letter.reason,
        "fingerprint": letter.fingerprint,
        "attempts": letter.attempts,
        "failed at": letter.failed_at,
        "identity": letter.identity,
        "type": letter.event_type,
        "subject": letter.subject,
        "read at": f"{letter.topic}[{letter.partition}]@{letter.offset}",
        "key": text(letter.key),
        **{f"header {name}": value for name, value in letter.headers},
        "value": text(letter.value),
    }
    return [f"{printable(name):<12} {printable(str(value))}" for name, value in fields.items()]


def text(content: "bytes | memoryview | None") -> str:
    return "none" if content is None else bytes(content).decode(errors="backslashreplace")


def printable(words: str) -> str:
    """Without control characters: what came from outside must not steer a terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in words)


def amount(shown: int, all: int) -> str:
    if not all:
        return "no dead letters"
    return f"{all} dead letter{'' if all == 1 else 's'}" + (f", the first {shown} of them: see --limit" if shown < all else "")


def verdict(outcomes: list[Outcome], dry_run: bool) -> str:
    """How many were replayed, failed, …"""
    counted = Counter(each.state for each in outcomes)
    return ("would be: " if dry_run else "") + (", ".join(f"{number} {state}" for state, number in counted.items()) or "nothing to do")
