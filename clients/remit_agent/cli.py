"""`remit-agent`: enrol, replay, record, status, pause, resume, and what may be sent from here.

Promises: a failure is one clear line on stderr and a non-zero exit, never a traceback, and no line
quotes captured data. `main` keeps no state between calls and may run in many threads, each with
its own state directory.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import httpx

from remit_agent import VERSION, machine
from remit_agent.browser import host, setup
from remit_agent.enrol import enrol
from remit_agent.errors import AgentError, MeteredError
from remit_agent.home import Home
from remit_agent.observing import observe
from remit_agent.replay import ReplayReport, replay
from remit_agent.service import connect
from remit_agent.session import STATES, Agent

_USAGE = 2


def entry() -> NoReturn:
    """Run as a console script."""
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        print("remit-agent: stopped.", file=sys.stderr)
        code = 130
    sys.exit(code)


def main(argv: Sequence[str], *, transport: httpx.BaseTransport | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 not done, 2 bad usage."""
    try:
        chosen = _parser().parse_args(argv)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else _USAGE
    try:
        return _run(Home(chosen.home or _default_home()), chosen, transport)
    except AgentError as error:
        print(f"remit-agent: {error}", file=sys.stderr)
    except OSError as error:
        print(f"remit-agent: {error.strerror or 'a file'} could not be used.", file=sys.stderr)
    return 1


def _run(home: Home, chosen: argparse.Namespace, transport: httpx.BaseTransport | None) -> int:
    match chosen.command:
        case "enrol":
            return _enrol(home, chosen, transport)
        case "replay":
            return _replay(home, chosen, transport)
        case "browser":
            return _browser(home, chosen)
        case "network" | "metered":
            return _sending(home, chosen)
    commands = {
        "record": _record,
        "observe": _observe,
        "browse": _browse,
        "status": _status,
        "pause": _pause,
        "resume": _resume,
    }
    return commands[chosen.command](home, transport)


def _record(home: Home, transport: httpx.BaseTransport | None) -> int:
    try:
        from remit_agent.x11 import recorder  # noqa: PLC0415 - an extra; other commands need it not.
    except ImportError:
        print("remit-agent: record needs the extra x11: pip install 'remit-clients[x11]'.",
              file=sys.stderr)  # fmt: skip
        return 1
    identity = home.identity()
    with (
        home.exclusive(),
        connect(identity.server, origin=identity.origin, transport=transport) as service,
        recorder.recording(
            Agent(home, service, identity, machine=machine.working()), show=_show
        ) as run,
    ):
        recorder.stop_on_signals(run)
        run.run()
    print(f"Stopped. Kept: {_counts(dict(sorted(run.live.events.items()))) or 'nothing'}.")
    if run.live.dropped:
        print(f"Left out on this device: {_counts(dict(sorted(run.live.dropped.items())))}.")
    return 0


def _observe(home: Home, transport: httpx.BaseTransport | None) -> int:
    for answer in observe(home, sys.stdin.buffer, transport=transport):
        print(answer.decode(), flush=True)
    return 0


def _browser(home: Home, chosen: argparse.Namespace) -> int:
    home.identity()
    extension = setup.prepare(home, profile=chosen.profile)
    print(f"Load the extension in {extension} into the browser with the profile {chosen.profile}.")
    return 0


def _browse(home: Home, transport: httpx.BaseTransport | None) -> int:
    identity = home.identity()
    with (
        home.exclusive(),
        connect(identity.server, origin=identity.origin, transport=transport) as service,
    ):
        host.serve(Agent(home, service, identity, machine=machine.working()))
    return 0


def _show(state: str) -> None:
    print(f"{STATES[state]}.", flush=True)


def _pause(home: Home, transport: httpx.BaseTransport | None) -> int:
    home.identity()
    home.pause()
    _tell(home, transport)
    print("Paused. Nothing is captured on this device until `remit-agent resume`.")
    return 0


def _resume(home: Home, transport: httpx.BaseTransport | None) -> int:
    home.identity()
    home.resume()
    _tell(home, transport)
    print("Resumed. Only what your policy allows is captured.")
    return 0


def _sending(home: Home, chosen: argparse.Namespace) -> int:
    home.identity()
    if chosen.command == "network":
        home.mark_network(chosen.kind)
    else:
        home.allow_metered(is_allowed=chosen.answer == "allow")
    print(_sending_line(home))
    return 0


