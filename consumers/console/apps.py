"""The console as Django knows it: the admin with the console's site, and an app for its templates and static files."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ConsoleAdminConfig(admin.AdminConfig):
    default = False
    default_site = "consumers.console.site.ConsoleSite"


class ConsoleConfig(AppConfig):
    default = True
    name = "consumers.console"
