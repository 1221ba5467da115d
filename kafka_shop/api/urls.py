"""auth/."""

from django.urls import path

from kafka_shop.api.auth import TokenViewSet, UserViewSet

urlpatterns = [
    path("token/", TokenViewSet.as_view({"post": "create", "delete": "destroy"}), name="token"),
    path("users/", UserViewSet.as_view({"post": "create"}), name="users"),
]
