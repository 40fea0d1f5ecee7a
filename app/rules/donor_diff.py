"""What a line of a donor file would change: the blood service's records as they are, and the difference.

Values are the plain text of ``app.rules.donor_lines`` on both sides, so that they compare and wait in JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from app.models.donor import Deferral, Donation, DonorRecord
from app.models.enums import BloodGroup, FactSource, RowAction, Sex, Sign
from app.models.person import Person

FIELDS = (
    "family_name",
    "given_name",
    "patronymic",
    "birth_date",
    "sex",
    "blood_group",
    "rh",
    "kell",
)
"""Of a record, as the file may say them; an empty cell says nothing and changes nothing."""

TYPES: dict[str, Any] = {
    "birth_date": dt.date.fromisoformat,
    "sex": Sex,
    "blood_group": BloodGroup,
    "rh": Sign,
    "kell": Sign,
}


@dataclass(frozen=True)
class KnownDeferral:
    """The newest deferral the file has given, unless it was withdrawn."""

    id: int
    kind: str
    starts_on: str
    ends_on: str | None
    reason: str

    def in_force(self, today: dt.date) -> bool:
        """It stands today or later."""
        return self.ends_on is None or self.ends_on >= today.isoformat()

    def plain(self) -> dict[str, str | None]:
        return {
            "kind": self.kind,
            "starts_on": self.starts_on,
            "ends_on": self.ends_on,
            "reason": self.reason,
        }

    def says(self, said: Mapping[str, Any]) -> bool:
        """Whether the line says the same; a start or a reason it does not give counts as the same."""
        return (
            self.kind == said["kind"]
            and self.ends_on == said["ends_on"]
            and said["starts_on"] in (None, self.starts_on)
            and said["reason"] in ("", self.reason)
        )


@dataclass(frozen=True)
class Known:
    """What stands under one code now."""

    id: int
    person_id: int | None
    filled: str
    values: dict[str, str]
    deferral: KnownDeferral | None
    donations: frozenset[tuple[str, str]]
    """(kind, date) of those the lines name."""


def known_records(
    session: Session,
    *,
    tenant_id: int,
    lines: Iterable[tuple[str, Mapping[str, Any]]],
    lock: bool = False,
) -> dict[str, Known]:
    """The records of these (code, values), by code: three queries. ``lock`` keeps them until commit,
    the linked cards before the records, as everybody does.
    """
    said = dict(lines)
    if lock:
        session.execute(
            select(Person.id)
            .join(DonorRecord, DonorRecord.person_id == Person.id)
            .where(DonorRecord.tenant_id == tenant_id, _among(DonorRecord.code, said))
            .order_by(Person.id)
            .with_for_update(of=Person, key_share=True)
        )
    query = select(
        DonorRecord.id,
        DonorRecord.code,
        DonorRecord.person_id,
        DonorRecord.filled,
        *(getattr(DonorRecord, name) for name in FIELDS),
    ).where(DonorRecord.tenant_id == tenant_id, _among(DonorRecord.code, said))
    if lock:
        query = query.order_by(DonorRecord.id).with_for_update(of=DonorRecord)
    rows = session.execute(query).all()
    owners = {row.id: row.person_id for row in rows}
    deferrals = _deferrals(session, owners)
    gifts = _donations(session, owners, said.values())
    return {
        row.code: Known(
            id=row.id,
            person_id=row.person_id,
            filled=row.filled,
            values={
                name: plain(getattr(row, name)) for name in FIELDS if getattr(row, name) is not None
            },
            deferral=deferrals.get(row.id),
            donations=frozenset(gifts.get(row.id, ())),
        )
        for row in rows
    }


def record_ids(session: Session, *, tenant_id: int, codes: Collection[str]) -> dict[str, int]:
    """Keys of records by code: reading them back is quicker than an INSERT that returns them."""
    rows = session.execute(
        select(DonorRecord.code, DonorRecord.id).where(
            DonorRecord.tenant_id == tenant_id, _among(DonorRecord.code, codes)
        )
    )
    return {row.code: row.id for row in rows}


def _among(wanted: Any, items: Collection[Any]) -> ColumnElement[bool]:
    """``wanted IN (…)`` with the values in the statement itself.

    As parameters, PostgreSQL would after a few chunks plan without looking at them and compare a
    thousand values one by one with every row. Only codes of ``donor_cells.CODE``, keys and dates.
    """
    listed: BindParameter[Any] = bindparam(
        None, list(items), expanding=True, unique=True, literal_execute=True
    )
    return cast("ColumnElement[bool]", wanted.in_(listed))


def plain(value: Any) -> str:
    """A column's value as the file's lines have it."""
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain text of a line as the columns want it."""
    return {
        name: TYPES.get(name, str)(values[name]) if values.get(name) is not None else None
        for name in FIELDS
    }


