"""Staff in tests: who they are, what they see, and how they act."""

import re
from html import unescape
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from kafka_shop.users.models import User


def operator(*permissions: str, name: str = "eve") -> Client:
    """The browser of a person of staff with these permissions, `orders.cancel_order`, and no others."""
    person = User.objects.create_user(name, is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        person.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return browser(person)


def superuser() -> Client:
    return browser(User.objects.create_superuser("root"))


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def rows(client: Client, path: str, **query: Any) -> list[Any]:
    """What a list shows."""
    answer = client.get(f"/admin/{path}/", query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def act(client: Client, path: str, action: str, *ids: Any, **confirmation: str) -> Any:
    """Chooses an action for rows of a list, with a reason when it is confirmed; returns the page that follows."""
    return client.post(f"/admin/{path}/", {"action": action, "_selected_action": [str(id) for id in ids], **confirmation}, follow=True)


def because(reason: str) -> dict[str, str]:
    """What confirms an action."""
    return {"confirmed": "yes", "reason": reason}


def told(answer: Any) -> list[str]:
    """The messages on a page."""
    return [str(message) for message in answer.context["messages"]]


def offers(answer: Any, label: str) -> bool:
    """Whether a page has an option, a button or a link of this label."""
    return bool(re.search(rf">\s*{re.escape(label)}\s*<", unescape(answer.content.decode())))
