"""Every address: the documents' routes, which the chat path's own handler resolves here too, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from conversations.api.routing import methods
from conversations.signin import sign_in
from dialogix import health

urlpatterns = [
    re_path(r"^(?:api/v1/)?health/?$", methods(GET=health.system)),
    path("", include("conversations.api.urls")),
    path("admin/login/", sign_in),
    path("admin/", admin.site.urls),
]

handler400 = "dialogix.errors.bad_request"
handler403 = "dialogix.errors.permission_denied"
handler404 = "dialogix.errors.page_not_found"
handler500 = "dialogix.errors.server_error"
