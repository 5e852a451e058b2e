"""The static files: which are ours to serve, and collected anew when one is newer."""

from __future__ import annotations

import fcntl
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.core.management import call_command

MANIFEST = "staticfiles.json"


class StaticFiles(StaticFilesConfig):
    """Leaves out what packages bring and no page of ours asks for."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc", "rest_framework"]


def collect_if_stale() -> bool:
    """Collects the static files if the manifest is missing or older than a source.

    Two starts at once wait for each other.
    """
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with (root.parent / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stale = is_stale()
        if stale:
            call_command("collectstatic", interactive=False, verbosity=0)
    return stale


def is_stale() -> bool:
    manifest = Path(settings.STATIC_ROOT) / MANIFEST
    return not manifest.exists() or manifest.stat().st_mtime < _newest_source()


def _newest_source() -> float:
    """When our own files, or the packages that bring some, changed last."""
    ours = [
        path for folder in settings.STATICFILES_DIRS for path in _walk(Path(folder))
    ]
    lock = settings.ROOT / "requirements.lock"
    return max(path.stat().st_mtime for path in [*ours, lock] if path.exists())


def _walk(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]
