"""The API's first page: where its collections are."""

from django.conf import settings
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

COLLECTIONS = {"orders": ("product", "order"), "billing": ("account", "invoice"), "notify": ("notification",)}


class Root(APIView):
    """The collections that this process serves."""

    permission_classes = [AllowAny]
    example = {"orders": "https://shop.example/api/v1/orders/", "invoices": "https://shop.example/api/v1/billing/invoices/"}

    def get(self, request: Request) -> Response:
        names = [name for service in settings.SERVICES for name in COLLECTIONS[service]]
        return Response({f"{name}s": reverse(f"{name}-list", request=request) for name in names})
