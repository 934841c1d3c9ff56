"""The commands: each returns the lines that are true, or raises NotVerifiedError."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from audit.verifier.checkpoint import Checkpoint, Trust, accept
from audit.verifier.errors import NotVerifiedError, UnreachableError
from audit.verifier.keys import Key, parse_vkeys
from audit.verifier.lineage import Present, check_beginning, present
from audit.verifier.mine import LONGEST_DISCLOSURES, Mine, parse_disclosures, parse_key
from audit.verifier.monitor import Limits, Monitor
from audit.verifier.policy import Policy, parse_policy
from audit.verifier.promised import Promised, parse_headers
from audit.verifier.receipt import LONGEST_RECEIPT, check_receipt
from audit.verifier.rules import CLOCK_SKEW_SECONDS, Rules
from audit.verifier.scan import Frontier, Progress, Scan
from audit.verifier.source import open_source
from audit.verifier.tlogproof import FIRST_LINE, LONGEST_PROOF, Proved, check_proof

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from audit.verifier.scan import Visitor
    from audit.verifier.source import Source

_LONGEST_KEYS = 1024 * 1024
_FOR_EVER = float("inf")


def read_file(name: str, limit: int) -> bytes:
    """Return a file of the reader's, bounded."""
    try:
        with Path(name).open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise NotVerifiedError(f"{name} cannot be read: {error.strerror}") from None
    if len(data) > limit:
        raise NotVerifiedError(f"{name} is longer than it may be")
    return data


def trust_from(arguments: argparse.Namespace) -> Trust:
    """Return the keys and the policy named on the command line."""
    keys: list[Key] = []
    for name in arguments.vkey or ():
        text = read_file(name, _LONGEST_KEYS).decode("utf-8", "replace")
        keys.extend(parse_vkeys(text))
    policy: Policy | None = None
    if arguments.policy:
        policy = parse_policy(read_file(arguments.policy, _LONGEST_KEYS))
    return Trust(keys=tuple(dict.fromkeys(keys)), policy=policy)


def proof(arguments: argparse.Namespace) -> list[str]:
    """Check one saved proof."""
    proved = check_proof(read_file(arguments.file, LONGEST_PROOF), trust_from(arguments))
    return [*_entry_lines(proved), *_head_lines(proved.checkpoint)]


def receipt(arguments: argparse.Namespace) -> list[str]:
    """Check a consent receipt, or the headers of answers that were kept, with `--log`."""
    data = read_file(arguments.file, LONGEST_RECEIPT)
    promised = parse_headers(data)
    if promised is not None:
        return _promised(arguments, promised)
    checked = check_receipt(data, trust_from(arguments))
    return [
        f"Receipt {checked.identifier} is signed.",
        "It has every field that ISO/IEC TS 27560 makes mandatory.",
        *_entry_lines(checked.proved),
        *_head_lines(checked.proved.checkpoint),
    ]


def _promised(arguments: argparse.Namespace, promised: Promised) -> list[str]:
    """Find each promised entry in the log."""
    if not arguments.log:
        raise NotVerifiedError("Audit-Entry headers are looked up in a log: name it with --log")
    source = open_source(arguments.log)
    head = present(source, trust_from(arguments))
    checkpoint = head.checkpoint
    remarks = run_scan(source, checkpoint, longest_delay=_FOR_EVER, visit=promised.visit)
    promised.check(checkpoint.size)
    lines = [f"  {index}  {leaf.uuid}  {leaf.event}" for index, leaf in promised.found]
    return [
        f"All {len(lines)} promised entries are in the log.",
        *lines,
        *_head_lines(checkpoint, head, remarks),
    ]


def scan(arguments: argparse.Namespace) -> list[str]:
    """Recompute a whole log."""
    source = open_source(arguments.log)
    head = present(source, trust_from(arguments))
    remarks = run_scan(source, head.checkpoint, longest_delay=arguments.longest_delay)
    size = head.checkpoint.size
    return [
        f"All {size} entries lead to the signed root and keep the log's rules.",
        *_head_lines(head.checkpoint, head, remarks),
    ]


def run_scan(
    source: Source,
    checkpoint: Checkpoint,
    *,
    longest_delay: float,
    visit: Visitor | None = None,
) -> list[str]:
    """Scan from the first entry; raise unless all holds. Return what is to be said of its names."""
    latest = checkpoint.witnessed_at or time.time()
    rules = Rules(
        origin=checkpoint.origin,
        longest_delay=longest_delay,
        no_later_than=latest + CLOCK_SKEW_SECONDS,
        signers=[signer.key for signer in checkpoint.signers],
    )
    Scan(
        source=source,
        checkpoint=checkpoint,
        rules=rules,
        frontier=Frontier(),
        visit=visit,
        progress=_progress(),
    ).run()
    return rules.names.remarks


