"""What "now" in a row becomes when the row is sent: the moment of sending by the server's clock, less one minute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import final

from bulkzcrm.model import Record
from bulkzcrm.spec.facts import NOW
from bulkzcrm.spec.fields import Field, Kind

__all__ = ["Moments", "at_moment", "timeless"]

_A_MOMENT_AGO = timedelta(minutes=1)


@final
class Moments:
    """The moments in records of these fields."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._names = [each.name for each in fields if each.kind is Kind.DATETIME]

    @property
    def names(self) -> frozenset[str]:
        """The fields that hold them."""
        return frozenset(self._names)

    def says_now(self, record: Record) -> bool:
        """Tell whether what a record says depends on when it is sent."""
        for name in self._names:  # noqa: SIM110 - asked of every record, and a generator takes three times as long
            if record.get(name) == NOW:
                return True
        return False

    def at(self, record: Record, sent: datetime, zone: tzinfo | None) -> Record:
        """Return a record as it is sent at that moment; in `zone`, or UTC, to the second.

        The journal keeps the moment to the millisecond, so that what was sent can be told from it again.
        """
        names = [name for name in self._names if record.get(name) == NOW]
        if not names:
            return record
        moment = (sent - _A_MOMENT_AGO).astimezone(zone or UTC).isoformat(timespec="seconds")
        return {**record, **dict.fromkeys(names, moment)}

    def without(self, record: Record) -> Record:
        """Return what a record says at whatever moment it is sent."""
        return {name: value for name, value in record.items() if name not in self._names or value != NOW}


def at_moment(fields: Iterable[Field], record: Record, sent: datetime, zone: tzinfo | None) -> Record:
    """Return a record of these fields as it is sent at that moment (see `Moments.at`)."""
    return Moments(fields).at(record, sent, zone)


def timeless(fields: Iterable[Field], record: Record) -> Record:
    """Return what a record of these fields says at whatever moment it is sent."""
    return Moments(fields).without(record)
