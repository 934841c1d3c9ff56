"""The wire form of a sealed batch: u32 length, canonical JSON header, HPKE output (`events.md`).

Promises: whatever bytes come in, either a Header whose every field was checked comes out or
BatchMalformedError; nothing else is raised. Pure: no database, no keys. The HPKE part is opaque
here; only the vault worker can open it (`decisions.md` 18).
"""

import hashlib
import struct
from typing import Annotated, Final
from uuid import UUID

import msgspec

from governance.capture.errors import BatchMalformedError, BatchTooLargeError

MAX_WIRE_OCTETS: Final = 1_048_576
MAX_HEADER_OCTETS: Final = 16_384
MAX_EVENTS: Final = 5_000
SCHEMA: Final = "sealed-batch/1"

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Epoch = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Key = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class DeclaredFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the agent says one cell of the batch holds; times are int64 nanoseconds UTC."""

    application: Key
    category: Key
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_EVENTS)]
    t_min: Nanoseconds
    t_max: Nanoseconds


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The clear part of a sealed batch."""

    schema: Annotated[str, msgspec.Meta(pattern=rf"^{SCHEMA}\Z")]
    batch_id: UUID
    device_id: UUID
    session_id: UUID
    frames: Annotated[list[DeclaredFrame], msgspec.Meta(min_length=1, max_length=64)]
    seq_from: Sequence
    seq_to: Sequence
    policy_digest: Digest
    policy_epoch: Epoch
    consent_epoch: Epoch
    prev_batch_digest: Digest | None
    key_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    created_ns: Nanoseconds


class SealedUpload(msgspec.Struct, frozen=True):
    """A parsed upload: header, its exact bytes, the sealed part, and the digest of everything."""

    header: Header
    header_bytes: bytes
    sealed: bytes
    wire_digest: str


_decode = msgspec.json.Decoder(Header, strict=True).decode
_canonical = msgspec.json.Encoder(order="sorted").encode


def parse(wire: bytes) -> SealedUpload:
    """Return the parts of an upload; raises BatchMalformedError or BatchTooLargeError."""
    if len(wire) > MAX_WIRE_OCTETS:
        raise BatchTooLargeError("A sealed batch is at most 1 MiB.")
    header_bytes, sealed = _split(wire)
    try:
        header = _decode(header_bytes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # The library's message may quote the input; ours never does.
        raise BatchMalformedError("The header is not that of a sealed batch.") from error
    # One byte form per header, so that no second reading of the same bytes exists.
    if _canonical(header) != header_bytes:
        raise BatchMalformedError("The header is not in canonical form.")
    _check_frames(header)
    return SealedUpload(header, header_bytes, sealed, hashlib.sha256(wire).hexdigest())


def _split(wire: bytes) -> tuple[bytes, bytes]:
    if len(wire) < struct.calcsize(">I"):
        raise BatchMalformedError("The length of the header is wrong.")
    (length,) = struct.unpack_from(">I", wire)
    if length > MAX_HEADER_OCTETS or len(wire) <= 4 + length:
        raise BatchMalformedError("The length of the header is wrong.")
    return wire[4 : 4 + length], wire[4 + length :]


def _check_frames(header: Header) -> None:
    cells = [(frame.application, frame.category) for frame in header.frames]
    if len(set(cells)) != len(cells):
        raise BatchMalformedError("A cell is declared twice.")
    if any(frame.t_min > frame.t_max for frame in header.frames):
        raise BatchMalformedError("A frame ends before it begins.")
    events = header.seq_to - header.seq_from + 1
    if not 1 <= events <= MAX_EVENTS or sum(frame.count for frame in header.frames) > events:
        raise BatchMalformedError("The numbers of events contradict each other.")
