"""Who may see and do what in ops/."""

from typing import Any, ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.request import Request

from kafka_shop.api.views import ShopViewSet


class HasPermission(BasePermission):
    """Staff with the permission of the view's model: to view it, or to change it for what does more than look."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not view.subject_of_permission:
            return True
        action = "view" if request.method in SAFE_METHODS else "change"
        return request.user.has_perm(f"consumers.{action}_{view.subject_of_permission}")


class OpsViewSet(ShopViewSet):
    """What only staff may see; with a model's name, only staff with its permission."""

    permission_classes = [IsAuthenticated, IsAdminUser, HasPermission]
    subject_of_permission: ClassVar[str] = ""
