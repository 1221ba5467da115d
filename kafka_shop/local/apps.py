from django.apps import AppConfig


class LocalConfig(AppConfig):
    """What runs without any server, and the commands around it."""

    name = "kafka_shop.local"
    label = "local"
