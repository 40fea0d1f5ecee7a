"""Deferrals and donations that staff enter by hand: the doctor's word, and what other centres took."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.donor import Deferral, Donation
from app.models.enums import DeferralKind, DonationKind, FactSource
from app.models.organization import Organization
from app.models.person import Person
from app.rules import audit
from app.rules.actor import Actor
from app.rules.booking import lock_person
from app.rules.clock import local_date
from app.rules.errors import N_, NotFound, RuleError


class EndNeeded(RuleError):
    code = "end_needed"
    text = N_("A temporary deferral needs the date on which it ends.")


class NoEndWanted(RuleError):
    code = "no_end_wanted"
    text = N_("A permanent deferral has no date on which it ends.")


class EndsBefore(RuleError):
    code = "ends_before"
    text = N_("The deferral ends before it begins.")


class AlreadyWithdrawn(RuleError):
    code = "already_withdrawn"
    text = N_("This deferral has been withdrawn already.")


class NotYetGiven(RuleError):
    code = "not_yet_given"
    text = N_("A donation cannot have been made in the future.")


class AlreadyEntered(RuleError):
    code = "already_entered"
    text = N_("A donation on this day is entered already.")


class NotByHand(RuleError):
    code = "not_by_hand"
    text = N_(
        "Only a donation that staff entered can be taken out; the others come from the donor file or a visit."
    )


def add_deferral(
    session: Session,
    *,
    person: Person,
    kind: DeferralKind,
    starts_on: dt.date,
    ends_on: dt.date | None,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> Deferral:
    """No donation from ``starts_on`` to ``ends_on`` inclusive. Raises EndNeeded, NoEndWanted, EndsBefore."""
    if kind is DeferralKind.TEMPORARY and ends_on is None:
        raise EndNeeded()
    if kind is DeferralKind.PERMANENT and ends_on is not None:
        raise NoEndWanted()
    if ends_on is not None and ends_on < starts_on:
        raise EndsBefore()
    lock_person(session, person.id)
    deferral = Deferral(
        tenant_id=person.tenant_id,
        person_id=person.id,
        kind=kind,
        reason=reason[:200],
        starts_on=starts_on,
        ends_on=ends_on,
        source=FactSource.STAFF,
    )
    session.add(deferral)
    session.flush()  # the audit line needs the id
    _note(session, "deferral.add", deferral, actor, now)
    return deferral


def withdraw_deferral(
    session: Session, *, deferral: Deferral, actor: Actor, now: dt.datetime
) -> None:
    """It no longer holds; the row stays as history. Raises AlreadyWithdrawn.

    The next donor file that still names it enters it again.
    """
    if deferral.person_id is not None:
        lock_person(session, deferral.person_id)
    session.refresh(deferral, with_for_update=True)
    if deferral.withdrawn_at is not None:
        raise AlreadyWithdrawn()
    deferral.withdrawn_at = now
    _note(session, "deferral.withdraw", deferral, actor, now)


def add_donation(
    session: Session,
    *,
    person: Person,
    kind: DonationKind,
    on_date: dt.date,
    note: str,
    actor: Actor,
    now: dt.datetime,
) -> Donation:
    """A past donation, counted for intervals and limits. Raises NotYetGiven, AlreadyEntered."""
    zone = session.scalar(select(Organization.time_zone).where(Organization.id == person.tenant_id))
    if on_date > local_date(now, zone or "Europe/Moscow"):
        raise NotYetGiven()
    lock_person(session, person.id)
    if session.scalar(
        select(Donation.id)
        .where(Donation.person_id == person.id, Donation.on_date == on_date)
        .limit(1)
    ):
        raise AlreadyEntered()
    donation = Donation(
        tenant_id=person.tenant_id,
        person_id=person.id,
        kind=kind,
        on_date=on_date,
        source=FactSource.STAFF,
        note=note[:2000],
    )
    session.add(donation)
    session.flush()  # the audit line needs the id
    _note(session, "donation.add", donation, actor, now)
    return donation


def remove_donation(
    session: Session, *, donation: Donation, actor: Actor, now: dt.datetime
) -> None:
    """Take out one that was entered by mistake. Raises NotByHand."""
    if donation.source is not FactSource.STAFF:
        raise NotByHand()
    if donation.person_id is not None:
        lock_person(session, donation.person_id)
    _note(session, "donation.remove", donation, actor, now)
    session.delete(donation)
    session.flush()


def deferral_of(session: Session, *, person: Person, uid: uuid.UUID) -> Deferral:
    """One of this card's. Raises NotFound."""
    found = session.scalars(
        select(Deferral).where(Deferral.uid == uid, Deferral.person_id == person.id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def donation_of(session: Session, *, person: Person, uid: uuid.UUID) -> Donation:
    """One of this card's. Raises NotFound."""
    found = session.scalars(
        select(Donation).where(Donation.uid == uid, Donation.person_id == person.id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def _note(
    session: Session, verb: str, row: Deferral | Donation, actor: Actor, now: dt.datetime
) -> None:
    audit.record(
        session,
        verb=verb,
        subject=row,
        actor=actor,
        now=now,
        changes={"person_id": [None, row.person_id]},
    )
