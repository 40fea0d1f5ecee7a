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
from pathlib import Path

import pyotp
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.models.enums import Role  # noqa: E402
from app.seeds.centre import PASSWORD, PEOPLE, TOTP  # noqa: E402

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
    for _ in range(240):
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


def fill_matrix(page: Page) -> None:
    """Some plausible numbers, so that the picture shows what the form is for."""
    cells = page.query_selector_all("table input[type=text], table input[type=number]")
    for number, cell in enumerate(cells[:16]):
        cell.fill(str((9, 10, 6, 10, 4, 7, 6, 30)[number % 8]))


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
            ("publishing", Role.SCHEDULER, "/staff/publishing/new/"),
        ):
            page = browser.new_context(viewport=size, locale="ru-RU").new_page()
            if role is not None:
                sign_in(page, address, role)
            page.goto(address + path)
            if name == "publishing":
                fill_matrix(page)
                page.evaluate("window.scrollTo(0, 380)")
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
