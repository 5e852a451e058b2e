"""The door plate: one file, top to bottom; a wrong value stops the start by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import environs
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent

env = environs.Env()
env.read_env(str(ROOT / ".env"), recurse=False)


def wrong(name: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {why}")


def take(name: str, read, default):
    """One value from the environment; a value that cannot be read names itself.

    An empty value is no value, as compose files and shells write it.
    """
    if not os.environ.get(name):
        os.environ.pop(name, None)
    try:
        return read(name, default)
    except environs.EnvError as error:
        raise wrong(name, f"has a wrong value: {error}") from error


# ------------------------------------------------------------------------- places
DATA_DIR = Path(take("DATA_DIR", env.str, "") or ROOT / "var")
# `make setup` puts an installation's own keys here, so that commands find them too.
env.read_env(str(DATA_DIR / "keys.env"), recurse=False)

HOST = take("HOST", env.str, "127.0.0.1")
PORT = take("PORT", env.int, 8000)
PUBLIC_URL = take("PUBLIC_URL", env.str, f"http://{HOST}:{PORT}").rstrip("/")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in {"http", "https"} or not _public.hostname:
    raise wrong("PUBLIC_URL", "must look like https://pay.example.com")
HTTPS = _public.scheme == "https"
SANDBOX_URL = take("SANDBOX_URL", env.str, "").rstrip("/")
if SANDBOX_URL and not SANDBOX_URL.startswith(("http://", "https://")):
    raise wrong("SANDBOX_URL", "must look like http://127.0.0.1:8001")

#: The server that `serve` starts: processes, and requests at once in each.
WEB_WORKERS = take("WEB_WORKERS", env.int, 2)
WEB_THREADS = take("WEB_THREADS", env.int, 4)

# ------------------------------------------------------------------------ secrets
SECRET_KEY = take("SECRET_KEY", env.str, "")
if not SECRET_KEY:
    raise wrong("SECRET_KEY", "is not set; `make setup` makes one in the data folder")

ENCRYPTION_KEYS = [
    key.strip() for key in take("ENCRYPTION_KEYS", env.list, []) if key.strip()
]
for _key in ENCRYPTION_KEYS:
    try:
        Fernet(_key)
    except ValueError as error:
        raise wrong("ENCRYPTION_KEYS", "holds a value that is no Fernet key") from error

# ------------------------------------------------------------------------- safety
DEBUG = take("DEBUG", env.bool, False)
ALLOW_PRIVATE_ENDPOINTS = take("ALLOW_PRIVATE_ENDPOINTS", env.bool, False)
#: How many proxies of ours stand in front and add to X-Forwarded-For.
PROXY_HOPS = take("PROXY_HOPS", env.int, 0)
if PROXY_HOPS < 0:
    raise wrong("PROXY_HOPS", "counts proxies, so it is 0 or more")

_LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS = [_public.hostname, *take("ALLOWED_HOSTS", env.list, [])]
if _public.hostname in {"127.0.0.1", "localhost", "::1", "0.0.0.0"}:
    ALLOWED_HOSTS += _LOOPBACK
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^hooks/", r"^v1/", r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
if HTTPS and PROXY_HOPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The list that browsers ship is for whole domains: their owner enters them, not we.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

_prefix = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_prefix}session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_NAME = f"{_prefix}csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "merchant.views.errors.forbidden"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# ----------------------------------------------------------------------- database
DATABASES = {
    "default": take(
        "DATABASE_URL", env.dj_db_url, f"sqlite:///{DATA_DIR / 'merchant.sqlite3'}"
    )
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        ),
    }
else:
    # Every statement of ours is short: compiling it or starting helpers takes longer.
    _options = "-c jit=off -c max_parallel_workers_per_gather=0"
    # The web part gives up on a hung database in time to answer 503.
    _patience = "-c statement_timeout=5000 -c lock_timeout=4000"
    _database["CONN_MAX_AGE"] = None
    _database["CONN_HEALTH_CHECKS"] = True
    if take("MERCHANT_PART", env.str, "") == "web":
        _options = f"{_options} {_patience}"
    _database["OPTIONS"] = {
        "connect_timeout": 3,
        **_database.get("OPTIONS", {}),
        "options": _options,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- queue and cache
REDIS_URL = take("REDIS_URL", env.str, "")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise wrong("REDIS_URL", "must look like redis://127.0.0.1:6379/0")
RQ_QUEUES = {"default": {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 600}} if REDIS_URL else {}
#: The one step upward: the post room wakes the ledger by this name, as RQ stores it.
INBOX_JOB = "transactions.jobs.drain_inbox"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
    }
}

# ------------------------------------------------------------------------ keeping
#: Days for which is kept what events said, what their receivers answered, and that they
#: were sent at all.
EVENTS_KEPT_DAYS = take("EVENTS_KEPT_DAYS", env.int, 90)
ANSWERS_KEPT_DAYS = take("ANSWERS_KEPT_DAYS", env.int, 30)
DELIVERIES_KEPT_DAYS = take("DELIVERIES_KEPT_DAYS", env.int, 400)
# The schedule of tries runs for four days, and its rows must live as long.
if min(EVENTS_KEPT_DAYS, ANSWERS_KEPT_DAYS) < 5:
    raise wrong("EVENTS_KEPT_DAYS and ANSWERS_KEPT_DAYS", "must be 5 or more")
if max(EVENTS_KEPT_DAYS, ANSWERS_KEPT_DAYS) > DELIVERIES_KEPT_DAYS:
    raise wrong("DELIVERIES_KEPT_DAYS", "must be the longest of the three")

# --------------------------------------------------------------------------- mail
_mail = take("EMAIL_URL", env.dj_email_url, f"file:///{DATA_DIR / 'mail'}")
if "EMAIL_BACKEND" not in _mail:
    raise wrong("EMAIL_URL", "must look like smtp://user:password@mail.example.com:587")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
# The path of a file: URL loses its first slash on the way.
EMAIL_FILE_PATH = (
    f"/{str(_mail.get('EMAIL_FILE_PATH') or DATA_DIR / 'mail').lstrip('/')}"
)
EMAIL_HOST = _mail.get("EMAIL_HOST") or ""
EMAIL_PORT = _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = take(
    "DEFAULT_FROM_EMAIL", env.str, "Merchant <merchant@localhost>"
)

# ---------------------------------------------------------------------------- app
INSTALLED_APPS = [
    "merchant",
    "webhooks",
    "transactions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "merchant.assets.StaticFiles",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "heroicons",
    "csp",
    *(["django_rq"] if REDIS_URL else []),
]

MIDDLEWARE = [
    "merchant.middleware.close_the_shutters",
    # A delivery needs no session, no locale, no CSRF token and no redirect.
    "webhooks.views.hooks.IntakeMiddleware",
    "merchant.middleware.answer_health",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "merchant.middleware.say_busy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "merchant.middleware.know_the_member",
]

ROOT_URLCONF = "merchant.urls"
WSGI_APPLICATION = "merchant.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "heroicons.templatetags.heroicons",
                "django.templatetags.static",
                "django.templatetags.i18n",
                "merchant.templatetags.show",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "merchant.views.frame.frame",
            ],
        },
    }
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# -------------------------------------------------------------------------- login
AUTH_USER_MODEL = "merchant.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {
        "NAME": "django.contrib.auth.password_validation"
        ".UserAttributeSimilarityValidator"
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "merchant.login.ClosedDoor"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
# Before money moves above a limit, or secrets show: see merchant.fresh_login.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Only failures count at the login; who is limited reads when to come back.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": "10/5m/key,30/5m/ip"}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
PASSWORD_RESET_TIMEOUT = 60 * 60

# ------------------------------------------------------------------- static files
STATIC_URL = "static/"
STATIC_ROOT = ROOT / ".build" / "static"
STATICFILES_DIRS = [ROOT / "static"]
# Pages name the hashed files only; source maps are for nobody's first visit.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [
    "jpg", "png", "webp", "ico", "gz", "br", "woff", "woff2", "map",
]  # fmt: skip
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# ---------------------------------------------------------------------------- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["merchant.api.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["merchant.api.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["merchant.api.KeyThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "merchant.api_body.JsonBody",
        "rest_framework.parsers.FormParser",
    ],
    "EXCEPTION_HANDLER": "merchant.api.answer_error",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Merchant",
    "DESCRIPTION": "One list over all payment providers. Amounts are whole minor "
    "units, times Unix seconds, currencies lower-case.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ListWord": ["list"],
        "RefundWord": ["refund"],
        "EndpointWord": ["webhook_endpoint"],
        "EndpointStatus": ["enabled", "disabled"],
        "SubscriptionType": ["json_v1"],
        "TransactionWord": ["transaction"],
        "TransactionStatus": "transactions.statuses.Status",
    },
}

# ------------------------------------------------------------------------ logging
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "merchant": {"level": "INFO"},
        "webhooks": {"level": "INFO"},
        "transactions": {"level": "INFO"},
        # Every 404 and every wrong Host of a scanner would be a trace otherwise.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
        "django.request": {"level": "ERROR"},
    },
}
TESTING = "pytest" in sys.modules
