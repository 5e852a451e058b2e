"""The tables: what each list can be written as, row by row."""

from __future__ import annotations

from transactions.exports.lists import afterwards, balance, others, sold
from transactions.exports.spec import Spec
from transactions.exports.table import Column, Sum

TABLES = {
    table.key: table
    for table in (
        sold.transactions(),
        sold.items(),
        balance.balance(),
        afterwards.refunds(),
        afterwards.disputes(),
        others.payouts(),
        others.customers(),
        others.deliveries(),
    )
}


def shown(spec: Spec) -> list[Column]:
    """The columns of a file. Raises UnknownColumn."""
    return TABLES[spec.table].chosen(spec.columns)


def sums_of(spec: Spec) -> list[Sum]:
    """What a file's rows are added up to, in order."""
    every = TABLES[spec.table].sums
    return [each for each in every if spec.of_schedule or not each.of_schedules]


def headings(spec: Spec) -> list[str]:
    """What stands above them."""
    return [
        column.heading(for_people=spec.for_people, zone=spec.zone)
        for column in shown(spec)
    ]
