"""Everything that the chat path's own handler does not answer: the admin, the REST views, the system's health."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from conversations.signin import sign_in
from dialogix import health

urlpatterns = [
    path("", include("conversations.api.urls")),
    path("api/v1/", include("conversations.api.urls")),
    path("health", health.system),
    path("health/", health.system),
    path("api/v1/health", health.system),
    path("api/v1/health/", health.system),
    path("readyz", health.ready),
    path("admin/login/", sign_in),
    path("admin/", admin.site.urls),
]

handler400 = "dialogix.errors.bad_request"
handler403 = "dialogix.errors.permission_denied"
handler404 = "dialogix.errors.page_not_found"
handler500 = "dialogix.errors.server_error"
