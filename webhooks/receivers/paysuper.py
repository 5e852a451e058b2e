"""Receives events in PaySuper's words: checks them, takes each one once, answers.

    WEBHOOK_SECRET=... python3 paysuper.py

Python 3.9 or newer, nothing to install. The order is handled in `handle`, below.
"""

import hashlib
import hmac
import json
import os
import pathlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# While a secret is being rolled: both, with a blank between them.
SECRETS = os.environ["WEBHOOK_SECRET"].split()
# An empty file for each event that was handled; a unique column of your database is
# as good. There is no time in the signature, so an event is known for ever.
DONE = pathlib.Path(os.environ.get("EVENTS_DONE", "events-done"))
LARGEST = 1024 * 1024
# Customers of this name are invented by the tester and must not be known.
NOBODY = "paysuper_test_"


def handle(event, order):
    """Your part. Whatever takes long belongs into a queue of your own.

    Go by the event and not by the order's status: events may come twice and in any
    order, and one of them may be older than what you know.
    """
    if event == "payment.success":
        print("paid:", order["id"], order["amount"], order["currency"])


def is_known(user):
    """Your part: whether this customer may buy. Asked before a payment is made."""
    return not str(user.get("external_id") or "").startswith(NOBODY)


def receive(headers, body):
    """The status and the body to answer with: 200 and nothing when all is well."""
    if not is_signed(headers.get("Authorization") or "", body):
        return 401, error("INVALID_SIGNATURE")
    try:
        letter = json.loads(body)
        event, told = letter["event"], letter["object"]
        id = letter["id"]
    except (ValueError, KeyError, TypeError):
        return 400, error("INVALID_BODY")
    if event == "user.validate":
        return (200, "") if is_known(told) else (400, error("INVALID_USER"))
    if told.get("testing_case"):  # no purchase: nothing is handed over
        invented = told["testing_case"] == "non_existing_user"
        return (400, error("INVALID_USER")) if invented else (200, "")
    if not claim(id):
        return 200, ""
    try:
        handle(event, told)
    except Exception:
        DONE.joinpath(name_of(id)).unlink()  # so that the next try is not a duplicate
        raise
    return 200, ""


def is_signed(header, body):
    """Whether it is the hash of the body with one of the secrets after it."""
    scheme, _, given = header.partition(" ")
    good = False
    for secret in SECRETS:
        made = hashlib.sha256(body + secret.encode()).hexdigest()
        good |= hmac.compare_digest(made.encode(), given.strip().encode())
    return good and scheme == "Signature"


def error(code):
    return json.dumps({"error": {"code": code}})


def claim(id):
    """Whether this event is new. Two copies at the same moment: one of them is."""
    DONE.mkdir(exist_ok=True)
    try:
        DONE.joinpath(name_of(id)).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def name_of(id):
    return hashlib.sha256(id.encode()).hexdigest()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            return self.answer(413, "")
        # The bytes as they came: JSON that was read and written again differs.
        body = self.rfile.read(length)
        try:
            self.answer(*receive(self.headers, body))
        except Exception as problem:
            print("failed:", problem)
            self.answer(500, "")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "4242"))
    ThreadingHTTPServer(
        (os.environ.get("HOST", "127.0.0.1"), port), Receiver
    ).serve_forever()