def _deferrals(session: Session, owners: Mapping[int, int | None]) -> dict[int, KnownDeferral]:
    rows = session.execute(
        select(
            Deferral.id,
            Deferral.record_id,
            Deferral.kind,
            Deferral.starts_on,
            Deferral.ends_on,
            Deferral.reason,
        )
        .where(
            _among(Deferral.record_id, owners),
            Deferral.source == FactSource.IMPORT,
            Deferral.withdrawn_at.is_(None),
        )
        .order_by(Deferral.starts_on, Deferral.id)
    )
    return {
        row.record_id: KnownDeferral(
            row.id,
            row.kind.value,
            row.starts_on.isoformat(),
            row.ends_on.isoformat() if row.ends_on else None,
            row.reason,
        )
        for row in rows
    }


def _donations(
    session: Session, owners: Mapping[int, int | None], said: Iterable[Mapping[str, Any]]
) -> dict[int, set[tuple[str, str]]]:
    """Donations on the dates the lines name, of the record or of the card it is linked to."""
    dates = {dt.date.fromisoformat(v["donation"]["on_date"]) for v in said if v.get("donation")}
    records = {person: record for record, person in owners.items() if person is not None}
    found: dict[int, set[tuple[str, str]]] = {}
    if not dates or not owners:
        return found
    for row in session.execute(
        select(Donation.record_id, Donation.person_id, Donation.kind, Donation.on_date).where(
            _among(Donation.on_date, dates),
            or_(
                _among(Donation.record_id, owners),
                and_(
                    Donation.record_id.is_(None),
                    _among(Donation.person_id, records),
                ),
            ),
        )
    ):
        owner = row.record_id if row.record_id is not None else records[row.person_id]
        found.setdefault(owner, set()).add((row.kind.value, row.on_date.isoformat()))
    return found


def difference(
    values: Mapping[str, Any], known: Known | None, *, today: dt.date
) -> tuple[RowAction, dict[str, list[Any]]]:
    """New, changed or the same; and of a changed record, field → [before, after]."""
    if known is None:
        return RowAction.NEW, {}
    changes: dict[str, list[Any]] = {
        name: [known.values.get(name), values[name]]
        for name in FIELDS
        if name in values and values[name] != known.values.get(name)
    }
    if "deferral" in values:
        changes |= _deferral(values["deferral"], known.deferral, today)
    gift = values.get("donation")
    if gift and (gift["kind"], gift["on_date"]) not in known.donations:
        changes["donation"] = [None, gift]
    return (RowAction.CHANGED if changes else RowAction.SAME), changes


def _deferral(
    said: Mapping[str, Any] | None, current: KnownDeferral | None, today: dt.date
) -> dict[str, list[Any]]:
    standing = current if current is not None and current.in_force(today) else None
    if said is None:
        return {"deferral": [standing.plain(), None]} if standing else {}
    if current is not None and current.says(said):
        return {}
    return {"deferral": [standing.plain() if standing else None, dict(said)]}
