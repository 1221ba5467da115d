"""Who may write whom: staff that may change users gains no power by it."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from knox.models import AuthToken

from kafka_shop.staff.tests.operators import operator, superuser
from kafka_shop.users.models import User

pytestmark = pytest.mark.django_db
PEOPLE = ("users.view_user", "users.change_user", "users.add_user", "auth.change_group", "auth.add_group", "auth.view_group")


def change(client: Client, person: User, **fields: Any) -> int:
    """Saves a person's page with other values, and returns the status."""
    known = {"username": person.username, "is_active": "on", "last_login_0": "", "last_login_1": ""}
    return client.post(f"/admin/users/user/{person.pk}/change/", known | fields).status_code


def test_staff_changes_a_customer_but_gives_no_power() -> None:
    carol, staff = User.objects.create_user("carol"), operator(*PEOPLE)
    every = [str(permission.pk) for permission in Permission.objects.all()[:2]]
    assert change(staff, carol, first_name="Carol", is_staff="on", is_superuser="on", user_permissions=every) == 302
    carol.refresh_from_db()
    assert (carol.first_name, carol.is_staff, carol.is_superuser, carol.user_permissions.count()) == ("Carol", False, False, 0)


def test_staff_changes_neither_staff_nor_a_superusers_password() -> None:
    staff, root = operator(*PEOPLE), User.objects.create_superuser("root")
    eve = User.objects.get(username="eve")
    for person in (eve, root):
        assert change(staff, person, is_superuser="on") == 403
        sent = {"password1": "correct horse battery", "password2": "correct horse battery", "usable_password": "true"}
        assert staff.post(f"/admin/users/user/{person.pk}/password/", sent).status_code == 403
    assert not User.objects.get(username="eve").is_superuser


def test_staff_writes_no_groups() -> None:
    group, staff = Group.objects.create(name="operators"), operator(*PEOPLE)
    assert staff.post("/admin/auth/group/add/", {"name": "mine"}).status_code == 403
    assert staff.post(f"/admin/auth/group/{group.pk}/change/", {"name": "mine"}).status_code == 403
    assert [each.name for each in Group.objects.all()] == ["operators"]


def test_a_superuser_gives_power() -> None:
    carol = User.objects.create_user("carol")
    assert change(superuser(), carol, is_staff="on") == 302
    assert User.objects.get(pk=carol.pk).is_staff


def test_nobody_deletes_a_user_and_who_may_takes_a_token_back() -> None:
    carol = User.objects.create_user("carol")
    token, _ = AuthToken.objects.create(user=carol)
    assert superuser().post(f"/admin/users/user/{carol.pk}/delete/", {"post": "yes"}).status_code == 403
    page = f"/admin/knox/authtoken/{token.pk}/delete/"
    assert operator("knox.view_authtoken").post(page, {"post": "yes"}).status_code == 403
    assert operator("knox.view_authtoken", "knox.delete_authtoken", name="frank").post(page, {"post": "yes"}).status_code == 302
    assert not AuthToken.objects.exists()
