"""The houses of one street among an organization's districts: read, checked and replaced as a whole."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.district import District, DistrictRange
from app.models.enums import Parity
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import audit, houses
from app.rules.access import reaches
from app.rules.actor import Actor
from app.rules.districts import span_of
from app.rules.errors import N_, NotFound, RuleError
from app.rules.house_ranges import Overlap, Span, overlaps
from app.rules.streets import MARK, street_key, tidy


class Overlapping(RuleError):
    """Some house would have two districts of a kind; ``overlaps`` says which."""

    code = "districts_overlap"
    text = N_("Nothing is saved: some houses would have two districts of one kind. They are named below.")  # fmt: skip

    def __init__(self, found: Sequence[Overlap]) -> None:
        super().__init__()
        self.overlaps = list(found)


class StreetMoved(RuleError):
    code = "street_moved"
    text = N_("Somebody has changed this street meanwhile. Open it again, please: what you typed is below to copy.")  # fmt: skip


class StreetThere(RuleError):
    code = "street_there"
    text = N_("This street is there already: %(street)s. Open it and change its rows, please.")


@dataclass(frozen=True)
class Wanted:
    """A row of a street as it shall be; the district's own kind and number stand in the span."""

    district: District
    span: Span


def rows_of(session: Session, *, organization_id: int, key: str) -> list[DistrictRange]:
    """The rows of a street with their districts, by kind, number and first house: one query."""
    return rows_of_streets(session, organization_id=organization_id, keys=[key])[key]


def rows_of_streets(
    session: Session, *, organization_id: int, keys: Sequence[str]
) -> dict[str, list[DistrictRange]]:
    """The same for many streets: a query for each five hundred."""
    found: dict[str, list[DistrictRange]] = {key: [] for key in keys}
    for start in range(0, len(keys), 500):
        query = (
            select(DistrictRange)
            .options(joinedload(DistrictRange.district))
            .where(
                DistrictRange.organization_id == organization_id,
                DistrictRange.street_key.in_(keys[start : start + 500]),
            )
        )
        for row in session.scalars(query):
            found[row.street_key].append(row)
    for rows in found.values():
        rows.sort(key=_order)
    return found


def _order(row: DistrictRange) -> tuple[str, int, str, int, int]:
    number = row.district.number
    return (row.district.kind, len(number), number, row.first_house or 0, row.id)


def fingerprint(rows: Iterable[DistrictRange]) -> str:
    """Changes when anything a reader sees of these rows does."""
    said = sorted(
        f"{row.district_id}|{row.street}|{row.settlement}|{described(span_of(row))}" for row in rows
    )
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:20]


def replace(
    session: Session,
    *,
    organization_id: int,
    key: str | None,
    was: str,
    street: str,
    settlement: str,
    wanted: Sequence[Wanted],
    actor: Actor,
    now: dt.datetime,
) -> str:
    """Make the rows of a street those of ``wanted``; its key afterwards.

    ``key`` and ``was`` name the street as it was opened (None: a new one) and its fingerprint.
    Raises StreetUnclear, StreetThere, StreetMoved, Overlapping, NotFound.
    """
    where = locked(session, organization_id)
    new_key = street_key(street, settlement, home=where.settlement)
    rows = rows_of(session, organization_id=where.id, key=key) if key else []
    if key is not None and fingerprint(rows) != was:
        raise StreetMoved()
    if new_key != key:
        others = rows_of(session, organization_id=where.id, key=new_key)
        if others:
            raise StreetThere(street=others[0].street)
    found = overlaps([each.span for each in wanted])
    if found:
        raise Overlapping(found)
    write(
        session, where=where, key=new_key, street=street, settlement=settlement, rows=rows,
        wanted=wanted, actor=actor, now=now,
    )  # fmt: skip
    return new_key


def locked(session: Session, organization_id: int) -> Organization:
    """The organization: its streets are written one after another. Raises NotFound."""
    query = select(Organization).where(Organization.id == organization_id)
    row = session.scalars(query.with_for_update(key_share=True)).one_or_none()
    if row is None or not reaches(scope_of(session), row.id):
        raise NotFound()
    return row


def write(
    session: Session,
    *,
    where: Organization,
    key: str,
    street: str,
    settlement: str,
    rows: Sequence[DistrictRange],
    wanted: Sequence[Wanted],
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Turn ``rows`` into ``wanted``: what says the same stays, the rest is deleted and added; audited."""
    if any(each.district.organization_id != where.id for each in wanted):
        raise NotFound()
    before = _told((row.district_id, span_of(row)) for row in rows)
    missing = Counter((each.district.id, each.span) for each in wanted)
    name, place = tidy(street), tidy(settlement) if MARK in key else ""
    for row in rows:
        own = (row.district_id, span_of(row))
        if missing[own]:
            missing[own] -= 1
            row.street, row.settlement, row.street_key = name, place, key
        else:
            session.delete(row)
    session.add_all(
        _row(where, district_id, span, key, name, place) for district_id, span in missing.elements()
    )
    session.flush()
    _audit(session, before, wanted, f"{name}, {place}" if place else name, actor, now)


def _row(
    where: Organization, district_id: int, span: Span, key: str, street: str, settlement: str
) -> DistrictRange:
    return DistrictRange(
        tenant_id=where.tenant_id,
        organization_id=where.id,
        district_id=district_id,
        settlement=settlement,
        street=street,
        street_key=key,
        parity=span.parity,
        first_house=span.first,
        last_house=span.last,
        houses=houses.spelled(span.houses),
        except_houses=houses.spelled(span.excepted),
    )


def _audit(
    session: Session,
    before: dict[int, list[str]],
    wanted: Sequence[Wanted],
    street: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """One line for each district whose houses of this street have changed."""
    after = _told((each.district.id, each.span) for each in wanted)
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    rows = session.scalars(select(District).where(District.id.in_(changed))) if changed else ()
    for district in rows:
        audit.record(
            session,
            verb="district.houses",
            subject=district,
            actor=actor,
            now=now,
            changes={
                "street": [None, street],
                "houses": [before.get(district.id), after.get(district.id)],
            },
        )


def _told(rows: Iterable[tuple[int, Span]]) -> dict[int, list[str]]:
    """District → its rows of a street in figures."""
    found: dict[int, list[str]] = defaultdict(list)
    for district_id, span in rows:
        found[district_id].append(described(span))
    return {key: sorted(said) for key, said in found.items()}


def described(span: Span) -> str:
    """«1, 3 … 15 − 7 + 12А»: a range in figures, the same in every language."""
    parts = [numerals(span.parity, span.first, span.last)] if span.ranges else []
    parts += [f"− {house}" for house in houses.spelled(span.excepted)]
    parts += [f"+ {house}" for house in houses.spelled(span.houses)]
    return " ".join(parts)


def numerals(parity: Parity, first: int | None, last: int | None) -> str:
    """«5–9», «1, 3 … 15», «10, 12 …»; the whole street is «1 …»."""
    start = first or 1
    if parity is Parity.ALL:
        if first == last and first is not None:
            return str(first)
        return f"{start}–{last}" if last else f"{start} …"
    start += (start % 2 == 1) is not (parity is Parity.ODD)
    if last is None:
        return f"{start}, {start + 2} …"
    end = last - ((last % 2 == 1) is not (parity is Parity.ODD))
    if end - start <= 2:
        return ", ".join(str(n) for n in range(start, end + 1, 2))
    return f"{start}, {start + 2} … {end}"
