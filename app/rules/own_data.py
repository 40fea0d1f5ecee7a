"""All that is kept about an account and its own cards, to be taken away (N15, 152-FZ art. 14).

Every table is listed here, or in ``NOT_HERE`` with the reason; a test walks app.models.personal and finds
what is in neither. What opens something is named and not shown; keys of ours are left out.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, or_, select
from sqlalchemy.orm import Session, object_session

from app.models import (
    Account,
    AccountPerson,
    Appointment,
    AppointmentEvent,
    DonorImportRow,
    DonorRecord,
    Feedback,
    Guest,
    MailboxLetter,
    Message,
    OneTimeLink,
    Organization,
    WebSession,
)
from app.models.account import AccountPerson as Kept
from app.models.base import Base
from app.models.crypto import CannotDecrypt, blind_index
from app.models.donor import Deferral, Donation
from app.models.enums import Relation
from app.models.medical_document import MedicalDocument
from app.models.personal import PERSONAL
from app.models.scope import AccountOwned, PersonOwned, widened
from app.models.sign_in import OidcAttempt

SECRET = "…"  # noqa: S105 - stands in a secret's place
"""There is something, and it is shown to nobody: it would open the cabinet."""
NOT_HERE: dict[str, str] = {
    "staff_user": "about staff",
    "throttle": "counters behind a key: nobody can be found by them",
    "access_event": "the network address is that of staff",
    "schedule_exception": "about staff",
    "data_archive_part": "the archive itself",
}
"""Tables with personal columns that hold nothing about an account."""


@dataclass(frozen=True)
class Owner:
    """Whose data are meant: the account, its own cards, and the records accepted as theirs."""

    account: Account
    person_ids: tuple[int, ...]
    record_ids: tuple[int, ...]
    booking_ids: tuple[int, ...]


@dataclass(frozen=True)
class Table:
    """The rows of one table about the owner, each as field → value."""

    name: str
    rows: list[dict[str, Any]]


def owner_of(session: Session, *, account: Account) -> Owner:
    """Relatives' cards are not among them: each asks for himself, a child at the desk."""
    people = tuple(
        session.scalars(
            select(Kept.person_id).where(
                Kept.account_id == account.id, Kept.relation == Relation.SELF
            )
        )
    )
    records = tuple(
        session.scalars(select(DonorRecord.id).where(DonorRecord.person_id.in_(people)))
    )
    bookings = tuple(
        session.scalars(select(Appointment.id).where(Appointment.person_id.in_(people)))
    )
    return Owner(account, people, records, bookings)


Chosen = Callable[[Any, Owner, Session], Any]


def _messages(cls: Any, owner: Owner, _session: Session) -> Any:
    return or_(cls.account_id == owner.account.id, cls.appointment_id.in_(owner.booking_ids))


def _letters(cls: Any, owner: Owner, session: Session) -> Any:
    return cls.message_id.in_(select(Message.id).where(_messages(Message, owner, session)))


def _facts(cls: Any, owner: Owner, _session: Session) -> Any:
    return or_(cls.person_id.in_(owner.person_ids), cls.record_id.in_(owner.record_ids))


def _feedback(cls: Any, owner: Owner, _session: Session) -> Any:
    email = owner.account.email
    index = blind_index("email", email) if email and owner.account.email_confirmed_at else b""
    return cls.email_index == index


def _file_lines(cls: Any, owner: Owner, session: Session) -> Any:
    codes = session.scalars(select(DonorRecord.code).where(DonorRecord.id.in_(owner.record_ids)))
    return cls.code.in_(list(codes))


def _of_account(cls: Any, owner: Owner, _session: Session) -> Any:
    return cls.account_id == owner.account.id


SPECIAL: dict[type[Any], Chosen] = {
    Account: lambda cls, owner, _: cls.id == owner.account.id,
    AccountPerson: _of_account,
    WebSession: _of_account,
    OneTimeLink: _of_account,
    OidcAttempt: _of_account,
    Message: _messages,
    MailboxLetter: _letters,
    Deferral: _facts,
    Donation: _facts,
    DonorRecord: lambda cls, owner, _: cls.id.in_(owner.record_ids),
    DonorImportRow: _file_lines,
    AppointmentEvent: lambda cls, owner, _: cls.appointment_id.in_(owner.booking_ids),
    Feedback: _feedback,
    Guest: lambda cls, owner, _: cls.person_id.in_(owner.person_ids),
}
"""How the owner's rows are found where neither the account nor the card owns them outright."""


