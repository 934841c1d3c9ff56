"""Receipts as RDF that a parser nobody here wrote reads, and against the fields of TS 27560.

The shapes in `shapes.ttl` and the verifier's own table are two lists of the mandatory fields: each
deletion must be noticed by both. Nothing is fetched: the context lies in the receipt.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyshacl import validate
from rdflib import Graph

from audit.actors import Actor
from audit.verifier.errors import NotVerifiedError
from audit.verifier.fields import check_fields
from tests.consent.test_decide import CLICK, POINTER, decide, no, withdraw, yes
from tests.consent.test_receipts import signed_document

# rdflib 7 itself still asks for what it calls deprecated.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
]

SHAPES = Path(__file__).with_name("shapes.ttl")
Node = dict[str, Any]


def misses(document: Node) -> set[str]:
    """Return the fields that the shapes miss in a receipt."""
    data = Graph().parse(data=json.dumps(document), format="json-ld")
    _, report, _ = validate(data, shacl_graph=SHACL)
    found = report.query(
        "SELECT ?m WHERE { ?r a <http://www.w3.org/ns/shacl#ValidationResult> ; "
        "<http://www.w3.org/ns/shacl#resultMessage> ?m }"
    )
    return {str(row[0]) for row in found}


SHACL = Graph().parse(SHAPES)


def verifier_misses(document: Node) -> str:
    """Return what `remit-verify.pyz receipt` says that a receipt lacks."""
    with pytest.raises(NotVerifiedError) as refused:
        check_fields(document)
    return str(refused.value)


def record(document: Node) -> Node:
    held: Node = document["dpv:hasRecordOfActivity"][0]
    return held


def node(document: Node, name: str) -> Node:
    return next(each for each in document["@included"] if each["@id"] == name)


def controller(document: Node) -> Node:
    return node(document, record(document)["dpv:hasDataController"])


def event(document: Node) -> Node:
    last: Node = record(document)["dpv:hasConsentStatus"][-1]
    return last


def without_storage(document: Node, kind: str) -> None:
    """Take out every condition of a kind, wherever the conditions stand."""
    process = record(document)["dpv:hasProcess"]

    def type_of(one: Any) -> str:
        return str((node(document, one) if isinstance(one, str) else one)["@type"])

    process["dpv:hasStorageCondition"] = [
        one for one in process["dpv:hasStorageCondition"] if type_of(one) != f"dpv:{kind}"
    ]


def without(place: Callable[[Node], Node], *names: str) -> Callable[[Node], None]:
    def take_out(document: Node) -> None:
        for name in names:
            del place(document)[name]

    return take_out


def root(document: Node) -> Node:
    return document


def process(document: Node) -> Node:
    held: Node = record(document)["dpv:hasProcess"]
    return held


def data(document: Node) -> Node:
    held: Node = process(document)["dpv:hasPersonalData"]
    return held


def notice_node(document: Node) -> Node:
    return node(document, record(document)["dpv:hasNotice"])


def control(document: Node) -> Node:
    return node(document, record(document)["dpv:hasConsentControl"])


def no_type(document: Node) -> None:
    event(document)["@type"] = ["dpv:ConsentGiven"]


# Each mandatory field of TS 27560, and how it is taken out of a receipt of ours.
DELETIONS: list[tuple[str, Callable[[Node], None]]] = [
    ("receipt_id", without(root, "dct:identifier")),
    ("receipt_id", without(root, "dpv:hasIdentifier")),
    ("schema_version", without(root, "dct:conformsTo")),
    ("created", without(root, "dct:created")),
    ("record", without(root, "dpv:hasRecordOfActivity")),
    ("record_id", without(record, "dct:identifier")),
    ("record_id", without(record, "dpv:hasIdentifier")),
    ("schema_version", without(record, "dct:conformsTo")),
    ("pii_principal_id", without(record, "dpv:hasDataSubject")),
    ("privacy_notice", without(record, "dpv:hasNotice")),
    ("language", without(notice_node, "dct:language")),
    ("purpose", without(process, "dpv:hasPurpose")),
    ("pii_information", without(process, "dpv:hasPersonalData")),
    ("pii_type", without(data, "skos:broader")),
    ("pii_controllers", without(process, "dpv:hasDataController")),
    ("pii_controllers", without(record, "dpv:hasDataController")),
    ("storage_locations", lambda document: without_storage(document, "StorageLocation")),
    ("retention_period", lambda document: without_storage(document, "StorageDuration")),
    ("retention_period", lambda document: without_storage(document, "StorageDeletion")),
    ("jurisdiction", without(record, "dpv:hasJurisdiction")),
    ("recipient_third_parties", without(process, "dpv:hasRecipient")),
    ("withdrawal_method", without(record, "dpv:hasConsentControl")),
    ("withdrawal_method", without(control, "dpv:isExercisedAt")),
    ("privacy_rights", without(record, "dpv:hasRight")),
    ("authority_party", without(record, "dpv:hasAuthority")),
    ("lawful_basis", without(process, "dpv:hasLegalBasis")),
    ("processing_method", without(process, "dpv:hasProcessing")),
    ("party_type", without(controller, "@type")),
    ("party_id", without(controller, "dpv:hasIdentifier")),
    ("party_name", without(controller, "dpv:hasName")),
    ("party_address", without(controller, "dpv:hasAddress")),
    ("party_contact", without(controller, "dpv:hasContact")),
    ("event", without(record, "dpv:hasConsentStatus")),
    ("event_time", without(event, "dpv:isIndicatedAtTime")),
    ("validity_duration", without(event, "dpv:hasDuration")),
    ("entity_id", without(event, "dpv:isIndicatedBy")),
    ("event_type", no_type),
    ("event_state", without(event, "@type")),
]


@pytest.fixture
def receipts(mira: Actor, notice: str) -> list[Node]:
    """Receipts of a yes with a no, of a withdrawal, of a yes after it and of one said again."""
    acts = [
        decide(mira, yes(POINTER, notice), no(CLICK)),
        decide(mira, withdraw(POINTER), minute=1),
        decide(mira, yes(POINTER, notice), minute=2),
        decide(mira, yes(POINTER, notice, scope="scope-2"), minute=3),
    ]
    return [signed_document(mira.key, act.receipt_id) for act in acts]


def test_r12_receipts_and_their_records_have_every_mandatory_field(receipts: list[Node]) -> None:
    for document in receipts:
        assert misses(document) == set()
        check_fields(document)


@pytest.mark.once
def test_r12_each_missing_mandatory_field_is_noticed_by_shapes_and_verifier(
    receipts: list[Node],
) -> None:
    (given, *_) = receipts
    for field, take_out in DELETIONS:
        spoiled = copy.deepcopy(given)
        take_out(spoiled)
        assert misses(spoiled), field
        assert f"lacks {field}," in verifier_misses(spoiled), field
    assert len(DELETIONS) >= 18
