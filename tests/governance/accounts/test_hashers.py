"""The demo's cheap password hashes do not outlive the demo."""

from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from pytest_django import Settings

STRONG = "django.contrib.auth.hashers.ScryptPasswordHasher"


def test_a_password_of_the_demo_is_hashed_anew_outside_it(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["governance.accounts.hashers.DemoHasher"]
    cheap = make_password("demo")
    assert check_password("demo", cheap)
    settings.PASSWORD_HASHERS = [STRONG]
    kept: list[str] = []
    assert check_password("demo", cheap, kept.append)
    assert kept == ["demo"]
    assert not identify_hasher(make_password("demo")).must_update(make_password("demo"))
