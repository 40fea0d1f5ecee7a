"""The reports of bookings as tables of facts: what each counts, its columns, its bars and its words."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from admin.report_columns import (
    Column,
    More,
    Report,
    Slice,
    columns_of,
    number,
    part,
    share,
    slices,
)
from admin.report_lines import clock, decimal, percent, whole
from app.i18n import localized
from app.rules import reports_bookings
from app.rules.reports import Asked
from forms.reports import last_weeks

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


DECISIONS_PARTS = (
    part(_l("Were approved"), "solid", "approved"),
    part(_l("Were rejected"), "cross", "rejected"),
    part(_l("Were not decided in time"), "dots", "expired"),
    part(_l("Withdrawn before a decision"), "hatch", "withdrawn"),
    part(_l("Still waiting"), "blank", "waiting"),
)
DECISIONS_RATE = share(_l("Rejected, %"), "rejected")
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
        number(_l("Requests"), "total"),
        DECISIONS_PARTS[0].column,
        number(_l("of them against a check"), "overridden"),
        *columns_of(DECISIONS_PARTS[1:]),
        DECISIONS_RATE,
        Column(
            _l("Half are decided within, h:min"),
            attrgetter("minutes"),
            clock,
            _l("Half are decided within, min"),
        ),
    ),
    parts=DECISIONS_PARTS,
    share=DECISIONS_RATE.value,
    ends=_l("At the end of each bar: rejected, % of the requests."),
    summary=_decided,
    more=More(
        title=_l("Why requests were rejected"),
        heading=_l("Reason"),
        columns=slices(_l("Requests"), _l("Of the rejected, %")),
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
        Slice(str(piece.series.title), piece.value(total), total.total)
        for piece in LOSSES_PARTS[:5]
    ]


LOSSES_PARTS = (
    part(_l("Cancelled by the person"), "hatch", "by_person"),
    part(_l("Cancelled by staff"), "stripes", "by_staff"),
    part(_l("Annulled without a code"), "dots", "lapsed"),
    part(_l("No-shows"), "cross", "noshow"),
    part(_l("Came and were turned away"), "grid", "turned_away"),
    part(_l("Took place"), "solid", "came"),
    part(_l("Ahead or not marked"), "blank", "rest"),
)
LOSSES_RATE = share(_l("Came to nothing, %"), "lost")
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
        number(_l("Bookings"), "total"),
        *columns_of(LOSSES_PARTS),
        LOSSES_RATE,
    ),
    parts=LOSSES_PARTS,
    share=LOSSES_RATE.value,
    ends=_l("At the end of each bar: what came to nothing, % of the bookings."),
    summary=_lost,
    more=More(
        title=_l("Why visits came to nothing"),
        heading=_l("What happened"),
        columns=slices(_l("Bookings"), _l("Of all bookings, %")),
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


CHANNELS_PARTS = (
    part(_l("Made on the site"), "solid", "web"),
    part(_l("Made at the desk"), "stripes", "desk"),
)
CHANNELS_RATE = share(_l("On the site, %"), "web")
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
        number(_l("Places taken"), "total"),
        *columns_of(CHANNELS_PARTS),
        CHANNELS_RATE,
    ),
    parts=CHANNELS_PARTS,
    share=CHANNELS_RATE.value,
    ends=_l("At the end of each bar: made on the site, % of the places taken."),
    summary=_made,
)
