from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "kafka_shop.messaging"
    label = "messaging"
