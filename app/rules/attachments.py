"""«Прикрепление» (rows C9, C11): asked for by address in the cabinet, decided or written down by staff."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.models.attachment import Attachment
from app.models.cabinet_choices import AttachmentSource, AttachmentStatus
from app.models.district import District
from app.models.enums import DistrictKind, MessageKind, Sex
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened
from app.rules import audit, booking, districts, outbox, reach
from app.rules.actor import Actor
from app.rules.clock import local_date
from app.rules.errors import N_, NotFound, RuleError
from app.rules.family_age import is_child

S = AttachmentStatus
WHOSE = "to which districts a card belongs"
CHILDREN = frozenset({DistrictKind.PAEDIATRIC})
ADULTS = frozenset({DistrictKind.THERAPY, DistrictKind.GENERAL, DistrictKind.GYNAECOLOGY})
"""Kinds of districts that are not for children; the others are for everybody (features.md 5.5)."""
MOST = 100
DECISIONS = {
    "accepted": N_("The attachment is in force."),
    "refused": N_("The attachment was refused."),
    "ended": N_("The attachment has ended."),
}
"""What a letter says has become of an attachment."""


class NobodyServes(RuleError):
    code = "nobody_serves"
    text = N_(
        "No district of this institution has that address. Check the street and the house, or come to the "
        "registry desk."
    )


class AlreadyAttached(RuleError):
    code = "already_attached"
    text = N_("You are attached to the district of this address already: nothing is left to do.")


class ReasonNeeded(RuleError):
    code = "attachment_reason_needed"
    text = N_("Say why: the person reads it in the letter.")


class DecidedMeanwhile(RuleError):
    code = "attachment_decided"
    text = N_("A colleague has decided this request meanwhile.")


class DistrictOfAnother(RuleError):
    code = "district_of_another"
    text = N_("The district has to be in use, and of the organization that keeps the card.")


def of_people(session: Session, person_ids: Collection[int]) -> dict[int, list[Attachment]]:
    """Card → what is in force or asked for, with district and organization. One query."""
    rows = session.scalars(
        select(Attachment)
        .options(joinedload(Attachment.district), joinedload(Attachment.organization))
        .where(Attachment.person_id.in_(person_ids), Attachment.status.in_((S.ACTIVE, S.REQUESTED)))
        .order_by(Attachment.status, Attachment.id)
    )
    found: dict[int, list[Attachment]] = defaultdict(list)
    for row in rows:
        found[row.person_id].append(row)
    return found


def of_person(session: Session, *, person_id: int) -> Sequence[Attachment]:
    """Everything there was at the organizations in reach, the latest first: for staff."""
    return session.scalars(
        select(Attachment)
        .join(Attachment.organization)
        .options(joinedload(Attachment.district), contains_eager(Attachment.organization))
        .where(Attachment.person_id == person_id)
        .order_by(Attachment.id.desc())
        .limit(MOST)
    ).all()


def places(session: Session, *, tenant_id: int) -> list[Organization]:
    """The organizations of that legal body whose districts can be searched."""
    with widened(session, WHOSE):
        return [row for row in districts.organizations(session) if row.tenant_id == tenant_id]


def fitting(person: Person, kind: DistrictKind, *, now: dt.datetime) -> bool:
    """Whether a district of that kind is for this person, by age and sex."""
    if is_child(person, now=now):
        return kind not in ADULTS
    if kind is DistrictKind.GYNAECOLOGY:
        return person.sex is Sex.FEMALE
    return kind not in CHILDREN


def ask(
    session: Session,
    *,
    person: Person,
    organization: Organization,
    street: str,
    house: str,
    actor: Actor,
    now: dt.datetime,
) -> list[Attachment]:
    """A request for the districts that serve the address, one of each kind; the former request is replaced.

    What the registry says already needs no request. Raises StreetUnclear, HouseUnclear, NobodyServes,
    AlreadyAttached, NotFound.
    """
    if organization.tenant_id != person.tenant_id:
        raise NotFound()
    today = local_date(now, organization.time_zone)
    with widened(session, WHOSE):
        served = districts.serving(
            session, organization=organization, street=street, house=house, on=today
        )
        meant = [each for each in served if fitting(person, each.district.kind, now=now)]
        if not meant:
            raise NobodyServes()
        booking.lock_person(session, person.id)
        there = of_people(session, [person.id]).get(person.id, [])
        active = {row.district_id for row in there if row.status is S.ACTIVE}
        made = []
        for each in meant:
            if each.district.id in active:
                continue
            for row in there:
                if row.status is S.REQUESTED and row.kind is each.district.kind:
                    row.status, row.ends_at = S.ENDED, now
            row = _new(person, each.district, AttachmentSource.ADDRESS, now)
            row.status = S.REQUESTED
            row.address = f"{each.street}, {each.house}"[:200]
            session.add(row)
            session.flush()  # the audit line needs the id
            _write_down(session, "attachment.ask", row, actor, now)
            made.append(row)
        if not made:
            raise AlreadyAttached()
        return made


def _new(
    person: Person, district: District, source: AttachmentSource, now: dt.datetime
) -> Attachment:
    return Attachment(
        uid=uuid.uuid4(),
        person_id=person.id,
        tenant_id=person.tenant_id,
        organization_id=district.organization_id,
        kind=district.kind,
        district_id=district.id,
        source=source,
        requested_at=now,
        note="",
    )


# --- what staff do


def requests(session: Session) -> Sequence[Attachment]:
    """What waits for a decision at the organizations in reach, the oldest first, with the person and the
    district. One query."""
    return session.scalars(
        select(Attachment)
        .join(Attachment.organization)
        .options(
            joinedload(Attachment.person).joinedload(Person.tenant),
            joinedload(Attachment.district),
            contains_eager(Attachment.organization),
        )
        .where(Attachment.status == S.REQUESTED)
        .order_by(Attachment.requested_at, Attachment.id)
        .limit(MOST)
    ).all()


def named(session: Session, *, uid: uuid.UUID) -> Attachment:
    """Of an organization in reach. Raises NotFound."""
    row = session.scalars(
        select(Attachment)
        .join(Attachment.organization)
        .options(joinedload(Attachment.person), joinedload(Attachment.district))
        .where(Attachment.uid == uid)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def accept(session: Session, *, row: Attachment, actor: Actor, now: dt.datetime) -> None:
    """The request is in force from now on; what was of that kind before ends. Raises DecidedMeanwhile."""
    _lock(session, row)
    _end_former(session, row.person_id, row.kind, actor, now)
    row.status, row.starts_at, row.decided_by_id = S.ACTIVE, now, actor.id
    _write_down(session, "attachment.accept", row, actor, now)
    _tell(session, row, "accepted", now)


def refuse(
    session: Session, *, row: Attachment, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Raises ReasonNeeded, DecidedMeanwhile."""
    if not reason.strip():
        raise ReasonNeeded()
    _lock(session, row)
    row.status, row.ends_at, row.decided_by_id = S.REFUSED, now, actor.id
    row.note = reason.strip()[:200]
    _write_down(session, "attachment.refuse", row, actor, now)
    _tell(session, row, "refused", now)


