"""Who uses the console in tests."""

from django.contrib.auth.models import Permission
from django.test import Client

from kafka_shop.api.tests.people import user


def operator(name: str, *permissions: str) -> Client:
    """Staff with these permissions and no others, signed in."""
    person = user(name, staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"Accept": "text/html"})
    client.force_login(person)
    return client
