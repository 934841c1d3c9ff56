"""What the label of a field says about its value: a value under "IBAN" is redacted whole."""

import re
from functools import lru_cache
from typing import Final

_NOT_PERSONAL: Final = re.compile(
    r"(?:order|invoice|po|part|serial|tracking|article|product|item|model|version|build|sku"
    r"|shipment|company|department|country|city|town|file|project|campaign|host|language|currency"
    r"|time ?zone|status|category|colou?r|warehouse|vendor|brand|quantity|amount|price|total|unit"
    r"|organi[sz]ation|application|app|browser|device|printer|server|domain|template|theme|font"
    r"|artikel|bestell|rechnungs|sprache|wahrung|land|stadt|abteilung|firma|pays|ville|langue"
    r"|produit|producto|prodotto|ciudad|pais|citta|paese)"
    r" ?(?:name|n[or]\.?|number|nummer|id)?$",
    re.IGNORECASE,
)
_WORDS: Final = (
    (
        "PERSON",
        (
            r"first ?name|given ?name|last ?name|sur ?name|family ?name|full ?name|middle ?name"
            r"|vorname"
            r"|nachname|familienname|prenom|^nom\b|apellido|^nombre|cognome|^nome\b|imie|nazwisko"
            r"|achternaam|voornaam|fornamn|efternamn|customer name|contact name|patient name"
            r"|cardholder"
            r"|account holder|assigned to|assignee|^owner|reviewer|approved by|approver|reported by"
            r"|reporter|requested by|manager name|^contact$|recipient|beneficiary|attendee"
            r"|organi[sz]er"
            r"|employee name|^name$|your name|created by|modified by|signed by|ansprechpartner"
            r"|(?:^|account |line |case |sales |hiring |your )manager$|supervisor"
            r"|^patient$|^client$|^customer$|^caller$|requester|submitted by|sent by"
            r"|closed by|contact person|^sender$|^tenant$|^candidate|^applicant|^guest"
            r"|^passenger|^student|^teacher|^payee|^payer"
            r"|^insured|^kund(?:e|in)$|^mitarbeiter|^bearbeiter|^autor|^author|display ?name"
            r"|nick ?name|maiden name|emergency contact|next of kin|apellidos|nombre completo"
            r"|nom complet|nome completo|nome e cognome|imie i nazwisko|^naam$|contactpersoon"
        ),
    ),
    ("IP_ADDRESS", r"\bip(?:v[46])?(?:[- ]?addr\w*)?$|\bip[- ]addr|ip-adresse|adresse ip"),
    ("MAC_ADDRESS", r"\bmac[- ]addr|mac-adresse|adresse mac|hardware address"),
    ("EMAIL", r"e-?mail|courriel|correo electronico"),
    (
        "PHONE",
        (
            r"phone|mobile|^tel\b|telefon|telephone|^cell\b|\bfax\b|handy|movil|portable"
            r"|whatsapp|cellulare|telefoon|komork"
        ),
    ),
    (
        "CREDIT_CARD",
        r"card (?:number|no)|credit card|kartennummer|numero de carte|debit card",
    ),
    ("CVV", r"\bcvv|\bcvc|security code"),
    (
        "NATIONAL_ID",
        (
            r"\bssn\b|social security|tax (?:id|n)|\btin\b|steuer|national|insurance n"
            r"|codice fiscale"
            r"|\bdni\b|\bnie\b|pesel|\bbsn\b|personnummer|aadhaar|\bcpf\b|nhs n"
            r"|securite sociale|^pan$"
            r"|\bvat\b|ust-?id"
        ),
    ),
    ("DATE_OF_BIRTH", r"birth|\bdob\b|geburts|naissance|nacimiento|nascita"),
    ("ADDRESS", r"street|address|adresse|direccion|indirizzo|^plz|post ?code|zip|strass?e"),
    ("EMPLOYEE_ID", r"employee (?:id|n)|staff (?:id|n)|personal(?:nummer|nr|-nr)|badge"),
    (
        "PASSWORD",
        r"password|passwort|kennwort|passphrase|\bpin\b|mot de passe|contrase|haslo",
    ),
    (
        "OTP",
        (
            r"one[- ]?time|\b2fa\b|\bmfa\b|\botp\b|auth.* code|\btan\b|einmal"
            r"|\d[- ]?digit code|(?:verification|confirmation|login|sms|access|pass|recovery"
            r"|sign-in) ?code|bestatigungscode|code de verification|codigo de verificacion"
            r"|codice di verifica"
        ),
    ),
    ("PASSPORT", r"passport|travel document|reisepass"),
    ("DRIVER_LICENSE", r"driv\w* licen|fuhrerschein|licence n"),
    (
        "BANK_ACCOUNT",
        r"iban|account (?:number|no)|bank account|kontonummer|routing|sort code|\bbic\b",
    ),
    ("USERNAME", r"user ?name|user ?id|^login|benutzer(?:name)?|^uid$"),
    ("MEDICAL_ID", r"medical record|patient (?:id|n)|\bmrn\b|health card"),
    ("GEO", r"^lat(?:itude)?$|^lon(?:gitude)?$|^lng$|coordinates|\bgps\b"),
    ("CRYPTO", r"wallet|bitcoin|\bbtc\b|ethereum"),
    (
        "SECRET",
        (
            r"api key|secret|access token|personal access|private key|^token|client secret"
            r"|license key|bearer|\bjwt\b|credential|webhook|ssh key|recovery (?:key|phrase)"
            r"|seed phrase|signing key|zugangstoken|api-schlussel"
        ),
    ),
)
_RULES: Final = tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in _WORDS)
# The address bar of a browser holds no postal address.
_OF_A_PAGE: Final = re.compile(
    r"address (?:and search )?bar|web ?(?:site|address)|\burl\b", re.IGNORECASE
)
# Roles whose whole text is the value of their label.
VALUE_ROLES: Final = frozenset(
    {"textbox", "searchbox", "spinbutton", "cell", "gridcell", "combobox", ""}
)


def is_impersonal(label: str) -> bool:
    """Tell whether a label (in plain form) announces a thing, so that words in it are no names."""
    return bool(label) and _NOT_PERSONAL.search(label) is not None


# What operators put in the place of a finding.
_WRITTEN: Final = re.compile(r"<[A-Z_]{2,24}(?:_[0-9a-f]{1,12})?>")


@lru_cache(maxsize=8192)
def type_of_label(label: str) -> str | None:
    """Return the entity type a label (in plain form) announces, or None.

    "Message to <EMAIL_1>" names no field for e-mail addresses: what redaction wrote says nothing.
    """
    label = _WRITTEN.sub("", label)
    if not label or _NOT_PERSONAL.search(label) or _OF_A_PAGE.search(label):
        return None
    return next((kind for kind, words in _RULES if words.search(label)), None)
