"""Terms of DPV 2.3 and the JSON-LD context that receipts are written in.

The context travels inside each receipt: a receipt must be readable in ten years, offline, by
somebody who never heard of this deployment. Every term below exists in DPV 2.3; the widely copied
guide's examples use twenty that do not.
"""

RECORD_SCHEMAS = [
    "https://w3id.org/dpv/schema/dpv-27560#record",
    "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr",
]
RECEIPT_SCHEMAS = [
    "https://w3id.org/dpv/schema/dpv-27560#receipt",
    "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr",
]
LEGAL_BASIS = "eu-gdpr:A6-1-a-explicit-consent"
APPLICABLE_LAW = "legal-eu:law-GDPR"

_PREFIXES = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "ai": "https://w3id.org/dpv/ai#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "legal-eu": "https://w3id.org/dpv/legal/eu#",
    "dct": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "schema": "https://schema.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

# Without this coercion a plain string would become a literal instead of the thing it names.
_LINKS = [
    "dct:conformsTo",
    "dct:publisher",
    "dct:isPartOf",
    "skos:broader",
    "schema:recipient",
    "dpv:hasDataSubject",
    "dpv:hasDataController",
    "dpv:hasDataProtectionOfficer",
    "dpv:hasAuthority",
    "dpv:hasJurisdiction",
    "dpv:hasApplicableLaw",
    "dpv:hasLocation",
    "dpv:hasNotice",
    "dpv:hasProcess",
    "dpv:hasPurpose",
    "dpv:hasPersonalData",
    "dpv:hasNecessity",
    "dpv:hasProcessing",
    "dpv:hasDataSource",
    "dpv:hasStorageCondition",
    "dpv:hasProcessingCondition",
    "dpv:hasLegalBasis",
    "dpv:hasRecipient",
    "dpv:hasService",
    "dpv:hasProhibition",
    "dpv:hasTechnicalMeasure",
    "dpv:hasOrganisationalMeasure",
    "dpv:hasConsentControl",
    "dpv:hasRight",
    "dpv:isExercisedAt",
    "dpv:hasConsentStatus",
    "dpv:isIndicatedBy",
    "dpv:hasDuration",
    "dpv:hasRecordOfActivity",
    "cu:previousEvent",
]
_TIMES = ("dct:created", "dct:modified", "dct:issued", "dpv:isIndicatedAtTime", "cu:validUntil")

PROCESSING = [
    "dpv:Observe",
    "dpv:Record",
    "dpv:Screen",
    "dpv:Pseudonymise",
    "dpv:Store",
    "dpv:Use",
    "ai:ModelTraining",
    "dpv:Erase",
]
TECHNICAL_MEASURES = [
    "dpv:EncryptionAtRest",
    "dpv:EncryptionInTransfer",
    "dpv:CryptographicKeyManagement",
    "dpv:DataRedaction",
    "dpv:Pseudonymisation",
    "dpv:UsageControl",
    "dpv:DigitalSignatures",
    "dpv:ActivityMonitoring",
]
ORGANISATIONAL_MEASURES = [
    "dpv:PrivacyByDefault",
    "dpv:ConsentManagement",
    "dpv:LoggingPolicy",
    "dpv:DataErasurePolicy",
]
RIGHTS = ("A7-3", "A15", "A16", "A17", "A18", "A20", "A77")

_OBSERVED = ["dpv:ObservedPersonalData"]
_SENSITIVE = [*_OBSERVED, "dpv:SensitivePersonalData", "dpv:UnstructuredData"]
_SENSITIVE_CATEGORIES = frozenset({"keystroke-text", "screenshot"})

PROHIBITIONS: list[dict[str, object]] = [
    {
        "@id": "prohibitions/employment-decisions",
        "@type": "dpv:Prohibition",
        "dpv:hasPurpose": [
            "dpv:PersonnelPerformanceEvaluation",
            "dpv:PersonnelPerformanceMonitoring",
            "dpv:PersonnelPerformancePrediction",
            "dpv:PersonnelBehaviourMonitoring",
            "dpv:PersonnelPromotionManagement",
            "dpv:PersonnelPayment",
            "dpv:PersonnelWorkloadManagement",
            "dpv:PersonnelTerminationManagement",
        ],
    },
    {
        "@id": "prohibitions/emotion-biometric-profiling",
        "@type": "dpv:Prohibition",
        "dpv:hasProcessing": ["dpv:Profiling"],
        "dct:description": (
            "No emotion inference (Regulation (EU) 2024/1689 Art. 5(1)(f)); no identification "
            "from keystroke dynamics (GDPR Art. 9)."
        ),
    },
    {
        "@id": "prohibitions/third-party-sale",
        "@type": "dpv:Prohibition",
        "dpv:hasPurpose": ["dpv:SellDataToThirdParties", "dpv:SellInsightsFromData"],
    },
]


def context(base: str) -> dict[str, object]:
    """Return the whole JSON-LD 1.1 context; `base` is the deployment's address with a slash."""
    # "@version": 1.1 is what processors assume, and a receipt holds no number that is not whole.
    terms: dict[str, object] = {"@base": base, **_PREFIXES}
    terms["cu"] = f"{base}ns/computer-use#"
    terms |= {link: {"@type": "@id"} for link in _LINKS}
    terms |= {time: {"@type": "xsd:dateTime"} for time in _TIMES}
    terms["rdf:value"] = {"@type": "xsd:duration"}
    terms["cu:decision"] = {"@type": "@json"}
    return terms


def data_types(category: str) -> list[str]:
    """Return the DPV types of a data category; text and pictures are sensitive."""
    return list(_SENSITIVE if category in _SENSITIVE_CATEGORIES else _OBSERVED)
