"""A complete notice, to be published by tests or spoiled one item at a time."""

from collections.abc import Iterable

PARTY = {"name": "Nordhafen SE", "address": "Kai 7, 20457 Hamburg", "contact": "privacy@n.example"}
APPLICATIONS = {"freight-desk": "Freight desk", "warehouse-terminal": "Warehouse terminal"}
CATEGORIES = {"pointer": "Pointer movement", "click": "Clicks", "keystroke-text": "Typed text"}


def content(
    *,
    applications: Iterable[str] = tuple(APPLICATIONS),
    categories: Iterable[str] = tuple(CATEGORIES),
    days: int = 90,
) -> dict[str, object]:
    """Return a notice that says all of Art. 13 about these cells."""
    applications, categories = list(applications), list(categories)
    return {
        "title": "Recording your work to train assistants",
        "introduction": "Nothing is recorded unless you say yes.",
        "controller": PARTY,
        "data_protection_officer": PARTY | {"name": "Ines Petersen"},
        "authority": PARTY | {"name": "HmbBfDI"},
        "purpose": {
            "title": "Training computer-use agents",
            "description": "Training of models that operate the named applications.",
            "broader": ["dpv:CommercialResearch"],
        },
        "lawful_basis": "Your explicit consent (Art. 6(1)(a) GDPR).",
        "recipients": [PARTY | {"name": "Agent training unit"}],
        "transfers": "None outside the European Union.",
        "locations": ["DE"],
        "retention": [
            {"application": application, "category": category, "days": days}
            for application in applications
            for category in categories
        ],
        "rights": "You may see, correct, erase, restrict and take with you what is yours.",
        "withdrawal": "Any time, on the same page, with effect at once.",
        "complaint": "You may complain to the authority.",
        "obligation": "You need not agree. Saying no has no consequence.",
        "automated_decisions": "None.",
        "applications": {key: APPLICATIONS.get(key, key) for key in applications},
        "categories": {key: CATEGORIES.get(key, key) for key in categories},
    }
