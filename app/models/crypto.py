"""Text that is never in the clear in the database, its look-up index, and derived tokens.

``Encrypted`` is a descriptor, not a column type: a type cannot see the row, and the cipher binds each
value to table, column and the row's UUID, so that a value copied to another row is an error and not
another person. Format: ``1 | key id | nonce 12 | ciphertext and tag`` (AES-256-GCM).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = 1


class CannotDecrypt(Exception):
    """The value was changed, moved to another row, or its key is gone. Never another person."""


@dataclass(frozen=True)
class KeyRing:
    """Data keys by id (1–255), the id that encrypts now, and the keys for indexes and tokens."""

    data: Mapping[int, bytes]
    current: int
    index: bytes
    token: bytes

    @classmethod
    def from_secret(cls, secret: bytes) -> KeyRing:
        """A ring derived from one secret: for the demo and for tests."""
        data, index, token = (
            hmac.new(secret, name, hashlib.sha256).digest()
            for name in (b"data", b"index", b"token")
        )
        return cls({1: data}, 1, index, token)


_ring: list[KeyRing] = []


def use_keys(ring: KeyRing) -> None:
    """Set the ring for this process (the factory does it once)."""
    _ring[:] = [ring]


def keys() -> KeyRing:
    if not _ring:
        raise RuntimeError("no key ring: the application was not made by its factory")
    return _ring[0]


def prefix(key_id: int) -> bytes:
    """How every value sealed by this key begins."""
    return bytes([FORMAT, key_id])


def key_of(stored: bytes) -> int:
    """The id of the key that sealed this value (or its first bytes); 0 if it is in no format of ours."""
    return stored[1] if len(stored) > 1 and stored[0] == FORMAT else 0


def is_current(stored: bytes) -> bool:
    return stored.startswith(prefix(keys().current))


def encrypt(text: str, bound_to: str) -> bytes:
    ring, nonce = keys(), os.urandom(12)
    sealed = AESGCM(ring.data[ring.current]).encrypt(nonce, text.encode(), bound_to.encode())
    return prefix(ring.current) + nonce + sealed


def decrypt(stored: bytes, bound_to: str) -> str:
    """The text. Raises CannotDecrypt if it is not this row's or its key is unknown."""
    try:
        if stored[0] != FORMAT:
            raise CannotDecrypt(bound_to)
        key = keys().data[stored[1]]
        return AESGCM(key).decrypt(stored[2:14], stored[14:], bound_to.encode()).decode()
    except (InvalidTag, KeyError, IndexError) as error:
        raise CannotDecrypt(bound_to) from error


def blind_index(kind: str, normalised: str) -> bytes:
    """32 bytes to look a value up by, useless without the key (a plain hash of a phone is not)."""
    return hmac.new(keys().index, f"{kind}|{normalised}".encode(), hashlib.sha256).digest()


def derived(purpose: str, row_id: int, nonce: str) -> str:
    """A link's token, 32 bytes as URL-safe text: computed when needed, stored nowhere."""
    message = f"{purpose}|{row_id}|{nonce}".encode()
    digest = hmac.new(keys().token, message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def bound_to(table: str, name: str, uid: object) -> str:
    """What a value is sealed to: its table, its name, and the UUID of its row."""
    return f"{table}|{name}|{uid}"


def derived_digits(purpose: str, row_id: int, nonce: str, count: int) -> str:
    """A code to be typed, ``count`` digits, derived like a link's token."""
    message = f"{purpose}|{row_id}|{nonce}".encode()
    digest = hmac.new(keys().token, message, hashlib.sha256).digest()
    return f"{int.from_bytes(digest, 'big') % 10**count:0{count}d}"


class Encrypted:
    """An attribute kept in ``<name>_ciphertext`` (and, if asked, ``<name>_index`` for look-up).

    The class must declare those columns and have ``uid`` (``HasUid``), set from construction on.
    """

    def __init__(self, *, indexed: bool = False) -> None:
        self.indexed = indexed

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def _bound_to(self, row: Any) -> str:
        return bound_to(row.__tablename__, self.name, row.uid)

    def __get__(self, row: Any, owner: type) -> Any:
        if row is None:
            return self
        stored: bytes | None = getattr(row, f"{self.name}_ciphertext")
        return None if stored is None else decrypt(stored, self._bound_to(row))

    def __set__(self, row: Any, value: str | None) -> None:
        if row.uid is None:
            raise RuntimeError("give the row its uid before its encrypted values")
        sealed = None if value is None else encrypt(value, self._bound_to(row))
        setattr(row, f"{self.name}_ciphertext", sealed)
        if self.indexed:
            index = None if value is None else blind_index(self.name, value)
            setattr(row, f"{self.name}_index", index)
