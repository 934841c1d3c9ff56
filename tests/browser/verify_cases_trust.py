"""Heads, keys, policies and receipts, honest and broken, for both verifiers to agree about."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from tests.browser.verify_cases import (
    AT,
    DECIDED,
    DECIDED_AT,
    DECISION,
    LEAVES,
    LOG,
    PROOF,
    Case,
    cases_of_files,
)
from tests.reference_log import Signer, b64, canonical
from tests.reference_receipt import receipt as complete

RECEIPT_KEY = Signer("log.example/remit/receipt", 1, b"\x0a" * 32)
STRANGER = Signer(LOG.origin, 1, b"f" * 32)
WITNESS = LOG.signers[2]


def cases() -> list[Case]:
    """Return every case."""
    found = [*cases_of_files(), *_irregular_heads(), *_keys(), *_policies(), *_receipts()]
    assert len({case.name for case in found}) == len(found)
    return found


def _irregular_heads() -> Iterator[Case]:
    head = PROOF.partition("\n\n")[0]
    root = LOG.body().split("\n")[2]
    bodies = {
        "a leading zero": f"{LOG.origin}\n0300\n{root}\n",
        "a sign": f"{LOG.origin}\n+300\n{root}\n",
        "a blank": f"{LOG.origin}\n300 \n{root}\n",
        "an extension line": f"{LOG.origin}\n300\n{root}\nextension\n",
        "a short root": f"{LOG.origin}\n300\nAAAA\n",
        "two lines": f"{LOG.origin}\n300\n",
        "another size": f"{LOG.origin}\n601\n{root}\n",
        "another origin": f"other.example\n300\n{root}\n",
        "a size beyond 2^63": f"{LOG.origin}\n{2**63}\n{root}\n",
    }
    for name, body in bodies.items():
        signed = f"{head}\n\n{body}\n{LOG.signers[0].line(body)}"
        yield Case(f"head: {name}", False, signed.encode())
    log, post_quantum, witness = (signer.line(LOG.body()) for signer in LOG.signers)

    def of(*lines: str) -> bytes:
        return f"{head}\n\n{LOG.body()}\n{''.join(lines)}".encode()

    broken = _broken(log)
    late = WITNESS.line(LOG.body(), time=2**63)
    raw = base64.b64decode(log.split(" ")[2])
    for name, file in {
        "no signature": of(),
        "a stranger's signature": of(STRANGER.line(LOG.body())),
        "a stranger with the log's key id": of(
            f"\u2014 {LOG.origin} {b64(raw[:4] + STRANGER.sign(LOG.body().encode()))}\n"
        ),
        "only a witness": of(witness),
        "a broken signature": of(broken, post_quantum, witness),
        "a good and a broken one": of(log, broken),
        "a broken witness": of(
            log, witness[:60] + ("A" if witness[60] != "A" else "B") + witness[61:]
        ),
        "a witness after the end of time": of(log, late),
        "two blanks": of(log.replace("\u2014 log", "\u2014  log")),
        "a hyphen": of(log.replace("\u2014", "-")),
        "a name with a plus": of(log, "\u2014 a+b AAAAAAAA\n"),
        "a name with a space of another kind": of(log, "\u2014 a\u00a0b AAAAAAAA\n"),
        "a name that ends in a space": of(log, "\u2014 a\u00a0 AAAAAAAA\n"),
        "a short line": of(log, "\u2014 x AAAA\n"),
        "a leftover bit": of(log, "\u2014 x AAAAAAB=\n"),
        "a control character": of(log, "\u2014 x\x01 AAAAAAAA\n"),
        "eighty lines": of(log, "\u2014 x AAAAAAAA\n" * 80),
        "a cut end": of(log)[:-1],
        "a signature cut short": of(f"\u2014 {LOG.origin} {b64(raw[:-1])}\n"),
        "a signature made longer": of(f"\u2014 {LOG.origin} {b64(raw + b'x')}\n"),
        "a scalar too large": of(f"\u2014 {LOG.origin} {b64(_larger(raw))}\n"),
    }.items():
        yield Case(f"head: {name}", False, file)
    yield Case("head: a witness without a time", True, of(log, WITNESS.line(LOG.body(), time=0)))
    yield Case("head: the same line twice", True, of(log, log))
    for count, holds in ((127, True), (128, False)):
        line = f"\u2014 {chr(0xE9) * count} AAAAAAAA\n"
        yield Case(f"head: a name of {2 * count} octets", holds, of(log, line))
    yield Case("head: a byte order mark in a name", True, of(log, "\u2014 a\ufeffb AAAAAAAA\n"))


def _broken(line: str) -> str:
    return line[:60] + ("A" if line[60] != "A" else "B") + line[61:]


def _larger(raw: bytes) -> bytes:
    """Add the group's order to the scalar: another spelling of the same signature."""
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(raw[36:], "little") + order
    return raw[:36] + scalar.to_bytes(32, "little")


