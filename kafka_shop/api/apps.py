from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "kafka_shop.api"
    label = "api"
