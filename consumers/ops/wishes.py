"""Staff pause and resume a consumer, noted in the admin's log. The API and the console call this."""

from datetime import datetime

from django.contrib.admin.models import CHANGE, LogEntry

from consumers.models import Pause
from consumers.ops.flow import flow
from consumers.pausing import pause, resume
from kafka_shop.users.models import User

MAY_PAUSE = "consumers.pause_consumer"


def pause_consumer(*, name: str, user: User, now: datetime) -> Pause:
    """Wishes that a consumer stands still. One that does already keeps since when, and by whom."""
    found = pause(name=name, by=user.get_username(), now=now)
    note(found, user, "Paused.")
    return found


def resume_consumer(*, name: str, user: User) -> bool:
    """Takes the wish back; returns whether there was one."""
    resumed = resume(name=name)
    if resumed:
        note(Pause(consumer=name), user, "Resumed.")
    return resumed


def note(about: Pause, user: User, what: str) -> None:
    LogEntry.objects.log_actions(user.pk, [about], CHANGE, what, single_object=True)
    flow.forget()