def _sending_line(home: Home) -> str:
    marked = {
        "auto": "Whether this network is metered is asked of the machine.",
        "metered": "This network is metered, you say.",
        "unmetered": "This network is not metered, you say.",
    }[home.network]
    if home.allows_metered:
        return f"{marked} Over a metered network it is sent, where the policy allows it."
    return f"{marked} Over a metered network nothing is sent."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="remit-agent", description=__doc__.split("\n")[0])
    parser.add_argument("--version", action="version", version=VERSION)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--home", type=Path, metavar="DIR", help="state directory")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("enrol", parents=[shared], help="enrol this device")
    add.add_argument("--server", required=True, metavar="URL")
    add.add_argument("--code", required=True, help="the one-time code from the portal")
    add.add_argument("--label", help="what the portal calls this device")
    add = commands.add_parser("replay", parents=[shared], help="replay a recording")
    add.add_argument("recording", type=Path, metavar="RECORDING")
    add.add_argument("--speed", type=float, default=1.0, metavar="N")
    add.add_argument("--map", type=Path, metavar="FILE", help="default: the nearest mapping.json")
    add.add_argument("--wait", type=float, default=5.0, metavar="SECONDS", help="for the outcome")
    add = commands.add_parser("browser", parents=[shared], help="record pages of a browser")
    add.add_argument("--profile", type=Path, required=True, metavar="DIR", help="user data of it")
    add = commands.add_parser("network", parents=[shared], help="say what this network is")
    add.add_argument("kind", choices=["auto", "metered", "unmetered"])
    add = commands.add_parser("metered", parents=[shared], help="sending over metered networks")
    add.add_argument("answer", choices=["allow", "refuse"])
    for name, words in (
        ("record", "record this desktop (X11)"),
        ("browse", "talk to the browser's extension (started by the browser)"),
        ("observe", "obey lines of input (for remit-conformance)"),
        ("status", "say what may be captured now"),
        ("pause", "stop capture on this device"),
        ("resume", "end a pause"),
    ):
        commands.add_parser(name, parents=[shared], help=words)
    return parser


def _default_home() -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "remit-agent"


def _enrol(home: Home, chosen: argparse.Namespace, transport: httpx.BaseTransport | None) -> int:
    with home.exclusive(), connect(chosen.server, transport=transport) as service:
        identity = enrol(home=home, service=service, code=chosen.code, label=chosen.label)
    print(f"Enrolled as device {identity.device_id} ({identity.label}).")
    return 0


def _replay(home: Home, chosen: argparse.Namespace, transport: httpx.BaseTransport | None) -> int:
    report = replay(
        home=home.path,
        recording=chosen.recording,
        speed=chosen.speed,
        wait_s=chosen.wait,
        map_file=chosen.map,
        transport=transport,
    )
    for line in _report_lines(report):
        print(line)
    if report.pending or report.refused:
        print("remit-agent: not every batch was taken.", file=sys.stderr)
        return 1
    return 0


def _report_lines(report: ReplayReport) -> list[str]:
    lines = [f"{report.batches} batches, {report.sent} taken by the service."]
    if report.events:
        lines.append(f"Sent: {_counts(report.events)}.")
    if report.dropped:
        lines.append(f"Left out on this device: {_counts(report.dropped)}.")
    if report.pending:
        lines.append(f"{report.pending} wait in the outbox and go out with the next run.")
    if report.refused:
        lines.append(f"Refused: {_counts(report.refused)}.")
    for status in report.statuses:
        refused = f", refused {_counts(status.refused)}" if status.refused else ""
        lines.append(f"Batch {status.batch_id}: {status.state}, {status.accepted} kept{refused}.")
    return lines


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())


def _status(home: Home, transport: httpx.BaseTransport | None) -> int:
    identity = home.identity()
    print(f"Device {identity.device_id} ({identity.label}) at {identity.server}.")
    waiting = sum(1 for _ in home.outbox.glob("*.batch"))
    if waiting:
        print(f"{waiting} sealed batches wait to be sent.")
    if home.is_paused:
        print("Paused on this device.")
    print(_sending_line(home))
    with connect(identity.server, origin=identity.origin, transport=transport) as service:
        agent = Agent(home, service, identity)
        try:
            agent.refresh()
        except MeteredError as error:
            print(error)
            return 0
        _print_policy(agent)
    return 0


def _print_policy(agent: Agent) -> None:
    policy = agent.in_force()
    if policy is None:
        print("Nothing is captured now.")
        return
    open_in = [each for each in policy.document.applications if each.open_categories]
    if not open_in:
        print("Nothing is captured: you have allowed nothing.")
    for each in open_in:
        print(f"{each.id} ({each.policy_version}): {', '.join(sorted(each.open_categories))}.")
    print(f"This holds until {policy.document.expires_at:%H:%M:%S} UTC, then it is asked again.")


def _tell(home: Home, transport: httpx.BaseTransport | None) -> None:
    """Say so to the service at once; the pause holds here whether it hears or not."""
    identity = home.identity()
    try:
        with connect(identity.server, origin=identity.origin, transport=transport) as service:
            Agent(home, service, identity).heartbeat()
    except AgentError:
        return
