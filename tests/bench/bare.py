"""What Talon is measured against: the least that Flask and psycopg can do for the same two things.

A constant page, and a booking in two requests: a signed cookie says who it is, one UPDATE decides
who wins the place, one INSERT keeps it, one commit; then the confirmation with its line of history.
For a booking without an account one more before it: a number and a birth date find the person.
No CSRF, no rule, no scope, no audit, no letter.
"""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import Any

import psycopg
from flask import Flask, redirect, request, session

TABLES = """
CREATE TABLE slot (id bigint PRIMARY KEY, status text NOT NULL);
CREATE TABLE booking (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id bigint NOT NULL REFERENCES slot, person_id bigint NOT NULL, status text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON booking (person_id);
CREATE TABLE person (id bigint PRIMARY KEY, number text NOT NULL, birth_date date NOT NULL);
CREATE INDEX ON person (number);
CREATE TABLE history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    booking_id bigint NOT NULL, event text NOT NULL, at timestamptz NOT NULL DEFAULT now()
);
"""

app = Flask(__name__)
app.secret_key = os.environ.get("TALON_SECRET_KEY")
_local = threading.local()


def conninfo(url: str) -> str:
    """SQLAlchemy's address of a database, as psycopg reads it."""
    return url.replace("+psycopg", "", 1)


def _database() -> psycopg.Connection[Any]:
    """This thread's own connection, kept."""
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(conninfo(os.environ["TALON_DATABASE_URL"]))
    kept: psycopg.Connection[Any] = _local.connection
    return kept


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@cache
def _letters(size: int) -> str:
    return "x" * size


@app.get("/page/<int:size>")
def page(size: int) -> str:
    """A constant page of ``size`` bytes."""
    return _letters(size)


@app.post("/identify")
def identify() -> Any:
    """Who has this number and was born on that day."""
    with _database().transaction():
        found = _database().execute(
            "SELECT id FROM person WHERE number = %s AND birth_date = %s",
            (request.form["number"], request.form["birth_date"]),
        )
        row = found.fetchone()
    if row is None:
        return "unknown", 409
    session["person"] = row[0]
    return redirect("/", 303)


@app.post("/hold")
def hold() -> Any:
    """Take the place ``slot``, or any that is free without it."""
    wanted = request.form.get("slot", type=int)
    with _database().transaction():
        if wanted is None:
            found = _database().execute(
                "UPDATE slot SET status = 'held' WHERE id = (SELECT id FROM slot "
                "WHERE status = 'free' LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id"
            )
        else:
            found = _database().execute(
                "UPDATE slot SET status = 'held' WHERE id = %s AND status = 'free' RETURNING id",
                (wanted,),
            )
        row = found.fetchone()
        if row is None:
            return "taken", 409
        kept = _database().execute(
            "INSERT INTO booking (slot_id, person_id, status) VALUES (%s, %s, 'held') RETURNING id",
            (row[0], session["person"]),
        )
        made = kept.fetchone()
    assert made is not None
    return redirect(f"/bookings/{made[0]}/confirm", 303)


@app.post("/bookings/<int:booking>/confirm")
def confirm(booking: int) -> Any:
    with _database().transaction():
        done = _database().execute(
            "UPDATE booking SET status = 'pending' "
            "WHERE id = %s AND person_id = %s AND status = 'held'",
            (booking, session["person"]),
        )
        if not done.rowcount:
            return "gone", 409
        _database().execute(
            "INSERT INTO history (booking_id, event) VALUES (%s, 'confirm')", (booking,)
        )
    return redirect(f"/bookings/{booking}", 303)
