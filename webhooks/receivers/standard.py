"""Receives events: checks who sent them, takes each one once, answers at once.

    WEBHOOK_SECRET=whsec_... python3 standard.py

Python 3.9 or newer, nothing to install. The event is handled in `handle`, below.
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# While a secret is being rolled: both, with a blank between them.
SECRETS = os.environ["WEBHOOK_SECRET"].split()
# An empty file for each event that was handled; a unique column of your database is
# as good.
DONE = pathlib.Path(os.environ.get("EVENTS_DONE", "events-done"))
TOLERANCE = 5 * 60  # seconds that the sender's clock and yours may be apart
LARGEST = 1024 * 1024


def handle(event):
    """Your part. Whatever takes long belongs into a queue of your own.

    Events may come twice and in any order: the object's `sequence` grows with every
    change, so one that is smaller than what you know is old news.
    """
    purchase = event["object"]
    if event["event"] == "payment.success" and purchase.get("verified", True):
        print("paid:", purchase["id"], purchase["amount"], purchase["currency"])


def receive(headers, body):
    """The status and the text to answer with."""
    id = headers.get("webhook-id") or ""
    stamp = headers.get("webhook-timestamp") or ""
    if not is_signed(id, stamp, headers.get("webhook-signature") or "", body):
        return 401, "The signature is wrong."
    if abs(time.time() - int(stamp)) > TOLERANCE:
        return 401, "The letter is too old, or a clock is wrong."
    try:
        event = json.loads(body)
    except ValueError:
        return 400, "This is no JSON."
    if not claim(id):
        return 200, "Known already."
    try:
        handle(event)
    except Exception:
        DONE.joinpath(name_of(id)).unlink()  # so that the next try is not a duplicate
        raise
    return 200, "Thank you."


def is_signed(id, stamp, given, body):
    """Whether one of the signatures was made with one of the secrets."""
    if not (stamp.isascii() and stamp.isdigit()):
        return False
    signed = f"{id}.{stamp}.".encode() + body
    good = False
    for secret in SECRETS:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        made = base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        for one in given.split():
            good |= hmac.compare_digest(b"v1," + made, one.encode())
    return good


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
            return self.answer(413, "Too large.")
        # The bytes as they came: JSON that was read and written again differs.
        body = self.rfile.read(length)
        try:
            self.answer(*receive(self.headers, body))
        except Exception as error:
            print("failed:", error)
            self.answer(500, "It failed here; send it again.")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "4242"))
    ThreadingHTTPServer(
        (os.environ.get("HOST", "127.0.0.1"), port), Receiver
    ).serve_forever()
