"""The same rooms as those of the deliveries' tests."""

from __future__ import annotations

import pytest

from merchant.models import Project
from tests.webhooks.delivery.conftest import fresh, private, shop
from tests.webhooks.delivery.parts import Receiver, make_endpoint
from webhooks.models import Endpoint

__all__ = ["fresh", "private", "shop"]


@pytest.fixture
def endpoint(project: Project, shop: Receiver) -> Endpoint:
    return make_endpoint(project, shop.url)
