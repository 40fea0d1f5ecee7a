"""Donor cards beside the blood service's records: names folded for search, links and their undoing."""

from __future__ import annotations

import datetime as dt
import re

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models.donor import Deferral, Donation, DonorRecord
from app.models.person import Person
from app.rules import audit
from app.rules.actor import Actor
from app.rules.errors import N_, NotFound, RuleError
from app.rules.transitions import changed_rows

FOLLOWING = ("family_name", "given_name", "patronymic", "birth_date", "sex")
"""Fields of a card that take the record's value where they are empty."""


class RecordTaken(RuleError):
    code = "record_taken"
    text = N_("This record is already linked to another donor. Undo that link first.")


class CardLinked(RuleError):
    code = "card_linked"
    text = N_("This card is already linked to the record %(code)s. Undo that link first.")


def folded(name: str) -> str:
    """``name`` as search sees it: lower case, ё as е, single spaces.

    >>> folded("  Фёдорова   Алёна ")
    'федорова алена'
    """
    return " ".join(name.casefold().replace("ё", "е").split())[:250]


def normal_phone(text: str) -> str:
    """«8 (900) 123-45-67» as «+79001234567»; empty if it is not a Russian number (features.md 5.4)."""
    if re.search(r"[^0-9+()\s.-]", text):
        return ""
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) == 11 and digits[0] in "78":
        digits = digits[1:]
    return f"+7{digits}" if len(digits) == 10 and digits[0] in "3489" else ""


def link_record(
    session: Session,
    *,
    person: Person,
    record: DonorRecord,
    actor: Actor | None = None,
    now: dt.datetime | None = None,
) -> bool:
    """Accept that ``record`` is ``person``: its deferrals and donations now speak to the donor.

    Empty names, birth date and sex of the card are taken from the record. False if they were linked
    already. Audited here if ``actor`` and ``now`` are given (approval audits the decision as a whole).
    Raises NotFound (another organization's), RecordTaken, CardLinked.
    """
    if person.tenant_id != record.tenant_id:
        raise NotFound()
    _lock(session, person, record)
    linked = session.execute(
        select(DonorRecord.id, DonorRecord.code).where(DonorRecord.person_id == person.id)
    ).first()
    if linked is not None:
        if linked.id == record.id:
            return False
        raise CardLinked(code=linked.code)
    filled = [name for name in FOLLOWING if not getattr(person, name) and getattr(record, name)]
    won = changed_rows(
        session,
        update(DonorRecord)
        .where(DonorRecord.id == record.id, DonorRecord.person_id.is_(None))
        .values(person_id=person.id, filled=",".join(filled)),
    )
    if not won:
        raise RecordTaken()
    for name in filled:
        setattr(person, name, getattr(record, name))
    person.search_name = folded(person.full_name)
    _hand_over(session, record, person.id)
    _audit(session, "donor.link", record, people=[None, person.id], actor=actor, now=now)
    return True


def unlink_record(
    session: Session,
    *,
    person: Person,
    record: DonorRecord,
    actor: Actor | None = None,
    now: dt.datetime | None = None,
) -> bool:
    """Undo ``link_record``: what it gave to the card is taken back, what staff typed since stays.

    False if the two are not linked (any more).
    """
    _lock(session, person, record)
    if record.person_id != person.id:
        return False
    for name in filter(None, record.filled.split(",")):
        if getattr(person, name) == getattr(record, name):
            setattr(person, name, None if name in ("birth_date", "sex") else "")
    person.search_name = folded(person.full_name)
    record.filled = ""
    _hand_over(session, record, None)
    _audit(session, "donor.unlink", record, people=[person.id, None], actor=actor, now=now)
    return True


def _lock(session: Session, person: Person, record: DonorRecord) -> None:
    """Both rows as they are now, until commit; the card first, as everybody does."""
    session.flush()
    session.refresh(person, with_for_update={"key_share": True})
    session.refresh(record, with_for_update=True)


def _hand_over(session: Session, record: DonorRecord, person_id: int | None) -> None:
    """The record and what hangs on it, to ``person_id``."""
    record.person_id = person_id
    session.flush()
    for model in (Deferral, Donation):
        session.execute(
            update(model).where(model.record_id == record.id).values(person_id=person_id)
        )
    session.refresh(record)


def _audit(
    session: Session,
    verb: str,
    record: DonorRecord,
    *,
    people: list[int | None],
    actor: Actor | None,
    now: dt.datetime | None,
) -> None:
    if actor is not None and now is not None:
        audit.record(
            session, verb=verb, subject=record, actor=actor, now=now, changes={"person_id": people}
        )
