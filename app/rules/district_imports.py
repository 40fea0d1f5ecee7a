"""Files of districts' streets: a dry run with its difference, then applied whole or not at all.

A file says everything about each street and each kind of district that it names together; other streets
and other kinds stay. Districts that are not there yet are made. With one bad line nothing is applied.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.district import District, DistrictImport, DistrictRange
from app.models.organization import Organization
from app.models.staff import StaffUser
from app.rules import audit, checked_files, district_file
from app.rules.actor import actor_of
from app.rules.checked_files import Kind
from app.rules.district_diff import Difference, DistrictName, compare, districts_by_name
from app.rules.district_file import FileRow
from app.rules.district_streets import Wanted, locked, rows_of_streets, write
from app.rules.districts import span_of
from app.rules.errors import N_, RuleError


class DistrictsMoved(RuleError):
    code = "districts_moved"
    text = N_("Streets have changed since you looked at this difference, so nothing was applied. Look at it once more, please: it has been made anew.")  # fmt: skip


KIND = Kind("district", DistrictsMoved)


def check(
    session: Session,
    *,
    organization_id: int,
    rows: Sequence[FileRow],
    file_name: str,
    by: StaffUser,
    now: dt.datetime,
) -> DistrictImport:
    """Keep what the file says until somebody applies it. Raises NotFound."""
    where = locked(session, organization_id)
    made = DistrictImport(
        tenant_id=where.tenant_id, organization_id=where.id, file_name=file_name[:200]
    )
    found = compare(session, organization=where, rows=rows)
    checked_files.keep(session, KIND, made, rows=rows, found=found, by=by, now=now)
    return made


def rows_of(imported: DistrictImport, *, home: str) -> list[FileRow]:
    """The lines that were kept, understood anew."""
    return district_file.rows_again(imported.lines, home=home)


def apply(
    session: Session, *, imported: DistrictImport, seen: str, by: StaffUser, now: dt.datetime
) -> Difference:
    """Do what the difference ``seen`` (its fingerprint) says, all of it.

    Raises AppliedAlready, LinesBad, DistrictsMoved, NotFound: then nothing is changed.
    """
    where = locked(session, imported.organization_id)
    rows = rows_of(imported, home=where.settlement)
    found = checked_files.demand(
        session,
        KIND,
        imported,
        lambda: compare(session, organization=where, rows=rows),
        seen=seen,
        now=now,
    )
    districts = _made(session, where, found.new_districts, by, now)
    _write(session, where, rows, {change.key for change in found.changes}, districts, by, now)
    checked_files.conclude(session, KIND, imported, found, by=by, now=now)
    return found


def _made(
    session: Session,
    where: Organization,
    new: Iterable[DistrictName],
    by: StaffUser,
    now: dt.datetime,
) -> dict[DistrictName, District]:
    """The organization's districts by kind and number, with those the file names for the first time."""
    for kind, number in new:
        made = District(
            tenant_id=where.tenant_id, organization_id=where.id, kind=kind, number=number
        )
        session.add(made)
        session.flush()
        audit.record(
            session,
            verb="district.create",
            subject=made,
            actor=actor_of(by),
            now=now,
            changes={"kind": [None, kind.value], "number": [None, number]},
        )
    return districts_by_name(session, where.id)


def _write(
    session: Session,
    where: Organization,
    rows: Sequence[FileRow],
    changed: set[str],
    districts: dict[DistrictName, District],
    by: StaffUser,
    now: dt.datetime,
) -> None:
    """Every street that changes: the file's rows, and those of kinds it does not name there."""
    there = rows_of_streets(session, organization_id=where.id, keys=sorted(changed))
    own: dict[str, list[FileRow]] = {key: [] for key in there}
    for row in rows:
        if row.key in own:
            own[row.key].append(row)
    for key, lines in own.items():
        spans = list(dict.fromkeys(row.span for row in lines if row.span is not None))
        kinds = {span.kind for span in spans}
        old = [row for row in there[key] if row.district.kind in kinds]
        write(
            session, where=where, key=key, street=lines[0].street, settlement=lines[0].settlement,
            rows=old, wanted=[Wanted(districts[s.kind, s.district], s) for s in spans],
            actor=actor_of(by), now=now,
        )  # fmt: skip


# --- reading


def find(session: Session, *, uid: uuid.UUID) -> DistrictImport:
    """Raises NotFound."""
    return checked_files.find(session, DistrictImport, uid=uid)


def newest(session: Session, *, organization_id: int, most: int = 20) -> list[DistrictImport]:
    """The last files of an organization, newest first."""
    query = select(DistrictImport).where(DistrictImport.organization_id == organization_id)
    return list(session.scalars(query.order_by(DistrictImport.id.desc()).limit(most)))


def export(session: Session, *, organization: Organization) -> str:
    """All the organization's rows as a file that can be loaded again."""
    query = (
        select(DistrictRange)
        .options(joinedload(DistrictRange.district))
        .where(DistrictRange.organization_id == organization.id)
        .order_by(DistrictRange.street_key, DistrictRange.district_id, DistrictRange.first_house)
    )
    rows = ((row.settlement, row.street, span_of(row)) for row in session.scalars(query))
    return district_file.text_of(rows)
