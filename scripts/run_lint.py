"""Everything that can be said about the code without running it; all of it, always."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import servers

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"

CHECKS = [
    ["ruff", "check", "--quiet", "."],
    ["ruff", "format", "--check", "--quiet", "."],
    ["mypy", "--no-error-summary"],
    ["djlint", "templates", "--lint", "--quiet"],
]

#: What a template must not hold, and why.
NEVER = {
    r"\sstyle=": "inline style: the Content-Security-Policy forbids it",
    r"<style\b": "inline style: the Content-Security-Policy forbids it",
    r"<script(?![^>]*\bsrc=)": "inline script: the Content-Security-Policy forbids it",
    r"\son[a-z]+=": "inline handler: the Content-Security-Policy forbids it",
    r"hx-on": "inline handler: the Content-Security-Policy forbids it",
    r"""(?:src|href|action)=["']?(?:https?:)?//""": "a foreign host: all is ours",
    r"\|\s*safe\b": "unescaped text: it may come from outside",
    r"{%\s*autoescape\s+off": "unescaped text: it may come from outside",
    r"javascript:": "script in an address",
}
#: Mails are read elsewhere: no policy there, and styles only work inline.
MAY_STYLE = "emails"
#: What a lock must not hold: it names versions and hashes, not where they lie.
NOT_IN_LOCK = re.compile(r"https?://|--index|--find-links|(?<!\w)/(opt|tmp)/")


def main() -> int:
    if os.environ.get("CI") == "true":
        servers.install_missing()
    problems = _templates() + _locks()
    print("\n".join(problems), end="\n" if problems else "")
    with ThreadPoolExecutor() as side_by_side:
        failed = [side_by_side.submit(_migrations)]
        for check in CHECKS:
            command = [str(BIN / check[0]), *check[1:]]
            failed.append(side_by_side.submit(_fails, command, _settings()))
    return int(any([one.result() for one in failed] + [bool(problems)]))


def _templates() -> list[str]:
    found = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        for pattern, why in NEVER.items():
            if MAY_STYLE in path.parts and "style" in pattern:
                continue
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(ROOT)}:{line}: {why}")
    return found


def _locks() -> list[str]:
    return [
        f"{path.name}:{number}: a lock must not say where packages lie"
        for path in sorted(ROOT.glob("requirements*.lock"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if NOT_IN_LOCK.search(line)
    ]


def _migrations() -> bool:
    """Whether models and migrations differ, on both databases where both are here."""
    with servers.folder() as place, servers.postgres(place) as database:
        failed = False
        for url in [f"sqlite:///{place / 'lint.sqlite3'}", database]:
            if url:
                failed |= _migrates(url, place)
            else:
                print("Skipped: migrations on PostgreSQL (apt-get install postgresql)")
                failed |= os.environ.get("CI") == "true"
    return failed


def _settings(**over: str) -> dict[str, str]:
    """What the product's settings need to be read; no key of value."""
    return {**os.environ, "SECRET_KEY": "lint", "REDIS_URL": "", **over}


def _migrates(url: str, place: Path) -> bool:
    environment = _settings(DATABASE_URL=url, DATA_DIR=tempfile.mkdtemp(dir=place))
    manage = [str(BIN / "python"), "manage.py"]
    return any(
        [
            _fails([*manage, "migrate", "--verbosity", "0"], environment),
            _fails([*manage, "makemigrations", "--check", "--dry-run"], environment),
            _fails([*manage, "check", "--fail-level", "WARNING"], environment),
        ]
    )


def _fails(command: list[str], environment: dict[str, str] | None = None) -> bool:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        print(f"-- {' '.join([Path(command[0]).name, *command[1:]])}\n{done.stdout}")
    return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
