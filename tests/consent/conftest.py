"""A published notice and two people who may answer it."""

from uuid import uuid4

import pytest

from audit.actors import Actor
from consent import services
from tests.consent.notices import content

PURPOSE = "train-computer-use-agents"
INES = Actor("00000000-0000-4000-8000-000000000001", "privacy_officer")


@pytest.fixture
def mira() -> Actor:
    return Actor(str(uuid4()), "employee")


@pytest.fixture
def notice(db: None) -> str:
    """The reference of the notice in force, in English and German."""
    versions = services.publish_notice(
        purpose=PURPOSE, texts={"en": content(), "de": content()}, actor=INES
    )
    return versions[0].reference
