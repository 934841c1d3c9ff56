"""The receipt's content: ISO/IEC TS 27560:2023 fields in DPV 2.3 terms, from values alone.

One receipt wraps the records that one act of deciding touched. All it says about purposes,
parties, places and periods comes from the notice that the person was shown, so that it stays true
whatever the organisation changes later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from consent import notice, vocabulary
from consent.status import VALID, ConsentStatus

Node = dict[str, object]


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """A published notice as a receipt refers to it."""

    reference: str
    purpose: str
    number: int
    language: str
    content: Mapping[str, object]
    digest: str
    published_at: datetime

    @property
    def iri(self) -> str:
        """Its relative address."""
        return f"notices/{self.purpose}/v{self.number}/{self.language}"


@dataclass(frozen=True, slots=True)
class EventFacts:
    """One event of a record."""

    id: UUID
    status: ConsentStatus
    occurred_at: datetime
    valid_until: datetime | None
    indicated_by: str
    decision_id: UUID
    form_digest: str
    scope_digest: str
    notice: NoticeFacts
    previous: UUID | None
    entry: UUID
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """One record with its events so far, oldest first; the last one is this act's."""

    id: UUID
    purpose: str
    application: str
    category: str
    created_at: datetime
    events: Sequence[EventFacts]


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """All that a receipt is made of."""

    id: UUID
    base: str
    log_origin: str
    subject: str
    language: str
    created_at: datetime
    decision: Mapping[str, object]
    records: Sequence[RecordFacts]


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def build(facts: ReceiptFacts) -> Node:
    """Return the receipt as JSON-LD, ready to be signed."""
    subject = f"urn:uuid:{facts.subject}"
    shown = _shown(facts.records)
    return {
        "@context": vocabulary.context(facts.base),
        "@id": f"consent-receipts/{facts.id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": str(facts.id),
        "dpv:hasIdentifier": str(facts.id),
        "dct:conformsTo": vocabulary.RECEIPT_SCHEMAS,
        "dct:created": timestamp(facts.created_at),
        "dct:language": facts.language,
        "dct:publisher": f"{shown[-1].iri}#controller",
        "schema:recipient": subject,
        "dct:isPartOf": f"urn:uuid:{facts.decision['decision_id']}",
        "cu:auditLogOrigin": facts.log_origin,
        # The log holds this object's digest under the entry, and nothing else of the receipt.
        "cu:decision": dict(facts.decision),
        "dpv:hasRecordOfActivity": [_record(record, subject) for record in facts.records],
        "@included": _included(facts, subject, shown),
    }


def _shown(records: Iterable[RecordFacts]) -> list[NoticeFacts]:
    by_iri = {event.notice.iri: event.notice for r in records for event in r.events}
    return list(by_iri.values())


def _record(record: RecordFacts, subject: str) -> Node:
    iri = f"consent-records/{record.id}"
    last = record.events[-1]
    controller = f"{last.notice.iri}#controller"
    return {
        "@id": iri,
        "@type": "dpv:ConsentRecord",
        "dct:identifier": str(record.id),
        "dpv:hasIdentifier": str(record.id),
        "dct:conformsTo": vocabulary.RECORD_SCHEMAS,
        "dct:created": timestamp(record.created_at),
        "dct:modified": timestamp(last.occurred_at),
        "dct:publisher": controller,
        "dpv:hasDataSubject": subject,
        "dpv:hasDataController": controller,
        "dpv:hasJurisdiction": _locations(last.notice),
        "dpv:hasApplicableLaw": [vocabulary.APPLICABLE_LAW],
        "dpv:hasAuthority": f"{last.notice.iri}#authority",
        "dpv:hasNotice": last.notice.iri,
        "dpv:hasProcess": _process(record, f"{iri}#process", last.notice),
        "dpv:hasConsentControl": "me/consents",
        "dpv:hasRight": [f"rights/{article}" for article in vocabulary.RIGHTS],
        "dpv:hasConsentStatus": [_event(event, iri, subject) for event in record.events],
    }


