from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "kafka_shop.users"
    label = "users"
