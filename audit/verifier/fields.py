"""Checks that a consent receipt says all that ISO/IEC TS 27560 makes mandatory.

A receipt is JSON-LD in one fixed form: what a string names stands in `@included`. The table is the
one of `verify-fields.js`; both speak of the standard's fields by their names there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit.verifier.errors import NotVerifiedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audit.verifier.encoding import Json

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "receipt": {
        "dct:identifier": "receipt_id",
        "dpv:hasIdentifier": "receipt_id",
        "dct:conformsTo": "schema_version",
        "dct:created": "created",
        "dpv:hasRecordOfActivity": "record",
    },
    "record": {
        "dct:identifier": "record_id",
        "dpv:hasIdentifier": "record_id",
        "dct:conformsTo": "schema_version",
        "dpv:hasDataSubject": "pii_principal_id",
        "dpv:hasNotice": "privacy_notice",
        "dpv:hasJurisdiction": "jurisdiction",
        "dpv:hasConsentControl": "withdrawal_method",
        "dpv:hasRight": "privacy_rights",
        "dpv:hasAuthority": "authority_party",
        "dpv:hasDataController": "pii_controllers",
        "dpv:hasProcess": "processing",
        "dpv:hasConsentStatus": "event",
    },
    "process": {
        "dpv:hasPurpose": "purpose",
        "dpv:hasService": "services",
        "dpv:hasPersonalData": "pii_information",
        "dpv:hasDataController": "pii_controllers",
        "dpv:hasRecipient": "recipient_third_parties",
        "dpv:hasProcessing": "processing_method",
        "dpv:hasDataSource": "collection_method",
        "dpv:hasLegalBasis": "lawful_basis",
        "dpv:hasStorageCondition": "storage_locations",
        "dpv:hasProcessingCondition": "processing_locations",
    },
    "party": {
        "@type": "party_type",
        "dpv:hasIdentifier": "party_id",
        "dpv:hasName": "party_name",
        "dpv:hasAddress": "party_address",
        "dpv:hasContact": "party_contact",
    },
    "event": {
        "@type": "event_state",
        "dpv:isIndicatedAtTime": "event_time",
        "dpv:isIndicatedBy": "entity_id",
        "dpv:hasDuration": "validity_duration",
    },
    "yes": {"dpv:hasNotice": "privacy_notice", "dpv:hasIndicationMethod": "expression_method"},
    "notice": {"@type": "privacy_notice", "dct:language": "language"},
    "control": {"@type": "withdrawal_method", "dpv:isExercisedAt": "withdrawal_method"},
    "data": {"@id": "pii_information", "skos:broader": "pii_type"},
    "purpose": {"@type": "purpose", "dct:title": "purpose"},
}
_LEADS: Final[Mapping[str, str]] = {
    "dpv:hasRecordOfActivity": "record",
    "dpv:hasNotice": "notice",
    "dpv:hasConsentControl": "control",
    "dpv:hasAuthority": "party",
    "dpv:hasDataController": "party",
    "dpv:hasRecipient": "party",
    "dpv:hasProcess": "process",
    "dpv:hasPurpose": "purpose",
    "dpv:hasPersonalData": "data",
    "dpv:hasConsentStatus": "event",
}
_STORAGE: Final[Mapping[str, str]] = {
    "dpv:StorageLocation": "storage_locations",
    "dpv:StorageDuration": "retention_period",
    "dpv:StorageDeletion": "retention_period",
}
_YES: Final = frozenset({"dpv:ConsentGiven", "dpv:RenewedConsentGiven"})
_EXPLICIT: Final = "dpv:ExplicitlyExpressedConsent"


def check_fields(document: Json) -> None:
    """Raise NotVerifiedError naming the first mandatory field that a receipt does not have."""
    nodes = {
        node["@id"]: node
        for node in _all(document.get("@included"))
        if _is_node(node) and isinstance(node.get("@id"), str)
    }
    waiting: list[tuple[str, Json]] = [("receipt", document)]
    seen: set[tuple[str, int]] = set()
    while waiting:
        kind, node = waiting.pop()
        if (kind, id(node)) in seen:
            continue
        seen.add((kind, id(node)))
        for name, field in FIELDS[kind].items():
            found = list(_all(node.get(name)))
            if not found:
                _refuse(field)
            if name in _LEADS:
                waiting += [(_LEADS[name], _resolved(one, nodes, field)) for one in found]
        if kind == "process":
            _check_storage(node, nodes)
        if kind == "event" and _YES.intersection(_types(node)):
            _check_yes(node)
            waiting.append(("yes", node))


def _check_storage(process: Json, nodes: Mapping[str, Json]) -> None:
    held = [
        _resolved(one, nodes, "storage_locations")
        for one in _all(process["dpv:hasStorageCondition"])
    ]
    types = {each for node in held for each in _types(node)}
    for wanted, field in _STORAGE.items():
        if wanted not in types:
            _refuse(field)


def _check_yes(event: Json) -> None:
    if _EXPLICIT not in _types(event):
        _refuse("event_type")
    durations = list(_all(event["dpv:hasDuration"]))
    if not all(_is_node(one) and any(_all(one.get("rdf:value"))) for one in durations):
        _refuse("validity_duration")


def _all(value: Json) -> Iterator[Json]:
    """Yield what a property holds: nothing, one thing, or many."""
    for one in value if isinstance(value, list) else [value]:
        if one is not None and one != "":
            yield one


def _types(node: Json) -> list[str]:
    return [one for one in _all(node.get("@type")) if isinstance(one, str)]


def _is_node(value: Json) -> bool:
    return isinstance(value, dict)


def _resolved(value: Json, nodes: Mapping[str, Json], field: str) -> Json:
    found = nodes.get(value) if isinstance(value, str) else value
    if not _is_node(found):
        _refuse(field)
    return found


def _refuse(field: str) -> None:
    raise NotVerifiedError(f"the receipt lacks {field}, which ISO/IEC TS 27560 makes mandatory")
