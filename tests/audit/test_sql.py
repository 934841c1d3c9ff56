"""Plain statements mean the same on both databases."""

import pytest

from audit import sql

pytestmark = pytest.mark.django_db


def test_a_doubled_sign_is_the_sign_itself_and_takes_no_parameter() -> None:
    found = sql.row("SELECT '%%s', '%%%%', CAST(%s AS integer), 7 %% CAST(%s AS integer)", [1, 4])
    assert tuple(found) == ("%s", "%%", 1, 3)
