"""The door of every staff page: who gets in, what the others see, and in which scope."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from admin.gate import local_path
from app.models.audit import AccessSubject
from app.models.enums import Role
from app.models.staff import RoleAssignment
from tests import make
from tests.client import parsed, words
from tests.statements import statements

DOOR = {"sign_in", "second_step", "invitation", "sign_out"}


def staff_rules(app):
    """Every address of the back office without arguments, by method."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/staff") and not rule.arguments:
            for method in rule.methods & {"GET", "POST"}:
                yield method, rule.rule, rule.endpoint


def test_every_page_sends_the_anonymous_to_the_sign_in(app, store, client):
    make.make_tenant(store)
    for method, url, endpoint in staff_rules(app):
        if endpoint.partition(".")[0] in DOOR:
            continue
        response = client.get(url) if method == "GET" else client.send(url)
        assert response.status_code == 303, (method, url, response.status)
        assert "/staff/sign-in/" in response.location, (url, response.location)


def test_a_password_alone_opens_nothing_but_the_second_step(app, store, as_staff):
    make.make_tenant(store)
    half = as_staff(Role.ADMINISTRATOR, second_factor=False)
    for method, url, endpoint in staff_rules(app):
        if endpoint.partition(".")[0] in DOOR:
            continue
        response = half.get(url) if method == "GET" else half.send(url)
        assert response.status_code == 303, (method, url, response.status)
        assert "/staff/second-step/" in response.location, (url, response.location)


def test_after_the_sign_in_one_is_where_one_wanted_to_be(store, client):
    response = client.get("/staff/reasons/?q=%D0%BA")
    assert re.search(r"next=(/|%2F)staff(/|%2F)reasons", response.location)


def test_a_role_without_the_permission_is_told_so_in_a_sentence(store, as_staff):
    tenant = make.make_tenant(store)
    registrar = as_staff(Role.REGISTRAR, over=tenant.root)
    page = registrar.page("/staff/policies/", status=403)
    assert "Ваша роль этого не позволяет" in words(page)


def test_the_menu_shows_only_what_opens(store, as_staff):
    tenant = make.make_tenant(store)
    for role in Role:
        client = as_staff(role, over=tenant.root)
        page = client.page("/staff/")
        for link in page.xpath("//nav[@id='menu']//ul//a/@href"):
            opened = client.get(link, follow_redirects=True)  # reports open at the first of them
            assert opened.status_code == 200, (role, link)
            assert opened.request.path.startswith(link), (role, link)


def test_a_switched_off_colleague_is_out_at_the_next_request(store, as_staff):
    tenant = make.make_tenant(store)
    user = make.make_staff(store, Role.ADMINISTRATOR, tenant.root)
    client = as_staff(user)
    client.page("/staff/reasons/")
    user.is_active = False
    assert client.get("/staff/reasons/").status_code == 303


def test_a_withdrawn_role_is_gone_at_the_next_request(store, as_staff):
    tenant = make.make_tenant(store)
    user = make.make_staff(store, Role.ADMINISTRATOR, tenant.root)
    client = as_staff(user)
    client.page("/staff/reasons/")
    store.delete(user.roles[0])
    assert client.get("/staff/reasons/").status_code == 403


def test_roles_of_two_places_do_not_add_up(store, as_staff):
    """A manager here and an analyst there: the reasons of there are not his to see."""
    here, there = make.make_tenant(store), make.make_tenant(store, name="Дальний центр")
    user = make.make_staff(store, Role.MANAGER, here.root)
    user.roles.append(RoleAssignment(role=Role.ANALYST, organization_id=there.root.id))
    there.reasons[0].text_ru = "Только для дальних"
    here.reasons[0].text_ru = "Только для здешних"
    page = as_staff(user).page("/staff/reasons/")
    assert "Только для здешних" in words(page)
    assert "Только для дальних" not in words(page)


def test_pages_say_language_landmarks_and_one_heading(store, as_staff):
    tenant = make.make_tenant(store)
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    for url in ("/staff/", "/staff/reasons/", "/staff/reasons/new/", "/staff/medical/"):
        page = client.page(url)
        assert page.get("lang") == "ru"
        assert (
            len(page.xpath("//main"))
            == len(page.xpath("//h1"))
            == len(page.xpath("//nav[@id='menu']"))
            == 1
        )
        assert page.xpath("//title/text()")[0].endswith("Талон")


def test_nothing_of_flask_admin_s_own_looks_is_loaded(app, store, as_staff):
    """No Bootstrap 4, jQuery, select2: neither linked nor served."""
    tenant = make.make_tenant(store)
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    loaded = set()
    for url in ("/staff/", "/staff/staff/", "/staff/staff/new/", "/staff/policies/new/"):
        page = client.page(url)
        loaded |= set(page.xpath("//script/@src | //link[@rel='stylesheet']/@href"))
    assert loaded
    assert all(link.startswith("/static/") for link in loaded), loaded
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/staff/static")]


def test_no_page_has_code_or_style_inside(store, as_staff):
    tenant = make.make_tenant(store)
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    uid = tenant.reasons[0].uid
    for url in (
        "/staff/",
        "/staff/reasons/",
        f"/staff/reasons/edit/?id={uid}",
        f"/staff/reasons/do/delete/?id={uid}",
        "/staff/letters/approved/ru/",
    ):
        response = client.get(url)
        page = parsed(response)
        inline = page.xpath(
            "//script[not(@src)] | //style | //*[@style] | //@*[starts-with(name(), 'on')] | //a[starts-with(@href, 'javascript:')]"
        )
        assert not inline, (url, inline)
        assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/staff//evil.example",
        "/\\evil.example",
        "/staff\\@evil",
        "javascript:alert(1)",
        "/staffing",
        "/book",
        "/staff/\n//x",
        "",
    ],
)
def test_next_leads_nowhere_but_into_the_back_office(wanted):
    assert local_path(wanted, "/staff/") == "/staff/"


def test_next_keeps_a_page_with_its_filters():
    assert local_path("/staff/queue/?status=pending", "/") == "/staff/queue/?status=pending"


def test_the_other_language_is_kept(store, as_staff):
    tenant = make.make_tenant(store)
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    page = client.page("/staff/reasons/?sort=-position")
    link = page.xpath("//a[@class='tongue']/@href")[0]
    assert "sort=-position" in link
    assert client.page(link).get("lang") == "en"
    assert client.page("/staff/reasons/").get("lang") == "en"


def test_cards_shown_in_answer_to_a_form_are_written_down_even_if_nothing_is_saved(store, as_staff):
    tenant = make.make_tenant(store)
    first = make.make_donor(store, tenant, donor_code="456545")
    second = make.make_donor(store, tenant, donor_code="456545")
    without_a_reason = as_staff(Role.REGISTRAR, over=tenant.root).send(
        f"/staff/donors/{first.person.uid}/phone/"
    )
    assert without_a_reason.status_code == 422, "the card, with its twin"

    seen = store.scalars(select(AccessSubject.person_id)).all()
    assert sorted(seen) == sorted([first.person.id, second.person.id])


def test_who_asks_is_known_by_two_statements(app, store, as_staff):
    """The session with its user and roles, and all that is under these, however deep."""
    tenant = make.make_tenant(store)
    make.make_organization(store, part_of_id=tenant.branch.id, root_id=tenant.root.id)
    registrar = as_staff(Role.REGISTRAR, tenant.root)
    with statements(app) as asked:
        registrar.get("/staff/nothing-here")
    assert len(asked) == 2, asked