def _vkey(name: str, kind: int, public: bytes) -> str:
    known = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]
    return f"{name}+{known.hex()}+{b64(bytes([kind]) + public)}"


def _keys() -> Iterator[Case]:
    first, rest = LOG.vkeys.split("\n", 1)
    name, known, encoded = first.split("+", 2)
    identity = b"\x01" + bytes(31)
    everything = b"\x01" + bytes(31) + bytes(32)
    weak = PROOF.partition("\n\n")[0] + f"\n\n{LOG.body()}\n"
    for title, vkeys in {
        "none": "",
        "junk": "junk",
        "a key id of another key": f"{name}+00000000+{encoded}\n{rest}",
        "capitals in the key id": f"{name}+{known.upper()}+{encoded}",
        "a leftover bit": f"{name}+{known}+{encoded[:-1]}",
        "an unknown type": _vkey(LOG.origin, 9, bytes(32)),
        "a short key": _vkey(LOG.origin, 1, bytes(31)),
        "a name with a space": _vkey("log example", 1, bytes(32)) + "\n" + LOG.vkeys,
        "an empty name": _vkey("", 1, bytes(32)) + "\n" + LOG.vkeys,
        "a name of 256 octets": _vkey("\u00e9" * 128, 1, bytes(32)) + "\n" + LOG.vkeys,
        "a hundred and thirty": "\n".join(
            _vkey(f"k{number}", 1, bytes(32)) for number in range(127)
        )
        + "\n"
        + LOG.vkeys,
        "only the witness": WITNESS.vkey,
        "another log's": Signer("other.example", 1).vkey,
    }.items():
        yield Case(f"keys: {title}", False, PROOF.encode(), vkeys=vkeys)
    for title, public in {
        "order 1": identity,
        "above the field": b"\xee" + b"\xff" * 30 + b"\x7f",
    }.items():
        key = _vkey(LOG.origin, 1, public)
        line = f"\u2014 {LOG.origin} {b64(bytes.fromhex(key.split('+')[1]) + everything)}\n"
        yield Case(
            f"keys: of {title}, which sign everything", False, (weak + line).encode(), vkeys=key
        )


def _policies() -> Iterator[Case]:
    log, witness = f"log {LOG.signers[0].vkey}\n", f"witness w {WITNESS.vkey} https://w.example/\n"
    other = Signer("witness.example/two", 4, b"\x0b" * 32)
    two = f"{witness}witness v {other.vkey} https://v.example/\n"
    for title, text in {
        "no quorum line": log + witness,
        "an unknown quorum": f"{log}{witness}quorum x\n",
        "two quorums": f"{log}{witness}quorum w\nquorum w\n",
        "a witness who did not sign": f"{log}{two}quorum v\n",
        "both of two": f"{log}{two}group g all w v\nquorum g\n",
        "two of two": f"{log}{two}group g 2 w v\nquorum g\n",
        "three of two": f"{log}{two}group g 3 w v\nquorum g\n",
        "a group of nobody": f"{log}{two}group g any\nquorum g\n",
        "a rule named constructor": f"{log}{two}group g constructor w\nquorum g\n",
        "a member twice": f"{log}{two}group g 1 w w\nquorum g\n",
        "a member of two groups": f"{log}{two}group g any w\ngroup h any w\nquorum g\n",
        "a witness named none": log + witness.replace(" w ", " none ") + "quorum none\n",
        "an unknown word": f"{log}{witness}quorum w\ntrust me\n",
        "a word of objects": f"{log}{witness}quorum w\ntoString x\n",
        "a control character": f"{log}{witness}quorum w\r\n",
        "a key twice": f"{log}{witness}{witness.replace(' w ', ' v ')}quorum w\n",
        "a log key that cosigns": f"log {WITNESS.vkey}\nquorum none\n",
        "a witness with a log's key": f"{log}witness w {LOG.signers[0].vkey} u\nquorum w\n",
        "another log": f"log {Signer('o.example', 1).vkey}\nquorum none\n",
        "nothing": "",
    }.items():
        yield Case(f"policy: {title}", False, PROOF.encode(), vkeys="", policy=text)
    for title, text in {
        "one of two": f"{log}{two}group g 1 w v\nquorum g\n",
        "any of two, with tabs": f"{log}{two}group\tg any  w v\nquorum\tg\n",
        "groups of groups": f"{log}{two}group g any w\ngroup h all g\nquorum h\n",
        "no witness demanded": f"# ours\n\n{log}quorum none\n",
    }.items():
        yield Case(f"policy: {title}", True, PROOF.encode(), vkeys="", policy=text)


