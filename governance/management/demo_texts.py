"""What Nordhafen's privacy officer writes: purposes, policies and notices in three languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from governance.policies.categories import WITHOUT_PICTURES, Category

TRAIN: Final = "train-computer-use-agents"
IMPROVE: Final = "improve-redaction"
DESK: Final = "freight-desk"
TERMINAL: Final = "warehouse-terminal"
CUSTOMERS: Final = "customer-desk"

PURPOSES: Final[tuple[Mapping[str, str], ...]] = (
    {
        "key": TRAIN,
        "name": "Train computer-use agents",
        "description": "Train models that operate the named applications, so that they take over "
        "repeated steps such as entering a vendor. Nobody's work is judged by it.",
        "broader": "ResearchAndDevelopment",
    },
    {
        "key": IMPROVE,
        "name": "Improve redaction",
        "description": "Find out where personal data slips through redaction and make it better.",
        "broader": "ServiceOptimisation",
    },
)

APPLICATIONS: Final[tuple[Mapping[str, str], ...]] = (
    {"key": DESK, "name": "Freight desk", "kind": "web"},
    {"key": TERMINAL, "name": "Warehouse terminal", "kind": "desktop"},
    {"key": CUSTOMERS, "name": "Customer desk", "kind": "web"},
)

# Whoever works there calls them so in every language, as the form and the band do.
_NAMES: Final = {each["key"]: each["name"] for each in APPLICATIONS if each["key"] != CUSTOMERS}

DAYS: Final[Mapping[str, int]] = {
    category.value: 60 if category is Category.KEYSTROKE_TEXT else 180
    for category in WITHOUT_PICTURES
}

_ORIGIN: Final = "http://127.0.0.1:38749"
POLICIES: Final[tuple[Mapping[str, object], ...]] = (
    {
        "application": DESK,
        "kind": "web",
        "purposes": [TRAIN, IMPROVE],
        "categories": [category.value for category in WITHOUT_PICTURES],
        "matchers": [{"kind": "origin", "pattern": _ORIGIN, "id": "freight-desk"}],
        "titles": [],
        "urls": [
            {"id": "vendor-form", "pattern": f"{_ORIGIN}/form.html"},
            {"id": "vendor-home", "pattern": f"{_ORIGIN}/form.html#home"},
            {"id": "vendor-list", "pattern": f"{_ORIGIN}/form.html#vendors"},
        ],
        "fields": [],
        "masks": [],
        "labels": ["Germany", "France", "Denmark", "Terms accepted", "Save", "Cancel"],
        "rules": {"keystroke-timing": {"quantise-ms": 20}},
        "places": ["DE"],
    },
    {
        "application": TERMINAL,
        "kind": "desktop",
        "purposes": [TRAIN, IMPROVE],
        "categories": [category.value for category in WITHOUT_PICTURES],
        "matchers": [
            {"kind": "process", "pattern": "demo-corp", "id": "claim"},
            {"kind": "process", "pattern": "ApplicationFrameHost", "id": "settings"},
            {"kind": "process", "pattern": "ShellExperienceHost", "id": "shell"},
        ],
        "titles": [{"id": "expense-claim", "pattern": "Expense claim - Demo Corp"}],
        "urls": [],
        "fields": [],
        "masks": [],
        "labels": [],
        "rules": {"keystroke-timing": {"quantise-ms": 20}},
        "places": ["DE"],
    },
)

BASIS: Final = {
    "lawful_basis": "A6-1-a-explicit-consent",
    "evidence": "Asked cell by cell in the portal; nothing is captured without a yes.",
}


def agreement(application: str, scope_digest: str) -> dict[str, object]:
    """Return what Nordhafen and its works council signed about one application."""
    return {
        "application": application,
        "kind": "agreement",
        "reference": f"BV 2026-11 {application}",
        "parties": [
            {"name": "Nordhafen GmbH", "role": "employer"},
            {"name": "Betriebsrat der Nordhafen GmbH", "role": "works council"},
        ],
        "places": ["DE"],
        "valid_from": "2026-11-01",
        "valid_until": "2028-10-31",
        "scope_digest": scope_digest,
        "document_digest": sha256(f"BV 2026-11 {application}".encode()).hexdigest(),
    }


_CONTROLLER: Final = {
    "name": "Nordhafen GmbH",
    "address": "Am Kai 1, 20457 Hamburg, DE",
    "contact": "mailto:office@nordhafen.example",
}
_OFFICER: Final = {
    "name": "Ines Duarte",
    "address": "Am Kai 1, 20457 Hamburg, DE",
    "contact": "mailto:privacy@nordhafen.example",
}
_RECIPIENT: Final = {
    "name": "Nordhafen agent training",
    "address": "Am Kai 1, 20457 Hamburg, DE",
    "contact": "mailto:training@nordhafen.example",
}
_AUTHORITY: Final = {
    "name": "Der Hamburgische Beauftragte für Datenschutz und Informationsfreiheit",
    "address": "Ludwig-Erhard-Straße 22, 20459 Hamburg, DE",
    "contact": "mailto:mailbox@datenschutz.hamburg.de",
}


@dataclass(frozen=True, slots=True)
class _Words:
    """One language's words, in the order in which a notice says them."""

    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    introduction: str
    transfers: str
    rights: str
    withdrawal: str
    complaint: str
    obligation: str
    automated_decisions: str
    applications: Mapping[str, str]
    categories: Mapping[str, str]


