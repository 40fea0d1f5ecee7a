"""Pages of the site: what is shown when, whose, in which order; how staff keep them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AuditEvent, Page
from app.models.enums import PageKind, Role
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import access, organizations, pages
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import actor_of
from app.rules.cleaning import cleaned
from app.rules.errors import NotAllowed
from app.rules.pages import NEWS_ON_A_PAGE, Text
from tests import make
from tests.statements import statements

HOUR = dt.timedelta(hours=1)
TEXT = Text(
    kind=PageKind.INFORMATION,
    slug="kak-zapisatsya",
    title_ru="Как записаться",
    body_ru="<p onclick=x>Просто<script>alert(1)</script></p>",
)


@pytest.fixture
def tenant(session: Session) -> make.Tenant:
    return make.make_tenant(session)


def test_links_are_published_pages_in_their_order_and_news_once(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    second = make.make_page(session, tenant, position=2, published_at=now - HOUR)
    first = make.make_page(session, tenant, position=1, published_at=now)
    make.make_page(session, tenant, position=0)
    make.make_page(session, tenant, position=0, published_at=now + HOUR)
    for days in range(3):
        make.make_page(
            session, tenant, kind=PageKind.NEWS, position=9, published_at=now - days * 24 * HOUR
        )
    foreign = make.make_tenant(session, name="Речной центр")
    make.make_page(session, foreign, slug=first.slug, published_at=now)
    set_scope(session, PUBLIC)
    with statements(session) as queries:
        links = pages.links(session, tenant_id=tenant.id, now=now)
    assert len(queries) == 1 and "body" not in queries[0]
    assert [link.slug for link in links][:2] == [first.slug, second.slug]
    assert [link.kind for link in links].count(PageKind.NEWS) == 1 and len(links) == 3
    everybody = pages.links(session, tenant_id=None, now=now)
    assert [link.slug for link in everybody].count(first.slug) == 1
    set_scope(session, SYSTEM)


def test_a_page_appears_at_its_hour_and_a_draft_never(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = make.make_page(session, tenant, kind=PageKind.FAQ, published_at=now + HOUR)
    draft = make.make_page(session, tenant)
    common = {"tenant_id": tenant.id}
    assert pages.published(session, slug=row.slug, now=now, **common) is None
    assert pages.first_of(session, kind=PageKind.FAQ, now=now, **common) is None
    assert pages.published(session, slug=row.slug, now=now + HOUR, **common) is row
    assert pages.first_of(session, kind=PageKind.FAQ, now=now + HOUR, **common) is row
    assert pages.published(session, slug=draft.slug, now=now + 999 * HOUR, **common) is None


def test_news_come_newest_first_in_pages(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    for hours in range(NEWS_ON_A_PAGE + 1):
        make.make_page(session, tenant, kind=PageKind.NEWS, published_at=now - hours * HOUR)
    first = pages.news(session, tenant_id=tenant.id, page=1, now=now)
    last = pages.news(session, tenant_id=tenant.id, page=99, now=now)
    assert (len(first.rows), first.pages, last.page, len(last.rows)) == (NEWS_ON_A_PAGE, 2, 2, 1)
    assert first.rows[0].published_at == now
    assert pages.news(session, tenant_id=None, page=1, now=now - 99 * HOUR).pages == 1


def kept(session: Session, tenant: make.Tenant, now: dt.datetime, text: Text = TEXT, page: Page | None = None, role: Role = Role.MANAGER, over: object = None) -> Page:  # fmt: skip
    user = make.make_staff(session, role, over or tenant.root)
    set_scope(session, access.staff_scope(session, user))
    try:
        return pages.keep(
            session, tenant_id=tenant.id, page=page, text=text, actor=actor_of(user), now=now
        )
    finally:
        set_scope(session, SYSTEM)


def test_what_is_kept_is_cleaned_and_written_down(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = kept(session, tenant, now)
    assert row.body_ru == "<p>Просто</p>" and row.published_at is None
    again = kept(session, tenant, now, replace(TEXT, published_at=now, title_ru="Иначе"), row)
    session.flush()
    assert again is row and row.published_at == now
    lines = session.scalars(select(AuditEvent).where(AuditEvent.subject == "page")).all()
    assert [line.verb for line in lines] == ["page.create", "page.edit"]
    assert lines[1].changes["title_ru"] == ["Как записаться", "Иначе"]


@pytest.mark.parametrize("slug", ["", "-", "Как", "a b", "a--b", "../x", "a/b", "A", "x" * 81])
def test_an_address_is_small_letters_digits_and_hyphens(
    session: Session, tenant: make.Tenant, now: dt.datetime, slug: str
) -> None:
    with pytest.raises(pages.BadSlug):
        kept(session, tenant, now, replace(TEXT, slug=slug))


def test_an_address_is_given_once_in_each_organization(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = kept(session, tenant, now)
    with pytest.raises(pages.SlugTaken):
        kept(session, tenant, now)
    kept(session, tenant, now, page=row)
    kept(session, make.make_tenant(session, name="Речной центр"), now)
    with pytest.raises(pages.PageTooLong):
        kept(session, tenant, now, replace(TEXT, slug="b", body_en="x" * 60_001))


def test_who_is_over_a_branch_only_changes_no_page(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    with pytest.raises(NotAllowed):
        kept(session, tenant, now, over=tenant.branch)


def test_only_drafts_are_deleted(session: Session, tenant: make.Tenant, now: dt.datetime) -> None:
    user = make.make_staff(session, Role.MANAGER, tenant.root)
    row = kept(session, tenant, now, replace(TEXT, published_at=now))
    with pytest.raises(pages.StillPublished):
        pages.drop(session, page=row, actor=actor_of(user), now=now)
    row.published_at = None
    pages.drop(session, page=row, actor=actor_of(user), now=now)
    session.flush()
    assert pages.named(session, tenant_id=tenant.id, uid=row.uid) is None


def test_the_first_pages_are_drafts_of_every_kind_clean_and_in_both_languages(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    rows = pages.start(session, tenant_id=tenant.id, now=now)
    session.flush()
    assert [row.kind for row in rows] == list(PageKind)
    for row in rows:
        assert row.published_at is None and row.title_ru and row.title_en
        for body in (row.body_ru, row.body_en):
            assert cleaned(body).replace(' rel="noopener"', "") == body and len(body) > 100
    assert pages.links(session, tenant_id=tenant.id, now=now) == []
    [faq] = [row for row in rows if row.kind is PageKind.FAQ]
    for words in ("Каковы возможности системы?", "Запись на приём без регистрации на портале", "наименование медицинской организации", "текст ошибки"):  # fmt: skip
        assert words in faq.body_ru


def test_a_new_organization_begins_with_them(session: Session, now: dt.datetime) -> None:
    root = organizations.create_root(
        session, actor=NOBODY, now=now, name="Новая", short_name="Новая"
    )
    assert len(pages.listed(session, tenant_id=root.id)) == len(PageKind)
