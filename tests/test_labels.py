"""Every member of every closed list has a word that people understand."""

from __future__ import annotations

import enum
import inspect

from app.labels import LABELS
from app.models import cabinet_choices, enums, policy_choices

WITHOUT = {"Surface", "LinkPurpose"}
"""Lists that no page shows yet."""


def test_every_member_has_a_label():
    lists = [
        each
        for module in (enums, policy_choices, cabinet_choices)
        for name, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, enum.Enum)
        and each.__module__ == module.__name__
        and name not in WITHOUT
    ]
    assert len(lists) > 15
    missing = [member for each in lists for member in each if (each, member.value) not in LABELS]
    assert missing == []