def _process(record: RecordFacts, iri: str, shown: NoticeFacts) -> Node:
    return {
        "@id": iri,
        "@type": "dpv:Process",
        "dpv:hasPurpose": f"purposes/{record.purpose}",
        "dpv:hasService": f"applications/{record.application}",
        "dpv:hasPersonalData": {
            "@id": f"cu:{record.category}",
            "@type": vocabulary.data_types(record.category),
            "skos:broader": ["pd:Behavioural"],
            "dct:title": _word(shown, "categories", record.category),
            "dpv:hasNecessity": "dpv:Optional",
        },
        "dpv:hasProcessing": vocabulary.PROCESSING,
        "dpv:hasDataSource": {
            "@type": "dpv:DataSubjectDataSource",
            "dpv:hasProcessing": "dpv:Observe",
        },
        "dpv:hasStorageCondition": _storage(record, shown),
        "dpv:hasProcessingCondition": {
            "@type": "dpv:ProcessingLocation",
            "dpv:hasLocation": _locations(shown),
        },
        "dpv:hasDataController": f"{shown.iri}#controller",
        "dpv:hasRecipient": [f"{shown.iri}#recipient-{n}" for n in _recipient_numbers(shown)],
        "dpv:hasLegalBasis": vocabulary.LEGAL_BASIS,
        "dpv:hasProhibition": [each["@id"] for each in vocabulary.PROHIBITIONS],
        "dpv:hasTechnicalMeasure": vocabulary.TECHNICAL_MEASURES,
        "dpv:hasOrganisationalMeasure": vocabulary.ORGANISATIONAL_MEASURES,
    }


def _storage(record: RecordFacts, shown: NoticeFacts) -> list[object]:
    days = notice.periods(shown.content).get((record.application, record.category))
    kept: list[object] = []
    if days is not None:
        kept.append(
            {
                "@id": f"{shown.iri}#kept-{record.application}-{record.category}",
                "@type": "dpv:StorageDuration",
                "dct:description": "redacted, from capture",
                "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": f"P{days}D"},
            }
        )
    ends = (f"{shown.iri}#location", f"{shown.iri}#consent-end", f"{shown.iri}#deletion")
    return [*kept, *ends]


_DURATIONS: Final = dict.fromkeys(VALID, "P6M") | {ConsentStatus.REQUESTED: "P30D"}


def _method(status: ConsentStatus, *, by_subject: bool) -> str:
    if status is ConsentStatus.REQUESTED:
        return "request of the privacy office, shown in the portal"
    if status is ConsentStatus.DEFERRED:
        return "'Not now' to a request"
    if not by_subject:
        return "set by the service, not by the data subject"
    asked = "separate switch per purpose, application and data category, default off, No first"
    return f"{asked}; said again" if status is ConsentStatus.RENEWED else asked


def _event(event: EventFacts, record: str, subject: str) -> Node:
    is_valid = event.status in VALID
    by_subject = f"urn:uuid:{event.indicated_by}" == subject
    node: Node = {
        "@id": f"{record}#event-{event.id}",
        "@type": [f"dpv:{event.status}", *(["dpv:ExplicitlyExpressedConsent"] * is_valid)],
        "dct:isPartOf": f"urn:uuid:{event.decision_id}",
        "dpv:isIndicatedBy": subject if by_subject else f"{event.notice.iri}#controller",
        "dpv:isIndicatedAtTime": timestamp(event.occurred_at),
        # A yes has an end, and so has a request. An answer else holds until another is given.
        "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": _DURATIONS[event.status]}
        if event.status in _DURATIONS
        else {"@type": "dpv:UntilEventDuration"},
        "dpv:hasNotice": event.notice.iri,
        "dpv:hasIndicationMethod": _method(event.status, by_subject=by_subject),
        "cu:formDigest": event.form_digest,
        "cu:scopeDigest": event.scope_digest,
        "cu:auditEntry": str(event.entry),
        "cu:auditLeafHash": event.leaf_hash,
    }
    if event.valid_until is not None:
        node["cu:validUntil"] = timestamp(event.valid_until)
    if event.previous is not None:
        node["cu:previousEvent"] = f"{record}#event-{event.previous}"
    return node


