from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Registers the project's system checks, and what its log lines carry."""

    name = "kafka_shop"

    def ready(self) -> None:
        from kafka_shop import checks  # noqa: F401  importing it registers the checks
        from kafka_shop.api import request_logs  # noqa: F401  the same for its receivers
