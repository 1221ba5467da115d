"""auth/: tokens, and signing up."""

from secrets import token_hex
from typing import Any

from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError as BadPassword
from django.http import Http404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, ErrorDetail, ValidationError
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from kafka_shop.api.authentication import BearerAuthentication
from kafka_shop.api.fields import Email, Text
from kafka_shop.api.serializers import Strict
from kafka_shop.api.views import ShopViewSet
from kafka_shop.users import services
from kafka_shop.users.models import User


class Username(Text):
    """A user's name, in the form that is stored (NFKC): names that look the same are the same."""

    def to_internal_value(self, data: Any) -> str:
        return User.normalize_username(super().to_internal_value(data))


class NewUser(Strict):
    username = Username(max_length=150, validators=[User.username_validator])
    password = Text(max_length=1000)
    email = Email(max_length=254)
    example = {"username": "carol", "password": "correct horse battery", "email": "carol@example.org"}

    def get_initial(self) -> dict[str, Any]:
        """A name that nobody has yet."""
        return {**self.example, "username": f"carol-{token_hex(3)}"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = User(username=attrs["username"], email=attrs["email"])
        try:
            password_validation.validate_password(attrs["password"], user)
        except BadPassword as error:
            raise ValidationError({"password": [ErrorDetail(each.messages[0], code=each.code) for each in error.error_list]}) from error
        return attrs


class Credentials(Strict):
    username = Username(max_length=150)
    password = Text(max_length=1000)
    example = {"username": "alice", "password": "alice"}  # of the demo


class TokenOut(serializers.Serializer[Any]):
    token = serializers.CharField()
    example = {"token": "2f1a0c…"}


class UserOut(serializers.Serializer[User]):
    id = serializers.UUIDField()
    username = serializers.CharField()
    email = serializers.CharField()
    example = {"id": "01a206d0-5a51-7c8e-b9d2-0f6c3c1f7a10", "username": "carol", "email": "carol@example.org"}


class TokenViewSet(ShopViewSet):
    """POST gives a token for a name and a password, DELETE revokes the token that was sent."""

    serializer_class = TokenOut
    inputs = {"create": Credentials}
    creates = frozenset()
    authentication_classes = [BearerAuthentication]

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny() if self.action == "create" else IsAuthenticated()]

    def perform_authentication(self, request: Request) -> None:
        """Who signs in again may still send a token that has expired."""
        if self.action != "create":
            super().perform_authentication(request)

    def create(self, request: Request) -> Response:
        try:
            return Response({"token": services.sign_in(**self.body(), request=request, now=timezone.now())})
        except services.WrongCredentials as error:
            raise AuthenticationFailed(str(error)) from error

    def destroy(self, request: Request) -> Response:
        services.sign_out(token=request.auth)
        return Response(status=204)


class UserViewSet(ShopViewSet):
    """Signing up, where the shop allows it."""

    serializer_class = UserOut
    inputs = {"create": NewUser}
    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not settings.SIGN_UP:
            raise Http404
        super().initial(request, *args, **kwargs)

    def create(self, request: Request) -> Response:
        try:
            user = services.sign_up(**self.body(), now=timezone.now())
        except services.UsernameTaken as error:
            raise ValidationError({"username": [ErrorDetail(str(error), code="unique")]}) from error
        return Response(UserOut(user).data, status=201)
