"""The floor of intake: a Django view that checks one HMAC and does one raw INSERT."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

import dj_database_url
from django.conf import settings

SECRET = os.environ["BENCH_SECRET"].encode()

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="bench.bare",
    MIDDLEWARE=[],
    DATABASES={
        "default": {
            **dj_database_url.parse(os.environ["DATABASE_URL"]),
            "CONN_MAX_AGE": None,
        }
    },
)

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

INSERT = (
    "INSERT INTO bench_bare (event_id, body) VALUES (%s, %s)"
    " ON CONFLICT (event_id) DO NOTHING RETURNING id"
)


def receive(request: HttpRequest) -> HttpResponse:
    body = request.body
    header = request.META["HTTP_STRIPE_SIGNATURE"]
    time, _, signature = header.partition(",v1=")
    signed = hmac.new(SECRET, time[2:].encode() + b"." + body, hashlib.sha256)
    if not hmac.compare_digest(signed.hexdigest(), signature):
        return HttpResponse(status=401)
    event = json.loads(body)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [event["id"], body])
        cursor.fetchone()
    return HttpResponse(b'{"received": true}', content_type="application/json")


urlpatterns = [path("hooks/stripe/bare", receive)]
application = get_wsgi_application()
