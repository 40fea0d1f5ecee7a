"""Pages that staff write, as readers see them: links on every page, addresses, languages, news."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from app.models.enums import PageKind
from app.rules import pages
from tests import make
from tests.client import Visitor, headings, words
from tests.statements import statements


@pytest.fixture
def tenant(store: Session, now: dt.datetime) -> make.Tenant:
    tenant = make.make_tenant(store)
    pages.start(store, tenant_id=tenant.id, now=now, published_at=now)
    store.flush()
    return tenant


LINKS = {
    "Информация для населения": "/information",
    "Часто задаваемые вопросы": "/FAQ",
    "Новости": "/news",
    "Телефон горячей линии": "/hotline",
    "Как зарегистрироваться?": "/pages/registration",
    "Обратная связь": "/feedback",
}


@pytest.mark.parametrize(
    "address", ["/", "/sign-in", "/register", "/settings", "/FAQ", "/feedback"]
)
def test_every_page_has_the_links_on_top_and_at_its_foot(
    client: Visitor, tenant: make.Tenant, address: str
) -> None:
    page = client.page(address)
    for place in ("//ul[@class='site-pages']", "//footer//nav"):
        links = page.xpath(f"{place}//a")
        assert {link.text_content(): link.get("href") for link in links} == LINKS
        here = [link.get("href") for link in links if link.get("aria-current") == "page"]
        assert here == ([address] if address in LINKS.values() else [])


@pytest.mark.parametrize("address", LINKS.values())
def test_each_link_leads_to_its_page_in_either_language(
    client: Visitor, tenant: make.Tenant, address: str
) -> None:
    titles = {headings(client.page(f"{address}?lang={language}"))[0] for language in ("ru", "en")}
    assert len(titles) == 2


def test_the_phone_of_the_call_centre_stands_in_the_header(
    client: Visitor, tenant: make.Tenant
) -> None:
    header = client.page("/").xpath("//header")[0]
    assert "Телефон контакт-центра: +7 495 000-00-00" in words(header)
    assert header.xpath(".//a[starts-with(@href, 'tel:')]/@href") == ["tel:+74950000000"]


def test_the_anonymous_list_stays_everybody_s_and_asks_one_query_more(
    client: Visitor, tenant: make.Tenant, app: object
) -> None:
    answer = client.get("/")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert "Set-Cookie" not in answer.headers
    with statements(app) as asked:
        client.get("/")
    assert len([statement for statement in asked if "FROM page" in statement]) == 1


def test_a_draft_and_a_page_to_come_are_not_there(
    client: Visitor, store: Session, now: dt.datetime
) -> None:
    tenant = make.make_tenant(store)
    make.make_page(store, tenant, kind=PageKind.FAQ, slug="faq")
    make.make_page(store, tenant, slug="soon", published_at=now + dt.timedelta(minutes=1))
    for address in ("/FAQ", "/pages/faq", "/pages/soon", "/hotline", "/pages/%00", "/pages/.."):
        assert client.get(address).status_code in (400, 404)
    assert "Страница" not in words(client.page("/"))


def test_what_got_into_the_database_uncleaned_is_cleaned_when_shown(
    client: Visitor, store: Session, now: dt.datetime
) -> None:
    tenant = make.make_tenant(store)
    body = '<p onclick="x">Раз</p><script>alert(1)</script><a href="https://x.example/">Сайт</a>'
    make.make_page(store, tenant, slug="a", body_ru=body, published_at=now, title_ru="<b>Часы</b>")
    page = client.page("/pages/a")
    article = page.xpath("//article")[0]
    assert not article.xpath(".//script | .//*[@onclick] | .//b")
    assert article.xpath(".//a")[0].text_content() == "Сайт (другой сайт: x.example)"
    assert headings(page)[0] == "<b>Часы</b>"


def test_a_page_without_its_english_says_that_it_is_russian(
    client: Visitor, store: Session, now: dt.datetime
) -> None:
    tenant = make.make_tenant(store)
    make.make_page(store, tenant, slug="a", body_en="", title_en="", published_at=now)
    assert client.page("/pages/a?lang=en").xpath("//article/@lang") == ["ru"]


def test_news_are_listed_in_pages(client: Visitor, store: Session, now: dt.datetime) -> None:
    tenant = make.make_tenant(store)
    for hours in range(12):
        make.make_page(
            store,
            tenant,
            kind=PageKind.NEWS,
            title_ru=f"Новость {hours}",
            published_at=now - dt.timedelta(hours=hours + 9.5),
        )
    first = client.page("/news")
    assert headings(first)[1] == "Новость 0" and "Новость 10" not in words(first)
    assert "23 ноября 2026" in words(first)  # 21:30 UTC is the next day in Moscow
    assert "Новость 11" in words(client.page("/news?page=2"))
    for odd in ("0", "99", "x", "%D9%A3", "-1"):
        client.page(f"/news?page={odd}")


def test_of_several_organizations_each_has_its_own_pages(
    client: Visitor, store: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    other = make.make_tenant(store, name="Речной центр")
    make.make_page(
        store, other, kind=PageKind.FAQ, slug="faq", title_ru="Ответы реки", published_at=now
    )
    assert headings(client.page("/FAQ"))[0] == "Часто задаваемые вопросы"
    page = client.page(f"/FAQ?of={other.root.uid}")
    assert headings(page)[0] == "Ответы реки"
    links = page.xpath("//ul[@class='site-pages']//a/@href")
    assert links == [f"/FAQ?of={other.root.uid}", f"/feedback?of={other.root.uid}"]
    for unknown in ("x", make.NOBODYS_UID):
        assert client.get(f"/FAQ?of={unknown}").status_code == 404
