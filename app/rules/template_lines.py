"""What can be wrong with the lines of a weekly pattern, each fault a sentence at its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.models.enums import Channel
from app.rules.errors import N_, RuleError
from app.rules.sittings import Line, clock_time, minute_of

LONGEST_STEP = 480
"""Minutes."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one line, said like a refusal. ``number`` counts the lines from 0."""

    number: int
    part: str
    """The field to mend: weekday, start, end, step, times, share or service."""
    text: str
    params: Mapping[str, Any] = field(default_factory=dict)


class LinesWrong(RuleError):
    """The first fault is the sentence, all are in ``faults``."""

    code = "lines_wrong"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(**faults[0].params)
        self.faults = faults
        self.text = faults[0].text


def faults(lines: Sequence[Line], *, services: Sequence[int] | None = None) -> list[Fault]:
    """Everything that is wrong with these lines, in their order. ``services``: keys one may choose."""
    found: list[Fault] = []
    for number, line in enumerate(lines):
        own = [*_of_hours(number, line), *_of_share(number, line)]
        if services is not None and line.service_id not in (None, *services):
            text = N_("This service is not offered any more. Choose another one.")
            own.append(Fault(number, "service", text))
        found += own
        if not own:
            found += _overlaps(number, line, lines)
    return found


def _of_hours(number: int, line: Line) -> Iterator[Fault]:
    if not 1 <= line.weekday <= 7:
        yield Fault(number, "weekday", N_("Choose the weekday."))
    if not 1 <= line.step_minutes <= LONGEST_STEP:
        text = N_("The step is from 1 to %(limit)s minutes.")
        yield Fault(number, "step", text, {"limit": LONGEST_STEP})
        return
    if line.end <= line.start:
        yield Fault(number, "end", N_("The end must come after the beginning, on the same day."))
    elif line.times:
        yield from _of_times(number, line)
    else:
        yield from _of_step(number, line)


def _of_step(number: int, line: Line) -> Iterator[Fault]:
    first, last = minute_of(line.start), minute_of(line.end)
    over = (last - first) % line.step_minutes
    if not over:
        return
    fits = last - over
    if fits == first:
        text = N_(
            "Between %(start)s and %(end)s there is no room for one slot of %(step)s minutes."
        )
        yield Fault(number, "step", text, _hours(line))
        return
    text = N_(
        "Steps of %(step)s minutes do not end at %(end)s: %(over)s min. would be left over. "
        "Let the line end at %(fits)s, or change the step."
    )
    yield Fault(number, "end", text, {**_hours(line), "over": over, "fits": clock_time(fits)})


def _of_times(number: int, line: Line) -> Iterator[Fault]:
    outside = [time for time in line.times if not line.start <= time < line.end]
    if outside:
        text = N_("These times lie outside %(start)s–%(end)s: %(times)s.")
        yield Fault(number, "times", text, {**_hours(line), "times": outside})
    elif minute_of(max(line.times)) + line.step_minutes > minute_of(line.end):
        text = N_(
            "The last time, %(last)s, with its %(step)s minutes goes beyond %(end)s. "
            "The step is the length of the last slot."
        )
        yield Fault(number, "times", text, {**_hours(line), "last": max(line.times)})


def _of_share(number: int, line: Line) -> Iterator[Fault]:
    if line.web_share is None:
        return
    if line.channel is Channel.DESK:
        text = N_("A line for the desk alone has no share for the site: leave it empty.")
        yield Fault(number, "share", text)
    elif line.web_share < 1:
        text = N_("The share for the site is 1 or more; for none at all choose “at the desk”.")
        yield Fault(number, "share", text)


def _overlaps(number: int, line: Line, lines: Sequence[Line]) -> Iterator[Fault]:
    for other_number, other in enumerate(lines[:number]):
        if other.weekday == line.weekday and other.start < line.end and line.start < other.end:
            text = N_("Overlaps with line %(other)s: %(start)s–%(end)s on the same weekday.")
            yield Fault(number, "start", text, {**_hours(other), "other": other_number + 1})
            return


def _hours(line: Line) -> dict[str, Any]:
    return {"start": line.start, "end": line.end, "step": line.step_minutes}
