from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Registers the project's system checks."""

    name = "kafka_shop"

    def ready(self) -> None:
        from kafka_shop import checks  # noqa: F401  importing it registers the checks
