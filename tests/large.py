"""A company with many applications and a third purpose: what the consent page must bear."""

from collections.abc import Mapping
from typing import Final

from consent import services as consent
from governance.policies import services as policies
from governance.policies.categories import WITHOUT_PICTURES
from tests import make

NAMES: Final = (
    "Accounts receivable",
    "Badge office",
    "Cargo tracker",
    "Claims",
    "Contract archive",
    "Customs desk",
    "Dangerous goods",
    "Dock planner",
    "Driver portal",
    "Fleet",
    "Forklift terminal",
    "Harbour gate",
    "Invoice scanner",
    "Lab results",
    "Load planner",
    "Order entry",
    "Purchase orders",
    "Quay crane",
    "Rail desk",
    "Returns",
    "Route board",
    "Tariffs",
)
TEST: Final = "test-computer-use-agents"
PURPOSES: Final = (*make.PURPOSES, TEST)
# Applications that have no policy: nothing of them may ever be captured.
NEVER: Final = ("E-mail", "HR self-service")


def key_of(name: str) -> str:
    return name.lower().replace(" ", "-")


APPLICATIONS: Final[Mapping[str, str]] = {
    **{key: key.replace("-", " ").capitalize() for key in make.APPLICATIONS},
    **{key_of(name): name for name in NAMES},
}


def house(*, more: int = 0) -> make.House:
    """Make the usual house and let it grow to 24 applications and three purposes."""
    made = make.house(more=more)
    policies.register_purpose(
        key=TEST,
        name="Test software agents",
        description="Replay recorded tasks to measure what an agent gets right.",
        broader="ProductDevelopment",
        actor=made.ines,
    )
    for name in (*NAMES, *NEVER):
        kind = "desktop" if len(name) % 2 else "web"
        policies.register_application(key=key_of(name), name=name, kind=kind, actor=made.ines)
        policies.set_retention(
            application=key_of(name),
            days=dict.fromkeys(WITHOUT_PICTURES, make.DAYS),
            actor=made.ines,
        )
    for purpose in PURPOSES:
        texts = dict.fromkeys(("en", "de", "fr"), notice(purpose))
        consent.publish_notice(purpose=purpose, texts=texts, actor=made.ines)
    for key in APPLICATIONS:
        body = make.policy_content(key) if key in make.APPLICATIONS else policy(key)
        make.activate(made, body | {"purposes": list(PURPOSES)})
    return made


def policy(key: str) -> dict[str, object]:
    """Return a policy's content for one of the further applications."""
    kind = "desktop" if len(key) % 2 else "web"
    matcher = (
        {"kind": "process", "pattern": key, "id": "main"}
        if kind == "desktop"
        else {"kind": "origin", "pattern": f"https://{key}.example", "id": "main"}
    )
    return make.policy_content(make.DESK) | {
        "application": key,
        "kind": kind,
        "matchers": [matcher],
        "titles": [],
        "urls": [],
        "labels": [],
    }


def notice(purpose: str) -> dict[str, object]:
    """Return the purpose's notice with every application in it."""
    return make.notice(purpose) | {
        "applications": dict(APPLICATIONS),
        "retention": [
            {"application": key, "category": category.value, "days": make.DAYS}
            for key in APPLICATIONS
            for category in WITHOUT_PICTURES
        ],
    }