_WORDS: Final[Mapping[str, _Words]] = {
    "en": _Words(
        titles={TRAIN: "Training computer-use agents", IMPROVE: "Improving redaction"},
        descriptions={
            TRAIN: "We want to train models that operate these applications and take over repeated "
            "steps. Your work is not judged by it, now or later.",
            IMPROVE: "We want to find out where personal data slips through redaction, and make it "
            "better.",
        },
        introduction="You decide, for each application and each kind of data. If you do nothing, "
        "the answer is no, and nothing follows from it.",
        transfers="The data stays in Germany. It is sent to no country outside the EU.",
        rights="You may see everything that is kept about you, take a copy, correct it, restrict "
        "or object to its use, and have it erased. The portal does each of these itself.",
        withdrawal="You may withdraw at any time, with one click and without a reason. Your data "
        "becomes unreadable at once, and releases that hold it are recalled.",
        complaint="You may complain to the supervisory authority named here.",
        obligation="You need not agree. Neither law nor contract asks for it, and your manager "
        "cannot see what you chose.",
        automated_decisions="No decision about you is made automatically.",
        applications=_NAMES,
        categories={
            "pointer": "where the mouse pointer moves and scrolls",
            "click": "clicks and drags",
            "menu-navigation": "choosing in menus, dropdowns, tabs and dialogs",
            "shortcut": "keyboard shortcuts and special keys",
            "keystroke-timing": "the rhythm of typing, without the characters",
            "keystroke-text": "typed text, redacted",
            "window-metadata": "which application and page is open",
            "ui-structure": "the layout of the screen without its text",
        },
    ),
    "de": _Words(
        titles={TRAIN: "Training von Computer-Agenten", IMPROVE: "Bessere Schwärzung"},
        descriptions={
            TRAIN: "Wir möchten Modelle trainieren, die diese Anwendungen bedienen und wiederholte "
            "Schritte übernehmen. Ihre Arbeit wird damit nicht bewertet, weder jetzt noch später.",
            IMPROVE: "Wir möchten herausfinden, wo persönliche Daten die Schwärzung überstehen, "
            "und sie verbessern.",
        },
        introduction="Sie entscheiden, für jede Anwendung und jede Art von Daten. Wenn Sie nichts "
        "tun, ist die Antwort Nein, und es folgt nichts daraus.",
        transfers="Die Daten bleiben in Deutschland. Sie gehen in kein Land außerhalb der EU.",
        rights="Sie können alles sehen, was über Sie gespeichert ist, eine Kopie mitnehmen, es "
        "berichtigen, seine Nutzung einschränken oder ihr widersprechen und es löschen lassen. "
        "All das geht im Portal.",
        withdrawal="Sie können jederzeit mit einem Klick und ohne Grund widerrufen. Ihre Daten "
        "sind sofort unlesbar, und Freigaben, die sie enthalten, werden zurückgerufen.",
        complaint="Sie können sich bei der hier genannten Aufsichtsbehörde beschweren.",
        obligation="Sie müssen nicht zustimmen. Weder Gesetz noch Vertrag verlangen es, und Ihre "
        "Führungskraft sieht nicht, was Sie gewählt haben.",
        automated_decisions="Keine Entscheidung über Sie fällt automatisch.",
        applications=_NAMES,
        categories={
            "pointer": "wohin sich der Mauszeiger bewegt und wo Sie scrollen",
            "click": "Klicken und Ziehen",
            "menu-navigation": "die Auswahl in Menüs, Listen, Reitern und Dialogen",
            "shortcut": "Tastenkürzel und Sondertasten",
            "keystroke-timing": "der Rhythmus des Tippens, ohne die Zeichen",
            "keystroke-text": "getippter Text, geschwärzt",
            "window-metadata": "welche Anwendung und Seite offen ist",
            "ui-structure": "der Aufbau des Bildschirms ohne seinen Text",
        },
    ),
    "fr": _Words(
        titles={TRAIN: "Entraîner des agents informatiques", IMPROVE: "Améliorer le caviardage"},
        descriptions={
            TRAIN: "Nous voulons entraîner des modèles qui utilisent ces applications et prennent "
            "en charge les étapes répétées. Votre travail n'est pas évalué, ni aujourd'hui ni "
            "plus tard.",
            IMPROVE: "Nous voulons trouver où des données personnelles échappent au caviardage, "
            "et l'améliorer.",
        },
        introduction="Vous décidez, pour chaque application et chaque sorte de données. Si vous "
        "ne faites rien, la réponse est non, et rien n'en découle.",
        transfers="Les données restent en Allemagne. Elles ne vont dans aucun pays hors de l'UE.",
        rights="Vous pouvez voir tout ce qui est conservé sur vous, en prendre une copie, le "
        "rectifier, en limiter l'usage ou vous y opposer, et le faire effacer. Le portail fait "
        "tout cela lui-même.",
        withdrawal="Vous pouvez retirer votre accord à tout moment, d'un clic et sans raison. Vos "
        "données deviennent aussitôt illisibles, et les jeux de données qui les contiennent sont "
        "rappelés.",
        complaint="Vous pouvez porter plainte auprès de l'autorité de contrôle nommée ici.",
        obligation="Vous n'êtes pas tenu d'accepter. Ni la loi ni le contrat ne le demandent, et "
        "votre responsable ne voit pas votre choix.",
        automated_decisions="Aucune décision vous concernant n'est prise automatiquement.",
        applications=_NAMES,
        categories={
            "pointer": "où le pointeur de la souris se déplace et défile",
            "click": "les clics et les glissements",
            "menu-navigation": "les choix dans les menus, listes, onglets et dialogues",
            "shortcut": "les raccourcis clavier et les touches spéciales",
            "keystroke-timing": "le rythme de la frappe, sans les caractères",
            "keystroke-text": "le texte saisi, caviardé",
            "window-metadata": "quelle application et quelle page est ouverte",
            "ui-structure": "la disposition de l'écran sans son texte",
        },
    ),
}


def notices(purpose: str) -> dict[str, dict[str, object]]:
    """Return a purpose's notice in every language."""
    return {language: _notice(purpose, words) for language, words in _WORDS.items()}


def _notice(purpose: str, words: _Words) -> dict[str, object]:
    (broader,) = (each["broader"] for each in PURPOSES if each["key"] == purpose)
    return {
        "title": words.titles[purpose],
        "introduction": words.introduction,
        "controller": _CONTROLLER,
        "data_protection_officer": _OFFICER,
        "purpose": {
            "title": words.titles[purpose],
            "description": words.descriptions[purpose],
            "broader": [f"dpv:{broader}"],
        },
        "lawful_basis": "eu-gdpr:A6-1-a-explicit-consent",
        "recipients": [_RECIPIENT],
        "transfers": words.transfers,
        "locations": ["loc:DE"],
        "retention": [
            {"application": application, "category": category, "days": days}
            for application in words.applications
            for category, days in DAYS.items()
        ],
        "rights": words.rights,
        "withdrawal": words.withdrawal,
        "authority": _AUTHORITY,
        "complaint": words.complaint,
        "obligation": words.obligation,
        "automated_decisions": words.automated_decisions,
        "applications": words.applications,
        "categories": words.categories,
    }
