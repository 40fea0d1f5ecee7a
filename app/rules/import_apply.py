"""Applying a dry run: all of it in one transaction, or nothing (N13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.models.audit import AuditEvent
from app.models.donor import Deferral, Donation, DonorRecord
from app.models.enums import DeferralKind, DonationKind, FactSource, ImportStatus, RowAction
from app.models.exchange import DonorImport
from app.models.organization import Organization
from app.models.person import Person
from app.models.staff import StaffUser
from app.rules import audit, import_effects, imports
from app.rules.actor import Actor, actor_of
from app.rules.audit import MASK
from app.rules.donor_diff import Known, difference, known_records, record_ids, typed
from app.rules.donors import FOLLOWING, folded
from app.rules.errors import N_, RuleError


class RecordsMoved(RuleError):
    """Somebody changed records since the dry run: the caller rechecks and shows the difference again."""

    code = "records_moved"
    text = N_(
        "The records have changed since this file was checked, so nothing was applied. "
        "Look at the difference once more, please: it has been made anew."
    )


def apply(session: Session, *, imported: DonorImport, by: StaffUser, now: dt.datetime) -> None:
    """Write what the dry run shows, and empty it. Twice applied is once.

    Raises ImportEnded, or RecordsMoved if any line would do anything else than was shown.
    """
    imports.end(session, imported, ImportStatus.APPLIED, by=by, now=now)
    # one file at a time for an organization; does not hold up rows that refer to it
    session.execute(
        select(Organization.id)
        .where(Organization.id == imported.tenant_id)
        .with_for_update(key_share=True)
    )
    affected = import_effects.affected(session, imported, now=now)
    day = imports.today(session, tenant_id=imported.tenant_id, now=now)
    writer = _Writer(session, imported.tenant_id, actor_of(by), now, day)
    for chunk in imports.lines_of(session, imported):
        lines = [(row.code, row.values) for row in chunk]
        known = known_records(session, tenant_id=imported.tenant_id, lines=lines, lock=True)
        for row in chunk:
            if difference(row.values, known.get(row.code), today=day) != (row.action, row.changes):
                raise RecordsMoved()
        writer.write(chunk, known)
    imported.affected = {
        "appointments": [[one.appointment.id, [c.name for c in one.newly]] for one in affected]
    }
    imports.empty(session, imported)
    audit.record(
        session,
        verb="import.apply",
        subject=imported,
        actor=actor_of(by),
        now=now,
        changes={action.value: [None, imported.summary.get(action.value)] for action in RowAction},
    )


class _Writer:
    """Writes chunks of lines with a few statements each."""

    def __init__(
        self, session: Session, tenant_id: int, actor: Actor, now: dt.datetime, day: dt.date
    ) -> None:
        self.session = session
        self.tenant_id = tenant_id
        self.actor = actor
        self.now = now
        self.day = day

    def write(self, chunk: list[Any], known: Mapping[str, Known]) -> None:
        new = [row for row in chunk if row.action is RowAction.NEW]
        changed = [row for row in chunk if row.action is RowAction.CHANGED]
        ids = self._insert(new)
        self._update(changed, known)
        self._follow(changed, known)
        self._deferrals(changed, known)
        said: list[tuple[Any, int, int | None]] = [(row, ids[row.code], None) for row in new]
        said += [(row, known[row.code].id, known[row.code].person_id) for row in changed]
        self._facts(said)
        self._audit(changed, known)

    def _insert(self, rows: list[Any]) -> dict[str, int]:
        """New records; their ids by code."""
        if not rows:
            return {}
        self.session.execute(
            insert(DonorRecord),
            [self._record(row.values) | {"code": row.code} for row in rows],
        )
        return record_ids(self.session, tenant_id=self.tenant_id, codes=[r.code for r in rows])

    def _record(self, values: Mapping[str, Any]) -> dict[str, Any]:
        fields = typed(values)
        for name in ("family_name", "given_name", "patronymic"):
            fields[name] = fields[name] or ""
        full = " ".join(fields[n] for n in ("family_name", "given_name", "patronymic"))
        return fields | {
            "tenant_id": self.tenant_id,
            "search_name": folded(full),
            "updated_at": self.now,
        }

    def _update(self, rows: list[Any], known: Mapping[str, Known]) -> None:
        if rows:
            self.session.execute(
                update(DonorRecord),
                [
                    self._record(known[row.code].values | row.values) | {"id": known[row.code].id}
                    for row in rows
                ],
            )

    def _follow(self, rows: list[Any], known: Mapping[str, Known]) -> None:
        """Cards that took a field from their record take its new value; empty ones take it now."""
        linked = {known[row.code].person_id: row for row in rows if known[row.code].person_id}
        if not linked:
            return
        people = self.session.scalars(select(Person).where(Person.id.in_(linked))).all()
        filled = []
        for person in people:
            row = linked[person.id]
            before = known[row.code]
            follows = set(filter(None, before.filled.split(",")))
            old, new = typed(before.values), typed(before.values | row.values)
            for name in FOLLOWING:
                own = getattr(person, name)
                if new[name] and (not own or (name in follows and own == old[name])):
                    setattr(person, name, new[name])
                    follows.add(name)
            person.search_name = folded(person.full_name)
            keep = ",".join(name for name in FOLLOWING if name in follows)
            filled.append({"id": before.id, "filled": keep})
        self.session.execute(update(DonorRecord), filled)

    def _deferrals(self, rows: list[Any], known: Mapping[str, Known]) -> None:
        """Withdraw what the file has said before and no longer says."""
        withdrawn = []
        for row in rows:
            current = known[row.code].deferral
            if "deferral" in row.changes and current is not None and current.in_force(self.day):
                withdrawn.append({"id": current.id, "withdrawn_at": self.now})
        if withdrawn:
            self.session.execute(update(Deferral), withdrawn)

    def _facts(self, said: list[tuple[Any, int, int | None]]) -> None:
        """New deferrals and donations, told to the linked card as well."""
        deferrals, donations = [], []
        for row, record_id, person_id in said:
            new = row.action is RowAction.NEW
            owner: dict[str, Any] = {
                "tenant_id": self.tenant_id,
                "record_id": record_id,
                "person_id": person_id,
                "source": FactSource.IMPORT,
            }
            deferral = row.values.get("deferral")
            if deferral and (new or "deferral" in row.changes):
                deferrals.append(owner | self._deferral(deferral))
            gift = row.values.get("donation")
            if gift and (new or "donation" in row.changes):
                day = dt.date.fromisoformat(gift["on_date"])
                donations.append(owner | {"kind": DonationKind(gift["kind"]), "on_date": day})
        if deferrals:
            self.session.execute(insert(Deferral), deferrals)
        if donations:
            self.session.execute(insert(Donation), donations)

    def _deferral(self, said: Mapping[str, Any]) -> dict[str, Any]:
        start, end = said["starts_on"], said["ends_on"]
        return {
            "kind": DeferralKind(said["kind"]),
            "reason": said["reason"],
            # a deferral without a first day holds from the day we learn of it
            "starts_on": dt.date.fromisoformat(start) if start else self.day,
            "ends_on": dt.date.fromisoformat(end) if end else None,
        }

    def _audit(self, rows: list[Any], known: Mapping[str, Known]) -> None:
        """One event for each record changed: its payload is emptied, this stays."""
        events = [
            {
                "at": self.now,
                "tenant_id": self.tenant_id,
                "actor_kind": self.actor.kind,
                "actor_id": self.actor.id,
                "verb": "record.import",
                "subject": DonorRecord.__tablename__,
                "subject_id": known[row.code].id,
                "changes": {
                    name: [MASK if value else None for value in pair]
                    for name, pair in row.changes.items()
                },
            }
            for row in rows
        ]
        if events:
            self.session.execute(insert(AuditEvent), events)
