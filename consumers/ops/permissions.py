"""Who may see and do what in ops/."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.request import Request

from kafka_shop.api.views import ShopViewSet


class HasPermission(BasePermission):
    """Staff with the view's permission to look, or that of the action which does more than look."""

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = view.may_look if request.method in SAFE_METHODS else view.may_act.get(view.action)
        return not wanted or request.user.has_perm(wanted)


class OpsViewSet(ShopViewSet):
    """What only staff may see; where permissions are named, only staff who have them."""

    permission_classes = [IsAuthenticated, IsAdminUser, HasPermission]
    may_look: ClassVar[str] = ""
    may_act: ClassVar[Mapping[str, str]] = {}  # by action
