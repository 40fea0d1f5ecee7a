"""How we say to the provider who we are: a plain secret today, a GOST signature where the law wants one.

ESIA itself takes requests signed by GOST R 34.10-2012 with certified means (features.md 5.8). Those stand
outside this program: whoever has them writes one more ``Signer``, and nothing else changes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote_plus


class Signer(Protocol):
    """Adds the proof to both requests."""

    def authorization(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Further fields of the address that the browser is sent to."""
        ...

    def token(self, body: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Body (a form, encoded) and headers of the request for tokens, with the proof in them."""
        ...


class PlainSecret:
    """``client_secret_basic`` of RFC 6749, 2.3.1."""

    def __init__(self, client_id: str, secret: str) -> None:
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
        self._header = f"Basic {base64.b64encode(pair).decode()}"

    def authorization(self, fields: Mapping[str, str]) -> dict[str, str]:
        return {}

    def token(self, body: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        return body, {**headers, "Authorization": self._header}


class Auth:
    """A signer as Authlib wants it."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def prepare(
        self, _method: str, address: str, headers: Mapping[str, str], body: str
    ) -> tuple[str, dict[str, str], str]:
        body, made = self.signer.token(body, headers)
        return address, made, body