def consistency(arguments: argparse.Namespace) -> list[str]:
    """Check that the log still begins with what a saved head (or proof) signed."""
    trust = trust_from(arguments)
    data = read_file(arguments.saved, LONGEST_PROOF)
    if data.startswith(FIRST_LINE.encode("ascii")):
        data = data.partition(b"\n\n")[2]
    saved = accept(data, trust)
    source = open_source(arguments.log)
    head = present(source, trust)
    current = head.checkpoint
    try:
        check_beginning(source, saved, current)
    except NotVerifiedError:
        if saved.origin != current.origin:
            raise NotVerifiedError(f"the saved head is of another log, {saved.origin}") from None
        raise
    if saved.origin != current.origin and not saved.size:
        raise NotVerifiedError(f"the saved head is of another log, {saved.origin}")
    return [
        f"The log of {current.size} entries begins with the {saved.size} that were saved.",
        *_head_lines(current, head),
    ]


def mine(arguments: argparse.Namespace) -> list[str]:
    """Find one's own entries, and the gaps between them."""
    key = parse_key(read_file(arguments.key, 4096))
    disclosures: dict[bytes, str] = {}
    if arguments.disclosures:
        disclosures = parse_disclosures(read_file(arguments.disclosures, LONGEST_DISCLOSURES))
    collected = Mine(key=key, disclosures=disclosures)
    source = open_source(arguments.log)
    head = present(source, trust_from(arguments))
    checkpoint, longest_delay = head.checkpoint, arguments.longest_delay
    remarks = run_scan(source, checkpoint, longest_delay=longest_delay, visit=collected.visit)
    collected.check()
    lines = [
        f"  {index}  {leaf.fields['t']}  {leaf.event}  {leaf.fields['dec']}"
        for index, leaf in collected.found
    ]
    opened = len(collected.sequence)
    gaps = f"; {opened} opened, no gap between them" if disclosures else ""
    return [
        f"{len(collected.found)} of {checkpoint.size} entries are about you{gaps}.",
        *lines,
        *_head_lines(checkpoint, head, remarks),
    ]


def monitor(arguments: argparse.Namespace) -> list[str]:
    """Watch a log until it breaks a promise, or for one round."""
    watch = Monitor(
        source=open_source(arguments.log),
        trust=trust_from(arguments),
        state=Path(arguments.state),
        limits=Limits(
            longest_delay=arguments.longest_delay,
            oldest_signature=arguments.oldest_signature,
            longest_silence=arguments.longest_silence,
        ),
        progress=_progress(),
    )
    if not arguments.once:
        _watch_on(watch, interval=arguments.interval, grace=arguments.grace)
    held = watch.round()
    checkpoint = held.checkpoint
    return [f"All {checkpoint.size} entries hold.", *_head_lines(checkpoint, None, held.remarks)]


def _watch_on(watch: Monitor, *, interval: float, grace: float) -> None:
    """Repeat rounds until one raises. What is out of reach is an alarm only after the grace."""
    reached = time.monotonic()
    while True:
        try:
            held = watch.round()
        except UnreachableError as error:
            if time.monotonic() - reached > grace:
                raise
            words = f"waiting: {error}"
        else:
            reached = time.monotonic()
            words = " ".join((f"{held.checkpoint.size} entries hold.", *held.remarks))
        say(printable(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {words}"))
        time.sleep(interval)


def printable(line: str) -> str:
    """Return the line so that nothing in it can move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in line)


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _entry_lines(proved: Proved) -> list[str]:
    fields = proved.leaf.fields
    clear = [f"{name}={fields[name]}" for name in ("pur", "role", "act", "n") if name in fields]
    opened = [f"  {name}: {value}" for name, value in sorted(proved.details.items())]
    return [
        f"Entry {proved.leaf.uuid} is number {proved.index} of the log.",
        "  " + "  ".join([str(fields["t"]), proved.leaf.event, str(fields["dec"]), *clear]),
        *opened,
    ]


def _head_lines(
    checkpoint: Checkpoint, head: Present | None = None, remarks: Sequence[str] = ()
) -> list[str]:
    lines = [f"Head of {checkpoint.origin}: {checkpoint.size} entries."]
    kinds = {0x01: "Ed25519", 0x04: "Ed25519 cosignature", 0x06: "ML-DSA-44"}
    lines.extend(f"  signed: {by.key.name} ({kinds[by.key.type]})" for by in checkpoint.signers)
    for by in checkpoint.witnesses:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(by.time, 2**33)))
        lines.append(f"  witnessed: {by.key.name} ({kinds[by.key.type]}) at {moment}")
    return [*lines, *remarks, *(head.remarks if head else ())]


def _progress() -> Progress | None:
    """Count on a terminal; say nothing into a pipe."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, size: int) -> None:
        end = "\n" if done == size else ""
        sys.stderr.write(f"\r{done:,} of {size:,} entries checked{end}")
        sys.stderr.flush()

    return show
