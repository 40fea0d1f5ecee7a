"""Reports of bookings: how requests were decided, how many visits came to nothing, where they were made.

A booking is counted once: by its state now, and by the date of its visit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Integer, and_, cast, extract, func, not_, select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment, RejectionReason
from app.models.enums import ActorKind, Channel
from app.models.enums import AppointmentStatus as A
from app.rules.reports import (
    BUCKET,
    Asked,
    Counted,
    Key,
    Row,
    counted,
    line_of,
    of_bookings,
    with_line,
)

CONFIRMED = tuple(status for status in A if status not in (A.HELD, A.RELEASED))
"""A place that somebody held and let go was never asked for."""
REQUEST = Appointment.decide_by.is_not(None)
"""Only what awaits a registrar has a time to be decided by."""
DECIDED = Appointment.decided_at.is_not(None)
MINUTES = "minutes"
UNDECIDED = and_(Appointment.status == A.EXPIRED, Appointment.code_until.is_(None))
"""Its time came before anybody had decided; with a code it is annulled for want of the code."""


@dataclass(frozen=True)
class Decisions:
    """Requests by what became of them; each is in exactly one of the first five."""

    approved: int = 0
    """Whatever became of the booking afterwards."""
    rejected: int = 0
    expired: int = 0
    """The time of the visit came before anybody had decided."""
    withdrawn: int = 0
    """Cancelled before a decision."""
    waiting: int = 0
    overridden: int = 0
    """Of the approved ones: against a failing check, with a reason written down."""
    minutes: int | None = None
    """Half of the decisions took no longer than this; None: nothing was decided."""

    @property
    def total(self) -> int:
        return self.approved + self.rejected + self.expired + self.withdrawn + self.waiting


@dataclass(frozen=True)
class Losses:
    """Bookings by how they ended; each is in exactly one of these.

    Requests that were rejected or not decided in time are left out: they are no bookings, and stand in
    the report of decisions.
    """

    by_person: int = 0
    """With an account or without one (row E35)."""
    by_staff: int = 0
    """By the organization: a registrar, or a closed day."""
    lapsed: int = 0
    """Annulled because no code was typed in time (row E28)."""
    noshow: int = 0
    turned_away: int = 0
    came: int = 0
    rest: int = 0
    """Still ahead, or nobody has marked whether the person came."""

    @property
    def lost(self) -> int:
        return self.by_person + self.by_staff + self.lapsed + self.noshow + self.turned_away

    @property
    def total(self) -> int:
        return self.lost + self.came + self.rest


@dataclass(frozen=True)
class Channels:
    """Places taken, by where the booking was made."""

    web: int = 0
    desk: int = 0

    @property
    def total(self) -> int:
        return self.web + self.desk


def decisions(session: Session, asked: Asked) -> Counted[Decisions]:
    """Requests by what became of them, and how long a decision took. Two statements."""
    found = _counted(
        session,
        asked,
        Decisions,
        REQUEST,
        and_(DECIDED, Appointment.status != A.REJECTED),
        Appointment.status == A.REJECTED,
        and_(not_(DECIDED), Appointment.status == A.EXPIRED),
        and_(not_(DECIDED), Appointment.status == A.CANCELLED),
        Appointment.status == A.PENDING,
        and_(DECIDED, Appointment.status != A.REJECTED, Appointment.override_reason != ""),
    )
    took, took_all = _medians(session, asked)
    lines = {line: replace(row, minutes=took.get(line)) for line, row in found.lines.items()}
    return Counted(lines, replace(found.total, minutes=took_all))


def losses(session: Session, asked: Asked) -> Counted[Losses]:
    """Bookings by how they ended. One statement."""
    cancelled = Appointment.status == A.CANCELLED
    by_staff = Appointment.ended_by.in_((ActorKind.STAFF, ActorKind.SYSTEM))
    return _counted(
        session,
        asked,
        Losses,
        and_(Appointment.status != A.REJECTED, not_(UNDECIDED)),
        and_(cancelled, not_(by_staff)),
        and_(cancelled, by_staff),
        Appointment.status == A.EXPIRED,
        Appointment.status == A.NOSHOW,
        Appointment.status == A.TURNED_AWAY,
        Appointment.status.in_((A.ARRIVED, A.FULFILLED)),
        Appointment.status.in_((A.PENDING, A.PROPOSED, A.BOOKED)),
    )


def channels(session: Session, asked: Asked) -> Counted[Channels]:
    """Places that bookings keep, by where these were made. One statement.

    Neither places that somebody is only choosing, nor those that a rejection has yet to free.
    """
    return _counted(
        session,
        asked,
        Channels,
        and_(Appointment.keeps_slot, Appointment.status != A.REJECTED),
        Appointment.channel == Channel.WEB,
        Appointment.channel == Channel.DESK,
    )


def _counted(
    session: Session,
    asked: Asked,
    kind: type[Row],
    among: ColumnElement[bool],
    *conditions: ColumnElement[bool],
) -> Counted[Row]:
    """How many bookings ``among`` all fulfil each of the conditions, which are the fields of ``kind``."""
    counts = (func.count().filter(condition) for condition in conditions)
    bookings = of_bookings(select(*counts).select_from(Appointment), asked, CONFIRMED)
    return counted(session, bookings.where(among), asked, kind)


def reasons(session: Session, asked: Asked) -> list[tuple[RejectionReason, int]]:
    """How many requests were rejected for each reason, the most frequent first. One statement."""
    times = func.count()
    rejected = of_bookings(
        select(RejectionReason, times)
        .select_from(Appointment)
        .join(RejectionReason, RejectionReason.id == Appointment.reason_id),
        asked,
        (A.REJECTED,),
    )
    rows = session.execute(
        rejected.where(REQUEST)
        .group_by(RejectionReason.id)
        .order_by(times.desc(), RejectionReason.position, RejectionReason.id)
    )
    return [(reason, count) for reason, count in rows]


def _medians(session: Session, asked: Asked) -> tuple[dict[Key, int], int | None]:
    """Minutes within which half of the decisions were made: of each line, and of all. One statement.

    The database counts decisions by whole minutes, so that it sends a few numbers for each line.
    """
    until = extract("epoch", Appointment.decided_at)
    seconds = cast(until - extract("epoch", Appointment.requested_at), Integer)
    decided = of_bookings(
        select((seconds // 60).label(MINUTES), func.count().label("times")).select_from(
            Appointment
        ),
        asked,
        CONFIRMED,
    ).where(REQUEST, DECIDED, Appointment.requested_at.is_not(None))
    lines: dict[Key, Counter[int]] = defaultdict(Counter)
    every: Counter[int] = Counter()
    for minutes, times, bucket in session.execute(
        with_line(decided, asked).group_by(MINUTES, BUCKET)
    ):
        lines[line_of(bucket, asked)][minutes] += times
        every[minutes] += times
    by_line = {line: median(times) for line, times in lines.items()}
    return by_line, median(every) if every else None


def median(times: Mapping[int, int]) -> int:
    """The middle of values that occur so many times each; of two middle ones what lies between, rounded up."""
    total = sum(times.values())
    before = 0
    middle = []
    for value in sorted(times):
        places = range(before, before + times[value])
        middle += [value for place in ((total - 1) // 2, total // 2) if place in places]
        before += times[value]
    return (sum(middle) + 1) // 2
