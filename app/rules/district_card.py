"""Writing a district: its number, how many slots a day go to the site, its doctors with dates (C13, E42)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.directory import PractitionerRole
from app.models.district import District, DistrictDoctor
from app.models.enums import DistrictKind
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import audit
from app.rules.access import reaches
from app.rules.actor import Actor
from app.rules.errors import N_, NotFound, RuleError

MOST_QUOTA = 200
LONGEST_NUMBER = 20


class NumberTaken(RuleError):
    code = "district_number_taken"
    text = N_("There is a district No. %(number)s of this kind already.")


class NumberNeeded(RuleError):
    code = "district_number_needed"
    text = N_("Give the district's number, at most %(most)s characters.")


class QuotaUnclear(RuleError):
    code = "district_quota_unclear"
    text = N_("Slots a day on the site: a number from 0 to %(most)s.")


class DoctorsMeet(RuleError):
    """A district has one doctor on a day, or none."""

    code = "district_doctors_meet"
    text = N_("Two doctors at once from %(day)s on: end the first one's time before the second's.")


class DatesTurned(RuleError):
    code = "district_dates_turned"
    text = N_("The last day stands before the first: %(first)s and %(last)s.")


@dataclass(frozen=True)
class Term:
    """A doctor's time in a district; both days count, no last day means until further notice."""

    role_id: int
    starts_on: dt.date
    ends_on: dt.date | None = None


def create(
    session: Session,
    *,
    organization_id: int,
    kind: DistrictKind,
    number: str,
    web_quota: int | None = None,
    note: str = "",
    terms: Sequence[Term] = (),
    actor: Actor,
    now: dt.datetime,
) -> District:
    """A new district. Its kind stays what it is.

    Raises NumberNeeded, NumberTaken, QuotaUnclear, DatesTurned, DoctorsMeet, NotFound.
    """
    _check(terms)
    where = _place(session, organization_id)
    made = District(
        tenant_id=where.tenant_id,
        organization_id=where.id,
        kind=kind,
        number=_number(session, where.id, kind, number),
        web_quota=_quota(web_quota),
        note=note.strip(),
        is_active=True,
    )
    session.add(made)
    session.flush()
    changes = audit.changes_since({}, made)
    told = _set_terms(session, made, terms)
    audit.record(
        session, verb="district.create", subject=made, actor=actor, now=now, changes=changes | told
    )
    return made


def edit(
    session: Session,
    *,
    district_id: int,
    number: str,
    web_quota: int | None,
    note: str,
    is_active: bool,
    terms: Sequence[Term],
    actor: Actor,
    now: dt.datetime,
) -> District:
    """Change what may be changed of a district; its doctors are those of ``terms`` from now on.

    Raises what ``create`` raises.
    """
    _check(terms)
    own = select(District).where(District.id == district_id).with_for_update()
    row = session.scalars(own.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound()
    _place(session, row.organization_id)
    before = audit.snapshot(row)
    wanted = " ".join(number.split())
    if wanted != row.number:
        row.number = _number(session, row.organization_id, row.kind, wanted)
    row.web_quota = _quota(web_quota)
    row.note, row.is_active = note.strip(), is_active
    session.flush()
    changes = audit.changes_since(before, row) | _set_terms(session, row, terms)
    if changes:
        audit.record(
            session, verb="district.edit", subject=row, actor=actor, now=now, changes=changes
        )
    return row


def _place(session: Session, organization_id: int) -> Organization:
    """The organization, locked: districts of one organization are written one after another."""
    query = select(Organization).where(Organization.id == organization_id)
    row = session.scalars(query.with_for_update(key_share=True)).one_or_none()
    if row is None or not reaches(scope_of(session), row.id):
        raise NotFound()
    return row


def _number(session: Session, organization_id: int, kind: DistrictKind, typed: str) -> str:
    number = " ".join(typed.split()).removeprefix("№").strip()
    if not number or len(number) > LONGEST_NUMBER:
        raise NumberNeeded(most=LONGEST_NUMBER)
    taken = select(District.id).where(
        District.organization_id == organization_id,
        District.kind == kind,
        District.number == number,
    )
    if session.scalar(taken) is not None:
        raise NumberTaken(number=number)
    return number


def _quota(quota: int | None) -> int | None:
    if quota is not None and not 0 <= quota <= MOST_QUOTA:
        raise QuotaUnclear(most=MOST_QUOTA)
    return quota


def _set_terms(
    session: Session, district: District, terms: Sequence[Term]
) -> dict[str, list[object]]:
    """Make the district's doctors those of ``terms``; the line for the audit if that changes anything."""
    there = {
        Term(row.role_id, row.starts_on, row.ends_on): row
        for row in session.scalars(
            select(DistrictDoctor).where(DistrictDoctor.district_id == district.id)
        )
    }
    new = [term for term in dict.fromkeys(terms) if term not in there]
    gone = [row for term, row in there.items() if term not in set(terms)]
    if not new and not gone:
        return {}
    names = _names(session, district, {t.role_id for t in terms} | {t.role_id for t in there}, new)
    for row in gone:
        session.delete(row)
    session.add_all(
        DistrictDoctor(
            tenant_id=district.tenant_id,
            organization_id=district.organization_id,
            district_id=district.id,
            role_id=term.role_id,
            starts_on=term.starts_on,
            ends_on=term.ends_on,
        )
        for term in new
    )
    session.flush()
    session.expire(district, ["doctors"])
    return {"doctors": [_told(there, names), _told(terms, names)]}


def _check(terms: Sequence[Term]) -> None:
    for term in terms:
        if term.ends_on is not None and term.ends_on < term.starts_on:
            raise DatesTurned(first=term.starts_on, last=term.ends_on)
    for one, two in pairwise(sorted(terms, key=lambda term: term.starts_on)):
        if one.ends_on is None or one.ends_on >= two.starts_on:
            raise DoctorsMeet(day=two.starts_on)


def _names(
    session: Session, district: District, role_ids: set[int], new: Sequence[Term]
) -> dict[int, str]:
    """Role → doctor. Raises NotFound for a new one who does not receive where the district is."""
    rows = session.scalars(
        select(PractitionerRole).where(
            PractitionerRole.id.in_(role_ids),
            PractitionerRole.organization_id == district.organization_id,
        )
    )
    names = {row.id: row.practitioner.full_name for row in rows}
    if any(term.role_id not in names for term in new):
        raise NotFound()
    return names


def _told(terms: Sequence[Term] | dict[Term, DistrictDoctor], names: dict[int, str]) -> list[str]:
    """«Еловая Марта: 01.03.2026 – …» for the journal."""
    return [
        f"{names.get(term.role_id, '?')}: {term.starts_on:%d.%m.%Y} – "
        f"{f'{term.ends_on:%d.%m.%Y}' if term.ends_on else '…'}"
        for term in sorted(terms, key=lambda term: term.starts_on)
    ]
