"""What Nordhafen's impact assessment says."""

from collections.abc import Mapping
from typing import Final

from governance.management.demo_texts import IMPROVE, TRAIN

_RISKS: Final = [
    {
        "id": "pressure",
        "to": "data-subjects",
        "words": "People agree because they fear to be seen as unhelpful.",
        "likelihood": "medium",
        "severity": "high",
        "measures": ["secret-choice", "no-detriment"],
        "residual": "low",
    },
    {
        "id": "judged",
        "to": "data-subjects",
        "words": "Recordings are used to judge how somebody works.",
        "likelihood": "low",
        "severity": "high",
        "measures": ["prohibited-uses", "open-log"],
        "residual": "low",
    },
    {
        "id": "customers",
        "to": "other-persons",
        "words": "A customer's name slips through redaction.",
        "likelihood": "medium",
        "severity": "medium",
        "measures": ["redaction", "canaries"],
        "residual": "medium",
    },
]
_MEASURES: Final = [
    {"id": "secret-choice", "words": "Nobody but the person sees what they chose."},
    {"id": "no-detriment", "words": "Refusing has no consequence; no rewards exist."},
    {"id": "prohibited-uses", "words": "Judging people is refused to every role."},
    {"id": "open-log", "words": "Every access is an entry that the person can check."},
    {"id": "redaction", "words": "Two stages of redaction; what is unsure is dropped."},
    {"id": "canaries", "words": "Planted names measure what redaction finds."},
]
_COMMITMENTS: Final = [
    {"kind": "category-never", "id": "no-pictures", "category": "screenshot"},
    {
        "kind": "retention-at-most",
        "id": "typed-text-ninety-days",
        "category": "keystroke-text",
        "days": 90,
    },
    {"kind": "typing-quantum-at-least", "id": "blurred-typing", "milliseconds": 20},
    {"kind": "contributors-at-least", "id": "twenty-people", "people": 20},
    {"kind": "places-only", "id": "germany-only", "places": ["DE"]},
]
KEY: Final = "cua-training"


def assessment(scopes: Mapping[str, str]) -> dict[str, object]:
    """Return the impact assessment that looked at these scopes, by application."""
    return {
        "kind": "dpia",
        "title": "Recording work to train computer-use agents",
        "covers": [
            {"application": application, "scope_digest": digest}
            for application, digest in scopes.items()
        ],
        "purposes": [TRAIN, IMPROVE],
        "description": "An agent on the computers of people who allow it records pointer, clicks, "
        "menus, shortcuts and redacted text in two named applications. What is recorded is sealed "
        "on the computer, redacted by the service and used to train models of this company.",
        "necessity": "Scripts and synthetic tasks were tried. They miss how people go from one "
        "application to the other, which is what the agents must learn.",
        "proportionality": "Two applications of about forty, no pictures of screens, typed text "
        "only redacted, at most 180 days, and nothing from anybody who does not say yes.",
        "other_persons": "Names and addresses of customers and vendors stand in both applications. "
        "They are masked or replaced before anything is stored, and can be found and deleted.",
        "risks": _RISKS,
        "measures": _MEASURES,
        "advice": {
            "by": "Ines Duarte",
            "on": "2026-10-12",
            "words": "It may go on with the measures named, and be looked at again in a year.",
        },
        "views": {
            "of": "representatives",
            "on": "2026-10-19",
            "words": "The works council agrees, provided that no pictures of screens are taken.",
        },
        "residual_risk": "medium",
        "review_on": "2027-10-31",
        "commitments": _COMMITMENTS,
    }
