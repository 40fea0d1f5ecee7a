"""A report counted and put into words: its tables with their charts, and the same numbers for a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from admin import charts, report_lines
from admin.charts import Chart, Series
from admin.export import Sheet
from admin.report_columns import Column, Report, Slice
from app.models.organization import Organization
from app.rules.reports import BY_TIME, Asked, By, Counted, Key

HEADINGS = {
    By.DAY: _l("Day"),
    By.WEEK: _l("Week"),
    By.MONTH: _l("Month"),
    By.BRANCH: _l("Branch"),
    By.TYPE: _l("Donation type"),
    By.SPECIALTY: _l("Specialty"),
    By.PRACTITIONER: _l("Practitioner"),
}
"""What a line is, above the first column."""
GROUPED = {
    By.DAY: _l("by days"),
    By.WEEK: _l("by weeks"),
    By.MONTH: _l("by months"),
    By.BRANCH: _l("by branches"),
    By.TYPE: _l("by donation types"),
    By.SPECIALTY: _l("by specialties"),
    By.PRACTITIONER: _l("by practitioners"),
}
"""The same in the form."""


@dataclass(frozen=True)
class Line:
    """What it is about and what was counted; its first and last date where it is a stretch of time."""

    label: str
    row: Any
    days: tuple[dt.date, dt.date] | None = None


@dataclass(frozen=True)
class Section:
    """A chart and its numbers as a table; ``total`` is None where a sum would say nothing new.

    ``summary`` says it all in a sentence; ``legend`` says what stands at the ends of the bars.
    """

    title: str
    heading: str
    columns: tuple[Column, ...]
    lines: Sequence[Line]
    total: Any
    chart: Chart
    summary: str = ""
    legend: str = ""


def sections(
    session: Session, report: Report, asked: Asked, places: Collection[Organization]
) -> list[Section]:
    """The report's tables; none if there is nothing to count. Four statements at most."""
    found = report.count(session, asked)
    if not found.total.total:
        return []
    main = _main(report, asked, found, report_lines.labels(session, asked, found.lines, places))
    more = report.more
    slices = more.slices(session, asked, found.total) if more is not None else ()
    return [main, _second(report, slices)] if any(each.count for each in slices) else [main]


def _main(report: Report, asked: Asked, found: Counted[Any], labels: dict[Key, str]) -> Section:
    days = dict(asked.stretches) if asked.by in BY_TIME else {}
    lines = [
        Line(labels.get(key, report_lines.NOTHING), row, (key, days[key]) if key in days else None)
        for key, row in found.lines.items()
    ]
    heading, title = str(HEADINGS[asked.by]), str(report.title)
    sentence = report.summary(found.total)
    chart = charts.draw(
        "main",
        title=f"{title}, {GROUPED[asked.by]}",
        description=f"{sentence} {_ends(report, lines)}",
        series=[part.series for part in report.parts],
        lines=[
            (line.label, _words(report, line.row), [part.value(line.row) for part in report.parts])
            for line in lines
        ],
    )
    return Section(
        title,
        heading,
        report.columns,
        lines,
        found.total,
        chart,
        summary=sentence,
        legend=str(report.ends),
    )


def _words(report: Report, row: Any) -> str:
    """At the end of a bar: «45,5 % из 40»."""
    if not row.total:
        return report_lines.NOTHING
    return gettext(
        "%(share)s%% of %(total)s",
        share=report_lines.decimal(report.share(row)),
        total=report_lines.whole(row.total),
    )


def _ends(report: Report, lines: Sequence[Line]) -> str:
    """The highest and the lowest line, for whoever does not see the chart."""
    counted = [line for line in lines if line.row.total]
    if len(counted) < 2:
        return ""
    by_share = sorted(counted, key=lambda line: report.share(line.row) or 0)
    low, high = by_share[0], by_share[-1]
    return gettext(
        "The highest: %(high)s, %(high_share)s; the lowest: %(low)s, %(low_share)s. "
        "Every number is in the table below.",
        high=high.label,
        high_share=_words(report, high.row),
        low=low.label,
        low_share=_words(report, low.row),
    )


def _second(report: Report, slices: Sequence[Slice]) -> Section:
    assert report.more is not None
    more = report.more
    title, count = str(more.title), more.columns[0]
    chart = charts.draw(
        "more",
        title=title,
        description="; ".join(f"{each.label}: {report_lines.whole(each.count)}" for each in slices),
        series=[Series(count.title, "solid")],
        lines=[
            (
                each.label,
                gettext(
                    "%(count)s, or %(share)s%%",
                    count=report_lines.whole(each.count),
                    share=report_lines.decimal(report_lines.percent(each.count, each.of)),
                ),
                [each.count],
            )
            for each in slices
        ],
    )
    lines = [Line(each.label, each) for each in slices]
    return Section(title, str(more.heading), more.columns, lines, None, chart)


# The same as a file


def sheet(section: Section, *, decimal_comma: bool) -> Sheet:
    """Whole numbers and shares as numbers, stretches of time as two dates."""
    dated = any(line.days for line in section.lines)
    names = [gettext("First date"), gettext("Last date")] if dated else [section.heading]
    titles = names + [str(column.file_title or column.title) for column in section.columns]

    def cells(row: Any) -> Iterator[Any]:
        for column in section.columns:
            value = column.value(row)
            comma = decimal_comma and isinstance(value, float)
            yield str(value).replace(".", ",") if comma else value

    rows: list[list[Any]] = [
        [*(line.days or [line.label]), *cells(line.row)] for line in section.lines
    ]
    if section.total is not None:
        rows.append([gettext("Total"), *([None] if dated else []), *cells(section.total)])
    return Sheet(section.title, titles, rows)
