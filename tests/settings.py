"""The product's settings, with throw-away keys and plain static files."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from cryptography.fernet import Fernet

os.environ.setdefault("SECRET_KEY", "tests only")
os.environ.setdefault("ENCRYPTION_KEYS", Fernet.generate_key().decode())
if "DATA_DIR" not in os.environ:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="merchant-tests-")
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)

# Each process of a parallel run has a Redis database of its own, as it has tables.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker and os.environ.get("REDIS_URL"):
    _server, _, _number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{_server}/{int(_number) + 1 + int(_worker[2:])}"

from merchant.settings import *  # noqa: E402, F403
from merchant.settings import DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

#: Empty databases with all tables, of which a run takes copies.
MIGRATED_SQLITE = os.environ.get("MIGRATED_SQLITE", "")
MIGRATED_POSTGRES = os.environ.get("MIGRATED_POSTGRES", "")

# A file, not memory: it is what runs in production, and other processes can open it.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {
        "NAME": os.path.join(os.environ["DATA_DIR"], "tests.sqlite3")
    }
elif MIGRATED_POSTGRES:
    DATABASES["default"]["TEST"] = {"TEMPLATE": MIGRATED_POSTGRES}

# The live server of pytest-django serves static files for an app of just this name.
INSTALLED_APPS = [
    "django.contrib.staticfiles" if app == "merchant.assets.StaticFiles" else app
    for app in INSTALLED_APPS
]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
