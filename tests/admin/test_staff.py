"""Inviting, roles, telephones, switching off: over HTTP and where it could go wrong."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select

from app.documents import letters
from app.models import Message, OneTimeLink, RoleAssignment, StaffUser, WebSession
from app.models.enums import MessageKind, Role
from app.models.scope import set_scope
from app.rules import access, roles, staff
from app.rules.roles import AlreadyHas, LastAdministrator, MayNotGive, NotGoverned, OwnRoles
from app.rules.staff import EmailTaken, NotYourself
from tests import make
from tests.client import parsed, words


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


def invite(client, over, role="registrar", email="new@example.org", locale="ru", **kwargs):
    fields = {
        "full_name": "Новикова Ирина",
        "email": email,
        "role": role,
        "over": str(over.uid),
        "locale": locale,
    }
    return client.submit("/staff/staff/new/", fields, **kwargs)


def test_an_invitation_is_a_person_a_role_and_a_letter_with_a_link(store, as_staff, tenant):
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    assert invite(client, tenant.branch).status_code == 303
    user = store.scalars(select(StaffUser).where(StaffUser.email == "new@example.org")).one()
    assert user.password_hash is None
    assert [(held.role, held.organization_id) for held in user.roles] == [
        (Role.REGISTRAR, tenant.branch.id)
    ]
    message = store.scalars(select(Message)).one()
    link = store.scalars(select(OneTimeLink)).one()
    assert (message.kind, message.facts, message.staff_user_id) == (
        MessageKind.STAFF_INVITE,
        {"link_id": link.id},
        user.id,
    )
    assert message.tenant_id == tenant.id


def test_letters_come_in_the_language_that_was_chosen_with_the_invitation(
    store, app, as_staff, tenant
):
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    page = client.page("/staff/staff/new/")
    assert page.xpath("//select[@name='locale']/option[@selected]/@value") == ["ru"]
    invite(client, tenant.branch, email="ru@example.org")
    invite(client, tenant.branch, email="en@example.org", locale="en")
    subjects = {}
    with app.app_context():
        for message in store.scalars(select(Message)):
            letter = letters.render(message, now=make.NOW)
            subjects[letter["To"]] = (letter["Content-Language"], letter["Subject"])
    assert subjects == {
        "ru@example.org": ("ru", "Приглашение к работе в Талоне"),
        "en@example.org": ("en", "Invitation to work in Talon"),
    }


def test_the_language_of_letters_is_changed_and_shown(store, as_staff, tenant):
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    user = make.make_staff(store, Role.REGISTRAR, tenant.branch)
    url = f"/staff/staff/edit/?id={user.uid}"
    assert client.submit(url, {"locale": "en"}).status_code == 303
    assert store.get_one(StaffUser, user.id).locale == "en"
    assert "по-английски" in words(client.page(f"/staff/staff/details/?id={user.uid}"))
    response = client.send(url, {"full_name": "А", "email": user.email, "locale": "de"})
    assert response.status_code == 422 and store.get_one(StaffUser, user.id).locale == "en"


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@b",
        "a b@example.org",
        "x@example.org\r\nBcc: y@example.org",
        "a" * 300 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused(store, as_staff, tenant, email):
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    assert invite(client, tenant.branch, email=email).status_code == 422
    assert store.scalars(select(Message)).all() == []


def test_an_address_is_one_person_in_the_whole_house(store, as_staff, tenant):
    other = make.make_tenant(store, name="Дальний центр")
    make.make_staff(store, Role.REGISTRAR, other.root, email="taken@example.org")
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    response = invite(client, tenant.branch, email="Taken@Example.org")
    assert response.status_code == 422 and "уже есть" in words(response)


def test_every_role_by_every_role(store, as_staff, tenant):
    """Who may invite whom: only administrators come to the page, and they give every role within reach."""
    for giver in Role:
        client = as_staff(giver, over=tenant.root)
        status = client.get("/staff/staff/new/").status_code
        assert status == (200 if giver is Role.ADMINISTRATOR else 403), giver
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    for number, role in enumerate(Role):
        assert (
            invite(client, tenant.root, role.value, f"n{number}@example.org").status_code == 303
        ), role


def test_a_branch_s_administrator_gives_nothing_above_his_branch(store, as_staff, tenant):
    below = as_staff(Role.ADMINISTRATOR, over=tenant.branch)
    offered = below.page("/staff/staff/new/").xpath("//select[@name='over']/option/@value")
    assert offered == [str(tenant.branch.uid)]
    for over in (str(tenant.root.uid), ""):
        response = below.send(
            "/staff/staff/new/",
            {"full_name": "Х", "email": "x@example.org", "role": "administrator", "over": over},
        )
        assert response.status_code == 422
    assert store.scalars(select(StaffUser).where(StaffUser.email == "x@example.org")).all() == []


def test_nobody_changes_his_own_roles(store, as_staff, tenant):
    user = make.make_staff(store, Role.ADMINISTRATOR, tenant.root)
    make.make_staff(store, Role.ADMINISTRATOR, tenant.root)
    client = as_staff(user)
    page = client.page(f"/staff/staff/details/?id={user.uid}")
    assert "Свои роли никто не меняет" in words(page) and not page.xpath("//select[@name='role']")
    client.send(
        f"/staff/staff/assign/?id={user.uid}", {"role": "security", "over": str(tenant.root.uid)}
    )
    client.send(f"/staff/staff/withdraw/?id={user.uid}&role=administrator&over={tenant.root.uid}")
    for name in ("switch-off", "new-telephone"):
        client.send(f"/staff/staff/do/{name}/", {"id": str(user.uid)})
    store.refresh(user)
    assert [held.role for held in user.roles] == [Role.ADMINISTRATOR]
    assert user.is_active and user.totp_confirmed_at is not None


def test_a_role_is_given_and_taken_and_sessions_end(store, as_staff, tenant):
    admin = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    user = make.make_staff(store, Role.REGISTRAR, tenant.branch)
    theirs = as_staff(user)
    theirs.page("/staff/")
    url = f"/staff/staff/details/?id={user.uid}"
    action = f"/staff/staff/assign/?id={user.uid}"
    assert (
        admin.submit(
            url, {"role": "scheduler", "over": str(tenant.branch.uid)}, form=action
        ).status_code
        == 303
    )
    assert theirs.get("/staff/").status_code == 303
    page = admin.page(url)
    link = page.xpath("//a[contains(@href,'withdraw') and contains(@href,'scheduler')]/@href")[0]
    question = admin.page(link)
    assert "Снять роль?" in words(question)
    store.refresh(user)
    assert len(user.roles) == 2  # asking has changed nothing
    assert admin.submit(link).status_code == 303
    store.refresh(user)
    assert [held.role for held in user.roles] == [Role.REGISTRAR]


def test_acts_ask_first_and_then_do(store, as_staff, tenant):
    admin = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    user = make.make_staff(store, Role.REGISTRAR, tenant.branch)
    theirs = as_staff(user)
    for name, check in (
        ("new-telephone", lambda: user.totp_confirmed_at is None and user.totp_seed is None),
        ("invite-again", lambda: len(store.scalars(select(OneTimeLink)).all()) == 1),
        ("switch-off", lambda: not user.is_active),
        ("switch-on", lambda: user.is_active),
    ):
        url = f"/staff/staff/do/{name}/?id={user.uid}"
        admin.page(url)
        store.refresh(user)
        assert not check(), name
        assert admin.submit(url).status_code == 303
        store.refresh(user)
        assert check(), name
    assert theirs.get("/staff/").status_code == 303
    assert store.scalars(select(WebSession).where(WebSession.staff_user_id == user.id)).all() == []


def test_a_colleague_of_two_bodies_is_nobody_s_alone(store, as_staff, tenant):
    """One administrator cannot take over or lock out somebody who also works elsewhere."""
    other = make.make_tenant(store, name="Дальний центр")
    user = make.make_staff(store, Role.REGISTRAR, tenant.branch)
    user.roles.append(RoleAssignment(role=Role.ADMINISTRATOR, organization_id=other.root.id))
    admin = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    for name in ("invite-again", "new-telephone", "switch-off"):
        response = admin.submit(f"/staff/staff/do/{name}/?id={user.uid}", follow_redirects=True)
        assert "работает и там, где вы не администратор" in words(response), name
    response = admin.submit(f"/staff/staff/edit/?id={user.uid}", {"email": "mine@example.org"})
    assert response.status_code == 422
    store.refresh(user)
    assert (
        user.is_active and user.totp_confirmed_at is not None and user.email != "mine@example.org"
    )
    assert "Дальний центр" not in words(admin.page(f"/staff/staff/details/?id={user.uid}"))


def test_colleagues_of_another_body_are_not_seen(store, as_staff, tenant):
    other = make.make_tenant(store, name="Дальний центр")
    stranger = make.make_staff(store, Role.REGISTRAR, other.root, full_name="Чужой Человек")
    admin = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    assert "Чужой Человек" not in words(admin.page("/staff/staff/"))
    assert admin.get(f"/staff/staff/details/?id={stranger.uid}").status_code == 404


def test_names_are_searched_without_standing_in_an_address(store, as_staff, tenant):
    make.make_staff(store, Role.REGISTRAR, tenant.branch, full_name="Семёнова Алёна")
    admin = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    page = admin.page("/staff/staff/")
    form = page.xpath("//form[@role='search']")[0]
    assert (form.method, form.action) == ("POST", "/staff/staff/search/")
    found = words(admin.submit("/staff/staff/", {"q": "семенова"}, form="/staff/staff/search/"))
    assert "Семёнова Алёна" in found and "Ольга Проверочная" not in found.split("строк")[-1]


def test_a_search_for_a_name_never_becomes_an_address(store, as_staff, tenant):
    for number in range(55):
        make.make_staff(store, Role.REGISTRAR, tenant.branch, full_name=f"Семёнова {number:02}")
    admin = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    response = admin.submit("/staff/staff/", {"q": "семенова"}, form="/staff/staff/search/")
    assert "Показаны первые 50" in words(response)
    links = parsed(response).xpath("//main//@href")
    assert not [link for link in links if "q=" in link or "after=" in link]
    # an address that somebody made up with a name in it is read without the name
    assert "Ольга Проверочная" in words(admin.page("/staff/staff/?q=%D0%A1%D0%B5%D0%BC"))


# --- the rules themselves --------------------------------------------------------------------


def scoped(session, user):
    set_scope(session, access.staff_scope(session, user))


def test_the_last_administrator_stays(session):
    tenant = make.make_tenant(session)
    boss = make.make_staff(session, Role.ADMINISTRATOR)
    one = make.make_staff(session, Role.ADMINISTRATOR, tenant.root)
    scoped(session, boss)
    # above the tenant stands the administrator of everything: the tenant's own may go
    roles.withdraw(session, assignment_id=one.roles[0].id, user=one, by=boss, now=make.NOW)
    two = make.make_staff(session, Role.ADMINISTRATOR)
    scoped(session, two)
    staff.switch_off(session, user=boss, by=two, now=make.NOW)
    three = make.make_staff(session, None)
    with pytest.raises(LastAdministrator):  # the switched-off one does not count
        roles.withdraw(session, assignment_id=two.roles[0].id, user=two, by=boss, now=make.NOW)
    assert three.roles == []


def test_the_last_administrator_is_not_switched_off(session):
    boss = make.make_staff(session, Role.ADMINISTRATOR)
    other = make.make_staff(session, Role.ADMINISTRATOR)
    scoped(session, other)
    staff.switch_off(session, user=boss, by=other, now=make.NOW)
    boss.is_active = True
    other.is_active = False
    with pytest.raises(LastAdministrator):
        staff.switch_off(session, user=boss, by=other, now=make.NOW)


def test_a_role_is_given_only_by_who_may_give_it(session):
    """Role × target × place: an administrator gives all he reaches, another only what he holds."""
    tenant = make.make_tenant(session)
    target = make.make_staff(session, None)
    for giver, given in itertools.product(Role, Role):
        by = make.make_staff(session, giver, tenant.root)
        scoped(session, by)
        allowed = roles.may_give(session, by=by, role=given, organization_id=tenant.branch.id)
        assert allowed is (giver is Role.ADMINISTRATOR), (giver, given)
        if not allowed:
            with pytest.raises(MayNotGive):
                roles.assign(
                    session,
                    user=target,
                    role=given,
                    organization_id=tenant.branch.id,
                    by=by,
                    now=make.NOW,
                )


def test_refusals_of_roles_one_by_one(session):
    tenant = make.make_tenant(session)
    boss = make.make_staff(session, Role.ADMINISTRATOR)
    scoped(session, boss)
    user = make.make_staff(session, Role.REGISTRAR, tenant.root)
    give = lambda **changes: roles.assign(  # noqa: E731
        session,
        **{
            "user": user,
            "role": Role.REGISTRAR,
            "organization_id": tenant.root.id,
            "by": boss,
            "now": make.NOW,
        }
        | changes,
    )
    with pytest.raises(AlreadyHas):
        give()
    with pytest.raises(OwnRoles):
        give(user=boss)
    with pytest.raises(NotYourself):
        staff.switch_off(session, user=boss, by=boss, now=make.NOW)
    with pytest.raises(EmailTaken):
        staff.rename(session, user=user, full_name="x", email=boss.email, by=boss, now=make.NOW)
    below = make.make_staff(session, Role.ADMINISTRATOR, tenant.branch)
    scoped(session, below)
    with pytest.raises(NotGoverned):
        staff.invite_again(session, user=user, by=below, now=make.NOW)


def test_the_first_administrator_comes_by_the_command_line(session):
    from app.rules.actor import SYSTEM

    token = staff.invite_first(
        session, email="first@example.org", full_name="Первая", actor=SYSTEM, now=make.NOW
    )
    user = staff.invitation(session, token=token, now=make.NOW)
    assert [(held.role, held.organization_id) for held in user.roles] == [
        (Role.ADMINISTRATOR, None)
    ]
    again = staff.invite_first(
        session, email="FIRST@example.org", full_name="x", actor=SYSTEM, now=make.NOW
    )
    assert again != token and staff.invitation(session, token=again, now=make.NOW) is user