def receipt(
    *, signer: Signer = RECEIPT_KEY, index: int = DECIDED_AT, document: Any = None, **place: Any
) -> dict[str, Any]:
    """Return a consent receipt as the service writes it."""
    kind = "application/vnd.remit.consent-receipt.v1+json"
    body = canonical(DOCUMENT if document is None else document)
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)
    opened = [DECIDED] if index == DECIDED_AT else []
    proof = LOG.proof(index, opened).decode()
    return {
        "payloadType": kind,
        "payload": b64(body),
        "signatures": [
            {
                "keyid": hashlib.sha256(signer.public).hexdigest()[:16],
                "sig": b64(signer.sign(message)),
            }
        ],
        "transparency": {"origin": LOG.origin, "index": index, "proof": proof} | place,
    }


DOCUMENT = complete(
    identifier="0199a1f0-4f00-7a55-9d10-6b1e2f9a7700",
    entry=json.loads(LEAVES[DECIDED_AT])["id"],
    origin=LOG.origin,
    decision=DECISION,
)
(RECORD,) = DOCUMENT["dpv:hasRecordOfActivity"]


def _receipts() -> Iterator[Case]:
    vkeys = f"{LOG.vkeys}{RECEIPT_KEY.vkey}\n"
    bad = {
        "signed by the log itself": receipt(signer=LOG.signers[0]),
        "signed by a stranger": receipt(signer=Signer("x", 1, b"\x0b" * 32)),
        "about an access": receipt(index=AT),
        "of another decision": receipt(document=DOCUMENT | {"cu:decision": {}}),
        "about no entry": receipt(document=DOCUMENT | {"dpv:hasRecordOfActivity": []}),
        "about another log": receipt(document=DOCUMENT | {"cu:auditLogOrigin": "other"}),
        "about a log named null": receipt(document=DOCUMENT | {"cu:auditLogOrigin": None}),
        "without its controller": receipt(
            document=DOCUMENT | {"@included": DOCUMENT["@included"][1:]}
        ),
        "without a jurisdiction": receipt(
            document=DOCUMENT | {"dpv:hasRecordOfActivity": [RECORD | {"dpv:hasJurisdiction": []}]}
        ),
        "without a place where data is kept": receipt(
            document=DOCUMENT
            | {
                "dpv:hasRecordOfActivity": [
                    RECORD
                    | {
                        "dpv:hasProcess": RECORD["dpv:hasProcess"]
                        | {"dpv:hasStorageCondition": ["deletion"]}
                    }
                ]
            }
        ),
        "too early": receipt(proof=None),
        "without an identifier": receipt(document={"no": "identifier"}),
        "of another place": receipt(origin="other"),
        "with an index that is text": receipt(index=DECIDED_AT) | {"transparency": {"index": "9"}},
        "without a proof": receipt() | {"transparency": {}},
        "of another type": receipt() | {"payloadType": "text/plain"},
        "with another text": receipt() | {"payload": b64(b'{"dct:identifier":"x"}')},
        "unsigned": receipt() | {"signatures": []},
        "with a key id that is a number": receipt() | {"signatures": [{"keyid": 7}]},
        "with fifty signatures": receipt() | {"signatures": [{}] * 50},
        "that is a list": [],
    }
    for name, document in bad.items():
        file = json.dumps(document).encode()
        yield Case(f"receipt {name}", False, file, command="receipt", vkeys=vkeys)
    fraction = json.dumps(receipt()).replace(f'"index": {DECIDED_AT}', f'"index": {DECIDED_AT}.0')
    yield Case("receipt with a fraction", False, fraction.encode(), command="receipt", vkeys=vkeys)
    text = json.dumps(receipt(), indent=1, sort_keys=True).encode()
    yield Case("receipt", True, text, command="receipt", vkeys=vkeys)
    closed = json.dumps(receipt(proof=LOG.proof(DECIDED_AT).decode())).encode()
    yield Case("receipt after an erasure", True, closed, command="receipt", vkeys=vkeys)
