"""What Django answers by itself, in the shape of the route: JSON everywhere but in the admin, which people look at."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults

from conversations.api.errors import error_body


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _for_people(request):
        return defaults.bad_request(request, exception)
    return _json(request, 400, "The request could not be understood, or names a host that is not served here.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _for_people(request):
        return defaults.permission_denied(request, exception)
    return _json(request, 403, "This is not allowed.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _for_people(request):
        return defaults.page_not_found(request, exception)
    return _json(request, 404, "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponseBase:
    if _for_people(request):
        return defaults.server_error(request)
    return _json(request, 500, "Failed to process request.")


def _for_people(request: HttpRequest) -> bool:
    return request.path_info.startswith("/admin/")


def _json(request: HttpRequest, status: int, details: str) -> HttpResponse:
    body = error_body(request.path_info, status, details)
    return HttpResponse(body, status=status, content_type="application/json")
