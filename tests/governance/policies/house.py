"""A small house with one application, one purpose and everything an activation needs."""

from datetime import datetime
from typing import Any

from django.conf import settings

import consent.services
from audit.actors import Actor
from governance.policies import services
from governance.policies.categories import Category
from tests import groundwork
from tests.consent.notices import content as notice_content

PURPOSE = "train-computer-use-agents"
APPLICATION = "freight-desk"
INES = Actor("00000000-0000-4000-8000-000000000001", "privacy_officer")
LEA = Actor("00000000-0000-4000-8000-000000000002", "policy_approver")
WANDA = Actor("00000000-0000-4000-8000-000000000003", "auditor")
CATEGORIES = ["pointer", "click", "keystroke-text"]


def content(**changes: object) -> dict[str, object]:
    """Return a policy's content, with some parts changed."""
    return {
        "application": APPLICATION,
        "kind": "web",
        "purposes": [PURPOSE],
        "categories": list(CATEGORIES),
        "matchers": [{"kind": "origin", "pattern": "https://freight.example", "id": "desk"}],
        "titles": [{"id": "order", "pattern": "Order *"}],
        "urls": [{"id": "order", "pattern": "https://freight.example/orders/*"}],
        "places": [groundwork.PLACE],
    } | changes


def register(purpose: str = PURPOSE) -> None:
    services.register_purpose(
        key=purpose,
        name="Training",
        description="Training of models that operate the applications.",
        broader="CommercialResearch",
        actor=INES,
    )


def tell(text: dict[str, object]) -> None:
    """Publish a notice in every language in which people are asked."""
    texts = dict.fromkeys(dict(settings.LANGUAGES), text)
    consent.services.publish_notice(purpose=PURPOSE, texts=texts, actor=INES)


def furnish(*, days: int = 90) -> None:
    """Register purpose and application, publish the notice and set the retention."""
    register()
    services.register_application(key=APPLICATION, name="Freight desk", kind="web", actor=INES)
    services.set_retention(
        application=APPLICATION, days={Category(key): days for key in CATEGORIES}, actor=INES
    )
    tell(notice_content(days=180))


def approved(now: datetime | None = None, **changes: object) -> int:
    """Draft, submit and approve a version on laid ground; return its number."""
    draft = services.draft_policy(content=content(**changes), actor=INES, now=now)
    at: dict[str, Any] = {"application": APPLICATION, "number": draft.number}
    groundwork.lay(**at, officer=INES, approver=LEA, council=WANDA, now=now)
    services.submit(**at, actor=INES, now=now)
    services.approve(**at, content_digest=draft.content_digest, actor=LEA, now=now)
    return draft.number


def activated(now: datetime | None = None, **changes: object) -> int:
    """Do the same and put it in force."""
    number = approved(now, **changes)
    services.activate(application=APPLICATION, number=number, actor=INES, now=now)
    return number
