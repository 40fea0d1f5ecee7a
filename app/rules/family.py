"""«Семья» (rows C8–C10): who is added by what proof, who agrees, and how it ends.

A child is proved by the birth certificate and the birth date against the registry, until the eighteenth
birthday where the organization is. For an incapacitated relative staff see the paper. An adult agrees
himself: by a link to his own account, in his cabinet, or on paper at the desk. Until then nothing of the
card is shown, and whether it was found is told as identification tells it: in one sentence for all misses.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.attachment import Attachment
from app.models.cabinet_choices import AttachmentStatus, FamilyBasis
from app.models.enums import DocumentKind, LinkPurpose, MessageKind, Relation
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened
from app.rules import audit, booking, identification, links, outbox, policies
from app.rules.actor import Actor
from app.rules.directory import taking_patients
from app.rules.errors import N_, NotFound, RuleError
from app.rules.families import MOST, WHOSE
from app.rules.family_age import grown_at, is_child
from app.rules.identification import Given

PROOFS: dict[Relation, tuple[DocumentKind, ...]] = {
    Relation.CHILD: (DocumentKind.BIRTH_CERTIFICATE,),
    Relation.WARD: (DocumentKind.OMS, DocumentKind.SNILS, DocumentKind.PASSPORT),
    Relation.PARENT: (DocumentKind.OMS, DocumentKind.SNILS, DocumentKind.PASSPORT),
}
"""By which documents somebody is found: row C8 asks for the data that proves it."""
BASIS = {
    Relation.CHILD: FamilyBasis.BIRTH_CERTIFICATE,
    Relation.WARD: FamilyBasis.GUARDIANSHIP,
    Relation.PARENT: FamilyBasis.OWN_CONSENT,
}


class OwnCard(RuleError):
    code = "own_card"
    text = N_("These are your own data: you book for yourself without adding anybody.")


class AlreadyFamily(RuleError):
    code = "already_family"
    text = N_("This relative is in your family here already, or has been asked.")


class GrownUp(RuleError):
    code = "grown_up"
    text = N_(
        "Who is 18 or older agrees himself: add him or her as an adult relative, with the number of the policy."
    )


class StillChild(RuleError):
    code = "still_child"
    text = N_("Who is younger than 18 is added as a child, by the birth certificate.")


class NotAttachedHere(RuleError):
    code = "not_attached_here"
    text = N_(
        "Only who is attached to this institution can be in a family here. Come to the registry desk with the "
        "documents: the attachment is written down there."
    )


class TooMany(RuleError):
    code = "family_too_many"
    text = N_("There are %(count)s people in your family here: no more can be added on the site.")


def places(session: Session, *, now: dt.datetime) -> list[Organization]:
    """The legal bodies whose policy lets an account book for its family, by name. Two queries."""
    query = select(Organization).where(taking_patients(), Organization.root_id.is_(None))
    roots = session.scalars(query.order_by(Organization.short_name)).all()
    held = policies.by_organization(session, organizations=roots, now=now)
    return [row for row in roots if row.id in held and held[row.id].for_family]


def add(
    session: Session,
    *,
    account: Account,
    relation: Relation,
    organization: Organization,
    kind: DocumentKind,
    given: Given,
    address: str,
    actor: Actor,
    now: dt.datetime,
) -> AccountPerson:
    """A relative found by a document and the birth date: open at once if a child, else until somebody agrees.

    The caller commits also when this raises NotIdentified or TooManyTries (the try is counted). Raises
    also BadDocument, OwnCard, AlreadyFamily, GrownUp, StillChild, NotAttachedHere, TooMany.
    """
    if kind not in PROOFS[relation]:
        raise NotFound()
    person_id = identification.holder_of(
        session, organization_id=organization.id, kind=kind, given=given, address=address, now=now
    )
    with widened(session, WHOSE):
        booking.lock_person(session, person_id)
        person = session.get_one(Person, person_id)
        small = is_child(person, now=now)
        row = _row(session, account, person, now)
        _demand_room(session, account, now)
        if relation is Relation.CHILD and not small:
            raise GrownUp()
        if relation is Relation.PARENT and small:
            raise StillChild()
        row.relation, row.basis, row.proof = relation, BASIS[relation], kind
        row.created_at, row.agreed_at, row.ends_at = now, None, None
        row.proved_by_id = row.consent_id = None
        if relation is Relation.CHILD:
            demand_attached(session, person)
            row.agreed_at, row.ends_at = now, grown_at(person)
        session.add(row)
        session.flush()  # the audit line needs the id
        write_down(session, row, "family.add", actor, now)
        if relation is Relation.PARENT:
            _ask(session, row, now)
        return row


def _row(session: Session, account: Account, person: Person, now: dt.datetime) -> AccountPerson:
    """What the account and the card have had to do with each other; a new row if nothing."""
    row = session.scalars(
        select(AccountPerson).where(
            AccountPerson.account_id == account.id, AccountPerson.person_id == person.id
        )
    ).one_or_none()
    if row is None:
        return AccountPerson(account_id=account.id, person_id=person.id, tenant_id=person.tenant_id)
    if row.relation is Relation.SELF:
        raise OwnCard()
    if row.ends_at is None or row.ends_at > now:
        raise AlreadyFamily()
    return row


def _demand_room(session: Session, account: Account, now: dt.datetime) -> None:
    count = session.scalar(
        select(func.count()).where(
            AccountPerson.account_id == account.id,
            (AccountPerson.ends_at.is_(None)) | (AccountPerson.ends_at > now),
        )
    )
    if (count or 0) >= MOST:
        raise TooMany(count=count)


def demand_attached(session: Session, person: Person) -> None:
    """«Закреплены за нашей поликлиникой» (C9)."""
    found = session.scalar(
        select(Attachment.id)
        .where(Attachment.person_id == person.id, Attachment.status == AttachmentStatus.ACTIVE)
        .limit(1)
    )
    if found is None:
        raise NotAttachedHere()


def _ask(session: Session, row: AccountPerson, now: dt.datetime) -> None:
    """A letter with a link to the account that keeps this card as its owner's, if there is one."""
    theirs = session.scalars(
        select(Account)
        .join(AccountPerson, AccountPerson.account_id == Account.id)
        .where(
            AccountPerson.person_id == row.person_id,
            AccountPerson.relation == Relation.SELF,
            Account.email_confirmed_at.is_not(None),
            Account.is_active,
        )
        .order_by(Account.id)
        .limit(1)
    ).first()
    if theirs is None:
        return
    link = links.issue(session, purpose=LinkPurpose.JOIN_FAMILY, account_id=theirs.id, now=now)
    outbox.add(
        session,
        kind=MessageKind.FAMILY_ASKED,
        key=f"{MessageKind.FAMILY_ASKED}:{row.id}:{int(now.timestamp() * 1000)}",
        now=now,
        tenant_id=row.tenant_id,
        account_id=theirs.id,
        useless_after=link.expires_at,
        facts={"link_id": link.id, "asker_id": row.account_id},
    )


def write_down(
    session: Session, row: AccountPerson, verb: str, actor: Actor, now: dt.datetime
) -> None:
    """One line of the journal."""
    audit.record(
        session,
        verb=verb,
        subject=row,
        actor=actor,
        now=now,
        changes={"relation": [None, row.relation.value]},
    )