def models() -> dict[str, type[Any]]:
    """Every table that may hold something about an account, by name."""
    found = {}
    for mapper in Base.registry.mappers:
        cls = mapper.class_
        owned = issubclass(cls, (PersonOwned, AccountOwned)) or cls in SPECIAL
        if owned and cls.__tablename__ not in NOT_HERE:
            found[cls.__tablename__] = cls
    return dict(sorted(found.items()))


def _condition(cls: type[Any], owner: Owner, session: Session) -> Any:
    if cls in SPECIAL:
        return SPECIAL[cls](cls, owner, session)
    if issubclass(cls, AccountOwned):
        return _of_account(cls, owner, session)
    model: Any = cls
    return model.person_id.in_(owner.person_ids)


def collect(session: Session, *, account: Account) -> list[Table]:
    """Every row about the account and its own cards, by table; a query for each."""
    with widened(session, "one's own data"):
        owner = owner_of(session, account=account)
        names = _organizations(session)
        return [
            Table(name, [_plain(row, names) for row in _rows(session, cls, owner)])
            for name, cls in models().items()
        ]


def _rows(session: Session, cls: type[Any], owner: Owner) -> Iterable[Any]:
    model: Any = cls
    return session.scalars(select(cls).where(_condition(cls, owner, session)).order_by(model.id))


def _organizations(session: Session) -> dict[int, str]:
    return {key: name for key, name in session.execute(select(Organization.id, Organization.name))}


def fields(cls: type[Any]) -> dict[str, str]:
    """Column → the name it has in the export; keys of ours are left out, and so is what is only looked up by."""
    found = {}
    for column in inspect(cls).columns:
        if column.primary_key or column.name in HIDDEN:
            continue
        if column.foreign_keys and column.name not in ORGANIZATIONS:
            continue
        found[column.name] = column.name.removesuffix("_ciphertext")
    return found


ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
HIDDEN = frozenset({"account_id", "actor_id", "key", "facts", "line"})
"""Made of keys of ours alone."""
FILE = ("medical_document", "content_ciphertext")
"""Stands in the archive as a file of its own (``files``), and is named by it here."""
ORGANIZATIONS = {"tenant_id": "organization", "organization_id": "branch"}


def _plain(row: Any, names: dict[int, str]) -> dict[str, Any]:
    table = row.__tablename__
    found: dict[str, Any] = {}
    for column, name in fields(type(row)).items():
        if column in ORGANIZATIONS:
            found[ORGANIZATIONS[column]] = names.get(getattr(row, column))
        elif column.endswith("_index"):
            found[column] = SECRET if getattr(row, column) else None
        elif PERSONAL.get(table, {}).get(column) == "secret":
            found[name] = SECRET if getattr(row, column) else None
        elif (table, column) == FILE:
            found[name] = _kept_copy(row)
        elif column.endswith("_ciphertext"):
            found[name] = _opened(row, name)
        else:
            found[name] = _value(getattr(row, column))
    return found


def file_name(row: MedicalDocument) -> str:
    """Its place in the archive."""
    return f"copies/{row.uid}.{ENDINGS.get(row.content_type, 'bin')}"


def _kept_copy(row: MedicalDocument) -> str | None:
    """The file's name, without reading the file; None for a copy that is kept no more."""
    session = object_session(row)
    assert session is not None
    kept = select(MedicalDocument.id).where(
        MedicalDocument.id == row.id, MedicalDocument.content_ciphertext.is_not(None)
    )
    return file_name(row) if session.scalar(kept) is not None else None


def files(session: Session, *, account: Account) -> Iterator[tuple[str, bytes]]:
    """Copies of medical documents, one after another: (name in the archive, content)."""
    with widened(session, "one's own data"):
        owner = owner_of(session, account=account)
        mine = select(MedicalDocument.id).where(_condition(MedicalDocument, owner, session))
        ids = session.scalars(mine.order_by(MedicalDocument.id)).all()
    for document_id in ids:
        with widened(session, "one's own data"):
            row = session.get_one(MedicalDocument, document_id)
            content = _opened(row, "content")
            session.expunge(row)  # a few megabytes
        if content:
            yield file_name(row), base64.b64decode(content)


def _opened(row: Any, name: str) -> Any:
    try:
        return getattr(row, name)
    except CannotDecrypt:
        return None


def _value(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str, list, dict)):
        return getattr(value, "value", value)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return SECRET
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(str(each) for each in value)
    return str(value)


def without(tables: Collection[Table]) -> list[Table]:
    """Those that have rows."""
    return [table for table in tables if table.rows]
