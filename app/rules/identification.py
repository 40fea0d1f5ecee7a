"""Who somebody without an account is: found in one organization's registry by documents (rows E9–E13, B9).

Whether a number is unknown or its birth date is wrong, the answer, the statements and the work are the
same, and nothing of a record is told. The source system asks for no birth date with SNILS and passport;
here every document needs one, or whoever has seen a number could book as its owner.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hmac import compare_digest
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.crypto import blind_index, bound_to, decrypt, encrypt, keys
from app.models.enums import DocumentKind, IdentifyBy
from app.models.identity import PersonDocument
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened
from app.rules import documents, throttle
from app.rules.donors import folded, normal_phone
from app.rules.errors import N_, NotFound, RuleError

BY_DOCUMENT = {
    IdentifyBy.OMS: DocumentKind.OMS,
    IdentifyBy.SNILS: DocumentKind.SNILS,
    IdentifyBy.PASSPORT: DocumentKind.PASSPORT,
    IdentifyBy.DMS: DocumentKind.DMS,
    IdentifyBy.TWO_DOCUMENTS: DocumentKind.OMS,
}
"""The document that a card is looked up by."""
SAME_NUMBER = 4
"""Cards read for one number: more than one only where a person has two cards."""
OF_ONE_PERSON = 12
"""Further documents read for the cards found."""


class NotIdentified(RuleError):
    """Unknown number, wrong birth date, no such card: one sentence for all (rows B14, B15)."""

    code = "not_identified"
    text = N_(
        "Entry is not possible: check that what you have entered is right. If it is, come to the "
        "registry desk with your documents, please: you have to be registered there once."
    )


@dataclass(frozen=True)
class Given:
    """What was typed, by the variant chosen; the rest stays empty. Not shown in a traceback."""

    birth_date: dt.date | None = None
    number: str = field(default="", repr=False)
    second: str = field(default="", repr=False)
    """B9's other document, with its series or without."""
    family_name: str = field(default="", repr=False)
    given_name: str = field(default="", repr=False)
    patronymic: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)

    @property
    def full_name(self) -> str:
        """Folded, as the card's ``search_name``."""
        return folded(f"{self.family_name} {self.given_name} {self.patronymic}")


def identify(
    session: Session,
    *,
    organization_id: int,
    method: IdentifyBy,
    given: Given,
    address: str,
    now: dt.datetime,
    by_name_too: bool = False,
) -> int:
    """The person's id in the tenant of ``organization_id``.

    ``by_name_too``: the full name must be the card's as well, for what is opened for good (C1).

    The caller commits also when this raises NotIdentified or TooManyTries, or the try is not counted
    (app.public.guards.counted). Raises also BadDocument (nothing was looked up) and NotFound.
    """
    if method is IdentifyBy.NONE:
        return _by_name(session, organization_id, given, address, now)
    second = documents.second(given.second) if method is IdentifyBy.TWO_DOCUMENTS else ""
    return holder_of(
        session, organization_id=organization_id, kind=BY_DOCUMENT[method], given=given,
        second=second, by_name_too=by_name_too, address=address, now=now,
    )  # fmt: skip


def holder_of(
    session: Session,
    *,
    organization_id: int,
    kind: DocumentKind,
    given: Given,
    address: str,
    now: dt.datetime,
    second: str = "",
    by_name_too: bool = False,
) -> int:
    """The same by a document of that kind and the birth date: also for a relative (row C8)."""
    number = documents.normalised(kind, given.number)
    with widened(session, "a patient who is not signed in"):
        tenant_id = _tenant(session, organization_id)
        tries = _tries(address, f"{tenant_id} {kind} {number}")
        throttle.count_all(session, tries, now=now)
        name = given.full_name if by_name_too else None
        found = _holders(session, tenant_id, kind, number, given.birth_date, name)
        if second:
            found = _named_by(session, found, second)
        throttle.take_back(session, tries, now=now, tries=1 if found else 0)
    if not found:
        raise NotIdentified()
    return found[0]


def _tenant(session: Session, organization_id: int) -> int:
    """Raises NotFound."""
    found = session.get(Organization, organization_id)  # the entry point has read it already
    if found is None or not found.is_active:
        raise NotFound()
    return found.tenant_id


# --- limits -----------------------------------------------------------------------------------


