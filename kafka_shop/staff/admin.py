"""People, their groups and tokens, and what staff did."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from knox.models import AuthToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from kafka_shop.staff import links
from kafka_shop.staff.base import Admin, ReadOnly
from kafka_shop.staff.lists import among
from kafka_shop.staff.marks import column
from kafka_shop.staff.periods import Period
from kafka_shop.staff.searching import Searched
from kafka_shop.users.models import User

POWERS = ["is_staff", "is_superuser", "groups", "user_permissions"]
FLAGS = {ADDITION: "added", CHANGE: "changed", DELETION: "deleted"}

if TYPE_CHECKING:
    Users = UserAdmin[User]
else:
    Users = UserAdmin

admin.site.unregister([Group, AuthToken])  # as their packages have them


@admin.register(User)
class ShopUserAdmin(Users, Admin):  # its forms for a new user before those of unfold
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "id", "is_active", "is_staff", "last_login", "date_joined", "theirs"]
    list_filter = [among("is_staff", ["True"]), Period]
    ordering = ["-id"]
    searched = Searched(ids=("id",), texts=("username",))
    readonly_fields = ["last_login", "date_joined", "theirs"]
    fieldsets = [*(UserAdmin.fieldsets or ()), ("In the shop", {"fields": ["theirs"]})]

    @column("theirs")
    def theirs(self, user: User) -> str:
        models = {"orders": "orders_order", "accounts": "billing_account", "invoices": "billing_invoice", "letters": "notify_letter"}
        return links.several(user.pk, **models, tokens="knox_authtoken")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody gives himself or others what only superusers may give."""
        return [*self.readonly_fields, *([] if request.user.is_superuser else POWERS)]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of staff and their passwords only superusers dispose."""
        return super().has_change_permission(request, obj) and (request.user.is_superuser or not (obj and obj.is_staff))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # orders and the ledger name them: they are made inactive instead


@admin.register(Group)
class ShopGroupAdmin(GroupAdmin, Admin):
    """Groups, few of which there are. Only superusers write them."""

    list_before_template = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser


@admin.register(AuthToken)
class TokenAdmin(ReadOnly):
    """Tokens to see and to take back; what a token is, nobody sees. Those of the newest users first: they have no index by time."""

    list_display = ["token_key", "user", "created", "expiry"]
    list_select_related = ["user"]
    ordering = ["-user_id"]
    searched = Searched(ids=("user_id",), customer="user_id")
    exclude = ["digest"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("knox.delete_authtoken"))


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly):
    """What staff did in the console and by the API, and why."""

    list_display = ["action_time", "user", "what", "content_type", "object_repr", "change_message"]
    list_select_related = ["user", "content_type"]
    ordering = ["-id"]
    searched = Searched(ids=("object_id", "user_id"), customer="user_id")

    @column("what", badges={"added": "success", "changed": "info", "deleted": "danger"})
    def what(self, entry: LogEntry) -> str:
        return FLAGS[entry.action_flag]
