"""Making sittings and their slots, many in few statements and each of them once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.models.enums import ScheduleStatus
from app.models.schedule import Publication, Schedule, Slot
from app.rules.errors import N_, RuleError, Words
from app.rules.opening import parts
from app.rules.sitting_planning import Remark
from app.rules.sitting_previews import Preview
from app.rules.sittings import Sitting

REPORTED = 300
"""Things left out that a report names one by one."""


class NothingToOpen(RuleError):
    code = "nothing_to_open"
    text = N_(
        "There is nothing to publish: everything is left out. The reasons stand on this page."
    )


def open_sittings(
    session: Session,
    publication: Publication,
    sittings: Sequence[Sitting],
    *,
    status: ScheduleStatus = ScheduleStatus.PUBLISHED,
) -> dict[str, int]:
    """Insert the sittings with their slots; how many of each.

    The practitioners are locked (sitting_previews.preview_of), so nobody made the same meanwhile; the
    indexes ``uq_schedule_open_sitting`` and ``uq_slot_role_time`` hold whatever else may happen.
    """
    ids: list[int] = []
    for part in parts([_schedule(publication, sitting, status) for sitting in sittings]):
        ids += session.scalars(
            insert(Schedule).returning(Schedule.id, sort_by_parameter_order=True), part
        )
    rows = [
        row
        for schedule_id, sitting in zip(ids, sittings, strict=True)
        for row in _slots(schedule_id, sitting)
    ]
    for part in parts(rows):
        session.execute(insert(Slot), part)
    return {"days": len(ids), "places": len(rows)}


def _schedule(publication: Publication, sitting: Sitting, status: ScheduleStatus) -> dict[str, Any]:
    line = sitting.line
    return {
        "tenant_id": publication.tenant_id,
        "organization_id": sitting.organization_id,
        "publication_id": publication.id,
        "role_id": sitting.role_id,
        "service_id": line.service_id,
        "date": sitting.date,
        "start_time": line.start,
        "end_time": line.end,
        "step_minutes": line.step_minutes,
        "places_per_time": 1,
        "total": len(sitting.slots),
        "status": status,
    }


def _slots(schedule_id: int, sitting: Sitting) -> Iterator[dict[str, Any]]:
    for slot in sitting.slots:
        yield {
            "organization_id": sitting.organization_id,
            "schedule_id": schedule_id,
            "role_id": sitting.role_id,
            "starts_at": slot.starts_at,
            "place": 1,
            "minutes": slot.minutes,
            "kind": sitting.line.kind,
            "channel": slot.channel,
        }


def report(made: Mapping[str, int], found: Preview) -> dict[str, Any]:
    """For ``Publication.report``: how much was made, and each thing left out with its reason."""
    remarks = [*found.problems, *found.left_out]
    return {
        "days": made["days"],
        "places": made["places"],
        "left_out": [
            {
                "text": remark.text,
                "params": {key: _kept(value) for key, value in remark.params.items()},
                "date": remark.date and remark.date.isoformat(),
                "role": remark.role_id,
            }
            for remark in remarks[:REPORTED]
        ],
        "more": max(0, len(remarks) - REPORTED),
    }


def left_out(publication: Publication) -> list[Remark]:
    """What the publication's report names as left out, to be said once more."""
    return [
        Remark(
            "left_out",
            item["text"],
            {key: _read(value) for key, value in item["params"].items()},
            item["date"] and dt.date.fromisoformat(item["date"]),
            item["role"],
        )
        for item in publication.report.get("left_out", ())
    ]


def _kept(value: Any) -> Any:
    """A sentence's value so that JSON keeps it and it can be said in either language."""
    if isinstance(value, Words):
        return {"ru": value.ru, "en": value.en}
    if isinstance(value, dt.time):
        return {"time": f"{value:%H:%M}"}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, (list, tuple)):
        return [_kept(each) for each in value]
    return value


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "time" in value:
        return dt.time.fromisoformat(value["time"])
    if "date" in value:
        return dt.date.fromisoformat(value["date"])
    return Words(value["ru"], value["en"])
