"""Pages that staff write: information, questions and answers, news, hotline (rows E1, E57).

Their HTML is cleaned when it is saved and once more whenever it is shown (app.rules.cleaning), so that a
row written in any other way is as harmless.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.models.enums import PageKind
from app.models.organization import Organization
from app.models.page import Page
from app.models.scope import scope_of
from app.rules import access, audit
from app.rules.actor import Actor
from app.rules.cleaning import cleaned
from app.rules.errors import N_, NotAllowed, RuleError

LONGEST = 60_000
NEWS_ON_A_PAGE = 10
DATA = Path(__file__).parent.parent / "data" / "pages"
"""<language>/<kind>.html: the title in the first line, then the text."""
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class BadSlug(RuleError):
    code = "bad_slug"
    text = N_("The address of a page has small Latin letters, digits and single hyphens only.")


class SlugTaken(RuleError):
    code = "slug_taken"
    text = N_("Another page already has this address.")


class PageTooLong(RuleError):
    code = "page_too_long"
    text = N_("The text is too long for one page: split it in two, please.")


class StillPublished(RuleError):
    code = "still_published"
    text = N_("A published page cannot be deleted: make it a draft first.")


# --- what the public sees


def tenant_named(session: Session, *, uid: uuid.UUID) -> int | None:
    """The legal body that the organization of that name belongs to, if it works."""
    row = session.scalars(
        select(Organization).where(Organization.uid == uid, Organization.is_active)
    ).one_or_none()
    return row.tenant_id if row is not None else None


class Link(NamedTuple):
    """A page in the header or the footer."""

    kind: PageKind
    slug: str
    title_ru: str
    title_en: str
    tenant_id: int


def _public(tenant_id: int | None, now: dt.datetime) -> Iterable[ColumnElement[bool]]:
    yield Page.published_at <= now
    if tenant_id is not None:
        yield Page.tenant_id == tenant_id


def links(session: Session, *, tenant_id: int | None, now: dt.datetime) -> list[Link]:
    """Published pages in their order, and the latest news, by one query.

    With ``tenant_id`` None (several organizations), of pages with the same address the first one's.
    """
    conditions = list(_public(tenant_id, now))
    latest = select(func.max(Page.id)).where(Page.kind == PageKind.NEWS, *conditions)
    rows = session.execute(
        select(Page.kind, Page.slug, Page.title_ru, Page.title_en, Page.tenant_id)
        .where(or_(Page.kind != PageKind.NEWS, Page.id == latest.scalar_subquery()), *conditions)
        .order_by(Page.tenant_id, Page.position, Page.id)
    )
    found: dict[str, Link] = {}
    for row in rows:
        found.setdefault(row.slug, Link(*row))
    return list(found.values())


def published(
    session: Session, *, slug: str, tenant_id: int | None, now: dt.datetime
) -> Page | None:
    """The page at that address; of several organizations', the first one's."""
    query = select(Page).where(Page.slug == slug, *_public(tenant_id, now))
    return session.scalars(query.order_by(Page.tenant_id, Page.id).limit(1)).first()


def zone_of(session: Session, page: Page) -> str:
    """The zone of the organization whose page it is."""
    return session.get_one(Organization, page.tenant_id).time_zone


def first_of(
    session: Session, *, kind: PageKind, tenant_id: int | None, now: dt.datetime
) -> Page | None:
    """The page that stands for its kind («/FAQ»): the first in the staff's order."""
    query = select(Page).where(Page.kind == kind, *_public(tenant_id, now))
    order = (Page.tenant_id, Page.position, Page.id)
    return session.scalars(query.order_by(*order).limit(1)).first()


@dataclass(frozen=True)
class News:
    """A page of the list of news, newest first."""

    rows: list[Page]
    page: int
    pages: int


