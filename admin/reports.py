"""The four reports as tables of facts: what each counts, its columns, its bars and its words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from admin.charts import Series
from admin.report_lines import clock, decimal, percent, whole
from app.i18n import localized
from app.rules import reports_bookings, reports_load
from app.rules.reports import Asked, Counted
from forms.reports import Period, last_weeks, this_month


@dataclass(frozen=True)
class Column:
    """One number of a line; its unit stands in the heading, once."""

    title: Any
    value: Callable[[Any], int | float | None]
    words: Callable[[Any], str] = whole
    """How the page says it; a file gets the number itself."""
    file_title: Any = None
    """Where the file's unit is another one."""


@dataclass(frozen=True)
class Part:
    """A piece of each line's bar."""

    series: Series
    value: Callable[[Any], int]


@dataclass(frozen=True)
class Slice:
    """A line of the second table: what, how many of how many."""

    label: str
    count: int
    of: int


@dataclass(frozen=True)
class More:
    """A second table and chart: why. ``slices`` may ask the database."""

    title: Any
    heading: Any
    """Of its first column."""
    columns: tuple[Column, ...]
    slices: Callable[[Session, Asked, Any], Sequence[Slice]]


@dataclass(frozen=True)
class Report:
    """``name`` stands in the address."""

    name: str
    title: Any
    intro: Any
    """What is counted and how, in two sentences at most."""
    empty: Any
    """Why there may be nothing, and what next."""
    usual: Callable[[dt.date], Period]
    count: Callable[[Session, Asked], Counted[Any]]
    columns: tuple[Column, ...]
    parts: tuple[Part, ...]
    share: Callable[[Any], float | None]
    """What stands at the end of a bar, in per cent of the line's total."""
    ends: Any
    """The same in words, for the legend."""
    summary: Callable[[Any], str]
    """The whole report in one sentence."""
    more: More | None = None


def share(value: Callable[[Any], int], of: Callable[[Any], int]) -> Callable[[Any], float | None]:
    return lambda row: percent(value(row), of(row))


def _total(row: Any) -> int:
    return int(row.total)


# Places


def _places(row: Any) -> str:
    return gettext(
        "Places: %(total)s. Busy and held: %(taken)s (%(share)s%%), free: %(free)s.",
        total=whole(row.total),
        taken=whole(row.taken),
        share=decimal(percent(row.taken, row.total)),
        free=whole(row.free),
    )


LOAD = Report(
    name="load",
    title=_l("Load and free places"),
    intro=_l(
        "Places published for visits on these days. Held ones await a decision or a code, or are "
        "being chosen; withdrawn ones are not counted."
    ),
    empty=_l(
        "No places are published for these days. Choose other days or another branch; places are "
        "published under “Schedule”."
    ),
    usual=this_month,
    count=reports_load.load,
    columns=(
        Column(_l("Places"), _total),
        Column(_l("Busy"), lambda row: row.busy),
        Column(_l("Held"), lambda row: row.held),
        Column(_l("Free"), lambda row: row.free),
        Column(_l("Taken, %"), share(lambda row: row.taken, _total), decimal),
    ),
    parts=(
        Part(Series(_l("Busy"), "solid"), lambda row: row.busy),
        Part(Series(_l("Held"), "hatch"), lambda row: row.held),
        Part(Series(_l("Free"), "blank"), lambda row: row.free),
    ),
    share=share(lambda row: row.taken, _total),
    ends=_l("At the end of each bar: busy and held, % of the places."),
    summary=_places,
)


# Decisions


def _decided(row: Any) -> str:
    return gettext(
        "Requests: %(total)s. Approved: %(approved)s, rejected: %(rejected)s (%(share)s%%), not decided "
        "in time: %(expired)s.",
        total=whole(row.total),
        approved=whole(row.approved),
        rejected=whole(row.rejected),
        share=decimal(percent(row.rejected, row.total)),
        expired=whole(row.expired),
    )


def _reasons(session: Session, asked: Asked, total: Any) -> list[Slice]:
    return [
        Slice(localized(reason, "text"), count, total.rejected)
        for reason, count in reports_bookings.reasons(session, asked)
    ]


DECISIONS = Report(
    name="decisions",
    title=_l("Decisions on requests"),
    intro=_l(
        "Requests that a registrar decides, by what became of them. An approved one counts as approved "
        "whatever happened later; one that was taken back counts by its last decision."
    ),
    empty=_l(
        "No request for these days needed a decision. Choose other days or another branch; whether a "
        "request needs one is said in the booking rules."
    ),
    usual=last_weeks,
    count=reports_bookings.decisions,
    columns=(
        Column(_l("Requests"), _total),
        Column(_l("Were approved"), lambda row: row.approved),
        Column(_l("of them against a check"), lambda row: row.overridden),
        Column(_l("Were rejected"), lambda row: row.rejected),
        Column(_l("Were not decided in time"), lambda row: row.expired),
        Column(_l("Withdrawn before a decision"), lambda row: row.withdrawn),
        Column(_l("Still waiting"), lambda row: row.waiting),
        Column(_l("Rejected, %"), share(lambda row: row.rejected, _total), decimal),
        Column(
            _l("Half are decided within, h:min"),
            lambda row: row.minutes,
            clock,
            _l("Half are decided within, min"),
        ),
    ),
    parts=(
        Part(Series(_l("Were approved"), "solid"), lambda row: row.approved),
        Part(Series(_l("Were rejected"), "cross"), lambda row: row.rejected),
        Part(Series(_l("Were not decided in time"), "dots"), lambda row: row.expired),
        Part(Series(_l("Withdrawn before a decision"), "hatch"), lambda row: row.withdrawn),
        Part(Series(_l("Still waiting"), "blank"), lambda row: row.waiting),
    ),
    share=share(lambda row: row.rejected, _total),
    ends=_l("At the end of each bar: rejected, % of the requests."),
    summary=_decided,
    more=More(
        title=_l("Why requests were rejected"),
        heading=_l("Reason"),
        columns=(
            Column(_l("Requests"), lambda row: row.count),
            Column(
                _l("Of the rejected, %"), share(lambda row: row.count, lambda row: row.of), decimal
            ),
        ),
        slices=_reasons,
    ),
)


