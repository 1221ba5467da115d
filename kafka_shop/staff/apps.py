from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "kafka_shop.staff"
    label = "staff"