def _included(facts: ReceiptFacts, subject: str, shown: Sequence[NoticeFacts]) -> list[Node]:
    nodes: list[Node] = [
        {"@id": subject, "@type": ["dpv:DataSubject", "dpv:Employee"]},
        {
            "@id": "me/consents",
            "@type": ["dpv:WithdrawConsent", "dpv:ReaffirmConsent"],
            "dpv:isExercisedAt": "me/consents",
        },
    ]
    for each in shown:
        nodes += _notice_nodes(each)
    for record in facts.records:
        nodes.append(_application(record))
    nodes += [_right(article) for article in vocabulary.RIGHTS]
    nodes += vocabulary.PROHIBITIONS
    return list({str(node["@id"]): node for node in nodes}.values())


def _application(record: RecordFacts) -> Node:
    return {
        "@id": f"applications/{record.application}",
        "@type": "dpv:Service",
        "dct:identifier": record.application,
        "dct:title": _word(record.events[-1].notice, "applications", record.application),
    }


def _right(article: str) -> Node:
    return {
        "@id": f"rights/{article}",
        "@type": ["dpv:DataSubjectRight", f"eu-gdpr:{article}"],
        "dpv:isExercisedAt": "me/requests",
    }


def _notice_nodes(shown: NoticeFacts) -> list[Node]:
    purpose = _mapping(shown.content["purpose"])
    recipients = _list(shown.content["recipients"])
    return [
        {
            "@id": shown.iri,
            "@type": "dpv:ConsentNotice",
            "dct:identifier": shown.reference,
            "dct:language": shown.language,
            "dct:issued": timestamp(shown.published_at),
            "cu:contentDigest": shown.digest,
        },
        {
            "@id": f"purposes/{shown.purpose}",
            "@type": "dpv:Purpose",
            "skos:broader": purpose["broader"],
            "dct:identifier": shown.purpose,
            "dct:title": purpose["title"],
            "dct:description": purpose["description"],
        },
        _party(shown, "controller", ["dpv:DataController"], shown.content["controller"])
        | {"dpv:hasDataProtectionOfficer": f"{shown.iri}#dpo"},
        _party(
            shown,
            "dpo",
            ["dpv:DataProtectionOfficer"],
            shown.content["data_protection_officer"],
        ),
        _party(shown, "authority", ["dpv:DataProtectionAuthority"], shown.content["authority"]),
        *(
            _party(shown, f"recipient-{n}", ["dpv:Recipient"], recipient)
            for n, recipient in enumerate(recipients, start=1)
        ),
        *_common_storage(shown),
    ]


def _party(shown: NoticeFacts, name: str, types: list[str], party: object) -> Node:
    said = _mapping(party)
    return {
        "@id": f"{shown.iri}#{name}",
        "@type": types,
        "dpv:hasIdentifier": f"{shown.iri}#{name}",
        "dpv:hasName": said["name"],
        "dpv:hasAddress": said["address"],
        "dpv:hasContact": said["contact"],
    }


def _common_storage(shown: NoticeFacts) -> list[Node]:
    return [
        {
            "@id": f"{shown.iri}#location",
            "@type": "dpv:StorageLocation",
            "dpv:hasLocation": _locations(shown),
        },
        {
            "@id": f"{shown.iri}#consent-end",
            "@type": "dpv:StorageDuration",
            "dct:description": (
                "ends earlier when consent is withdrawn, expires, is revoked or invalidated"
            ),
            "dpv:hasDuration": {"@type": "dpv:UntilEventDuration"},
        },
        {
            "@id": f"{shown.iri}#deletion",
            "@type": "dpv:StorageDeletion",
            "dct:description": "key destruction after the earliest of these",
            "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": "PT72H"},
        },
    ]


def _locations(shown: NoticeFacts) -> list[str]:
    places = (str(place).removeprefix("loc:") for place in _list(shown.content["locations"]))
    return [f"loc:{place}" for place in places]


def _recipient_numbers(shown: NoticeFacts) -> range:
    return range(1, len(_list(shown.content["recipients"])) + 1)


def _word(shown: NoticeFacts, field: str, key: str) -> object:
    return _mapping(shown.content[field]).get(key, key)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError("A published notice was checked; this part of it is no object.")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("A published notice was checked; this part of it is no list.")
    return value
