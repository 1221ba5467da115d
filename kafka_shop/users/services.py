"""Signing up, in and out."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.db import IntegrityError
from django.http import HttpRequest
from knox.models import AuthToken

from kafka_shop.users.models import User


class UsernameTaken(Exception):
    """There is a user of that name already."""


class WrongCredentials(Exception):
    """No active user has this name and password."""


def sign_up(*, username: str, password: str, email: str, now: datetime) -> User:
    """Makes a customer. Raises UsernameTaken."""
    try:
        return User.objects.create_user(username, email, password, date_joined=now)
    except IntegrityError as error:
        raise UsernameTaken("A user with that name already exists.") from error


def sign_in(*, username: str, password: str, request: HttpRequest, now: datetime) -> str:
    """A new token for this user, whose expired ones go. Raises WrongCredentials, and TooManyFailures by where the request comes from."""
    user = authenticate(request, username=username, password=password)
    if user is None:
        raise WrongCredentials("The user name or the password is wrong.")
    AuthToken.objects.filter(user=user, expiry__lte=now).delete()
    _, token = AuthToken.objects.create(user=user)
    return str(token)


def sign_out(*, token: AuthToken) -> None:
    """Revokes a token."""
    token.delete()
