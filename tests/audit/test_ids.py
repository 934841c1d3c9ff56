"""Ids: the same form whichever way they are made."""

import time
from uuid import UUID

from audit.ids import uuid7, uuid7_text


def test_an_id_as_text_is_one_of_version_7_of_this_moment() -> None:
    made = [UUID(text) for text in {uuid7_text() for _ in range(200)}]
    assert len(made) == 200
    for each in [*made, uuid7()]:
        assert (each.version, each.variant) == (7, uuid7().variant)
        assert abs((each.int >> 80) / 1000 - time.time()) < 60
