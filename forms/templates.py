"""The template editor: rows of hours, each for one or more weekdays; works without JavaScript.

A row ticked for five weekdays is five lines of the template; equal lines are shown as one row again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from app.i18n import say
from app.models.directory import HealthcareService
from app.models.enums import Channel, SlotKind
from app.rules.sittings import Line
from app.rules.template_lines import LONGEST_STEP, Fault
from app.rules.templates import MOST_LINES
from forms import matrix_texts as texts
from forms.publishing import Error

MOST_ROWS = 30
LONGEST_TITLE = 120
PARTS = ("day", "start", "end", "step", "times", "kind", "channel", "share", "service")
PART_OF = {"weekday": "day"}
"""The rules' names of parts where the fields have others."""


@dataclass
class TemplateForm:
    """``values`` as typed; ``read`` turns them into lines, ``blame`` puts the rules' faults at fields."""

    services: Sequence[HealthcareService]
    values: MultiDict[str, str] = field(default_factory=MultiDict)
    errors: dict[str, Error] = field(default_factory=dict)
    owners: list[int] = field(default_factory=list)
    """The row of each line that was read."""

    @property
    def title(self) -> str:
        return " ".join(self.get("title").split())[:LONGEST_TITLE]

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    def ticked(self, name: str, value: object) -> bool:
        return str(value) in self.values.getlist(name)

    def rows(self) -> range:
        """Numbers of the rows on the page."""
        typed = self.get("rows")
        known = typed.isascii() and typed.isdigit() and len(typed) < 3
        return range(min(max(int(typed) if known else 1, 1), MOST_ROWS))

    def more(self) -> None:
        """One row more: the hours of the last one, to be changed."""
        count = len(self.rows())
        if count >= MOST_ROWS:
            return
        self.values["rows"] = str(count + 1)
        for part in PARTS[3:]:
            if part != "times":
                self.values[f"line-{count}-{part}"] = self.get(f"line-{count - 1}-{part}")

    def drop(self, number: int) -> None:
        """Take a row away; the later ones move up."""
        count = len(self.rows())
        if not 0 <= number < count:
            return
        for at in range(number, count):
            for part in PARTS:
                following = self.values.getlist(f"line-{at + 1}-{part}") if at + 1 < count else []
                self.values.setlist(f"line-{at}-{part}", following)
        self.values["rows"] = str(max(count - 1, 1))

    def read(self) -> list[Line] | None:
        """The lines, or None with ``errors``. Rows where nothing is filled in are passed over."""
        self.owners = []
        lines: list[Line] = []
        if not self.title:
            sentence = gettext("Give the template a name by which your colleagues will know it.")
            self._wrong("title", gettext("Name of the template"), sentence)
        for number in self.rows():
            if not self._used(number):
                continue
            line = self._line(number)
            for weekday in self._weekdays(number):
                lines.append(replace(line, weekday=weekday))
                self.owners.append(number)
        if not lines and not self.errors:
            sentence = gettext("A template needs at least one line: a weekday with its hours.")
            self._wrong("line-0-start", self.row_name(0), sentence)
        if len(lines) > MOST_LINES:
            sentence = gettext(
                "A template has at most %(limit)s lines. Make two of it, please.", limit=MOST_LINES
            )
            self._wrong("line-0-start", self.row_name(0), sentence)
        return None if self.errors else lines

    def blame(self, faults: Iterable[Fault]) -> None:
        """Each fault at its field; lines are named by their rows."""
        for fault in faults:
            row = self.owners[fault.number]
            params = dict(fault.params)
            if "other" in params:
                params["other"] = self.owners[params["other"] - 1] + 1
            part = PART_OF.get(fault.part, fault.part)
            sentence = say(replace(fault, params=params))
            self._wrong(f"line-{row}-{part}", self.row_name(row), sentence)

    @staticmethod
    def row_name(number: int) -> str:
        return gettext("Line %(number)s", number=number + 1)

    def _used(self, number: int) -> bool:
        prefix = f"line-{number}"
        typed = any(self.get(f"{prefix}-{part}").strip() for part in ("start", "end", "times"))
        return typed or bool(self.values.getlist(f"{prefix}-day"))

    def _weekdays(self, number: int) -> list[int]:
        chosen = [n for n in range(1, 8) if self.ticked(f"line-{number}-day", n)]
        if not chosen:
            sentence = gettext("Tick at least one weekday.")
            self._wrong(f"line-{number}-day", self.row_name(number), sentence)
        return chosen

    def _line(self, number: int) -> Line:
        prefix = f"line-{number}"
        return Line(
            weekday=1,
            start=self._time(number, "start"),
            end=self._time(number, "end"),
            step_minutes=self._number(number, "step", LONGEST_STEP) or 1,
            times=self._times(number),
            kind=_member(SlotKind, self.get(f"{prefix}-kind")) or SlotKind.PLANNED,
            channel=_member(Channel, self.get(f"{prefix}-channel")) or Channel.WEB,
            web_share=self._number(number, "share", 500)
            if self.get(f"{prefix}-share").strip()
            else None,
            service_id=self._service(number),
        )

    def _time(self, number: int, part: str) -> dt.time:
        try:
            return texts.clock_time(self.get(f"line-{number}-{part}"))
        except ValueError:
            sentence = gettext("Type a time like this: 8:00.")
            self._wrong(f"line-{number}-{part}", self.row_name(number), sentence)
            return dt.time()

    def _times(self, number: int) -> tuple[dt.time, ...]:
        typed = self.get(f"line-{number}-times")
        try:
            return tuple(texts.clock_times(typed))
        except ValueError:
            sentence = gettext("Type times like this: 9:00 9:25 9:30.")
            self._wrong(f"line-{number}-times", self.row_name(number), sentence)
            return ()

    def _number(self, number: int, part: str, most: int) -> int | None:
        try:
            return texts.whole_number(self.get(f"line-{number}-{part}").strip(), most)
        except ValueError:
            sentence = gettext(
                "Type a whole number from %(least)s to %(most)s.", least=1, most=most
            )
            self._wrong(f"line-{number}-{part}", self.row_name(number), sentence)
            return None

    def _service(self, number: int) -> int | None:
        typed = self.get(f"line-{number}-service")
        if not typed:
            return None
        found = next((row.id for row in self.services if str(row.uid) == typed), None)
        if found is None:
            sentence = gettext("This service is not offered any more. Choose another one.")
            self._wrong(f"line-{number}-service", self.row_name(number), sentence)
        return found

    def _wrong(self, name: str, label: str, sentence: str) -> None:
        self.errors.setdefault(name, Error(name, label, sentence))

    # Writing

    def fill(self, title: str, lines: Sequence[Line]) -> None:
        """Show stored lines: equal ones of several weekdays in one row."""
        days: dict[Line, list[int]] = {}
        for line in lines:
            days.setdefault(replace(line, weekday=1), []).append(line.weekday)
        self.values = MultiDict({"title": title, "rows": str(max(len(days), 1))})
        keys = {row.id: str(row.uid) for row in self.services}
        ordered = sorted(days.items(), key=lambda item: (min(item[1]), item[0].start))
        for number, (line, weekdays) in enumerate(ordered):
            typed: dict[str, Any] = {
                "start": f"{line.start:%H:%M}",
                "end": f"{line.end:%H:%M}",
                "step": str(line.step_minutes),
                "times": " ".join(f"{time:%H:%M}" for time in line.times),
                "kind": line.kind,
                "channel": line.channel,
                "share": "" if line.web_share is None else str(line.web_share),
                "service": keys.get(line.service_id or 0, ""),
            }
            for part, value in typed.items():
                self.values[f"line-{number}-{part}"] = value
            self.values.setlist(f"line-{number}-day", [str(day) for day in weekdays])

    def blank(self) -> None:
        """The form of a new template: working days, a quarter of an hour each."""
        line = Line(1, dt.time(9), dt.time(14), 15)
        self.fill("", [replace(line, weekday=day) for day in range(1, 6)])


def _member(members: Any, text: str) -> Any:
    return next((member for member in members if member.value == text), None)
