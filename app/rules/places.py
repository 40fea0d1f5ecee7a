"""The public list of donor days, with the reason beside every day that is not open to this donor.

Read functions only, each with a fixed number of queries whatever the number of rows (A1–A9, N1, N7).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.models.account import AccountPerson
from app.models.donation_type import DonationPause, DonationType
from app.models.donor import Donor
from app.models.enums import Relation
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.rules import facts, families, policies
from app.rules.eligibility import Refusal, blocking, check
from app.rules.errors import N_
from app.rules.known import PersonFacts
from app.rules.place_filters import Wish, choosable, conditions, open_days, ordered

NO_CARD = Refusal(
    "no_card", N_("You are registered with another organization: booking is possible only there.")
)
"""For a donor of another blood centre, a patient of another polyclinic."""
NO_DONOR = Refusal(
    NO_CARD.code,
    N_("There is no donor’s card in your cabinet yet. Open one in your profile, under “My cards”."),
)


class State(StrEnum):
    """What a row says: it can be booked, or why it cannot be."""

    FREE = "free"
    FULL = "full"
    PAST = "past"
    PAUSED = "paused"
    SOON = "soon"
    REFUSED = "refused"


@dataclass(frozen=True)
class Row:
    """One donor day as the list shows it."""

    schedule: Schedule
    organization: Organization
    donation_type: DonationType
    free: int
    """Places that can be chosen on the site now."""
    state: State
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    types: tuple[DonationType, ...]
    dates: tuple[dt.date, ...]
    settlements: tuple[str, ...]
    branches: tuple[Organization, ...]


@dataclass(frozen=True)
class Listing:
    """One page of the list."""

    rows: tuple[Row, ...]
    total: int
    wish: Wish
    """As answered: the page is one that exists."""
    choices: Choices
    pauses: tuple[DonationPause, ...]
    organizations: Mapping[int, Organization]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.wish.size))

    @property
    def first(self) -> int:
        return min(self.total, (self.wish.page - 1) * self.wish.size + 1)

    @property
    def last(self) -> int:
        return min(self.total, self.wish.page * self.wish.size)


@dataclass(frozen=True)
class Board:
    """What is needed to say why a day is closed to somebody, loaded once for all days."""

    organizations: Mapping[int, Organization]
    types: Mapping[int, DonationType]
    pauses: facts.Pauses
    versions: policies.Versions
    people: Mapping[int, PersonFacts] | None
    """By tenant; None when nobody is signed in."""
    now: dt.datetime

    def reasons(self, day: Schedule) -> tuple[Refusal, ...]:
        organization = self.organizations[day.organization_id]
        kind = self.types[day.donation_type_id]
        person = (self.people or {}).get(day.tenant_id)
        try:
            policy = self.versions.policy(
                tenant_id=day.tenant_id, organization_id=organization.id, donation_type_id=kind.id
            )
        except policies.NoPolicy as missing:
            return (Refusal(missing.code, missing.text),)
        found = check(
            person,
            facts.of_schedule(day, organization, kind.kind, pause=self.pauses.of(day)),
            policy=policy,
            numbers=self.versions.numbers(tenant_id=day.tenant_id, on=day.date),
            now=self.now,
        )
        if self.people is not None and person is None:
            is_donor = any(one.blood_type for one in self.people.values())
            found.append(NO_CARD if is_donor else NO_DONOR)
        return tuple(found)


def cards_of(session: Session, *, account_id: int, now: dt.datetime) -> dict[int, int]:
    """The account's own card in each organization: tenant id → person id."""
    rows = session.execute(
        select(AccountPerson.tenant_id, AccountPerson.person_id)
        .where(
            AccountPerson.account_id == account_id,
            AccountPerson.relation == Relation.SELF,
            families.open_at(now),
        )
        .order_by(AccountPerson.id.desc())
    )
    return {row.tenant_id: row.person_id for row in rows}


def donor_of(session: Session, *, person_ids: Collection[int]) -> Donor | None:
    """The donor among these cards whose group the header shows."""
    return session.scalars(
        select(Donor).where(Donor.person_id.in_(person_ids)).order_by(Donor.id).limit(1)
    ).first()


def roots(session: Session) -> list[Organization]:
    """Root organizations that take donors."""
    return list(
        session.scalars(
            select(Organization)
            .where(
                Organization.part_of_id.is_(None),
                Organization.is_active,
                Organization.takes_donors,
            )
            .order_by(Organization.short_name)
        )
    )


