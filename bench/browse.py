"""How long the list takes under every filter, against the bare SQL and two peers.

BROWSE_ROWS says at how many rows it looks, 10000,100000 unless told; 1000000 is worth
it, and takes a quarter of an hour to fill. Rows that are there are not made again.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.exceptions import EmptyResultSet  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import QueryDict  # noqa: E402
from django.urls import reverse  # noqa: E402

from bench import clock  # noqa: E402
from bench.clock import Reading  # noqa: E402
from bench.questions import Question, questions  # noqa: E402
from merchant.models import Member, Merchant, Project, User  # noqa: E402
from transactions import nearest  # noqa: E402
from transactions.demo import bulk  # noqa: E402
from transactions.models import Transaction  # noqa: E402
from transactions.views import listing  # noqa: E402

MERCHANT = os.environ.get("BENCH_MERCHANT", "bench-browse")
PROJECTS = ("Harbor Store", "Harbor Arcade", "Harbor Outlet")
SEED = 2026
#: Whole server time of a page, milliseconds; and how many times quicker than a peer.
GOAL_WHOLE = 60
GOALS_TO_PEERS = {"tables": 5, "admin": 15}
NAMES = {"tables": "tables2", "admin": "admin"}
PAGES = ("first", "middle")


@dataclass(slots=True)
class Answers:
    """What was read of one question, by number of rows and page."""

    question: Question
    ours: dict[int, dict[str, Reading]] = field(default_factory=dict)
    floor: dict[int, float] = field(default_factory=dict)
    peers: dict[int, dict[str, Any]] = field(default_factory=dict)


def main() -> None:
    settings.ALLOWED_HOSTS = ["*"]
    sizes = [
        int(size) for size in os.environ.get("BROWSE_ROWS", "10000,100000").split(",")
    ]
    member = _member()
    found: dict[str, Answers] = {}
    for size in sorted(sizes):
        _fill(member.merchant, size)
        asked = questions(member)
        peers = _peers(asked)
        for question in asked:
            answers = found.setdefault(question.name, Answers(question))
            answers.question = question
            answers.ours[size] = _read(member.user, question)
            answers.floor[size] = _floor(member, question)
            answers.peers[size] = peers.get(question.name, {})
        _print_table(size, found.values())
    _print_side_by_side(sorted(sizes), found.values())
    _explain(max(sizes), found.values())


# ------------------------------------------------------------------------ the rows
def _member() -> Member:
    merchant, made = Merchant.objects.get_or_create(
        slug=MERCHANT, defaults={"name": "Pixel Harbor"}
    )
    if made:
        for name in PROJECTS:
            slug = f"{MERCHANT}-{name.split()[-1].lower()}"
            Project.objects.create(merchant=merchant, name=name, slug=slug)
    user = User.objects.get_or_create(
        email="bench-admin@example.com",
        defaults={"is_superuser": True, "is_staff": True},
    )[0]
    return Member.objects.get_or_create(
        merchant=merchant, user=user, defaults={"role": "owner"}
    )[0]


def _fill(merchant: Merchant, size: int) -> None:
    rows = Transaction.objects.filter(merchant=merchant)
    missing = size - rows.count()
    if missing > 0:
        start = time.perf_counter()
        shops = list(
            Project.objects.filter(merchant=merchant).select_related("merchant")
        )
        for _ in bulk.load(shops, missing, SEED + size, os.cpu_count() or 1):
            pass
        spent = time.perf_counter() - start
        print(
            f"{missing:,} rows made in {spent:.0f} s, {missing / spent:,.0f} a second"
        )
        bulk.look_anew()


# ---------------------------------------------------------------------- the clocks
def _read(user: User, question: Question) -> dict[str, Reading]:
    address = reverse("transactions:list")
    # An exact id leads to its card.
    first = clock.read(user, address, question.pairs, fine=(302,))
    if not question.cursor:
        return {"first": first}
    middle = [*question.pairs, ("after", question.cursor)]
    return {"first": first, "middle": clock.read(user, address, middle)}


def _floor(member: Member, question: Question) -> float:
    """Milliseconds of the bare SQL for a page's ids, by psycopg alone."""
    asked = listing.asked_by(member, QueryDict(question.first))
    statements = []
    for strand in asked.strands:
        newest = strand.order_by(*nearest.NEWEST_FIRST).values("pk")
        page = nearest.first(newest, listing.SIZE + 1)
        try:
            statements.append(page.query.sql_with_params())
        except EmptyResultSet:
            continue
    door = connection.connection.cursor()
    spent = []
    for _ in range(clock.WARM + clock.TIMES):
        start = time.perf_counter()
        for sql, params in statements:
            door.execute(sql, params).fetchall()
        spent.append((time.perf_counter() - start) * 1000)
    return statistics.median(spent[clock.WARM :])


