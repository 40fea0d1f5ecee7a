"""Lists: paging by key, sorting, folded search, filters in the address; nothing in an address is an error."""

from __future__ import annotations

import datetime as dt
import uuid
from itertools import chain

import pytest
from sqlalchemy import select

from admin import listing
from app.models import AuditEvent, RejectionReason
from app.models.enums import ActorKind, Role
from tests import make
from tests.client import words

LIST = "/staff/reasons/"


@pytest.fixture
def office(store, as_staff):
    tenant = make.make_tenant(store)
    for reason in tenant.reasons:
        store.delete(reason)
    store.flush()
    return tenant, as_staff(Role.ADMINISTRATOR, over=tenant.root)


def add(store, tenant, *texts, **changes):
    for place, text in enumerate(texts):
        row = RejectionReason(tenant_id=tenant.id, text_ru=text, text_en=text, position=place)
        for name, value in changes.items():
            setattr(row, name, value)
        store.add(row)
    store.flush()


def texts(page):
    return page.xpath("//table[contains(@class,'rows')]/tbody/tr/td[2]//text()")


def shown(page):
    return [text.strip() for text in texts(page) if text.strip()]


def link(page, rel):
    found = page.xpath(f"//a[@rel='{rel}']/@href")
    return found[0] if found else None


def test_every_row_stands_on_one_page_exactly_once_forwards_and_backwards(office, store):
    tenant, client = office
    names = [f"Причина {number:03}" for number in range(120)]
    add(store, tenant, *names, position=7)  # one value for all: the key decides
    seen, url, pages = [], LIST, []
    while url:
        page = client.page(url)
        pages.append(shown(page))
        seen += pages[-1]
        url = link(page, "next")
    assert seen == names
    assert [len(one) for one in pages] == [50, 50, 20]
    back = client.page(link(page, "prev"))
    assert shown(back) == pages[1]
    first = client.page(link(back, "prev"))
    assert shown(first) == pages[0]
    assert link(first, "prev") is None


def test_the_place_is_kept_when_rows_come_in_before_it(office, store):
    tenant, client = office
    add(store, tenant, *[f"Причина {number:03}" for number in range(60)])
    after = link(client.page(LIST), "next")
    add(store, tenant, "Самая первая", position=-1)
    assert shown(client.page(after)) == [f"Причина {number:03}" for number in range(50, 60)]


def test_sorting_goes_down_and_up_and_keeps_the_filter(store, as_staff):
    tenant = make.make_tenant(store)
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    up = client.page("/staff/organizations/?sort=short_name&works=yes")
    assert up.xpath("//th[@aria-sort='ascending']")
    turn = up.xpath("//th[@aria-sort]/a/@href")[0]
    assert "works=yes" in turn and "sort=-short_name" in turn
    down = client.page(turn)
    names = lambda page: page.xpath("//tbody/tr/td[1]/a/text()")  # noqa: E731
    assert names(down) == names(up)[::-1] != []


@pytest.mark.parametrize("typed", ["ИВАНОВ", "иванов", "Семёнов", "семенов", "СЕМЁНОВ"])
def test_search_knows_neither_case_nor_dots(office, store, typed):
    tenant, client = office
    add(store, tenant, "Спросить Иванова", "Спросить Семенова", "Спросить Семёнова", "Другое")
    page = client.get(LIST, query_string={"q": typed})
    found = words(page)
    assert "Другое" not in found
    assert ("Иванова" in found) == typed.lower().startswith("иванов")
    if typed.lower()[:3] == "сем":
        assert "Семенова" in found and "Семёнова" in found


@pytest.mark.parametrize("typed", ["%", "_", "\\", "100%", "50_50"])
def test_search_takes_every_sign_literally(office, store, typed):
    tenant, client = office
    add(store, tenant, "Сто: 100%", "Поровну 50_50", "Путь \\ назад", "Без знаков")
    response = client.get(LIST, query_string={"q": typed})
    found = words(response)
    assert "Без знаков" not in found
    for text in ("Сто: 100%", "Поровну 50_50", "Путь \\ назад"):
        assert (text in found) == (typed in text), (typed, text)


def test_a_filter_is_a_readable_address_and_stays_in_the_form(office, store):
    tenant, client = office
    add(store, tenant, "Есть")
    add(store, tenant, "Нет больше", is_active=False)
    page = client.page(LIST + "?offered=no")
    assert shown(page) == ["Нет больше"]
    assert page.xpath("//select[@name='offered']/option[@selected]/@value") == ["no"]
    assert page.xpath("//form[@role='search']/@method")[0].lower() == "get"


def test_an_empty_list_says_why_and_what_next(office):
    _, client = office
    assert "Здесь пока ничего нет" in words(client.page(LIST))
    page = client.page(LIST + "?offered=no")
    assert "По этому отбору ничего нет" in words(page)
    assert page.xpath("//a[text()='Показать все']")


ODD = [
    "abc",
    "-1",
    "0",
    "99999999999999999999999999",
    "1e9",
    "٣",
    "%25",
    "'",
    "x" * 3000,
    "\u202e",
    str(uuid.uuid4()),
]
NAMES = [
    "page",
    "page_size",
    "sort",
    "q",
    "after",
    "before",
    "id",
    "offered",
    "flt0_3",
    "desc",
    "limit",
    "works",
    "kind",
    "at_from",
    "at_to",
    "branch",
    "status",
    "written_from",
    "of",
    "from",
    "role",
    "over",
]
PAGES = [
    "/staff/reasons/",
    "/staff/organizations/",
    "/staff/staff/",
    "/staff/policies/",
    "/staff/messages/",
    "/staff/audit/",
    "/staff/access/",
]


