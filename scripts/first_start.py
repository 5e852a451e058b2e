"""Gives a new installation its own keys, in the data folder, before Django can start.

Existing keys are never touched: what they sealed would be lost.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import environs
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """The folder that merchant.settings will use."""
    env = environs.Env()
    env.read_env(str(ROOT / ".env"), recurse=False)
    return Path(env.str("DATA_DIR", "") or ROOT / "var")


def write_keys(folder: Path) -> bool:
    """Writes keys.env, readable by its owner only; False when it was there already."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"SECRET_KEY={secrets.token_urlsafe(48)}",
        f"ENCRYPTION_KEYS={Fernet.generate_key().decode()}",
    ]
    try:
        door = os.open(folder / "keys.env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with open(door, "w") as file:
        file.write("\n".join(lines) + "\n")
    return True


if __name__ == "__main__":
    place = data_dir()
    if write_keys(place):
        print(f"New keys are in {place / 'keys.env'}: keep a copy outside the machine.")
