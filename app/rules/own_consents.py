"""Consents of one's own card: what stands, and what follows from withdrawing one (N15, 152-FZ art. 9)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload

from app.models.account import Account, AccountPerson
from app.models.appointment import Appointment
from app.models.consent import Consent, ConsentText
from app.models.enums import AppointmentStatus as A
from app.models.enums import ConsentPurpose
from app.models.guest import SurveyAddress
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened
from app.rules import audit, booking, consents, holding
from app.rules.actor import Actor, actor_of
from app.rules.cabinet import CANCELLABLE
from app.rules.consent_texts import TextChanged
from app.rules.errors import N_, NotFound
from app.rules.transitions import changed_rows

REASON = "consents of one's own"
FOLLOWS: dict[ConsentPurpose, str] = {
    ConsentPurpose.BOOKING: N_(
        "Your bookings with this organization that lie ahead are cancelled, and no reminders come any more. What the law makes the organization keep about former visits stays with it. To book again you agree anew, here or at its desk."
    ),
    ConsentPurpose.SURVEY: N_(
        "No questionnaire comes any more; the address kept for it is deleted."
    ),
    ConsentPurpose.DOCUMENTS: N_(
        "No copies of documents come by e-mail any more. For new ones a signed paper is needed again."
    ),
    ConsentPurpose.FAMILY: N_("The relative no longer sees your card and no longer acts for you."),
    ConsentPurpose.MEDICATION: N_("No reminders of medicines come any more."),
}
"""Said before it is withdrawn."""


@dataclass(frozen=True)
class Line:
    """What one's card has agreed to, with one organization, for one purpose."""

    organization: Organization
    purpose: ConsentPurpose
    since: dt.datetime
    version: int
    withdrawn_at: dt.datetime | None


def lines(session: Session, *, person_ids: Collection[int]) -> list[Line]:
    """The latest consent of each purpose and organization; those that stand first."""
    rows = session.execute(
        select(Consent, Organization)
        .join(Organization, Organization.id == Consent.tenant_id)
        .options(joinedload(Consent.text))
        .where(Consent.person_id.in_(person_ids))
        .order_by(Consent.id)
    ).all()
    found: dict[tuple[int, ConsentPurpose], Line] = {}
    for row, organization in rows:
        key = organization.id, row.text.purpose
        if key in found and found[key].withdrawn_at is None and row.withdrawn_at is not None:
            continue
        found[key] = Line(
            organization, row.text.purpose, row.given_at, row.text.version, row.withdrawn_at
        )
    return sorted(found.values(), key=lambda line: line.withdrawn_at is not None)


def standing(
    session: Session, *, person_ids: Collection[int], tenant: uuid.UUID, purpose: str
) -> Line:
    """The one that is about to be withdrawn. Raises NotFound."""
    for line in lines(session, person_ids=person_ids):
        same = line.organization.uid == tenant and line.purpose.value == purpose
        if same and line.withdrawn_at is None:
            return line
    raise NotFound()


def ahead(session: Session, *, person_ids: Collection[int], tenant_id: int) -> int:
    """How many bookings lie ahead that go with the consent to booking."""
    return live(session, person_ids=person_ids, tenant_id=tenant_id)


def live(session: Session, *, person_ids: Collection[int], tenant_id: int | None) -> int:
    """How many bookings of these cards are live, or being chosen."""
    return len(_live(session, person_ids, tenant_id))


def withdraw(
    session: Session,
    *,
    account: Account,
    person_ids: Collection[int],
    line: Line,
    now: dt.datetime,
) -> None:
    """Withdraw it, with all that follows (``FOLLOWS``)."""
    tenant_id = line.organization.id
    done = withdraw_all(
        session, person_ids=person_ids, purpose=line.purpose, now=now, tenant_id=tenant_id
    )
    if not done:
        return  # pressed twice
    actor = actor_of(account)
    with widened(session, REASON):
        mine = Person.id.in_(person_ids), Person.tenant_id == tenant_id
        for person in session.scalars(select(Person).where(*mine)):
            audit.record(
                session,
                verb="consent.withdraw",
                subject=person,
                actor=actor,
                now=now,
                changes={"consent": [line.purpose.value, None]},
            )
        if line.purpose is ConsentPurpose.BOOKING:
            cancel_ahead(session, person_ids=person_ids, tenant_id=tenant_id, actor=actor, now=now)