def listing(
    session: Session,
    *,
    wish: Wish,
    now: dt.datetime,
    cards: Mapping[int, int] | None = None,
) -> Listing:
    """The days from today on that fit ``wish``, a page of them.

    With ``cards`` (tenant → person of the reader) days open to the reader's group come first and every
    other row carries the reasons against; without, only the day's own (paused, over, not open yet).
    """
    board = board_of(session, now, None if cards is None else readers(session, cards))
    types, organizations = board.types, board.organizations
    opened = open_days(organizations.values(), types, now)
    fitting = [opened, *conditions(wish, organizations, types)]
    total = session.scalar(select(func.count(Schedule.id)).where(*fitting)) or 0
    wish = replace(wish, page=max(1, min(wish.page, -(-total // wish.size))))
    days = session.scalars(
        ordered(select(Schedule).where(*fitting), wish, board.people or {}, now)
        .offset((wish.page - 1) * wish.size)
        .limit(wish.size)
    ).all()
    free = free_places(session, schedule_ids=[day.id for day in days], now=now)
    return Listing(
        rows=tuple(_row(board, day, free.get(day.id, 0)) for day in days),
        total=total,
        wish=wish,
        choices=_choices(session, board, opened),
        pauses=tuple(
            pause
            for pause in board.pauses.notices.values()
            if pause.organization_id is None or pause.organization_id in organizations
        ),
        organizations=organizations,
    )


def everywhere(listing: Listing) -> tuple[Refusal, ...]:
    """Reasons that close every row of a page alike («you are already booked»): to be said once, on top."""
    if len(listing.rows) < 2:
        return ()
    first, *others = (row.refusals for row in listing.rows)
    return tuple(
        refusal
        for refusal in first
        if refusal.blocking
        and refusal.code not in OWN_STATES
        and all(refusal in refusals for refusals in others)
    )


def donor_places(session: Session) -> dict[int, Organization]:
    """Active organizations and branches that take donors, by id."""
    rows = session.scalars(
        select(Organization)
        .where(Organization.is_active, Organization.takes_donors)
        .order_by(Organization.settlement, Organization.short_name)
    )
    return {row.id: row for row in rows}


def free_places(
    session: Session, *, schedule_ids: Collection[int], now: dt.datetime
) -> dict[int, int]:
    """How many places of each day can be chosen on the site now; a day without any is left out."""
    rows = session.execute(
        select(Slot.schedule_id, func.count(Slot.id).label("free"))
        .where(Slot.schedule_id.in_(schedule_ids), *choosable(now))
        .group_by(Slot.schedule_id)
    )
    return {row.schedule_id: row.free for row in rows}


def readers(session: Session, cards: Mapping[int, int]) -> dict[int, PersonFacts]:
    """What is known about one reader in each organization: tenant id → facts."""
    known = facts.of_people(session, cards.values())
    return {tenant: known[person] for tenant, person in cards.items() if person in known}


def board_of(session: Session, now: dt.datetime, people: Mapping[int, PersonFacts] | None) -> Board:
    """Everything about organizations, types, pauses and policies, for these readers, in six queries or
    fewer (four where nobody has donations to count intervals from)."""
    organizations = donor_places(session)
    return Board(
        organizations=organizations,
        types={row.id: row for row in session.scalars(select(DonationType))},
        pauses=facts.pauses(session, now=now),
        versions=policies.versions(
            session,
            tenant_ids={row.tenant_id for row in organizations.values()},
            now=now,
            numbers=any(person.donations for person in (people or {}).values()),
        ),
        people=people,
        now=now,
    )


def _row(board: Board, day: Schedule, free: int) -> Row:
    reasons = board.reasons(day)
    return Row(
        day,
        board.organizations[day.organization_id],
        board.types[day.donation_type_id],
        free,
        _state(reasons, free),
        reasons,
    )


OWN_STATES = {"past": State.PAST, "paused": State.PAUSED, "too_far": State.SOON}


def _state(reasons: Collection[Refusal], free: int) -> State:
    against = blocking(list(reasons))
    for refusal in against:
        if refusal.code in OWN_STATES:
            return OWN_STATES[refusal.code]
    if against:
        return State.REFUSED
    return State.FREE if free else State.FULL


def _choices(session: Session, board: Board, opened: ColumnElement[bool]) -> Choices:
    dates = session.scalars(
        select(Schedule.date).where(opened).distinct().order_by(Schedule.date).limit(120)
    ).all()
    by_code: dict[str, DonationType] = {}
    for kind in sorted(board.types.values(), key=lambda t: (t.position, t.name_ru)):
        if kind.is_active:
            by_code.setdefault(kind.code, kind)
    return Choices(
        types=tuple(by_code.values()),
        dates=tuple(dates),
        settlements=tuple(sorted({r.settlement for r in board.organizations.values()} - {""})),
        branches=tuple(board.organizations.values()),
    )