def _peers(asked: Sequence[Question]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.ask_peers"],
        input=json.dumps([asdict(question) for question in asked]),
        env={**os.environ, "BENCH_MERCHANT": MERCHANT, "PYTHONWARNINGS": "ignore"},
        cwd=Path(__file__).resolve().parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


# ---------------------------------------------------------------------- the report
def _print_table(size: int, found: Iterable[Answers]) -> None:
    """At one number of rows: milliseconds of the first page and of one half way."""
    print(f"\n{size:,} rows: milliseconds, first page / page half way down")
    print(
        f"{'':30} {'rows':>8}  {'database':>15} {'whole':>13} {'queries':>7}"
        f" {'bare SQL':>8} {'tables2':>13} {'ratio':>11} {'admin':>13} {'ratio':>11}"
    )
    misses = []
    for answers in found:
        if size not in answers.ours:
            continue
        ours, question = answers.ours[size], answers.question
        databases = [ours[page]["database"] for page in PAGES if page in ours]
        wholes = [ours[page]["whole"] for page in PAGES if page in ours]
        queries = max(ours[page]["queries"] for page in ours)
        line = (
            f"{question.name:30} {question.rows:8,}  {_pair(databases, 1):>15}"
            f" {_pair(wholes):>13} {queries:7} {answers.floor[size]:8.1f}"
        )
        for peer in NAMES:
            line += _beside(answers, size, peer)
        late = max(databases) > question.goal or max(wholes) > GOAL_WHOLE
        print(line + ("  <- over" if late else ""))
        misses += [question.name] if late else []
    print(f"over their goal: {', '.join(misses) or 'none'}")
    for peer, name in NAMES.items():
        ratios = [r for a in found if size in a.ours for r in _ratios(a, size, peer)]
        if ratios:
            print(
                f"times as quick as {name}: {min(ratios):.1f} to {max(ratios):.0f},"
                f" median {statistics.median(ratios):.1f},"
                f" {sum(ratio < GOALS_TO_PEERS[peer] for ratio in ratios)} of"
                f" {len(ratios)} pages below {GOALS_TO_PEERS[peer]}"
            )


def _pair(values: Sequence[float], places: int = 0) -> str:
    return " / ".join(f"{value:.{places}f}" for value in values)


def _beside(answers: Answers, size: int, peer: str) -> str:
    readings = answers.peers[size].get(peer)
    if readings is None:
        return f" {'-':>13} {'-':>11}"
    wholes = [readings[page]["whole"] for page in PAGES]
    return f" {_pair(wholes):>13} {_pair(_ratios(answers, size, peer)):>11}"


def _ratios(answers: Answers, size: int, peer: str) -> list[float]:
    """The peer's whole time to ours, page by page."""
    readings, ours = answers.peers[size].get(peer), answers.ours[size]
    if readings is None:
        return []
    return [
        readings[page]["whole"] / ours[page]["whole"] for page in PAGES if page in ours
    ]


def _print_side_by_side(sizes: Sequence[int], found: Iterable[Answers]) -> None:
    """Whether anything grows with the table."""
    if len(sizes) < 2:
        return
    heads = " ".join(f"{size:>15,}" for size in sizes)
    print(f"\nDatabase milliseconds, first page / half way\n{'':30} {heads}")
    for answers in found:
        cells = [
            _pair([answers.ours[size][page]["database"] for page in PAGES
                   if page in answers.ours[size]], 1)
            for size in sizes if size in answers.ours
        ]  # fmt: skip
        print(
            f"{answers.question.name:30} " + " ".join(f"{cell:>15}" for cell in cells)
        )


def _explain(size: int, found: Iterable[Answers]) -> None:
    """The plans of the slowest statements of what missed its goal."""
    for answers in found:
        for page, reading in answers.ours.get(size, {}).items():
            if reading["database"] <= answers.question.goal:
                continue
            sql, params, spent = reading["slowest"]
            print(f"\n{answers.question.name}, {page} page: {spent:.1f} ms in")
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
                print("\n".join(line for (line,) in cursor.fetchall()))


if __name__ == "__main__":
    main()
