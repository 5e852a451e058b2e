"""What a list showed, signed: "all that match" means this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.core import signing
from django.http import QueryDict
from django.utils.translation import gettext as _

from merchant.models import Member
from transactions.bulk_actions.refusal import NotPossible
from transactions.filters import TransactionFilter
from transactions.paging import Counted

#: As long as a person stays signed in.
MOST_AGE = timedelta(hours=12)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """A list as somebody saw it.

    `query` is the filter in its cleanest spelling, less its mode, which is `livemode`;
    `at` when its rows began to be read, `counted` how many it told.
    """

    query: str
    livemode: bool
    at: datetime
    counted: Counted

    @classmethod
    def of(cls, asked: TransactionFilter, counted: Counted, at: datetime) -> Shown:
        pairs = asked.pairs(without=("sort", "livemode"))
        query = urlencode([*asked.fixed, *pairs])
        return cls(query, bool(asked.livemode), at, counted)

    def filter_of(self, member: Member) -> TransactionFilter:
        query = QueryDict(self.query)
        return TransactionFilter.of_member(member, query, livemode=self.livemode)

    @property
    def newest_id(self) -> UUID:
        """No row that was there had a higher id: ids carry the time they were made."""
        since = (self.at - _EPOCH) // _MILLISECOND
        return UUID(int=(since << 80) | (2**80 - 1))

    def signed(self, member: Member) -> str:
        """A text for a form of this member."""
        since = (self.at - _EPOCH) // _MICROSECOND
        told = [self.query, self.livemode, since, *self.counted]
        return signing.dumps(told, salt=_salt(member), compress=True)

    @classmethod
    def read(cls, text: str, member: Member) -> Shown:
        """What the member's form sent. Raises NotPossible."""
        try:
            query, livemode, since, number, more = signing.loads(
                text, salt=_salt(member), max_age=MOST_AGE
            )
        except signing.BadSignature as error:
            raise NotPossible(
                _("This list is from too long ago. Load it again, then choose.")
            ) from error
        at = _EPOCH + since * _MICROSECOND
        return cls(query, livemode, at, Counted(number, more))


def _salt(member: Member) -> str:
    return f"transactions.bulk_actions.{member.pk}"
