"""What is not on the machine is said at the end, with a number, and fails where everything is required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_SERVERS = """
import os, sys, pathlib, pytest
from tests import servers
servers.DEBIAN_POSTGRES = pathlib.Path("/nowhere")
os.environ["PATH"] = "/nowhere"
sys.exit(pytest.main(sys.argv[1:]))
"""
SOME = ["tests/migrations/test_schema.py", "tests/test_browser.py", "-k", "twice or axe"]


def run(**environ: str) -> subprocess.CompletedProcess[str]:
    """These tests, on a machine without PostgreSQL and Chromium."""
    command = [sys.executable, "-c", WITHOUT_SERVERS, "-p", "no:xdist", *SOME]
    given = {k: v for k, v in os.environ.items() if k != "REQUIRE_ALL"} | environ
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)


def test_what_is_missing_is_counted_and_the_rest_is_tested() -> None:
    done = run()
    assert "PostgreSQL: NOT TESTED (1 tests)" in done.stdout
    assert "Chromium: NOT TESTED (1 tests)" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 passed, 2 skipped")
    assert done.returncode == 0


def test_what_is_missing_fails_where_everything_is_required() -> None:
    done = run(REQUIRE_ALL="1")
    assert done.returncode == 1
    assert "PostgreSQL is needed" in done.stdout
    assert "2 errors" in done.stdout.splitlines()[-1]
