"""`remit-verify`: exit 0 only when everything holds, 1 with one line on what does not, 2 misuse."""

from __future__ import annotations

import argparse
import sys

from audit.verifier import commands
from audit.verifier.errors import NotVerifiedError

_DAY_SECONDS = 86400.0


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
    for name, words in (("proof", "a saved .tlog-proof"), ("receipt", "a consent receipt")):
        one = add(name, parents=[trust], help=f"check {words}")
        one.add_argument("file", metavar="FILE")
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


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not chosen.vkey and not chosen.policy:
        parser.error("give the keys you trust with --vkey FILE or --policy FILE")
    try:
        lines = getattr(commands, chosen.command)(chosen)
    except NotVerifiedError as error:
        text = " ".join(str(error).split())
        sys.stderr.write(f"Not verified: {text}.\n")
        return 1
    except KeyboardInterrupt:
        return 130
    for line in lines:
        # Names from the log go to a terminal: nothing in them may move its cursor.
        commands.say("".join(c if c.isprintable() else "?" for c in line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
