"""`remit-verify`: exit 0 only when everything holds, 1 with one line on what does not, 2 misuse."""

from __future__ import annotations

import argparse
import os
import sys

from audit.verifier import commands, signatures
from audit.verifier.errors import NotVerifiedError

_DAY_SECONDS = 86400.0
_SILENCE_SECONDS = 3 * 3600.0
_GRACE_SECONDS = 300.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="remit-verify",
        description="Checks the log of a Remit service with nothing but the keys you trust.",
    )
    trust = argparse.ArgumentParser(add_help=False)
    trust.add_argument(
        "--vkey", metavar="FILE", action="append", help="trusted keys, one a line: name+id+base64"
    )
    trust.add_argument("--policy", metavar="FILE", help="C2SP tlog-policy: logs, witnesses, quorum")
    trust.add_argument(
        "--pure",
        action="store_true",
        help="compute signatures with this file's own code alone, as it does without cryptography",
    )
    whole = argparse.ArgumentParser(add_help=False)
    whole.add_argument("log", metavar="URL_OR_DIR", help="where the log is served, or a copy of it")
    whole.add_argument(
        "--longest-delay",
        metavar="SECONDS",
        type=float,
        default=_DAY_SECONDS,
        help="how much later than its time an entry may enter the log (default: a day)",
    )
    add = parser.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser
    proof = add("proof", parents=[trust], help="check a saved .tlog-proof")
    proof.add_argument("file", metavar="FILE")
    receipt = add("receipt", parents=[trust], help="check a receipt, or kept Audit-Entry headers")
    receipt.add_argument("file", metavar="FILE")
    receipt.add_argument("--log", metavar="URL_OR_DIR", help="where to look kept headers up")
    add("scan", parents=[trust, whole], help="recompute a whole log")
    saved = add("consistency", parents=[trust, whole], help="compare with a head you saved")
    saved.add_argument("--saved", metavar="FILE", required=True, help="a checkpoint or a proof")
    mine = add("mine", parents=[trust, whole], help="find the entries about you")
    mine.add_argument("--key", metavar="FILE", required=True, help="your tag key")
    mine.add_argument("--disclosures", metavar="FILE", help="JSON list of your disclosures")
    _add_monitor(add("monitor", parents=[trust, whole], help="watch a log over time"))
    return parser


def _add_monitor(monitor: argparse.ArgumentParser) -> None:
    monitor.add_argument("--state", metavar="DIR", default="remit-monitor")
    monitor.add_argument("--interval", metavar="SECONDS", type=float, default=60.0)
    monitor.add_argument("--once", action="store_true", help="one round, then stop")
    monitor.add_argument(
        "--oldest-signature",
        metavar="SECONDS",
        type=float,
        default=_DAY_SECONDS,
        help="how old the newest witness signature may be (default: a day)",
    )
    monitor.add_argument(
        "--longest-silence",
        metavar="SECONDS",
        type=float,
        default=_SILENCE_SECONDS,
        help="how old the newest entry may be; an idle log writes one each hour (default: 3 hours)",
    )
    monitor.add_argument(
        "--grace",
        metavar="SECONDS",
        type=float,
        default=_GRACE_SECONDS,
        help="how long the log may be out of reach (default: 5 minutes)",
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not chosen.vkey and not chosen.policy:
        parser.error("give the keys you trust with --vkey FILE or --policy FILE")
    signatures.use_own_code_alone(pure=chosen.pure)
    try:
        lines = getattr(commands, chosen.command)(chosen)
    except NotVerifiedError as error:
        return _refuse(str(error))
    except OSError as error:  # The reader's own files: keys, the monitor's state.
        return _refuse(f"{error.filename or 'a file'}: {error.strerror}")
    except KeyboardInterrupt:
        return 130
    try:
        for line in lines:
            # Names from the log go to a terminal.
            commands.say(commands.printable(line))
    except BrokenPipeError:  # Whoever read went away, and does not know.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _refuse(reason: str) -> int:
    text = commands.printable(" ".join(reason.split()))
    sys.stderr.write(f"Not verified: {text}.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
