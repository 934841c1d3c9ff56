"""An OpenBao server for the tests of the key service; each test has key names of its own."""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from governance import env
from tests.infrastructure.openbao import OpenBao, running_openbao


@pytest.fixture(scope="module")
def openbao_server() -> Iterator[OpenBao]:
    with running_openbao() as running:
        yield running


@pytest.fixture
def prefix() -> str:
    return f"t{token_hex(4)}"


@pytest.fixture
def bao(openbao_server: OpenBao, prefix: str, tmp_path: Path, settings: Any) -> OpenBao:
    """The key store of this test in the service."""
    settings.REMIT_VAULT_DIR = tmp_path / "vault"
    settings.REMIT_KEK = env.key_service(f"{openbao_server.url}?keys={prefix}")
    settings.REMIT_KEK_TOKEN = openbao_server.root
    settings.REMIT_KEK_TOKEN_FILE = ""
    return openbao_server
