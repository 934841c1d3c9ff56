"""Where the key service is: taken apart strictly, and never spoken to in clear over a network."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from governance import env
from governance.env import KeyServiceAddress


def test_an_address_is_taken_apart() -> None:
    assert env.key_service("") is None
    assert env.key_service("openbao://keys.example:8200") == KeyServiceAddress(
        origin="https://keys.example:8200", mount="transit", namespace="", keys="remit", ca=""
    )
    address = "openbao+http://127.0.0.1:8200/a/b?namespace=team%2Fone&keys=north&ca=/etc/ca.pem"
    assert env.key_service(address) == KeyServiceAddress(
        origin="http://127.0.0.1:8200",
        mount="a/b",
        namespace="team/one",
        keys="north",
        ca="/etc/ca.pem",
    )
    assert env.key_service("openbao+http://[::1]:8200") is not None


@pytest.mark.parametrize(
    "url",
    [
        "openbao+http://keys.example:8200",
        "openbao+http://10.0.0.1:8200",
        "openbao+http://localhost:8200",
        "https://keys.example:8200",
        "openbao://",
        "openbao://token@keys.example",
        "openbao://:secret@keys.example",
        "openbao://keys.example/transit#x",
        "openbao://keys.example/transit?verify=0",
        "openbao://keys.example/transit?namespace",
        "openbao://keys.example/transit?keys=",
        "openbao://keys.example/transit?keys=a/b",
        "openbao://keys.example/transit?keys=.*",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REMIT_KEK_URL"):
        env.key_service(url)