@pytest.mark.parametrize("url", PAGES)
def test_nothing_in_a_list_s_address_is_an_error(store, as_staff, url):
    tenant = make.make_tenant(store)
    role = Role.SECURITY if "access" in url else Role.ADMINISTRATOR
    client = as_staff(role, over=tenant.root)
    for value in ODD:  # every name at once, then the two that page by themselves
        for names in (NAMES, ["after"], ["before"], ["sort", "q"]):
            response = client.get(url, query_string=dict.fromkeys(names, value[:300]))
            assert response.status_code == 200, (url, names, value, response.status)
    for value in ("%00", "%ED%A0%80", "%FF"):  # a NUL, a lone surrogate, broken UTF-8
        assert client.get(f"{url}?q={value}").status_code in (200, 400)


BAD_NAMES = ["abc", "", "1", "-1", "9" * 20, str(uuid.UUID(int=0)), "%00", "%ED%A0%80", "a" * 4000]


@pytest.mark.parametrize(
    "slug",
    ["reasons", "policies", "organizations", "messages", "audit", "staff", "donation-types"],
)
def test_a_malformed_id_is_nobody(store, as_staff, slug):
    tenant = make.make_tenant(store)
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    for page in ("edit/", "do/delete/", "do/nothing/", "details/"):
        for text in BAD_NAMES:
            status = client.get(f"/staff/{slug}/{page}?id={text}").status_code
            assert status in (400, 404), (slug, page, text, status)


def test_an_act_without_a_row_goes_back_with_a_sentence(office):
    _, client = office
    assert "Отметьте хотя бы одну строку" in words(client.page("/staff/reasons/do/delete/"))


def test_keys_of_the_inside_are_not_names_outside(office, store):
    tenant, client = office
    add(store, tenant, "Есть")
    row = store.scalars(select(RejectionReason)).one()
    assert client.get(f"/staff/reasons/edit/?id={row.id}").status_code == 404
    assert client.get(f"/staff/reasons/edit/?id={row.uid}").status_code == 200


def test_a_foreign_row_is_not_there_at_all(office, store):
    _, client = office
    other = make.make_tenant(store, name="Дальний центр")
    foreign = other.reasons[0]
    token = client.token("/staff/")
    for method, url in (
        ("GET", "edit/"),
        ("GET", "do/delete/"),
        ("POST", "edit/"),
        ("POST", "do/delete/"),
    ):
        response = client.open(
            f"/staff/reasons/{url}?id={foreign.uid}",
            method=method,
            data={"csrf_token": token, "id": str(foreign.uid), "text_ru": "захвачено"},
        )
        assert response.status_code == 404, (method, url)
    store.refresh(foreign)
    assert foreign.text_ru != "захвачено"
    assert foreign.text_ru not in words(client.page(LIST))


def test_empty_values_are_paged_too_and_stand_last(session):
    """The order over a nullable column: every row once, forwards and backwards, both directions."""
    tenant = make.make_tenant(session)
    for number in range(7):
        session.add(
            AuditEvent(
                at=make.NOW + dt.timedelta(minutes=number),
                tenant_id=tenant.id,
                actor_kind=ActorKind.STAFF,
                actor_id=None if number % 3 == 0 else number // 2,
                verb="проверка",
                subject="organization",
                changes={},
            )
        )
    session.flush()
    for descending in (False, True):
        view = Probe(session, ("actor_id", descending))
        whole = [row.id for row in listing.walk(view, listing.Asked(), batch=100)]
        assert len(whole) == 7
        assert [row.id for row in listing.walk(view, listing.Asked(), batch=2)] == whole
        forwards, asked = [], listing.Asked()
        while True:
            page = listing.page(view, asked)
            forwards.append([row.id for row in page.rows])
            if not page.next_after:
                break
            asked = listing.Asked(after=page.next_after)
        assert list(chain.from_iterable(forwards)) == whole
        backwards = [forwards[-1]]
        while page.previous_before:
            page = listing.page(view, listing.Asked(before=page.previous_before))
            backwards.insert(0, [row.id for row in page.rows])
        assert list(chain.from_iterable(backwards)) == whole


class Probe:
    """As much of a view as listing reads."""

    model = AuditEvent
    page_size = 2
    counted = False
    column_searchable_list = ()

    def __init__(self, session, order):
        self.session = session
        self.column_default_sort = order

    def get_query(self):
        return select(AuditEvent).where(AuditEvent.verb == "проверка")


def test_a_long_list_is_not_counted_to_its_end(session, monkeypatch):
    monkeypatch.setattr(listing, "COUNT_TO", 3)
    tenant = make.make_tenant(session)
    for _ in range(6):
        session.add(
            AuditEvent(
                at=make.NOW,
                tenant_id=tenant.id,
                actor_kind=ActorKind.SYSTEM,
                verb="проверка",
                subject="organization",
                changes={},
            )
        )
    session.flush()
    assert listing.counted(Probe(session, ("id", True)), listing.Asked()) == 4
