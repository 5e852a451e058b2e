"""Fills an empty database with the demo, and says how to log in."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings

from merchant.management import base
from merchant.models import Merchant
from transactions.demo import logins, stalls, start


class Command(base.Command):
    help = "Makes the demo in an empty database; prints its logins every time."

    def act(self, **_options: Any) -> dict[str, Any]:
        if stalls.sandbox_port() is None:
            raise base.Failed(
                "SANDBOX_URL is not set. serve --demo sets it; by hand use such as "
                "SANDBOX_URL=http://127.0.0.1:8001."
            )
        filled = None
        began = time.monotonic()
        if not Merchant.objects.exists():
            self.stdout.write("Making the demo: a month of an invented shop ...")
            self.stdout.flush()
            filled = start.fill()
        start.follow_sandbox()
        return {
            "purchases": filled.purchases if filled else 0,
            "deliveries": filled.deliveries if filled else 0,
            "seconds": round(time.monotonic() - began, 1),
            "address": settings.PUBLIC_URL,
            "logins": [(row.role, row.email, row.password) for row in logins.kept()],
        }

    def say(self, result: dict[str, Any]) -> None:
        if result["purchases"]:
            self.stdout.write(
                f"{result['purchases']} purchases, {result['deliveries']} signed "
                f"webhooks, read in {result['seconds']} s. All of it is test data."
            )
        if not result["logins"]:
            return
        self.stdout.write(f"\nDemo logins for {result['address']}")
        for role, email, password in result["logins"]:
            self.stdout.write(f"  {role:<10} {email:<24} {password}")
        self.stdout.write(f"  (also in {logins.path()})\n")
