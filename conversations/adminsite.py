"""The admin's site: unfold's, with a dashboard for a front page and a policy that lets nothing reach another host.

Outside of the package of the pages: those register themselves with this one when they are imported.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

View = Callable[..., HttpResponseBase]

# The theme's scripts are inline in places, and evaluate expressions written into attributes.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Site(UnfoldAdminSite):
    index_template = "admin/conversations/dashboard.html"
    index_title = "Dashboard"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from conversations.admin.dashboard import dashboard  # noqa: PLC0415  (needs the models)

        return super().index(request, {**(extra_context or {}), **dashboard(request)})

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return _guarded(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        return _with_policy(super().login(request, extra_context))


def _guarded(view: View) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> HttpResponseBase:
        return _with_policy(view(*args, **kwargs))

    return guarded


def _with_policy(response: HttpResponseBase) -> HttpResponseBase:
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def stylesheet(request: HttpRequest) -> str:
    return static("conversations/admin/admin.css")


def icon(request: HttpRequest) -> str:
    return static("conversations/chat/icon.svg")


NAVIGATION = {
    "": [("Dashboard", "monitoring", "admin:index", "")],
    "Conversations": [
        ("Conversations", "forum", "admin:conversations_conversation_changelist", "conversations.view_conversation"),
        ("Messages", "chat_bubble", "admin:conversations_message_changelist", "conversations.view_message"),
        ("Attempts", "rule", "admin:conversations_attempt_changelist", "conversations.view_attempt"),
        ("Usage per day", "bar_chart", "admin:conversations_dailyusage_changelist", "conversations.view_dailyusage"),
    ],
    "People": [
        ("Users", "person", "admin:conversations_user_changelist", "conversations.view_user"),
        ("Groups", "group", "admin:auth_group_changelist", "auth.view_group"),
        ("Tokens", "key", "admin:knox_authtoken_changelist", "knox.view_authtoken"),
    ],
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """What stands at the side: what whoever asks may see."""
    groups = []
    for title, entries in NAVIGATION.items():
        items = [
            {"title": name, "icon": symbol, "link": reverse(address)}
            for name, symbol, address, permission in entries
            if not permission or request.user.has_perm(permission)
        ]
        if items:
            groups.append({"title": title, "separator": bool(title), "items": items})
    return groups
