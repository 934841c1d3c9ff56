"""Nothing that an address can say makes the log's pages or its API stumble."""

import os
import random
from urllib.parse import quote

import pytest

from tests import make
from tests.governance.portal.test_pages import signed_in

pytestmark = [pytest.mark.django_db, *([pytest.mark.soak] if os.environ.get("REMIT_SOAK") else [])]

ROUNDS = 3000 if os.environ.get("REMIT_SOAK") else 30
NAMES = (
    *("text", "since", "until", "events", "event", "verdicts", "verdict", "purposes", "purpose"),
    *("roles", "role", "after", "limit", "format", "mine", "next"),
)
VALUES = [
    *(
        "",
        "0",
        "-1",
        "1e3",
        " 1",
        "+1",
        "\u00b2",
        "\u0661",
        "9" * 30,
        str(2**62),
        str(2**63),
        "true",
    ),
    *("\x00", "a\x00b", "\udc80", "\u202e", "\r\nX: y", "%", "<script>", "' OR 1=1 --", "x" * 5000),
    *("2026-11-21", "2026-02-30", "0000-01-01", "9999-12-31", "2026-11-21T25:00Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z"),
    *("access:allowed", "consent:decided", "deny", "csv", "jsonl", "ocsf", "../../etc/passwd"),
    *("00000000-0000-0000-0000-000000000000", "A" * 43 + "=", "f" * 64),
]
SEARCHES = (
    *("/office/log/", "/office/log/export", "/api/v1/audit/entries", "/api/v1/me/access"),
    *("/api/v1/audit/entries/export", "/access/", "/log", "/verify"),
)
PLACES = (
    *("/log/{}", "/log/tile/{}", "/log/tile/0/000.p/{}", "/log/tile/entries/x{}/000"),
    *("/office/log/{}/", "/office/log/{}/proof", "/api/v1/audit/entries/{}/proof"),
)


def _octets(value: str) -> str:
    return quote(value.encode("utf-8", "surrogateescape"), safe="")


def test_every_address_is_answered_or_refused(nordhafen: make.House) -> None:
    seed = int(os.environ.get("REMIT_SEED", "0")) or random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)
    client = signed_in("wanda")
    client.raise_request_exception = False
    for _ in range(ROUNDS):
        path = rng.choice(PLACES).format(_octets(rng.choice(VALUES)))
        words = [f"{rng.choice(NAMES)}={_octets(one)}" for one in rng.sample(VALUES, 2)]
        for address in (path, f"{rng.choice(SEARCHES)}?{'&'.join(words[: rng.randrange(1, 3)])}"):
            answer = client.get(address)
            assert answer.status_code < 500, (f"REMIT_SEED={seed}", address)
            if address.startswith("/api/") and answer.status_code >= 400:
                assert answer["Content-Type"] == "application/problem+json", address
