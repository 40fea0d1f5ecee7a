"""«Смена полиса» (row E56): the number of the OMS policy on one's own cards.

A number with a good check digit that no other card of the organization has is taken at once: the desk sees
in the journal that the owner changed it, and compares with the paper at the next visit. What another card
has is refused without saying so (docs/decisions/0020).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account
from app.models.enums import DocumentKind
from app.models.identity import PersonDocument
from app.models.person import Person
from app.models.scope import widened
from app.rules import contacts, documents, person_documents
from app.rules.actor import Actor, actor_of
from app.rules.errors import N_, NotFound, RuleError

REASON = "whether another card has this policy"


class PolicyNotTaken(RuleError):
    """The same sentence whatever the reason: nobody learns here whose policy is known."""

    code = "policy_not_taken"
    text = N_(
        "This number cannot be taken here. Bring the policy and the passport to the registry desk, please: it is changed there at once."
    )


class SamePolicy(RuleError):
    code = "same_policy"
    text = N_("This number stands on your card already.")


def masked(session: Session, *, person_ids: Collection[int]) -> dict[int, str]:
    """«832*****567» by card; cards without a policy are left out."""
    rows = session.scalars(
        select(PersonDocument)
        .where(PersonDocument.person_id.in_(person_ids), PersonDocument.kind == DocumentKind.OMS)
        .order_by(PersonDocument.id)
    )
    return {row.person_id: documents.masked(row.number) for row in rows}


def change(
    session: Session,
    *,
    account: Account,
    person_ids: Collection[int],
    text: str,
    now: dt.datetime,
) -> None:
    """Put the number on each of these own cards; on all or on none.

    Raises BadDocument, SamePolicy, PolicyNotTaken; NotFound for somebody who has no card.
    """
    number = documents.normalised(DocumentKind.OMS, text)
    actor = actor_of(account)
    with widened(session, REASON):
        people = session.scalars(
            select(Person).where(Person.id.in_(person_ids)).order_by(Person.id)
        ).all()
        if not people:
            raise NotFound()
        changed = False
        for person in people:
            changed |= _on(session, person, number, actor, now)
        if not changed:
            raise SamePolicy()
        contacts.tell_changed(session, account=account, what="policy", now=now)


def _on(session: Session, person: Person, number: str, actor: Actor, now: dt.datetime) -> bool:
    former = session.scalars(
        select(PersonDocument)
        .where(PersonDocument.person_id == person.id, PersonDocument.kind == DocumentKind.OMS)
        .order_by(PersonDocument.id)
    ).all()
    try:
        if any(row.number == number for row in former):
            return False
        if former:
            return person_documents.correct(
                session, person=person, document=former[-1], text=number, actor=actor, now=now
            )
        person_documents.add(
            session, person=person, kind=DocumentKind.OMS, text=number, actor=actor, now=now
        )
    except (person_documents.DocumentElsewhere, person_documents.DocumentThere) as error:
        raise PolicyNotTaken() from error
    return True
