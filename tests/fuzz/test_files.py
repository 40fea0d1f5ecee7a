"""Donor files as they come: cut off, in another encoding, not a table at all. Never an answer of 500 or more."""

from __future__ import annotations

import io
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import app
from tests.fuzz.requests import ODD
from tests.matrix.world import STAFF, World, contents, restore

EXAMPLE = (Path(app.__file__).parent / "data" / "donor_file_example.csv").read_text("utf-8")
LINES = EXAMPLE.splitlines()
cells = st.one_of(
    st.sampled_from([c for line in LINES for c in line.split(";")]), st.sampled_from(ODD)
)
tables = st.lists(st.lists(cells, min_size=3, max_size=16).map(";".join), max_size=6).map(
    lambda rows: "\r\n".join([LINES[0], *rows])
)
encodings = st.sampled_from(("utf-8", "utf-8-sig", "cp1251", "utf-16", "koi8-r"))
files = st.one_of(
    st.binary(max_size=2000),
    st.builds(lambda text, code: text.encode(code, "replace"), tables, encodings),
    st.builds(
        lambda start, end: EXAMPLE.encode()[start:end], st.integers(0, 400), st.integers(0, 900)
    ),
    st.sampled_from(
        (b"PK\x03\x04", b"%PDF-1.7", b"\xef\xbb\xbf", b"\n" * 5000, b";" * 5000, b'"' * 999)
    ),
)
file_names = st.one_of(st.sampled_from(ODD), st.just("donors.csv"), st.text(max_size=40))


def plain(name: str) -> str:
    """What a browser writes into the header of a part: it escapes quotes and line ends itself."""
    kept = name.encode("ascii", "ignore").decode().translate(dict.fromkeys(b'"\\\r\n'))
    return kept or "x"


def test_no_file_breaks_the_dry_run(fuzzed: World, scale) -> None:
    registrar = fuzzed.visitors["registrar"]

    @settings(
        max_examples=max(40, scale(1000)), derandomize=scale(200) < 200, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(files, file_names)
    def attempt(content: bytes, name: str) -> None:
        answer = registrar.client(fuzzed.app).post(
            "/staff/imports/",
            data={"csrf_token": registrar.csrf[STAFF], "file": (io.BytesIO(content), plain(name))},
        )
        assert answer.status_code in (200, 303, 422), answer.status
        answer.close()

    attempt()
    if contents(fuzzed.engine) != fuzzed.contents:
        restore(fuzzed.engine, fuzzed.begin)
