"""Addresses of stylesheets change when their content does."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from app.assets import digest
from tests import make
from tests.client import Visitor


def test_every_stylesheet_of_a_page_carries_its_version_and_is_there(
    client: Visitor, store: Session
) -> None:
    make.make_tenant(store)
    links = client.page("/").xpath("//link[@rel='stylesheet']/@href")
    assert len(links) >= 3
    for link in links:
        assert "?v=" in link
        assert client.get(link, buffered=True).status_code == 200


def test_another_content_is_another_version(tmp_path: Path) -> None:
    first, second = tmp_path / "a.css", tmp_path / "b.css"
    first.write_text("a {}")
    second.write_text("b {}")
    assert digest(str(first)) != digest(str(second))
    assert digest(str(tmp_path / "none.css")) is None
