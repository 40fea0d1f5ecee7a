"""What ``./talon run`` prints: who may sign in to the demo, and with what."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.i18n import blood, label, say
from app.models.account import Account, AccountPerson
from app.models.person import Person
from app.rules import donor_card
from app.rules.donor_card import Card
from app.seeds.centre import PASSWORD, PEOPLE

LOOKED_AT = 40
"""The first donors; those of the queue come much later."""


def sign_ins(session: Session, *, now: dt.datetime) -> str:
    """A line for a donor who may book today, for one who may not, and for each role; the one password."""
    rows = _donors(session, now)
    rows += [(email, f"{label(role)}: {name}") for role, (email, name) in PEOPLE.items()]
    lines = [f"  {email:<24}{who}" for email, who in rows]
    words = (
        f"  Пароль у всех один: {PASSWORD}\n  Код второго шага персонала: на странице писем и кодов"
    )
    return "\n".join(["  Вход в демонстрацию", *lines, "", words])


def _donors(session: Session, now: dt.datetime) -> list[tuple[str, str]]:
    """By the rules of this very moment: a demo that has been used says what is true now."""
    free: tuple[str, str] | None = None
    refused: tuple[str, str] | None = None
    for email, uid in session.execute(
        select(Account.email, Person.uid)
        .join(AccountPerson, AccountPerson.account_id == Account.id)
        .join(Person, Person.id == AccountPerson.person_id)
        .where(Account.email.like("donor0%@example.ru"))
        .order_by(Account.id)
        .limit(LOOKED_AT)
    ).all():
        card = donor_card.card(session, uid=uid, now=now)
        why = _why_not(card)
        who = f"Донор, {blood(card.donor.blood_type) if card.donor else ''}"
        if not why and free is None:
            free = (email, f"{who}: может записаться сегодня")
        elif why and refused is None:
            refused = (email, f"{who}: пока не может. {why}")
        if free and refused:
            break
    return [row for row in (free, refused) if row is not None]


def _why_not(card: Card) -> str:
    """The first reason that the site would give, or nothing."""
    if card.site:
        return say(card.site[0])
    reasons = [one.reasons[0] for one in card.standings if not one.possible(card.today)]
    return say(reasons[0]) if reasons else ""
