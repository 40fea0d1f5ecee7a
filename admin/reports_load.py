"""The report of load as a table of facts: its columns, its bars and its words."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.report_columns import Report, columns_of, number, part, share
from admin.report_lines import decimal, percent, whole
from app.rules import reports_load
from forms.reports import this_month


def _places(row: Any) -> str:
    return gettext(
        "Places: %(total)s. Busy and held: %(taken)s (%(share)s%%), free: %(free)s.",
        total=whole(row.total),
        taken=whole(row.taken),
        share=decimal(percent(row.taken, row.total)),
        free=whole(row.free),
    )


PARTS = (
    part(_l("Busy"), "solid", "busy"),
    part(_l("Held"), "hatch", "held"),
    part(_l("Free"), "blank", "free"),
)
RATE = share(_l("Taken, %"), "taken")
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
        number(_l("Places"), "total"),
        *columns_of(PARTS),
        RATE,
    ),
    parts=PARTS,
    share=RATE.value,
    ends=_l("At the end of each bar: busy and held, % of the places."),
    summary=_places,
)
