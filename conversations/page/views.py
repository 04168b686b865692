"""The page at `/`, and its sign-in where conversations have owners."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import LoginView, redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from conversations.signin import limited
from providers import registry

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@never_cache
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Django's own sign-in, as tedious to guess at as the admin's."""
    view = LoginView.as_view(template_name="conversations/sign_in.html", redirect_authenticated_user=True)
    response = limited(request, view)
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


@require_safe
@ensure_csrf_cookie
def chat(request: HttpRequest) -> HttpResponseBase:
    """The page. In required mode whoever has not signed in is asked to."""
    if settings.AUTH_MODE == "required" and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
    configs = [registry.config(name) for name in registry.names()]
    context = {
        "mode": settings.AUTH_MODE,
        "providers": [config for config in configs if config.usable],
        "default_provider": settings.DEFAULT_PROVIDER,
        "simulated": any(config.simulated for config in configs),
    }
    response = render(request, "conversations/chat.html", context)
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