def news(session: Session, *, tenant_id: int | None, page: int, now: dt.datetime) -> News:
    """The nearest page of the list that exists."""
    conditions = [Page.kind == PageKind.NEWS, *_public(tenant_id, now)]
    total = session.scalar(select(func.count()).select_from(Page).where(*conditions)) or 0
    pages = max(1, -(-total // NEWS_ON_A_PAGE))
    page = min(max(page, 1), pages)
    query = select(Page).where(*conditions).order_by(Page.published_at.desc(), Page.id.desc())
    rows = session.scalars(query.limit(NEWS_ON_A_PAGE).offset((page - 1) * NEWS_ON_A_PAGE))
    return News(list(rows), page, pages)


# --- what staff do


def listed(session: Session, *, tenant_id: int) -> list[Page]:
    """Every page of the organization: by kind, then in the order of the public site."""
    rows = session.scalars(select(Page).where(Page.tenant_id == tenant_id))
    kinds = list(PageKind)
    return sorted(rows, key=lambda row: (kinds.index(row.kind), row.position, -row.id))


def named(session: Session, *, tenant_id: int, uid: uuid.UUID) -> Page | None:
    """One of them, drafts too."""
    query = select(Page).where(Page.tenant_id == tenant_id, Page.uid == uid)
    return session.scalars(query).one_or_none()


@dataclass(frozen=True)
class Text:
    """What a page is to hold; ``published_at`` None makes it a draft."""

    kind: PageKind
    slug: str
    title_ru: str
    title_en: str = ""
    body_ru: str = ""
    body_en: str = ""
    position: int = 0
    published_at: dt.datetime | None = None


def keep(
    session: Session,
    *,
    tenant_id: int,
    page: Page | None,
    text: Text,
    actor: Actor,
    now: dt.datetime,
) -> Page:
    """Write a page (``page`` None: a new one), its HTML cleaned.

    Raises NotAllowed, BadSlug, SlugTaken, PageTooLong.
    """
    _demand_over(session, tenant_id)
    _demand_sound(session, tenant_id, page, text)
    row = page or Page(tenant_id=tenant_id)
    for name in ("kind", "slug", "title_ru", "title_en", "position", "published_at"):
        setattr(row, name, getattr(text, name))
    row.body_ru, row.body_en = str(cleaned(text.body_ru)), str(cleaned(text.body_en))
    if page is not None:
        audit.record(session, verb="page.edit", subject=row, actor=actor, now=now)
    row.updated_at = now
    if page is None:
        session.add(row)
        session.flush()  # the audit line needs the id
        changes = {"kind": [None, row.kind.value], "title_ru": [None, row.title_ru]}
        audit.record(
            session, verb="page.create", subject=row, actor=actor, now=now, changes=changes
        )
    return row


def drop(session: Session, *, page: Page, actor: Actor, now: dt.datetime) -> None:
    """Delete a draft. Raises NotAllowed, StillPublished."""
    _demand_over(session, page.tenant_id)
    if page.published_at is not None:
        raise StillPublished()
    changes = {"title_ru": [page.title_ru, None]}
    audit.record(session, verb="page.delete", subject=page, actor=actor, now=now, changes=changes)
    session.delete(page)


def _demand_over(session: Session, tenant_id: int) -> None:
    if not access.reaches(scope_of(session), tenant_id):
        raise NotAllowed()


def _demand_sound(session: Session, tenant_id: int, page: Page | None, text: Text) -> None:
    if not SLUG.fullmatch(text.slug) or len(text.slug) > 80:
        raise BadSlug()
    if max(len(text.body_ru), len(text.body_en)) > LONGEST:
        raise PageTooLong()
    others = select(Page.id).where(Page.tenant_id == tenant_id, Page.slug == text.slug)
    if page is not None:
        others = others.where(Page.id != page.id)
    if session.scalar(others.limit(1)) is not None:
        raise SlugTaken()


def start(
    session: Session, *, tenant_id: int, now: dt.datetime, published_at: dt.datetime | None = None
) -> list[Page]:
    """The first page of each kind, as it comes with Talon: drafts, unless ``published_at`` says otherwise."""
    rows = []
    for position, kind in enumerate(PageKind):
        title_ru, body_ru = _starter("ru", kind)
        title_en, body_en = _starter("en", kind)
        rows.append(
            Page(
                tenant_id=tenant_id,
                kind=kind,
                slug=str(kind.value),
                title_ru=title_ru,
                title_en=title_en,
                body_ru=body_ru,
                body_en=body_en,
                position=position,
                published_at=published_at,
                updated_at=now,
            )
        )
    session.add_all(rows)
    return rows


def _starter(locale: str, kind: PageKind) -> tuple[str, str]:
    """Title and text from app/data/pages."""
    source = (DATA / locale / f"{kind.value}.html").read_text(encoding="utf-8")
    title, _, body = source.partition("\n")
    return title.strip(), body.strip()
