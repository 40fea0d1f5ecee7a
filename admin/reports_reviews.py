"""The report of ratings as a table of facts: its columns, its bars and its words."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.report_columns import Column, Report, columns_of, number, part, share
from admin.report_lines import decimal, percent, whole
from app.rules import reports_reviews
from forms.reports import last_weeks


def _ratings(row: Any) -> str:
    return gettext(
        "Ratings: %(total)s. On average %(average)s of 5; four and five stars: %(share)s%%.",
        total=whole(row.total),
        average=decimal(row.average),
        share=decimal(percent(row.good, row.total)),
    )


PARTS = (
    part(_l("5 stars"), "solid", "five"),
    part(_l("4 stars"), "hatch", "four"),
    part(_l("3 stars"), "dots", "three"),
    part(_l("2 stars"), "cross", "two"),
    part(_l("1 star"), "stripes", "one"),
)
GOOD = share(_l("4 and 5 stars, %"), "good")
RATINGS = Report(
    name="ratings",
    title=_l("Ratings of visits"),
    intro=_l(
        "How people rated visits of these days. Each visit is rated once at most; hidden reviews are "
        "left out."
    ),
    empty=_l("Nobody has rated a visit of these days. Choose other days or another branch."),
    usual=last_weeks,
    count=reports_reviews.ratings,
    columns=(
        number(_l("Ratings"), "total"),
        Column(_l("Average"), lambda row: row.average, decimal),
        *columns_of(PARTS),
        GOOD,
    ),
    parts=PARTS,
    share=GOOD.value,
    ends=_l("At the end of each bar: four and five stars, % of the ratings."),
    summary=_ratings,
)
