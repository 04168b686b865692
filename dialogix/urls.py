"""Every address: the documents' routes, which the chat path's own handler resolves here too, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path

from conversations.api.routing import methods
from conversations.api.schema import views as docs
from conversations.page import views as page
from conversations.signin import sign_in
from dialogix import health

urlpatterns = [
    re_path(r"^(?:api/v1/)?health/?$", methods(GET=health.system)),  # type: ignore[arg-type]  # as Django allows, if not its stubs
    path("", include("conversations.api.urls")),
    path("", page.chat, name="chat"),
    path("sign-in/", page.sign_in, name="sign-in"),
    path("sign-out/", LogoutView.as_view(next_page="/"), name="sign-out"),
    re_path(r"^api/schema/?$", docs.schema, name="schema"),
    re_path(r"^api/docs/?$", docs.docs, name="docs"),
    path("admin/login/", sign_in),
    path("admin/", admin.site.urls),
]

handler400 = "dialogix.errors.bad_request"
handler403 = "dialogix.errors.permission_denied"
handler404 = "dialogix.errors.page_not_found"
handler500 = "dialogix.errors.server_error"
