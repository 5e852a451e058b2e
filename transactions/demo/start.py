"""The demo's first day: a merchant, its people and connections, and a month of sales."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, cycle, islice
from pathlib import Path
from random import Random

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from merchant import connections, queue
from merchant.access import ROLES
from merchant.models import Connection, Member, Merchant, Project, User
from merchant.sandbox import keypair, shop
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.senders import Delivery, Habits, deliveries
from merchant.sandbox.server import Server
from transactions.demo import stalls
from transactions.demo.post import hand_over_here
