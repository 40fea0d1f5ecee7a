"""Booking rules in versions and medical numbers with their sources, as the administrator changes them."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.models import AuditEvent, BookingPolicy, DonationInterval, DonationLimit
from app.models.enums import Confirmation, DonationKind, OrganizationKind, Role, Sex
from app.rules import policies, policy_versions, starters
from app.rules.actor import SYSTEM as SYSTEM_ACTOR
from app.rules.journal import names
from tests import make
from tests.client import parsed, words

NEW = "/staff/policies/new/"


@pytest.fixture
def office(store, as_staff):
    tenant = make.make_tenant(store)
    return tenant, as_staff(Role.ADMINISTRATOR, over=tenant.root)


def version(client, **changes):
    return client.submit(NEW, {"source": "решение от 23.11.2026"} | changes)


def test_a_new_version_starts_as_a_copy_and_holds_from_now(office, store, clock):
    tenant, client = office
    page = client.page(NEW)
    assert page.xpath("//input[@name='hold_minutes']/@value") == [str(tenant.policy.hold_minutes)]
    assert page.xpath("//input[@name='valid_from']/@value") in ([], [""])
    assert version(client, days_after_donation="12").status_code == 303
    held = policies.effective(store, tenant_id=tenant.id, now=clock.now)
    assert held.id != tenant.policy.id
    assert (held.days_after_donation, held.hold_minutes) == (12, tenant.policy.hold_minutes)
    line = store.scalars(select(AuditEvent).where(AuditEvent.verb == "policy.version")).one()
    assert line.changes["days_after_donation"] == [tenant.policy.days_after_donation, 12]
    assert "hold_minutes" not in line.changes


def test_a_version_to_come_holds_only_then_on_the_organization_s_clock(store, as_staff, clock):
    tenant = make.make_tenant(store, time_zone="Asia/Kamchatka")
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    version(client, valid_from="2026-12-01T00:00", live_limit="3")
    row = store.scalars(select(BookingPolicy).order_by(BookingPolicy.id.desc())).first()
    assert row.valid_from == dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
    assert policies.effective(store, tenant_id=tenant.id, now=clock.now).id == tenant.policy.id
    later = clock.now + dt.timedelta(days=30)
    assert policies.effective(store, tenant_id=tenant.id, now=later).id == row.id
    listed = words(client.page("/staff/policies/"))
    assert "впереди" in listed and "действует" in listed


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"valid_from": "2026-11-20T10:00"}, "с этой минуты или позже"),
        ({"source": ""}, "откуда взяты числа"),
        ({"hold_minutes": "0"}, "от 1 до 60"),
        ({"min_age": "-1"}, "от 0 до 120"),
        ({"valid_from": "завтра"}, "Введите дату и время"),
        ({"valid_from": "0001-01-01T00:00"}, "Введите дату и время"),
        ({"confirmation": "sometimes"}, "Выберите одно значение"),
    ],
)
def test_refused_versions(office, store, changes, sentence):
    _, client = office
    response = (
        version(client, **changes) if "confirmation" not in changes else client.send(NEW, changes)
    )
    assert response.status_code == 422
    assert sentence in words(response)
    assert len(store.scalars(select(BookingPolicy)).all()) == 1


def test_a_version_for_a_branch_beats_the_general_one(office, store, clock):
    tenant, client = office
    version(client, organization=str(tenant.branch.uid), live_limit="2")
    held = policies.effective(
        store, tenant_id=tenant.id, now=clock.now, organization_id=tenant.branch.id
    )
    assert held.live_limit == 2
    assert policies.effective(store, tenant_id=tenant.id, now=clock.now).id == tenant.policy.id


def test_two_versions_do_not_begin_at_one_instant(office):
    _, client = office
    assert version(client, valid_from="2026-12-01T00:00").status_code == 303
    response = version(client, valid_from="2026-12-01T00:00")
    assert "В эту минуту уже начинается" in words(response)


def test_only_a_version_to_come_is_deleted(office, store):
    tenant, client = office
    version(client, valid_from="2026-12-01T00:00")
    ahead = store.scalars(select(BookingPolicy).order_by(BookingPolicy.id.desc())).first()
    response = client.submit(
        f"/staff/policies/do/delete/?id={tenant.policy.uid}", follow_redirects=True
    )
    assert "уже действует" in words(response)
    assert client.submit(f"/staff/policies/do/delete/?id={ahead.uid}").status_code == 303
    assert store.scalars(select(BookingPolicy.id)).all() == [tenant.policy.id]


def numbers(client, **changes):
    return client.submit(
        "/staff/medical/new/",
        {"source": "приказ 1166н, прил. 7", "valid_from": "2026-12-01"} | changes,
    )


def test_the_matrix_shows_numbers_marks_and_sources(office):
    _, client = office
    page = client.page("/staff/medical/")
    text = words(page)
    assert "для проверки" in text and "проверить" in text
    rows = page.xpath("(//table[contains(@class,'matrix')])[1]/tbody/tr")
    assert len(rows) == len(DonationKind)


def test_only_what_changed_becomes_a_new_row_and_holds_from_its_day(office, store):
    tenant, client = office
    before = len(store.scalars(select(DonationInterval)).all())
    assert numbers(client, days_plasma_plasma="21", checked="y").status_code == 303
    rows = store.scalars(select(DonationInterval).order_by(DonationInterval.id)).all()
    assert len(rows) == before + 1
    assert (rows[-1].days, rows[-1].to_check, rows[-1].source) == (
        21,
        False,
        "приказ 1166н, прил. 7",
    )
    pair = (DonationKind.PLASMA, DonationKind.PLASMA)
    early = policies.medical_numbers(store, tenant_id=tenant.id, on=dt.date(2026, 11, 30))
    late = policies.medical_numbers(store, tenant_id=tenant.id, on=dt.date(2026, 12, 1))
    assert (early.intervals[pair], late.intervals[pair]) == (14, 21)
    assert "1 декабря" in words(client.page("/staff/medical/"))


def test_a_limit_for_women_comes_beside_the_one_for_everybody(office, store):
    tenant, client = office
    assert numbers(client, times_plasma_female="10").status_code == 303
    held = policies.medical_numbers(store, tenant_id=tenant.id, on=dt.date(2026, 12, 1))
    assert held.limits[DonationKind.PLASMA, Sex.FEMALE] == 10
    assert store.scalars(select(DonationLimit).order_by(DonationLimit.id.desc())).first().to_check


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Ничего не изменено"),
        ({"days_plasma_plasma": "21", "source": ""}, "Укажите источник"),
        ({"days_plasma_plasma": ""}, "нельзя оставить пустой"),
        ({"days_plasma_plasma": "-3"}, "от 0 до"),
        ({"days_plasma_plasma": "x"}, "целое число"),
        ({"days_plasma_plasma": "21", "valid_from": ""}, "Выберите день"),
        ({"days_plasma_plasma": "21", "valid_from": "2026-13-45"}, "Введите дату"),
    ],
)
def test_refused_numbers(office, store, changes, sentence):
    _, client = office
    before = len(store.scalars(select(DonationInterval)).all())
    response = numbers(client, **changes)
    assert response.status_code == 422 and sentence in words(response)
    assert len(store.scalars(select(DonationInterval)).all()) == before


def test_two_versions_of_one_number_do_not_begin_on_one_day(office):
    _, client = office
    assert numbers(client, days_plasma_plasma="21").status_code == 303
    assert "уже заданы" in words(numbers(client, days_plasma_plasma="22"))


def test_a_mark_comes_off_when_somebody_has_read_the_text(office, store):
    tenant, client = office
    action = f"/staff/medical/checked/?of={tenant.root.uid}"
    client.submit("/staff/medical/", {}, form=action)
    assert not [row for row in store.scalars(select(DonationInterval)) if row.to_check]
    assert "Сверено с официальным текстом" not in words(client.page("/staff/medical/"))
    lines = store.scalars(select(AuditEvent).where(AuditEvent.verb == "medical.checked")).all()
    assert lines and lines[0].changes == {"to_check": [True, False]}


def test_numbers_of_another_body_are_not_there(office, store):
    _, client = office
    other = make.make_tenant(store, name="Дальний центр")
    for url in (
        f"/staff/medical/?of={other.root.uid}",
        f"/staff/letters/?of={other.root.uid}",
        f"/staff/consents/?of={other.root.uid}",
        "/staff/medical/?of=abc",
    ):
        assert client.get(url).status_code == 404, url


def test_below_the_root_numbers_are_read_and_not_changed(store, as_staff):
    tenant = make.make_tenant(store)
    below = as_staff(Role.ADMINISTRATOR, over=tenant.branch)
    assert below.get("/staff/medical/").status_code == 200
    response = numbers(below, days_plasma_plasma="21")
    assert response.status_code == 422 and "Ваша роль" in words(response)


# --- several organizations ---------------------------------------------------------------------


@pytest.fixture
def two(store, as_staff):
    """Two organizations, and an administrator of both."""
    here, there = make.make_tenant(store), make.make_tenant(store, name="Дальний центр")
    return here, there, as_staff(Role.ADMINISTRATOR)


def offered(page, name):
    return set(page.xpath(f"//select[@name='{name}']/option[@value!='']/@value"))


def test_with_several_organizations_the_form_first_asks_whose(two, store):
    here, there, client = two
    page = client.page(NEW)
    assert not page.xpath("//input[@name='hold_minutes']")
    links = page.xpath("//main//nav//a/@href")
    assert len(links) == 2
    for tenant, other in ((here, there), (there, here)):
        page = client.page(f"{NEW}?of={tenant.root.uid}")
        assert str(tenant.root) in words(page)
        assert offered(page, "organization") == {str(tenant.branch.uid)}
        types = offered(page, "donation_type")
        assert str(tenant.platelets.uid) in types and str(other.platelets.uid) not in types


def test_a_version_is_written_for_the_organization_that_was_chosen(two, store):
    _, there, client = two
    url = f"{NEW}?of={there.root.uid}"
    fields = {"source": "решение", "live_limit": "4", "organization": str(there.branch.uid)}
    assert client.submit(url, fields).status_code == 303
    made = store.scalars(select(BookingPolicy).order_by(BookingPolicy.id.desc())).first()
    assert (made.tenant_id, made.organization_id) == (there.id, there.branch.id)


@pytest.mark.parametrize("name", ["organization", "donation_type"])
def test_another_organization_s_row_is_refused_at_its_field_and_nothing_typed_is_lost(
    two, store, name
):
    here, there, client = two
    theirs = {"organization": there.branch.uid, "donation_type": there.platelets.uid}[name]
    before = len(store.scalars(select(BookingPolicy)).all())
    response = client.submit(
        f"{NEW}?of={here.root.uid}",
        {name: str(theirs), "source": "решение от 23.11", "live_limit": "7"},
    )
    assert response.status_code == 422
    page = parsed(response)
    assert "У этой организации такого нет" in page.xpath(f"//*[@id='{name}-error']")[0].text
    assert page.xpath("//input[@name='live_limit']/@value") == ["7"]
    assert page.xpath("//input[@name='source']/@value") == ["решение от 23.11"]
    assert len(store.scalars(select(BookingPolicy)).all()) == before


def test_the_rule_refuses_a_mixture_in_a_sentence(store, clock):
    here, there = make.make_tenant(store), make.make_tenant(store, name="Дальний центр")
    with pytest.raises(policy_versions.OfAnother):
        policy_versions.new_version(
            store,
            tenant_id=here.id,
            organization=there.branch,
            donation_type=None,
            valid_from=None,
            values={},
            actor=SYSTEM_ACTOR,
            now=clock.now,
        )


@pytest.mark.parametrize("of", ["abc", "", "00000000-0000-0000-0000-000000000000"])
def test_rules_of_an_organization_that_is_not_there(two, of):
    assert two[2].get(f"{NEW}?of={of}").status_code == 404


def test_a_form_sent_without_an_organization_asks_for_it(two):
    response = two[2].send(NEW, {"source": "решение"})
    assert response.status_code == 422 and "Для какой организации?" in words(response)


# --- polyclinics ------------------------------------------------------------------------------


def ticked(page, name: str) -> list[str]:
    return page.xpath(f"//input[@name='{name}'][@checked]/@value")


@pytest.fixture
def clinic(store, as_staff):
    tenant = make.make_polyclinic(store)
    return tenant, as_staff(Role.ADMINISTRATOR, over=tenant.root)


def test_a_polyclinic_starts_from_one_of_the_usual_ways(clinic, store, clock):
    tenant, client = clinic
    page = client.page(NEW)
    offered = page.xpath("//nav[@aria-labelledby='ways']/a")
    assert [link.get("href").rpartition("way=")[2] for link in offered] == list(starters.ways())
    page = client.page(f"{NEW}?of={tenant.root.uid}&way=registry_code")
    assert ticked(page, "methods") == ["none", "oms", "snils", "passport", "dms"]
    assert page.xpath("//select[@name='phone']/option[@selected]/@value") == ["required"]
    response = client.submit(f"{NEW}?of={tenant.root.uid}&way=registry_code")
    assert response.status_code == 303, words(response)
    held = policies.effective(store, tenant_id=tenant.id, now=clock.now)
    wanted = starters.way("registry_code")
    assert {name: getattr(held, name) for name in wanted} == wanted
    line = store.scalars(select(AuditEvent).where(AuditEvent.verb == "policy.version")).one()
    assert line.changes["methods"][1] == ["none", "oms", "snils", "passport", "dms"]


def test_a_blood_centre_is_offered_no_way_of_booking_a_doctor(office):
    _, client = office
    assert client.page(NEW).xpath("//nav[@aria-labelledby='ways']") == []


@pytest.mark.parametrize(
    ("way", "changes", "sentence"),
    [
        ("registry", {"methods": []}, "отметьте хотя бы один способ"),
        ("portal", {"methods": []}, "отметьте хотя бы один способ"),
        ("registry", {"methods": ["two_documents"]}, "отметьте хотя бы один способ"),
        ("registry_code", {"phone": "optional"}, "телефон обязателен"),
        ("registry_approval", {"phone": "none"}, "телефон обязателен"),
        ("registry", {"methods": ["by magic"]}, "Выберите из списка"),
    ],
)
def test_nobody_is_left_without_a_way_in(clinic, store, way, changes, sentence):
    tenant, client = clinic
    response = client.submit(f"{NEW}?of={tenant.root.uid}&way={way}", changes)
    assert response.status_code == 422
    assert sentence in words(response)
    assert len(store.scalars(select(BookingPolicy)).all()) == 1


def test_a_version_for_one_service_in_one_department(clinic, store, clock):
    tenant, client = clinic
    above = make.make_department(store, tenant, name="Поликлиника")
    own = make.make_department(store, tenant, name="Кабинет", part_of_id=above.id)
    paid = make.make_service(store, tenant, name_ru="Приём невролога (платно)")
    page = client.page(f"{NEW}?way=portal")
    assert offered(page, "department") == {str(above.uid), str(own.uid)}
    assert offered(page, "service") == {str(paid.uid)}
    assert f"{tenant.branch}: Поликлиника → Кабинет" in words(page)
    fields = {"department": str(own.uid), "service": str(paid.uid), "confirmation": "approval"}
    assert client.submit(f"{NEW}?way=portal", fields).status_code == 303
    place = {
        "tenant_id": tenant.id, "organization_id": tenant.branch.id, "department_id": own.id,
    }  # fmt: skip
    held = policies.effective(store, now=clock.now, service_id=paid.id, **place)
    assert held.confirmation is Confirmation.APPROVAL
    assert policies.effective(store, now=clock.now, **place).id == tenant.policy.id
    listed = words(client.page("/staff/policies/"))
    assert "Кабинет" in listed and "Приём невролога (платно)" in listed
    assert "Кабинет" in words(client.page(f"/staff/policies/details/?id={held.uid}"))
    journal = store.scalars(select(AuditEvent).where(AuditEvent.verb == "policy.version")).one()
    named = names(store, [journal])["booking_policy", held.id]
    assert "Кабинет" in named and "Приём невролога (платно)" in named


def test_a_department_or_a_service_of_another_organization_is_refused_at_its_field(clinic, store):
    client = clinic[1]
    make.make_service(store, clinic[0])
    make.make_department(store, clinic[0])
    other = make.make_polyclinic(store, name="Речная поликлиника")
    theirs = {
        "department": make.make_department(store, other),
        "service": make.make_service(store, other),
    }
    for name, row in theirs.items():
        response = client.submit(
            NEW, {"source": "решение", "live_limit": "7"} | {name: str(row.uid)}
        )
        assert response.status_code == 422
        page = parsed(response)
        assert "У этой организации такого нет" in page.xpath(f"//*[@id='{name}-error']")[0].text
        assert page.xpath("//input[@name='live_limit']/@value") == ["7"]
    assert len(store.scalars(select(BookingPolicy)).all()) == 2, "one of each from the start"


def test_a_department_of_another_branch_is_refused_in_a_sentence(clinic, store):
    tenant, client = clinic
    sister = make.make_organization(
        store, part_of_id=tenant.id, root_id=tenant.id, kind=OrganizationKind.BRANCH
    )
    own = make.make_department(store, tenant, name="Кабинет")
    response = client.submit(
        f"{NEW}?way=portal", {"department": str(own.uid), "organization": str(sister.uid)}
    )
    assert response.status_code == 422
    assert "Отделение «Кабинет» не в этом подразделении" in words(response)


def test_who_has_no_departments_is_not_asked_for_one(office):
    _, client = office
    page = client.page(NEW)
    assert page.xpath("//select[@name='donation_type']")
    assert not page.xpath("//select[@name='department' or @name='service']")


def test_staff_of_another_organization_attach_nothing(clinic, store, as_staff):
    tenant, _ = clinic
    foreign = make.make_polyclinic(store, name="Речная поликлиника")
    make.make_department(store, foreign)
    ours = make.make_department(store, tenant)
    stranger = as_staff(Role.ADMINISTRATOR, over=foreign.root)
    assert stranger.get(f"{NEW}?of={tenant.root.uid}").status_code == 404
    response = stranger.submit(NEW, {"source": "решение", "department": str(ours.uid)})
    assert response.status_code == 422
    assert "У этой организации такого нет" in words(response)
