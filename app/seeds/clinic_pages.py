"""What stands on the demo's pages and in its inbox: the pages that come with Talon published, news, letters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.models.enums import PageKind
from app.models.organization import Organization
from app.models.page import Page
from app.models.staff import StaffUser
from app.rules import feedback, pages
from app.rules.actor import Actor, actor_of
from app.rules.feedback import Letter
from app.rules.pages import Text
from app.seeds.agenda import Agenda
from app.seeds.clinics import read

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def publish(
    session: Session, agenda: Agenda, column: str, root: Organization, by: Actor, now: dt.datetime
) -> None:
    """The organization's first pages, some with a text of its own, and its news at their days."""
    begun = now - 26 * DAY

    def begin(at: dt.datetime) -> None:
        own = read("pages")["own"].get(column, {})
        for page in pages.listed(session, tenant_id=root.id):
            body_ru, body_en = page.body_ru, page.body_en
            if page.slug in own:
                body_ru, body_en = own[page.slug]["ru"], own[page.slug]["en"]
            text = Text(
                page.kind, page.slug, page.title_ru, page.title_en, body_ru, body_en,
                page.position, at,
            )  # fmt: skip
            _keep(session, root, page, text, by, at)

    agenda.at(begun, begin)
    for row in read("pages")["news"][column]:
        agenda.at(now - row["days"] * DAY, partial(_tell_news, session, root, row, by))


def _tell_news(
    session: Session, root: Organization, row: Mapping[str, Any], by: Actor, at: dt.datetime
) -> None:
    text = Text(
        PageKind.NEWS, row["slug"], row["ru"], row["en"], row["body_ru"], row["body_en"],
        published_at=at,
    )  # fmt: skip
    _keep(session, root, None, text, by, at)


def _keep(
    session: Session, root: Organization, page: Page | None, text: Text, by: Actor, at: dt.datetime
) -> None:
    pages.keep(session, tenant_id=root.id, page=page, text=text, actor=by, now=at)


def write_letters(
    session: Session,
    agenda: Agenda,
    roots: Mapping[str, Organization],
    by: StaffUser,
    now: dt.datetime,
) -> None:
    """Letters to the polyclinics by column: new ones, one being answered, answered ones."""
    for number, row in enumerate(read("pages")["letters"], start=1):
        root = roots[row["to"]]
        agenda.at(
            now - row["hours"] * HOUR, partial(_letter, session, agenda, root, row, number, by)
        )


def _letter(
    session: Session,
    agenda: Agenda,
    root: Organization,
    row: Mapping[str, Any],
    number: int,
    by: StaffUser,
    at: dt.datetime,
) -> None:
    family_name, given_name, patronymic = row["name"]
    letter = Letter(
        family_name,
        given_name,
        patronymic,
        phone=f"+7946000900{number}",
        email=f"letter{number}@example.ru",
        question=row["question"],
    )
    made = feedback.send(session, tenant_id=root.id, letter=letter, locale="ru", now=at)
    known: dict[str, Any] = {"uid": made.uid, "actor": actor_of(by)}
    if "answer" in row or row.get("taken"):
        agenda.at(at + HOUR, lambda at: feedback.take(session, **known, now=at))
    if "answer" in row:
        text = row["answer"]
        agenda.at(at + 3 * HOUR, lambda at: feedback.answer(session, **known, text=text, now=at))
    if row.get("closed"):
        agenda.at(at + 4 * HOUR, lambda at: feedback.close(session, **known, now=at))
