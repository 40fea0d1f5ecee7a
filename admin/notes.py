"""What was typed by POST and must stand in no address, kept for the page that answers by GET.

A search for a person answers with a redirect, so that Back and Reload work as on any page. The address
names the note by a key that says nothing; the words themselves are in the reader's own cookie, encrypted,
for half an hour and for this sign-in only.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from flask import g, session

from app.models.crypto import CannotDecrypt, decrypt, encrypt

NOTES = "notes"
LASTS = 30 * 60
"""Seconds."""
MOST = 6
"""A cookie holds four thousand characters: the oldest note makes room."""


def keep(about: str, text: str, *, lasts: int = LASTS) -> str:
    """Keep ``text`` for ``lasts`` seconds; the key for the address. ``about`` says what kind of note it is."""
    key = secrets.token_hex(4)
    sealed = base64.b85encode(encrypt(text, _bound_to(about, key))).decode()
    until = int(g.now.timestamp()) + lasts
    session[NOTES] = dict([*session.get(NOTES, {}).items(), (key, [until, sealed])][-MOST:])
    return key


def kept(about: str, key: str) -> str | None:
    """The text of a note of this kind, or None: over, pushed out, or never written here."""
    until, sealed = session.get(NOTES, {}).get(key, (0, ""))
    if until <= g.now.timestamp():
        return None
    try:
        return decrypt(base64.b85decode(sealed), _bound_to(about, key))
    except (CannotDecrypt, binascii.Error, ValueError):
        return None


def _bound_to(about: str, key: str) -> str:
    return f"note|{about}|{key}"
