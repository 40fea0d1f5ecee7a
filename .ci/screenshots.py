"""Makes the pictures of README.md: ``.venv/bin/python .ci/screenshots.py`` starts a demo, looks, stops it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urljoin

import pyotp
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.models.enums import Role  # noqa: E402
from app.seeds.centre import PASSWORD, PEOPLE, TOTP  # noqa: E402
from app.seeds.clinics import COLUMNS, read  # noqa: E402

HOSPITAL = read(COLUMNS["E"])["organization"]["short_name"]
IMAGES = ROOT / "docs" / "img"
CHROMIUM = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str) -> None:
    for _ in range(600):  # the first start makes the demo
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2)  # noqa: S310 - our own address
            return
        except OSError:
            time.sleep(0.5)
    sys.exit("the demo did not start")


def sign_in(page: Page, address: str, role: Role) -> None:
    page.goto(f"{address}/staff/sign-in/")
    page.fill("input[name=email]", PEOPLE[role][0])
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.fill("input[name=code]", pyotp.TOTP(TOTP[role]).now())
    page.click("main button[type=submit]")
    page.wait_for_url(f"{address}/staff/**")


def preview(page: Page) -> None:
    """A week that begins on the last published day, checked: most of it is new, that day is not."""
    last = date.fromisoformat(
        page.eval_on_selector("select[name=date]", "list => list.options[list.length - 1].value")
    )
    page.goto(urljoin(page.url, "/staff/publishing/new/"))
    page.fill("input[name=first]", last.isoformat())
    page.fill("input[name=last]", (last + timedelta(days=4)).isoformat())
    page.check("input[name=branch] >> nth=0")
    page.fill("input[name=places]", "3; AB−: 5")
    cells = page.query_selector_all("input[name^=cell-]")  # three kinds, eight groups
    for number, places in {0: 9, 1: 10, 2: 6, 5: 7, 7: 45, 16: 12, 18: 12, 20: 8, 22: 6}.items():
        cells[number].fill(str(places))
    page.click("button[value=check] >> nth=-1")
    page.wait_for_url(lambda url: not url.endswith("/new/"))


def week(page: Page, address: str) -> None:
    """A department of the demo's hospital with the week of its doctors."""
    page.goto(f"{address}/institutions")
    page.click(f"main a:has-text('{HOSPITAL}')")
    page.click("main a:has-text('Лечебно-консультативное отделение')")
    page.wait_for_url("**department=**")
    page.locator(".picker").evaluate("picker => scrollTo(0, picker.offsetTop - 16)")


def speak_russian(page: Page) -> None:
    """Date fields as a Russian browser shows them: Debian's Chromium has its languages in a package apart."""
    page.eval_on_selector_all(
        "input[type=date]",
        """fields => fields.forEach(field => {
            const [year, month, day] = field.value.split("-");
            field.style.width = `${field.offsetWidth}px`;
            field.type = "text";
            field.placeholder = "дд.мм.гггг";
            if (day) field.value = `${day}.${month}.${year}`;
        })""",
    )


def take(address: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        size = {"width": 1280, "height": 800}
        for name, role, path in (
            ("places", None, "/"),
            ("queue", Role.REGISTRAR, "/staff/queue/"),
            ("publishing", Role.SCHEDULER, "/"),
            ("week", None, "/"),
        ):
            page = browser.new_context(viewport=size, locale="ru-RU").new_page()
            if role is not None:
                sign_in(page, address, role)
            page.goto(address + path)
            if name == "publishing":
                preview(page)
            if name == "week":
                week(page, address)
            speak_russian(page)
            page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


def main() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "PORT": str(port), "DATA": folder}
        demo = subprocess.Popen(  # noqa: S603 - our own script
            [str(ROOT / "talon"), "run"], env=environ, stdout=subprocess.DEVNULL
        )
        try:
            address = f"http://localhost:{port}"
            wait_for(address)
            take(address)
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(30)


if __name__ == "__main__":
    main()
