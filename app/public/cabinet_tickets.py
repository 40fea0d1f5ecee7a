"""«Талоны на приём» of whoever is signed in (E48–E50): ahead, then the past by month, with its toggle."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import g, render_template, request

from app.extensions import db
from app.public import visitor
from app.public.header import reader
from app.rules import cabinet, patient_moves, patient_visits, tickets

HIDE = "hide"


def account_tickets(form: Any, error: str = "") -> str:
    """The tab; ``form`` finds a ticket that was taken elsewhere."""
    session, people = db.session(), g.get("own_people", ())
    hidden = request.args.get("past") == HIDE
    before = edge_of(request.args.get("before", ""))
    cards = tickets.kept_cards(session, account_id=reader().id, now=g.now)
    ahead = tickets.ahead(session, person_ids=people, reader=visitor.reader(), now=g.now)
    past = None if hidden else tickets.past(session, person_ids=people, now=g.now, before=before)
    return render_template(
        "public/cabinet_tickets.html",
        ahead=[] if before else ahead,
        past=past,
        hidden=hidden,
        later=before is not None,
        older=edge_text(past.older) if past and past.older else None,
        several=len({card.person.full_name for card in cards}) > 1,
        may_cancel=lambda row: patient_visits.may_cancel(row, now=g.now),
        may_move=lambda row: patient_moves.may_move(row, reader=visitor.reader(), now=g.now),
        has_ticket=cabinet.has_ticket,
        can_be_rated=tickets.can_be_rated,
        form=form,
        error=error,
    )


def edge_of(text: str) -> tickets.Edge | None:
    """Where the page before ended; None for what makes no sense."""
    instant, _, key = text[:60].partition("_")
    if not (key.isascii() and key.isdigit() and len(key) < 18):
        return None
    try:
        found = dt.datetime.fromisoformat(instant)
        return (found.astimezone(dt.UTC), int(key)) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def edge_text(edge: tickets.Edge) -> str:
    """The same for an address."""
    return f"{edge[0].isoformat()}_{edge[1]}"
