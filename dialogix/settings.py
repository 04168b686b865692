"""One flat file in Django's own order. Every value that an operator may want to change comes from the environment:
`.env.example` lists the variables. A bad one stops the process and is named."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from dialogix import database, env, secretkey, vendors

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_file(BASE_DIR / os.environ.get("ENV_FILE", ".env"))
STATE_DIR = BASE_DIR / env.text("STATE_DIR", ".state")

# -- core --------------------------------------------------------------------------------------------------------------

DEBUG = env.boolean("DJANGO_DEBUG", default=False)
ALLOWED_HOSTS = list(env.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]")))
SECRET_KEY = env.secret("DJANGO_SECRET_KEY") or secretkey.kept(STATE_DIR / "secret_key")
SECRET_KEY_FALLBACKS = list(env.words("DJANGO_SECRET_KEY_FALLBACKS"))

ROOT_URLCONF = "dialogix.urls"
APPEND_SLASH = False
ASGI_APPLICATION = "dialogix.asgi.application"

INSTALLED_APPS = [
    # Makes `runserver` speak ASGI. Nothing else needs it, and its import would cost every worker time and memory.
    *(["daphne"] if "runserver" in sys.argv else []),
    "channels",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "conversations.apps.AdminSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "corsheaders",
    "knox",
    "drf_spectacular_sidecar",
    "conversations",
    "providers",
]

# What the admin and the REST views go through. The chat path has a handler of its own, which pays for none of this.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "conversations.api.cors.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# -- what is stored ----------------------------------------------------------------------------------------------------

DATABASES = {
    "default": database.configuration(
        "DATABASE_URL", env.secret("DATABASE_URL"), default=STATE_DIR / "dialogix.sqlite3", base=BASE_DIR
    ),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.url("REDIS_URL", env.secret("REDIS_URL"), ("redis", "rediss", "unix"))
CACHES: dict[str, dict[str, Any]]
CHANNEL_LAYERS: dict[str, dict[str, Any]]
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "dialogix",
            "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
        },
    }
    CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}},
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
"""Bytes of a request's body. The largest legal one, 50 messages of 24000 escaped characters, comes near."""

# -- who is who --------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "conversations.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_MODE = env.choice("AUTH_MODE", "open", ("open", "required"))
AUTH_JWKS_URL = env.web_url("AUTH_JWKS_URL")
AUTH_JWT_ISSUER = env.optional("AUTH_JWT_ISSUER")
AUTH_JWT_AUDIENCE = env.words("AUTH_JWT_AUDIENCE")
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
METRICS_TOKEN = env.secret("METRICS_TOKEN")

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "conversations.api.errors.exception_handler",
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": timedelta(days=90)}

# -- browsers ----------------------------------------------------------------------------------------------------------

CORS_ALLOWED_ORIGINS = list(env.origins("CORS_ALLOWED_ORIGINS", ("http://localhost:5000",)))
CORS_ALLOW_CREDENTIALS = True
# A frontend's origin may use the API; the pages of whoever is signed in to the admin are none of its business.
CORS_URLS_REGEX = r"^/(?!admin/)"
CORS_EXPOSE_HEADERS = [
    "Content-Disposition",
    "ETag",
    "X-Conversation-ID",
    "X-Dialogix-Simulator",
    "X-Message-ID",
    "X-Request-ID",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Retry-After",
]
CSRF_TRUSTED_ORIGINS = list(CORS_ALLOWED_ORIGINS)

HTTPS = env.boolean("DJANGO_HTTPS", default=False)
"""Whether browsers reach this server by https, which then is the only way."""

SECURE_SSL_REDIRECT = HTTPS
# What load balancers and orchestrators ask from near by, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|metrics)/?$", r"^(api/v1/)?health(/|$)"]
SECURE_HSTS_SECONDS = env.integer("DJANGO_HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # whether the other names of the domain are served by https only, this server cannot know
    "security.W021",  # nor may it enter the domain into the browsers' preload lists, which is not undone for years
]

# -- language, time, files ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static"
# Without `collectstatic` (the image has it run) the files are served from where their packages have them.
SERVESTATIC_USE_FINDERS = not STATIC_ROOT.is_dir()

# -- the admin's looks -------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Dialogix",
    "SITE_HEADER": "Dialogix",
    "SITE_SUBHEADER": "Conversations and usage",
    "SITE_SYMBOL": "forum",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "conversations.adminsite.icon"}],
    "SHOW_BACK_BUTTON": True,
    "STYLES": ["conversations.adminsite.stylesheet"],
    "SIDEBAR": {"navigation": "conversations.adminsite.navigation"},
    "COLORS": {
        "primary": {
            "50": "#eef2ff",
            "100": "#e0e7ff",
            "200": "#c7d2fe",
            "300": "#a5b4fc",
            "400": "#818cf8",
            "500": "#6366f1",
            "600": "#4f46e5",
            "700": "#4338ca",
            "800": "#3730a3",
            "900": "#312e81",
            "950": "#1e1b4b",
        },
    },
}

# -- providers ---------------------------------------------------------------------------------------------------------

SIMULATOR = env.choice("SIMULATOR", "auto", ("auto", "off"))
MAX_ACTIVE_GENERATIONS = env.integer("MAX_ACTIVE_GENERATIONS", 2000, least=1)
PROVIDERS = vendors.providers(SIMULATOR, MAX_ACTIVE_GENERATIONS)
DEFAULT_PROVIDER = env.choice("DEFAULT_PROVIDER", "gpt", tuple(PROVIDERS))
PROVIDER_TIMEOUT = env.number("PROVIDER_TIMEOUT", 30.0, least=0.05)
PROVIDER_HEALTH_CACHE = env.number("PROVIDER_HEALTH_CACHE", 5.0)
FORBID_VENDORS = env.boolean("FORBID_VENDORS", default=False)
"""Whether only providers on this machine may be called, as tests want it."""

# -- serving -----------------------------------------------------------------------------------------------------------

HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, most=65_535)
WEB_WORKERS = env.integer("WEB_WORKERS", 1, least=1, most=256)
SHUTDOWN_GRACE = env.number("SHUTDOWN_GRACE", 20.0)
RATE_LIMIT = env.rate("RATE_LIMIT", "500/h")
MAX_ACTIVE_GENERATIONS_PER_CALLER = env.integer("MAX_ACTIVE_GENERATIONS_PER_CALLER", 0)
"""0: any number."""
NATIVE_CLIENTS = env.words("NATIVE_CLIENTS", ("okhttp", "CFNetwork", "Expo"))
"""Parts of the User-Agent of mobile stacks that lose what arrives together with the first bytes of a stream."""
NATIVE_CLIENT_DELAY = env.number("NATIVE_CLIENT_DELAY", 0.05, most=5)
"""Seconds between the opening comment and the first delta for those."""

# -- logs --------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "dialogix.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # The access log has the one line of a request; Django's own second one would only repeat its status.
        "django": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "uvicorn": {"level": "ERROR"},
        # Libraries that log what they send and receive where they may.
        **{name: {"level": "WARNING"} for name in ("httpx2", "httpcore2", "openai", "anthropic", "google_genai")},
    },
}
