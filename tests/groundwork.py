"""Lays what a policy needs before it may act: bases, an assessment, an agreement."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from audit.actors import Actor
from governance.compliance import agreements, selectors, services
from governance.compliance.jurisdictions import CONSENT_BASIS
from governance.policies import groundwork, history

PLACE = "DE"
DOCUMENT = "5" * 64
FAR = "2099-12-31"


def assessment(
    scopes: Iterable[tuple[str, str]], purposes: Iterable[str], **changes: object
) -> dict[str, object]:
    """Return the content of a complete assessment that looked at (application, digest) scopes."""
    return {
        "kind": "dpia",
        "title": "Training computer-use agents",
        "covers": [
            {"application": application, "scope_digest": digest} for application, digest in scopes
        ],
        "purposes": list(purposes),
        "description": "Recorded work of people who allow it trains agents.",
        "necessity": "Synthetic tasks do not show how the applications are really used.",
        "proportionality": "Only named applications, redacted before anybody reads them.",
        "other_persons": "Customers' names may stand on the screen; they are removed twice.",
        "risks": [
            {
                "id": "pressure",
                "to": "data-subjects",
                "words": "People feel pressed to agree.",
                "likelihood": "medium",
                "severity": "high",
                "measures": ["secrecy"],
                "residual": "low",
            },
            {
                "id": "names",
                "to": "other-persons",
                "words": "A customer's name is kept.",
                "likelihood": "medium",
                "severity": "medium",
                "measures": ["redaction"],
                "residual": "low",
            },
        ],
        "measures": [
            {"id": "secrecy", "words": "Nobody sees who refused."},
            {"id": "redaction", "words": "Names are removed before anything is stored."},
        ],
        "advice": {"by": "Ines Sample", "on": "2026-11-02", "words": "It may go on."},
        "views": {"of": "representatives", "on": "2026-11-03", "words": "With an agreement."},
        "residual_risk": "low",
        "review_on": FAR,
        "commitments": [{"kind": "category-never", "id": "no-typing", "category": "nothing"}],
    } | changes


def lay(
    *,
    application: str,
    number: int,
    officer: Actor,
    approver: Actor,
    council: Actor,
    now: datetime | None = None,
) -> None:
    """Lay all that one version needs, whatever places and purposes it names."""
    version = history.version(application, number)
    assert version is not None
    purposes, places = (list(map(str, _list(version.content[name]))) for name in _NAMES)
    known = selectors.bases()
    for purpose in purposes:
        if purpose not in known:
            groundwork.record_basis(
                purpose=purpose,
                basis=CONSENT_BASIS,
                evidence="Asked cell by cell.",
                actor=officer,
                now=now,
            )
    assess(
        f"{application}-v{number}",
        assessment([(application, version.scope_digest)], purposes),
        officer=officer,
        approver=approver,
        now=now,
    )
    if places:
        agree(
            application=application,
            scope_digest=version.scope_digest,
            places=places,
            officer=officer,
            council=council,
            now=now,
        )


_NAMES = ("purposes", "places")


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def assess(
    key: str,
    content: dict[str, object],
    *,
    officer: Actor,
    approver: Actor,
    now: datetime | None = None,
) -> str:
    """Draft, submit and approve an assessment; return its reference."""
    made = services.draft(key=key, content=content, actor=officer, now=now)
    services.submit(key=key, number=made.number, actor=officer, now=now)
    services.decide(
        key=key,
        number=made.number,
        decision="approve",
        content_digest=made.content_digest,
        actor=approver,
        now=now,
    )
    return str(made)


def agree(
    *,
    application: str,
    scope_digest: str,
    officer: Actor,
    council: Actor,
    places: Iterable[str] = (PLACE,),
    valid_until: date | None = None,
    now: datetime | None = None,
) -> UUID:
    """Record an agreement and confirm it."""
    made = agreements.record(
        signed=agreements.Signed(
            application=application,
            kind="agreement",
            reference=f"BV {application}",
            parties=[
                {"name": "Nordhafen GmbH", "role": "employer"},
                {"name": "Betriebsrat", "role": "works council"},
            ],
            places=list(places),
            valid_from=date(2026, 1, 1),
            valid_until=valid_until,
            scope_digest=scope_digest,
            document_digest=DOCUMENT,
        ),
        actor=officer,
        now=now,
    )
    agreements.confirm(agreement_id=made.id, actor=council, now=now)
    return made.id
