"""An account with a row in every table that may be about it, and a mark in every text of each."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import uuid
from typing import Any

from sqlalchemy import Enum, Integer, LargeBinary, SmallInteger, String, Uuid, inspect
from sqlalchemy.orm import Session
from sqlalchemy.types import JSON, Boolean, Date

from app.models import Account, Base, DataArchivePart, Person
from app.models.base import UtcDateTime
from app.models.crypto import Encrypted
from app.models.enums import AppointmentStatus as A
from app.models.enums import DonationKind
from app.models.personal import is_personal
from app.rules import own_data
from tests import make
from tests.make import NOW

MARK = "Канарейка"
DAY = dt.date(1987, 6, 5)
"""A date that stands nowhere else."""


class Filled:
    """``rows`` by table; every free text begins with MARK, every encrypted one too."""

    def __init__(self, session: Session, *, medical: bool, mark: str = MARK) -> None:
        self.session, self.medical, self.mark = session, medical, mark
        self.numbers = itertools.count(1)
        self.tenant = make.make_tenant(session)
        self.known = make.make_donor(session, self.tenant)
        self.account, self.person = self.known.account, self.known.person
        self.rows: dict[str, list[Any]] = {"account": [self.account], "person": [self.person]}
        self.keys = self._keys()
        for name, cls in own_data.models().items():
            if not medical and name in MEDICAL:
                continue
            self._fill(name, cls)
        self._fill("data_archive_part", DataArchivePart)
        if medical:  # a line of a file is found by its record's code
            self.rows["feedback"][0].email = self.account.email
            self.rows["donor_import_row"][0].code = self.rows["donor_record"][0].code
        session.flush()

    def _keys(self) -> dict[str, int]:
        """What foreign keys point to, by table."""
        session, tenant = self.session, self.tenant
        staff = make.make_staff(session)
        role = make.make_role(session, tenant)
        day = make.make_schedule(session, tenant, days=-9)
        status = A.FULFILLED if self.medical else A.CANCELLED
        booked = make.make_appointment(session, tenant, self.known, day, status=status)
        self.rows["appointment"] = [booked]
        session.flush()
        return {
            "organization": tenant.id, "account": self.account.id, "person": self.person.id,
            "staff_user": staff.id, "appointment": booked.id, "slot": booked.slot_id,
            "schedule": day.id, "booking_policy": tenant.policy.id, "consent_text": tenant.consent_text.id,
            "donation_type": tenant.types[DonationKind.BLOOD].id, "practitioner_role": role.id,
            "specialty": role.specialty_id,
        }  # fmt: skip

    def _fill(self, name: str, cls: type[Any]) -> None:
        there = self.rows.get(name) or list(
            self.session.query(cls).filter(own_data._condition(cls, self._owner(), self.session))
        )
        row = there[0] if there else self._new(cls)
        self._mark(row)
        self.session.add(row)
        self.session.flush()
        self.rows[name] = there or [row]
        self.keys.setdefault(name, row.id)

    def _owner(self) -> own_data.Owner:
        return own_data.owner_of(self.session, account=self.account)

    def _new(self, cls: type[Any]) -> Any:
        row = cls(uid=uuid.uuid4()) if hasattr(cls, "uid") else cls()
        for column in inspect(cls).columns:
            if column.primary_key or column.name == "uid":
                continue
            keys = list(column.foreign_keys)
            if keys:
                table = keys[0].column.table.name
                if table in self.keys:
                    setattr(row, column.name, self.keys[table])
                elif not column.nullable:
                    self._needed(table)
                    setattr(row, column.name, self.keys[table])
            elif column.name == "account_id":  # without a key, see the model
                row.account_id = self.account.id
            elif column.name == "key":
                row.key = uuid.uuid4().hex
            elif not column.nullable and column.default is None:
                setattr(row, column.name, self._value(column))
        return row

    def _needed(self, table: str) -> None:
        """A row that another one stands on."""
        for mapper in Base.registry.mappers:
            if mapper.class_.__tablename__ == table:
                row = self._new(mapper.class_)
                self._mark(row)
                self.session.add(row)
                self.session.flush()
                self.keys[table] = row.id
                self.rows.setdefault(table, [row])

    def _value(self, column: Any) -> Any:
        kind = column.type
        if isinstance(kind, Enum):
            return next(iter(kind.enum_class))
        if isinstance(kind, UtcDateTime):
            return NOW
        if isinstance(kind, Date):
            return DAY
        if isinstance(kind, Boolean):
            return True
        if isinstance(kind, (SmallInteger, Integer)) or kind.python_type is int:
            return 1
        if isinstance(kind, JSON):
            return []
        if isinstance(kind, Uuid):
            return uuid.uuid4()
        if isinstance(kind, LargeBinary):
            return uuid.uuid4().bytes * 2
        return ""

    def _mark(self, row: Any) -> None:
        """In every text of the row that people or their programs write."""
        mapper = inspect(type(row))
        sealed = [n for n, v in vars(type(row)).items() if isinstance(v, Encrypted)]
        for name in sealed:
            text = f"{self.mark} {next(self.numbers)}."
            setattr(
                row, name, text if name != "content" else base64.b64encode(text.encode()).decode()
            )
        for column in mapper.columns:
            kind = column.type
            if column.foreign_keys or column.primary_key:
                continue
            if isinstance(kind, Enum):
                if getattr(row, column.name) is None and is_personal(
                    row.__tablename__, column.name
                ):
                    setattr(row, column.name, next(iter(kind.enum_class)))
                continue
            if isinstance(kind, LargeBinary) and column.name in ("holder", "held_from"):
                setattr(row, column.name, uuid.uuid4().bytes * 2)
            elif isinstance(kind, Date) and column.name != "last_day":
                setattr(row, column.name, DAY)
            elif isinstance(kind, JSON) and column.name != "facts":
                setattr(row, column.name, [f"{self.mark} {next(self.numbers)}."])
            elif isinstance(kind, JSON):
                setattr(row, column.name, {"x": f"{self.mark} {next(self.numbers)}."})
            elif isinstance(kind, String) and column.name not in KEPT_TEXT:
                text = f"{self.mark} {next(self.numbers)}."
                setattr(row, column.name, text[: kind.length or 200])


KEPT_TEXT = {"locale", "key", "event"}
"""Words of ours."""
MEDICAL = {"donation", "deferral", "donor_record", "donor_import_row", "attachment"}
"""Tables whose rows alone make the organization keep a card."""


def everything(session: Session) -> list[tuple[str, str, str]]:
    """(table, column, text) of the whole database; sealed values opened where their row can be."""
    found = []
    for mapper in Base.registry.mappers:
        cls = mapper.class_
        sealed = [n for n, v in vars(cls).items() if isinstance(v, Encrypted)]
        for row in session.query(cls).execution_options(populate_existing=True):
            for column in mapper.columns:
                value = getattr(row, column.name)
                if value is not None:
                    found.append((cls.__tablename__, column.name, str(value)))
            for name in sealed:
                value = getattr(row, name)
                if value and name == "content":
                    value = base64.b64decode(value).decode()
                if value:
                    found.append((cls.__tablename__, name, value))
    return found


__all__ = ["DAY", "MARK", "Account", "Filled", "Person", "everything"]
