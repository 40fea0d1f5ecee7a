"""«Личный кабинет» (E48): its tabs, and its event log. Each tab's pages stand in a module of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import lazy_gettext

from app import sessions
from app.extensions import db
from app.models.account import Account
from app.models.cabinet_choices import AccountEventKind
from app.public.guards import signed_in
from app.public.header import cards, header, reader
from app.public.site import public
from app.rules import account_log


@dataclass(frozen=True)
class Tab:
    """One tab: its page, its words, and other pages that belong to it."""

    endpoint: str
    words: Any
    also: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """The page that is shown belongs to this tab."""
        here = (request.endpoint or "").removeprefix("public.")
        return here == self.endpoint or here in self.also


MOSCOW = "Europe/Moscow"
TABS: tuple[Tab, ...] = (
    Tab(
        "active_tickets",
        lazy_gettext("Appointment tickets"),
        ("visit", "cancel_visit", "move_visit", "rate_visit"),
    ),
    Tab("cabinet_booking", lazy_gettext("Appointment booking")),
    Tab("district_tickets", lazy_gettext("District doctor")),
    Tab("patient_card", lazy_gettext("Patient card"), ("ask_confirmation",)),
    Tab("account_events", lazy_gettext("Event log")),
    Tab("waiting_list", lazy_gettext("Waiting list"), ("join_waiting", "offer", "answer_offer")),
    Tab("family_page", lazy_gettext("Family"), ("add_relative", "ask_attachment")),
)
"""In the order of the source (E48)."""


def tabs() -> tuple[Tab, ...]:
    """For templates/public/cabinet.html."""
    return TABS


def note(kind: AccountEventKind, *, person_id: int | None = None, **ids: int | None) -> None:
    """One line in the log of whoever is signed in, in the transaction that is open. Nobody: no line."""
    if g.user is not None:
        note_of(g.user, kind, person_id=person_id, **ids)


def note_of(
    account: Account, kind: AccountEventKind, *, person_id: int | None = None, **ids: int | None
) -> None:
    """The same in the log of an account that is not signed in, or only half."""
    account_log.write(
        db.session(),
        account_id=account.id,
        kind=kind,
        now=g.now,
        ip=sessions.client_ip(),
        user_agent=request.user_agent.string or "",
        person_id=person_id,
        **ids,
    )


@public.get("/cabinet")
@signed_in
def cabinet() -> Any:
    """The first tab."""
    return redirect(url_for(f"public.{TABS[0].endpoint}"), 303)


@public.get("/cabinet/events")
@signed_in
def account_events() -> str:
    """«Журнал событий»: date, address, action; newest first, a page at a time."""
    lines, older = account_log.lines(
        db.session(),
        account_id=reader().id,
        own=cards().values(),
        person_ids=g.get("own_people", ()),
        before=_mark(request.args.get("before", "")),
    )
    return render_template(
        "public/events.html",
        lines=lines,
        older="_".join(str(key or "") for key in older) if older else None,
        later="before" in request.args,
        zone=zone(),
    )


def zone() -> str:
    """The reader's own organization's; Moscow's for an account without a card."""
    centre = header().centre
    return centre.time_zone if centre is not None else MOSCOW


def _mark(text: str) -> account_log.Mark:
    """Where the page before has ended; the beginning for what makes no sense."""
    keys = text[:60].split("_")
    if len(keys) > 3 or any(key and not (key.isascii() and key.isdigit()) for key in keys):
        return account_log.NEWEST
    act, look, refused = (int(key) if 0 < len(key) < 19 else None for key in [*keys, "", ""][:3])
    return act, look, refused
