"""What an organization chooses in its booking policy: the closed lists that make one engine five systems."""

from __future__ import annotations

from enum import StrEnum


class Entry(StrEnum):
    """When somebody says who he is (policy): by an account, before the schedule, or after the time is chosen."""

    ACCOUNT = "account"
    BEFORE = "before"
    AFTER = "after"


class ConsentStep(StrEnum):
    """Where the consent to the processing of data is given (policy; rows A11, B8, D9, E15)."""

    REGISTRATION = "registration"
    SCREEN = "screen"
    BOX = "box"


class PhoneRule(StrEnum):
    """Whether a telephone is asked for (policy): E27 required, E30 optional, D11–D13 chosen or declined."""

    NONE = "none"
    REQUIRED = "required"
    OPTIONAL = "optional"
    CHOICE = "choice"


class Wording(StrEnum):
    """How an organization speaks of a booking (policy): «Запись на донацию…», «Запись на прием…», «Заявка…»."""

    DONATION = "donation"
    VISIT = "visit"
    REQUEST = "request"
