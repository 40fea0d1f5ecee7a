"""Files of addresses: a dry run with its difference, then applied whole or not at all.

A file says everything about each street that it names; other streets stay. With one bad line nothing is
applied. Only who works over the whole installation may: the list is everybody's.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.address import AddressImport, AddressPoint
from app.models.staff import StaffUser
from app.rules import address_file, addresses, checked_files, houses
from app.rules.address_diff import Difference, compare
from app.rules.address_file import FileRow
from app.rules.addresses import MIDDLE
from app.rules.checked_files import Kind
from app.rules.distances import Point
from app.rules.errors import N_, NotAllowed, NotFound, RuleError


class AddressesMoved(RuleError):
    code = "addresses_moved"
    text = N_("Addresses have changed since you looked at this difference, so nothing was applied. Look at it once more, please: it has been made anew.")  # fmt: skip


KIND = Kind("addresses", AddressesMoved)


def home(session: Session) -> str:
    """The settlement of lines that name none: where all institutions are, if they are in one."""
    names = list(addresses.own_names(session).values())
    return names[0] if len(names) == 1 else ""


def check(
    session: Session, *, rows: Sequence[FileRow], file_name: str, by: StaffUser, now: dt.datetime
) -> AddressImport:
    """Keep what the file says until somebody applies it. Raises NotAllowed."""
    _demand_all(session)
    made = AddressImport(file_name=file_name[:200])
    found = compare(session, rows=rows)
    checked_files.keep(session, KIND, made, rows=rows, found=found, by=by, now=now)
    return made


def rows_of(session: Session, imported: AddressImport) -> list[FileRow]:
    """The lines that were kept, understood anew."""
    return address_file.rows_again(imported.lines, home=home(session))


def apply(
    session: Session, *, imported: AddressImport, seen: str, by: StaffUser, now: dt.datetime
) -> Difference:
    """Do what the difference ``seen`` (its fingerprint) says, all of it.

    Raises NotAllowed, AppliedAlready, LinesBad, AddressesMoved: then nothing is changed.
    """
    _demand_all(session)
    _one_at_a_time(session)
    found = checked_files.demand(
        session,
        KIND,
        imported,
        lambda: compare(session, rows=rows_of(session, imported)),
        seen=seen,
        now=now,
    )
    addresses.write(session, {change.key: change.after for change in found.changes})
    imported.lines = []
    checked_files.conclude(session, KIND, imported, found, by=by, now=now)
    return found


def _demand_all(session: Session) -> None:
    if not addresses.may_edit(session):
        raise NotAllowed()


def _one_at_a_time(session: Session) -> None:
    """Files may name the same street: they are applied one after another, behind the first of them."""
    query = select(AddressImport.id).order_by(AddressImport.id).limit(1)
    session.execute(query.with_for_update())


# --- reading


def find(session: Session, *, uid: uuid.UUID) -> AddressImport:
    """Raises NotFound."""
    return checked_files.find(session, AddressImport, uid=uid)


def newest(session: Session, *, most: int = 20) -> list[AddressImport]:
    """The last files, newest first."""
    return list(
        session.scalars(select(AddressImport).order_by(AddressImport.id.desc()).limit(most))
    )


def export(session: Session, *, settlement: str) -> str:
    """All that is known of a settlement as a file that can be loaded again. Raises NotFound."""
    query = select(AddressPoint).where(AddressPoint.settlement == settlement)
    rows = session.scalars(query).all()
    if not rows:
        raise NotFound()
    return address_file.text_of(
        (row.settlement, row.street, row.house, Point(row.latitude, row.longitude))
        for row in sorted(rows, key=lambda row: (row.street_key, _place(row.house)))
    )


def _place(house: str) -> houses.House:
    """Where in its street's order a house stands; the middle before all."""
    return houses.House(0) if house == MIDDLE else houses.parse(house)
