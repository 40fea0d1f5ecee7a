"""What publishing a matrix made, and each day it left out with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.rules import opening
from app.rules.collisions import Meeting
from app.rules.errors import N_
from app.rules.planning import Problem

OPEN_ALREADY = N_("Open already.")
REPORTED = 200
"""Days left out that a report names one by one."""


def of(
    made: opening.Opened, problems: Sequence[Problem], same: Sequence[Meeting]
) -> dict[str, Any]:
    """For ``Publication.report``: how much was made, and each thing left out with its reason."""
    left_out = [
        {
            "text": problem.text,
            "params": {key: str(value) for key, value in problem.params.items()},
            "date": problem.date and problem.date.isoformat(),
            "organization": problem.organization_id,
            "line": problem.line and problem.line.as_json(),
        }
        for problem in problems
    ]
    left_out += [
        {
            "text": OPEN_ALREADY,
            "params": {},
            "date": meeting.day.date.isoformat(),
            "organization": meeting.day.organization_id,
            "line": meeting.day.line.as_json(),
        }
        for meeting in same
    ]
    return {
        "days": made.days,
        "places": made.places,
        "left_out": left_out[:REPORTED],
        "more": max(0, len(left_out) - REPORTED),
    }
