"""The least that a complete consent receipt says, written by hand for the verifiers' tests."""

from typing import Any

_PARTY = {
    "@type": "dpv:DataController",
    "dpv:hasIdentifier": "c",
    "dpv:hasName": "Nordhafen",
    "dpv:hasAddress": "Kai 7",
    "dpv:hasContact": "privacy@n.example",
}
_PROCESS = {
    "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:title": "Training"},
    "dpv:hasService": "a",
    "dpv:hasPersonalData": {"@id": "cu:pointer", "skos:broader": ["pd:Behavioural"]},
    "dpv:hasDataController": "c",
    "dpv:hasRecipient": ["c"],
    "dpv:hasProcessing": ["dpv:Record"],
    "dpv:hasDataSource": {"@type": "dpv:DataSubjectDataSource"},
    "dpv:hasLegalBasis": "eu-gdpr:A6-1-a-explicit-consent",
    "dpv:hasStorageCondition": [
        {"@type": "dpv:StorageLocation"},
        {"@type": "dpv:StorageDuration"},
        "deletion",
    ],
    "dpv:hasProcessingCondition": {"@type": "dpv:ProcessingLocation"},
}


def receipt(*, identifier: str, entry: str, origin: str, decision: object) -> dict[str, Any]:
    """Return a document with one record and one yes."""
    event = {
        "@type": ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"],
        "dpv:isIndicatedAtTime": "2026-11-20T12:00:00Z",
        "dpv:isIndicatedBy": "urn:uuid:1",
        "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": "P6M"},
        "dpv:hasNotice": "n",
        "dpv:hasIndicationMethod": "switch",
        "cu:auditEntry": entry,
    }
    record = {
        "dct:identifier": "r",
        "dpv:hasIdentifier": "r",
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
        "dpv:hasDataSubject": "urn:uuid:1",
        "dpv:hasNotice": "n",
        "dpv:hasJurisdiction": ["loc:DE"],
        "dpv:hasConsentControl": "w",
        "dpv:hasRight": ["rights/A7-3"],
        "dpv:hasAuthority": "c",
        "dpv:hasDataController": "c",
        "dpv:hasProcess": _PROCESS,
        "dpv:hasConsentStatus": [event],
    }
    return {
        "@context": {"@version": 1.1},
        "dct:identifier": identifier,
        "dpv:hasIdentifier": identifier,
        "dct:conformsTo": ["https://w3id.org/dpv/schema/dpv-27560#receipt"],
        "dct:created": "2026-11-20T12:00:00Z",
        "cu:auditLogOrigin": origin,
        "cu:decision": decision,
        "dpv:hasRecordOfActivity": [record],
        "@included": [
            {"@id": "c"} | _PARTY,
            {"@id": "n", "@type": "dpv:ConsentNotice", "dct:language": "en"},
            {"@id": "w", "@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": "me/consents"},
            {"@id": "deletion", "@type": "dpv:StorageDeletion"},
        ],
    }
