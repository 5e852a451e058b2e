"""The pages of the house itself: the way in, and small choices."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import path, re_path

from merchant.views import projects, provider_key, settle

#: Only what we use of django-allauth, under its own names: no sign-up, no social login.
login = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("again/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path(
        "password/reset/done/",
        account.password_reset_done,
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]

choices = [
    path("theme/", settle.theme, name="choose_theme"),
    path("shortcuts/", settle.shortcuts, name="choose_shortcuts"),
    path("merchant/", settle.merchant, name="switch_merchant"),
]

accounts = [
    path(
        "connections/<uuid:id>/key/",
        provider_key.page,
        {"carried": provider_key.API_KEY},
        name="provider_key",
    ),
    path(
        "connections/<uuid:id>/token/",
        provider_key.page,
        {"carried": provider_key.USER_TOKEN},
        name="user_token",
    ),
]

shops = [
    path("projects/", projects.browse, name="projects"),
    path("projects/new/", projects.new, name="project_new"),
    path("projects/<slug:id>/", projects.project, name="project"),
]

urlpatterns = login + choices + accounts + shops
