"""What a file of districts' streets would change: streets, districts, and lines that cannot be taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.district import District, DistrictRange
from app.models.enums import DistrictKind
from app.models.organization import Organization
from app.rules import checked_files
from app.rules.district_file import FileRow
from app.rules.district_streets import described, numerals, rows_of_streets
from app.rules.districts import span_of
from app.rules.donor_cells import BadCell
from app.rules.errors import N_
from app.rules.house_ranges import Overlap, Span, overlaps

DistrictName = tuple[DistrictKind, str]
"""A kind and a number."""
MOST_ROWS = 200
"""Of one street in a file: the longest streets have some dozens."""


@dataclass(frozen=True)
class StreetChange:
    """What a file does to one street: its rows in figures by district, before and after."""

    key: str
    street: str
    settlement: str
    removed: tuple[tuple[DistrictName, str], ...]
    added: tuple[tuple[DistrictName, str], ...]
    there: bool
    """Whether the street has rows already."""


@dataclass
class Difference(checked_files.Difference[FileRow, StreetChange]):
    """What a file would do to the organization's districts as they are now."""

    new_districts: list[DistrictName] = field(default_factory=list)

    def said(self) -> Iterator[str]:
        for change in self.changes:
            yield f"{change.key}{change.removed}{change.added}"
        yield str(self.new_districts)


def compare(session: Session, *, organization: Organization, rows: Sequence[FileRow]) -> Difference:
    """What these rows would do; four queries and one more for each five hundred streets."""
    found = Difference(bad=[row for row in rows if row.span is None])
    streets: dict[str, list[FileRow]] = {}
    for row in rows:
        if row.span is not None:
            streets.setdefault(row.key, []).append(row)
    there = rows_of_streets(session, organization_id=organization.id, keys=list(streets))
    for key, own in streets.items():
        found.bad += _contested(own[:MOST_ROWS]) + [_too_many(row) for row in own[MOST_ROWS:]]
        change = _change(key, own, there[key])
        if change.removed or change.added:
            found.changes.append(change)
        else:
            found.same += 1
    known = set(districts_by_name(session, organization.id))
    named = dict.fromkeys((row.span.kind, row.span.district) for row in rows if row.span)
    found.new_districts = [each for each in named if each not in known]
    found.bad.sort(key=lambda row: row.line)
    return found


def districts_by_name(session: Session, organization_id: int) -> dict[DistrictName, District]:
    """The organization's districts."""
    rows = session.scalars(select(District).where(District.organization_id == organization_id))
    return {(row.kind, row.number): row for row in rows}


def _contested(rows: Sequence[FileRow]) -> list[FileRow]:
    """Lines that give a house to a second district of a kind, each with the line it meets."""
    spans = {row.span: row for row in rows if row.span is not None}
    if len({span.district for span in spans}) < 2:
        return []
    found: dict[int, FileRow] = {}
    for one, row in spans.items():
        for two, other in spans.items():
            meeting = overlaps([two, one]) if other.line < row.line else []
            if meeting and row.line not in found:
                problem = BadCell(
                    N_("Line %(line)s gives these houses to another district of the kind: %(houses)s."),
                    line=str(other.line),
                    houses=figures(meeting[0]),
                )  # fmt: skip
                found[row.line] = replace(row, span=None, problem=problem)
    return list(found.values())


def _too_many(row: FileRow) -> FileRow:
    problem = BadCell(N_("A street has at most %(most)s lines."), most=str(MOST_ROWS))
    return replace(row, span=None, problem=problem)


def figures(meeting: Overlap) -> str:
    """The houses of an overlap in figures."""
    if meeting.houses:
        return ", ".join(meeting.houses)
    return numerals(meeting.parity, meeting.first, meeting.last)


def _change(key: str, rows: Sequence[FileRow], there: Sequence[DistrictRange]) -> StreetChange:
    kinds = {row.span.kind for row in rows if row.span is not None}
    before = [_said(span_of(row)) for row in there if row.district.kind in kinds]
    after = list(dict.fromkeys(_said(row.span) for row in rows if row.span is not None))
    return StreetChange(
        key,
        rows[0].street,
        rows[0].settlement,
        removed=tuple(each for each in before if each not in after),
        added=tuple(each for each in after if each not in before),
        there=bool(there),
    )


def _said(span: Span) -> tuple[DistrictName, str]:
    return (span.kind, span.district), described(span)
