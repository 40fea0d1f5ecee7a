"""The waiting list at the desk: its figures, the offers of one who waits, a caller put in line (N6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.models.account import AccountPerson
from app.models.cabinet_choices import OfferStatus
from app.models.directory import PractitionerRole
from app.models.donation_type import DonationType
from app.models.organization import Organization
from app.models.scope import widened
from app.models.waiting import WaitingEntry, WaitingOffer
from app.rules import families, joining, person_search
from app.rules.actor import Actor
from app.rules.errors import N_, NotAllowed, RuleError
from app.rules.joining import Wish

PERIOD = dt.timedelta(days=30)
MOST_ROLES = 500


class NotOne(RuleError):
    code = "not_one_person"
    text = N_(
        "Nobody, or more than one, fits these words. Add the birth date or take the number of a document."
    )


class WithoutAccount(RuleError):
    code = "without_account"
    text = N_(
        "This person has no sign-in on the site, and offers go there. Issue one first, or book by telephone."
    )


class WhatNeeded(RuleError):
    code = "what_needed"
    text = N_("Choose either a type of donation or a doctor.")


@dataclass(frozen=True)
class Figures:
    """Offers of the last thirty days by their ends; ``open`` are those of them to be answered now."""

    accepted: int
    declined: int
    expired: int
    open: int

    @property
    def offered(self) -> int:
        return self.accepted + self.declined + self.expired + self.open


def figures(session: Session, *, now: dt.datetime) -> Figures:
    """How many places were filled from the list. One query, within the reader's branches."""
    rows = session.execute(
        select(WaitingOffer.status, func.count())
        .where(WaitingOffer.offered_at > now - PERIOD)
        .group_by(WaitingOffer.status)
    )
    counts = {status: number for status, number in rows}
    return Figures(*(counts.get(status, 0) for status in (
        OfferStatus.ACCEPTED, OfferStatus.DECLINED, OfferStatus.EXPIRED, OfferStatus.OPEN,
    )))  # fmt: skip


def offers_of(session: Session, entry: WaitingEntry) -> Sequence[WaitingOffer]:
    """What was offered to somebody, the latest first."""
    return session.scalars(
        select(WaitingOffer)
        .options(joinedload(WaitingOffer.appointment))
        .where(WaitingOffer.entry_id == entry.id)
        .order_by(WaitingOffer.id.desc())
    ).all()


def types(session: Session) -> Sequence[DonationType]:
    """What the reader's organizations take donors for."""
    return session.scalars(
        select(DonationType)
        .join(Organization, Organization.id == DonationType.tenant_id)
        .where(DonationType.is_active, Organization.takes_donors)
        .order_by(DonationType.tenant_id, DonationType.position)
    ).all()


def roles(session: Session) -> Sequence[PractitionerRole]:
    """The reader's doctors, by name."""
    found = session.scalars(
        select(PractitionerRole)
        .join(PractitionerRole.practitioner)
        .options(
            joinedload(PractitionerRole.practitioner),
            joinedload(PractitionerRole.specialty),
            joinedload(PractitionerRole.organization),
        )
        .where(PractitionerRole.is_active)
        .limit(MOST_ROLES)
    ).all()
    return sorted(found, key=lambda role: (role.practitioner.full_name, role.id))


def join(
    session: Session,
    *,
    line: str,
    donation_type: DonationType | None,
    role: PractitionerRole | None,
    first_day: dt.date | None,
    last_day: dt.date | None,
    actor: Actor,
    now: dt.datetime,
) -> WaitingEntry:
    """Put a caller in line, as he would himself. Raises WhatNeeded, NotOne, WithoutAccount, NotAllowed and
    what joining.join raises."""
    if (donation_type is None) == (role is None):
        raise WhatNeeded()
    if role is not None:
        wish = Wish(role.organization, role=role)
    else:
        assert donation_type is not None
        root = session.get(Organization, donation_type.tenant_id)
        if root is None:
            raise NotAllowed()
        wish = Wish(root, donation_type=donation_type)
    wanted = person_search.wanted(line)
    found = person_search.find(session, wanted, tenant_id=wish.tenant_id)
    people = [each.person for each in found]
    if len(people) != 1:
        raise NotOne()
    person = people[0]
    with widened(session, "whose account keeps the card"):
        account_id = session.scalar(
            select(AccountPerson.account_id)
            .where(AccountPerson.person_id == person.id, families.open_at(now))
            .order_by(AccountPerson.id)
            .limit(1)
        )
    if account_id is None:
        raise WithoutAccount()
    with widened(session, "a caller is put in line by the rules of the site"):
        return joining.join(
            session,
            wish=wish,
            account_id=account_id,
            person_ids=[person.id],
            first_day=first_day,
            last_day=last_day,
            actor=actor,
            now=now,
        )[0]
