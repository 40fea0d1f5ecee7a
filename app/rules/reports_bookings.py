"""Reports of bookings: how requests were decided, how many visits came to nothing, where they were made.

A booking is counted once: by its state now, and by the date of its visit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, extract, func, not_, or_, select
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

    The database sorts and picks the middle ones: at most two rows for each line are read.
    """
    until = extract("epoch", Appointment.decided_at)
    took = (until - extract("epoch", Appointment.requested_at)).label("took")
    decided = with_line(
        of_bookings(select(took).select_from(Appointment), asked, CONFIRMED).where(
            REQUEST, DECIDED, Appointment.requested_at.is_not(None)
        ),
        asked,
    ).subquery()
    line, seconds = decided.c[BUCKET], decided.c.took
    placed = select(
        seconds,
        line,
        func.row_number().over(partition_by=line, order_by=seconds).label("place"),
        func.count().over(partition_by=line).label("size"),
        func.row_number().over(order_by=seconds).label("place_of_all"),
        func.count().over().label("size_of_all"),
    ).subquery()
    of_line = _middle(placed.c.place, placed.c.size)
    of_all = _middle(placed.c.place_of_all, placed.c.size_of_all)
    lines: dict[Key, list[float]] = defaultdict(list)
    every: list[float] = []
    for row in session.execute(select(placed).where(or_(of_line, of_all))):
        if _middle(row.place, row.size):
            lines[line_of(row[1], asked)].append(float(row.took))
        if _middle(row.place_of_all, row.size_of_all):
            every.append(float(row.took))
    by_line = {key: _minutes(values) for key, values in lines.items()}
    return by_line, _minutes(every) if every else None


def _middle(place: Any, size: Any) -> Any:
    """Whether the ``place``-th of ``size`` sorted values is the middle one, or one of the middle two."""
    return (place * 2 >= size) & (place * 2 <= size + 2)


def _minutes(seconds: Sequence[float]) -> int:
    """Their mean in whole minutes, halves upwards."""
    return int(sum(seconds) / len(seconds) / 60 + 0.5)