# Cancellations and no-shows


def _lost(row: Any) -> str:
    return gettext(
        "Bookings: %(total)s. Came to nothing: %(lost)s (%(share)s%%), among them cancelled: "
        "%(cancelled)s, no-shows: %(noshow)s.",
        total=whole(row.total),
        lost=whole(row.lost),
        share=decimal(percent(row.lost, row.total)),
        cancelled=whole(row.by_person + row.by_staff),
        noshow=whole(row.noshow),
    )


def _why_lost(_session: Session, _asked: Asked, total: Any) -> list[Slice]:
    return [
        Slice(str(part.series.title), part.value(total), total.total) for part in LOSSES.parts[:5]
    ]


LOSSES = Report(
    name="losses",
    title=_l("Cancellations and no-shows"),
    intro=_l(
        "Bookings for these days by how they ended. Requests that were rejected or not decided in time "
        "are in the report of decisions and are not counted here."
    ),
    empty=_l("Nobody had a booking for these days. Choose other days or another branch."),
    usual=last_weeks,
    count=reports_bookings.losses,
    columns=(
        Column(_l("Bookings"), _total),
        Column(_l("Cancelled by the person"), lambda row: row.by_person),
        Column(_l("Cancelled by staff"), lambda row: row.by_staff),
        Column(_l("Annulled without a code"), lambda row: row.lapsed),
        Column(_l("No-shows"), lambda row: row.noshow),
        Column(_l("Came and were turned away"), lambda row: row.turned_away),
        Column(_l("Took place"), lambda row: row.came),
        Column(_l("Ahead or not marked"), lambda row: row.rest),
        Column(_l("Came to nothing, %"), share(lambda row: row.lost, _total), decimal),
    ),
    parts=(
        Part(Series(_l("Cancelled by the person"), "hatch"), lambda row: row.by_person),
        Part(Series(_l("Cancelled by staff"), "stripes"), lambda row: row.by_staff),
        Part(Series(_l("Annulled without a code"), "dots"), lambda row: row.lapsed),
        Part(Series(_l("No-shows"), "cross"), lambda row: row.noshow),
        Part(Series(_l("Came and were turned away"), "grid"), lambda row: row.turned_away),
        Part(Series(_l("Took place"), "solid"), lambda row: row.came),
        Part(Series(_l("Ahead or not marked"), "blank"), lambda row: row.rest),
    ),
    share=share(lambda row: row.lost, _total),
    ends=_l("At the end of each bar: what came to nothing, % of the bookings."),
    summary=_lost,
    more=More(
        title=_l("Why visits came to nothing"),
        heading=_l("What happened"),
        columns=(
            Column(_l("Bookings"), lambda row: row.count),
            Column(
                _l("Of all bookings, %"), share(lambda row: row.count, lambda row: row.of), decimal
            ),
        ),
        slices=_why_lost,
    ),
)

# The site's share


def _made(row: Any) -> str:
    return gettext(
        "Places taken: %(total)s. On the site: %(web)s (%(share)s%%), at the desk: %(desk)s.",
        total=whole(row.total),
        web=whole(row.web),
        share=decimal(percent(row.web, row.total)),
        desk=whole(row.desk),
    )


CHANNELS = Report(
    name="channels",
    title=_l("The site's share"),
    intro=_l(
        "Places taken on these days, by where the booking was made: by the person on the site, or by "
        "staff on the person's behalf. Cancelled and rejected ones have given their place back."
    ),
    empty=_l("Nobody has taken a place on these days. Choose other days or another branch."),
    usual=last_weeks,
    count=reports_bookings.channels,
    columns=(
        Column(_l("Places taken"), _total),
        Column(_l("Made on the site"), lambda row: row.web),
        Column(_l("Made at the desk"), lambda row: row.desk),
        Column(_l("On the site, %"), share(lambda row: row.web, _total), decimal),
    ),
    parts=(
        Part(Series(_l("Made on the site"), "solid"), lambda row: row.web),
        Part(Series(_l("Made at the desk"), "stripes"), lambda row: row.desk),
    ),
    share=share(lambda row: row.web, _total),
    ends=_l("At the end of each bar: made on the site, % of the places taken."),
    summary=_made,
)

REPORTS = {report.name: report for report in (LOAD, DECISIONS, LOSSES, CHANNELS)}
"""By the name in the address, in the order of the page."""