def withdraw_all(
    session: Session,
    *,
    person_ids: Collection[int],
    purpose: ConsentPurpose,
    now: dt.datetime,
    tenant_id: int | None = None,
) -> int:
    """Withdraw what stands for this purpose; how many. Relatives' cards and kept addresses go with theirs."""
    with widened(session, REASON):
        query = (
            select(Consent)
            .join(ConsentText, ConsentText.id == Consent.text_id)
            .where(
                Consent.person_id.in_(person_ids),
                ConsentText.purpose == purpose,
                Consent.withdrawn_at.is_(None),
            )
        )
        if tenant_id is not None:
            query = query.where(Consent.tenant_id == tenant_id)
        rows = session.scalars(query.with_for_update(of=Consent)).all()
        for row in rows:
            row.withdrawn_at = now
        ids = [row.id for row in rows]
        changed_rows(
            session,
            update(AccountPerson)
            .where(
                AccountPerson.consent_id.in_(ids),
                or_(AccountPerson.ends_at.is_(None), AccountPerson.ends_at > now),
            )
            .values(ends_at=now),
        )
        for kept in session.scalars(select(SurveyAddress).where(SurveyAddress.consent_id.in_(ids))):
            session.delete(kept)
    return len(rows)


def give_again(
    session: Session,
    *,
    account: Account,
    person_ids: Collection[int],
    tenant: uuid.UUID,
    text_uid: str,
    now: dt.datetime,
    ip: str,
    user_agent: str,
) -> None:
    """Agree to booking anew, to the text that was shown. Raises NotFound, TextChanged."""
    person, text = again(session, person_ids=person_ids, tenant=tenant, now=now)
    if str(text.uid) != text_uid:
        raise TextChanged()
    if consents.stands(session, person_id=person.id):
        return  # pressed twice
    session.add(
        Consent(
            tenant_id=person.tenant_id,
            person_id=person.id,
            account_id=account.id,
            text_id=text.id,
            sha256=text.sha256,
            given_at=now,
            ip=ip,
            user_agent=user_agent[:200],
        )
    )


def again(
    session: Session, *, person_ids: Collection[int], tenant: uuid.UUID, now: dt.datetime
) -> tuple[Person, ConsentText]:
    """One's own card there and the text to agree to. Raises NotFound."""
    person = session.scalars(
        select(Person)
        .join(Organization, Organization.id == Person.tenant_id)
        .where(Organization.uid == tenant, Person.id.in_(person_ids))
    ).first()
    text = consents.text_of(session, tenant_id=person.tenant_id, now=now) if person else None
    if person is None or text is None:
        raise NotFound()
    return person, text


def cancel_ahead(
    session: Session,
    *,
    person_ids: Collection[int],
    tenant_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Give back what is booked or being chosen ahead; how many. The caller runs ``widened``."""
    rows = _live(session, person_ids, tenant_id)
    for row in rows:
        if row.status is A.HELD:
            holding.release(session, appointment_id=row.id, actor=actor, now=now)
        elif row.starts_at > now:
            booking.cancel(session, appointment_id=row.id, actor=actor, now=now)
    return len(rows)


def _live(
    session: Session, person_ids: Collection[int], tenant_id: int | None
) -> Sequence[Appointment]:
    query = select(Appointment).where(
        Appointment.person_id.in_(person_ids), Appointment.status.in_((A.HELD, *CANCELLABLE))
    )
    if tenant_id is not None:
        query = query.where(Appointment.tenant_id == tenant_id)
    return session.scalars(query.order_by(Appointment.id)).all()
