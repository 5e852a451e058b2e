"""Realistic transactions in bulk."""

from __future__ import annotations

import os
import secrets
import time
from typing import Any

from django.core.management.base import CommandParser
from django.db import connection

from merchant.management import base
from transactions.demo import bulk


class Command(base.Command):
    help = "Enters realistic transactions in bulk; announces nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--transactions", type=int, required=True, help="how many")
        parser.add_argument(
            "--seed", type=int, default=None, help="same seed, same shop"
        )

    def act(
        self, *, transactions: int, seed: int | None, **options: Any
    ) -> dict[str, Any]:
        if not 0 < transactions <= 10_000_000:
            raise base.WrongUse("--transactions takes a number from 1 to 10000000.")
        began = time.monotonic()
        projects = bulk.some_projects()
        chosen = secrets.randbits(31) if seed is None else seed
        for done in bulk.load(projects, transactions, chosen, _processes(transactions)):
            if options["verbosity"] > 1:
                self.stderr.write(f"{done} of {transactions}")
        seconds = time.monotonic() - began
        return {
            "transactions": transactions,
            "projects": len(projects),
            "seconds": round(seconds, 1),
            "per_second": round(transactions / seconds),
        }


def _processes(transactions: int) -> int:
    """One per core where many can write at once and there is enough to do."""
    if connection.vendor == "sqlite" or connection.in_atomic_block:
        return 1
    return min(os.cpu_count() or 1, 8, 1 + transactions // 1_000)
