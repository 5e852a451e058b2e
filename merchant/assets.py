"""The collected static files: made anew when a source is newer."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management import call_command

MANIFEST = "staticfiles.json"


def collect_if_stale() -> bool:
    """Collects the static files if the manifest is missing or older than a source."""
    manifest = Path(settings.STATIC_ROOT) / MANIFEST
    stale = not manifest.exists() or manifest.stat().st_mtime < _newest_source()
    if stale:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    return stale


def _newest_source() -> float:
    """When our own files, or the packages that bring some, changed last."""
    ours = [
        path for folder in settings.STATICFILES_DIRS for path in _walk(Path(folder))
    ]
    lock = settings.ROOT / "requirements.lock"
    return max(path.stat().st_mtime for path in [*ours, lock] if path.exists())


def _walk(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]