def attach(
    session: Session,
    *,
    person: Person,
    district: District,
    actor: Actor,
    now: dt.datetime,
    source: AttachmentSource = AttachmentSource.STAFF,
) -> Attachment:
    """Written down by staff (or by the registry); what was of that kind before ends.

    Raises AlreadyAttached, DistrictOfAnother.
    """
    if district.tenant_id != person.tenant_id or not district.is_active:
        raise DistrictOfAnother()
    booking.lock_person(session, person.id)
    former = _active(session, person.id, district.kind)
    if former is not None and former.district_id == district.id:
        raise AlreadyAttached()
    _end_former(session, person.id, district.kind, actor, now)
    row = _new(person, district, source, now)
    row.status, row.starts_at, row.decided_by_id = S.ACTIVE, now, actor.id
    session.add(row)
    session.flush()  # the audit line needs the id
    _write_down(session, "attachment.write", row, actor, now)
    _tell(session, row, "accepted", now)
    return row


def end(session: Session, *, row: Attachment, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Raises ReasonNeeded; what has ended already stays so."""
    if not reason.strip():
        raise ReasonNeeded()
    booking.lock_person(session, row.person_id)
    session.refresh(row)
    if row.status is not S.ACTIVE:
        return
    row.status, row.ends_at, row.note = S.ENDED, now, reason.strip()[:200]
    _write_down(session, "attachment.end", row, actor, now)
    _tell(session, row, "ended", now)


def _lock(session: Session, row: Attachment) -> None:
    booking.lock_person(session, row.person_id)
    session.refresh(row)
    if row.status is not S.REQUESTED:
        raise DecidedMeanwhile()


def _active(session: Session, person_id: int, kind: DistrictKind) -> Attachment | None:
    return session.scalars(
        select(Attachment).where(
            Attachment.person_id == person_id,
            Attachment.kind == kind,
            Attachment.status == S.ACTIVE,
        )
    ).one_or_none()


def _end_former(
    session: Session, person_id: int, kind: DistrictKind, actor: Actor, now: dt.datetime
) -> None:
    former = _active(session, person_id, kind)
    if former is not None:
        former.status, former.ends_at = S.ENDED, now
        _write_down(session, "attachment.end", former, actor, now)
        session.flush()  # one of a kind is in force: the index decides


def _write_down(
    session: Session, verb: str, row: Attachment, actor: Actor, now: dt.datetime
) -> None:
    changes = {"status": [None, row.status.value], "district_id": [None, row.district_id]}
    audit.record(session, verb=verb, subject=row, actor=actor, now=now, changes=changes)


def _tell(session: Session, row: Attachment, decision: str, now: dt.datetime) -> None:
    """Whoever keeps the card; nobody if no account does."""
    with widened(session, "whom to tell"):
        keeper = session.execute(reach.keeper(row.person_id, now=now)).one_or_none()
    if keeper is not None:
        outbox.add(
            session,
            kind=MessageKind.ATTACHMENT_DECIDED,
            key=f"attachment:{row.id}:{decision}:{int(now.timestamp() * 1000)}",
            now=now,
            tenant_id=row.tenant_id,
            account_id=keeper[0],
            facts={"attachment_id": row.id, "person_id": row.person_id, "decision": decision},
        )