def networks(address: str) -> tuple[str, str]:
    """The subscriber and the network around it; whatever is no address shares one bucket."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown", "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    one, around = (32, 24) if ip.version == 4 else (64, 48)
    return _network(f"{ip}/{one}"), _network(f"{ip}/{around}")


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))


def _tries(address: str, document: str) -> list[tuple[str, str]]:
    """What is counted, always in this order: who is blocked by address blocks no document."""
    one, around = networks(address)
    return [
        ("identify_address", one),
        ("identify_network", around),
        ("identify_document", document),
        ("identify_document_day", document),
    ]


# --- by document ------------------------------------------------------------------------------


def _holders(
    session: Session,
    tenant_id: int,
    kind: DocumentKind,
    number: str,
    born: dt.date | None,
    name: str | None = None,
) -> list[int]:
    """Cards with this document and this birth date (and this folded name), the oldest card first.

    A found row's number is opened and compared too: an index copied to another row finds nobody, and a
    ciphertext copied there raises CannotDecrypt.
    """
    rows = session.execute(
        select(
            PersonDocument.uid,
            PersonDocument.number_ciphertext,
            Person.birth_date,
            PersonDocument.person_id,
            Person.search_name,
        )
        .join(PersonDocument.person)
        .where(
            PersonDocument.tenant_id == tenant_id,
            PersonDocument.kind == kind,
            PersonDocument.number_index == blind_index("number", number),
        )
        .order_by(PersonDocument.person_id, PersonDocument.id)
        .limit(SAME_NUMBER)
    ).all()
    found = []
    for uid, sealed, birth_date, person_id, search_name in _padded(rows, SAME_NUMBER, None, 0, ""):
        same = _same(_opened(uid, sealed), number)
        same &= name is None or _same(search_name, name)
        if _same(_date(birth_date), _date(born)) & same & bool(birth_date and born):
            found.append(person_id)
    return found


def _named_by(session: Session, person_ids: list[int], second: str) -> list[int]:
    """Those of these cards that also have this document of B10's four."""
    rows = session.execute(
        select(
            PersonDocument.uid,
            PersonDocument.number_ciphertext,
            PersonDocument.kind,
            PersonDocument.person_id,
        )
        .where(
            PersonDocument.person_id.in_(person_ids or [0]),
            PersonDocument.kind.in_(documents.SECOND),
        )
        .order_by(PersonDocument.id)
        .limit(OF_ONE_PERSON)
    ).all()
    named = set()
    for uid, sealed, kind, person_id in _padded(rows, OF_ONE_PERSON, DocumentKind.PASSPORT, 0):
        whole, short = documents.names_of(kind, _opened(uid, sealed))
        if _same(whole, second) | _same(short, second):
            named.add(person_id)
    return [person_id for person_id in person_ids if person_id in named]


def _padded(rows: Sequence[Any], most: int, *rest: Any) -> list[Any]:
    """The rows, and decoys up to ``most``: a miss opens and compares as much as a hit."""
    return [
        *rows,
        *[(None, _decoy(keys().current, keys().data[keys().current]), *rest)] * (most - len(rows)),
    ]


@lru_cache(maxsize=4)
def _decoy(_current: int, _key: bytes) -> bytes:
    """The number of no document, sealed under today's key."""
    return encrypt("-" * 11, bound_to(PersonDocument.__tablename__, "number", None))


def _opened(uid: Any, sealed: bytes) -> str:
    return decrypt(sealed, bound_to(PersonDocument.__tablename__, "number", uid))


def _date(date: dt.date | None) -> str:
    return (date or dt.date.min).isoformat()


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(), other.encode())


# --- without a document -----------------------------------------------------------------------


def _by_name(
    session: Session, organization_id: int, given: Given, address: str, now: dt.datetime
) -> int:
    """The card with this full name, birth date and telephone, made if there is none (row E9).

    It proves nothing: whoever knows these three gets the same card, so a page must show nothing of it.
    """
    names = (given.family_name, given.given_name, given.patronymic)
    name, phone = folded(" ".join(names)), normal_phone(given.phone)
    if not (given.family_name and given.given_name and given.birth_date and phone):
        raise NotIdentified()
    with widened(session, "a patient who is not signed in"):
        tenant_id = _tenant(session, organization_id)
        tries = [
            ("identify_unproved_address", networks(address)[0]),
            ("identify_phone", f"{tenant_id} {phone}"),
        ]
        throttle.count_all(session, tries, now=now)
        one_at_a_time(session, f"{tenant_id}|{name}|{given.birth_date}|{phone}")
        known = session.scalar(
            select(Person.id)
            .where(
                Person.tenant_id == tenant_id,
                Person.phone_index == blind_index("phone", phone),
                Person.birth_date == given.birth_date,
                Person.search_name == name,
            )
            .order_by(Person.id)
            .limit(1)
        )
        return known or _made(session, tenant_id, given, name, phone, now)


def one_at_a_time(session: Session, who: str) -> None:
    """Who asks for the same card waits for the other's commit. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(blind_index("identify", who)[:8], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(key)))


def _made(
    session: Session, tenant_id: int, given: Given, name: str, phone: str, now: dt.datetime
) -> int:
    person = Person(
        uid=uuid.uuid4(),
        tenant_id=tenant_id,
        family_name=given.family_name,
        given_name=given.given_name,
        patronymic=given.patronymic,
        search_name=name,
        birth_date=given.birth_date,
        created_at=now,
    )
    person.phone = phone
    session.add(person)
    session.flush()  # its id
    return person.id
