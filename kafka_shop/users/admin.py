"""Users and their groups in the admin."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from kafka_shop.users.models import User

if TYPE_CHECKING:
    Users = UserAdmin[User]
    Look = object
else:
    Users, Look = UserAdmin, ModelAdmin  # unfold ships no types, Django's take their parameter in the stubs only


@admin.register(User)
class ShopUserAdmin(Users, Look):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


admin.site.unregister(Group)  # as Django has it


@admin.register(Group)
class ShopGroupAdmin(GroupAdmin, Look):
    """Groups, in unfold's look."""
