"""Where every view of the API comes from."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from merchant.api_errors import sign_off


class OnlyJson(BaseContentNegotiation):
    """Answers are JSON, whatever was said to be acceptable."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((p for p in parsers if p.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """A view behind the door that merchant.api describes.

    `scopes`: method -> the scope that its key must hold.
    """

    scopes: ClassVar[dict[str, str]] = {}
    content_negotiation_class = OnlyJson
    metadata_class = None

    def finalize_response(
        self, request: HttpRequest, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        django_request = getattr(request, "_request", request)
        return sign_off(answer, django_request)
