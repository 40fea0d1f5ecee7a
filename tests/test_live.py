"""The live site of the tests is the real thing: several processes, real cookies, real tokens."""

from __future__ import annotations

import datetime as dt
import http.client
import signal
from urllib.parse import urlencode

from playwright.sync_api import Page

from app.models.enums import Role
from tests import make
from tests.browser import on_both_engines
from tests.live import Live


def get(live: Live, path: str, cookie: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_it_answers_from_an_empty_database(live: Live) -> None:
    assert get(live, "/healthz")[0] == 200
    assert get(live, "/not-there")[0] == 404


def test_a_pass_signs_in_on_each_surface(live: Live) -> None:
    with live.session() as session:
        tenant = make.make_tenant(session)
        donor = make.make_donor(session, tenant)
        registrar = make.make_staff(session, Role.REGISTRAR, tenant.root)
    for user, path in ((donor.account, "/profile"), (registrar, "/staff/")):
        given = live.pass_for(user)
        assert get(live, path, f"{given.cookie}={given.value}")[0] == 200
        assert get(live, path)[0] in (302, 303)


def test_the_token_of_a_pass_is_accepted(live: Live) -> None:
    with live.session() as session:
        tenant = make.make_tenant(session)
        donor = make.make_donor(session, tenant)
    given = live.pass_for(donor.account)
    answers = []
    for token in ("wrong", given.csrf):
        connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
        connection.request(
            "POST",
            "/sign-out",
            urlencode({"csrf_token": token}),
            {
                "Cookie": f"{given.cookie}={given.value}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        answers.append(connection.getresponse().status)
        connection.close()
    assert answers == [400, 303]


def test_a_killed_worker_and_a_stopped_web_server_come_back(live: Live) -> None:
    assert live.worker is not None and live.web is not None
    live.kill_worker()
    assert live.worker.returncode == -signal.SIGKILL
    live.start_worker()
    live.stop_web()
    live.start_web()
    assert get(live, "/healthz")[0] == 200
    assert live.worker.poll() is None


@on_both_engines
def test_the_browser_is_signed_in_by_a_pass(live: Live, page: Page) -> None:
    with live.session() as session:
        tenant = make.make_tenant(session, now=dt.datetime.now(dt.UTC))
        donor = make.make_donor(session, tenant)
    live.sign_in(page, donor.account)
    page.goto("/profile")
    assert page.url.endswith("/profile")
