"""Asks the peers what bench.browse asks our list; a process of its own, since they need
other settings."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers_settings"
django.setup()

from django.urls import reverse  # noqa: E402

from bench import peers  # noqa: E402
from bench.clock import read  # noqa: E402
from merchant.models import User  # noqa: E402


def main() -> None:
    """Questions as JSON on stdin; on stdout question -> peer -> page -> reading."""
    user = User.objects.get(email="bench-admin@example.com")
    addresses = {
        "admin": reverse("admin:transactions_transaction_changelist"),
        "tables": "/tables/",
    }
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for question in json.load(sys.stdin):
        for peer, address in addresses.items():
            pairs = question[peer] and [tuple(pair) for pair in question[peer]]
            if pairs is None:
                continue
            if peer == "admin" and "livemode__exact" not in dict(pairs):
                pairs = [*pairs, ("livemode__exact", "1")]
            parameter, page = ("p", 0) if peer == "admin" else ("page", 1)
            half = page + question["rows"] // peers.SIZE // 2
            for name, asked in (
                ("first", pairs),
                ("middle", [*pairs, (parameter, str(half))]),
            ):
                reading = read(user, address, asked, times=3)
                told = {key: reading[key] for key in ("whole", "database", "queries")}
                found.setdefault(question["name"], {}).setdefault(peer, {})[name] = told
    print(json.dumps(found))


if __name__ == "__main__":
    main()
