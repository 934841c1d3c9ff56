"""`remit-trainer`: enrol, pull, verify, attest.

Promises: a failure is one clear line on stderr and a non-zero exit, never a traceback; `verify`
ends with 0 only when every file is what a pinned key signed.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import httpx

from remit_agent.home import VerifyKey
from remit_trainer import VERSION, manifest
from remit_trainer.errors import ReleaseError, TrainerError
from remit_trainer.home import Home
from remit_trainer.service import connect


def entry() -> NoReturn:
    """Run as a console script."""
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        print("remit-trainer: stopped.", file=sys.stderr)
        code = 130
    sys.exit(code)


def main(argv: Sequence[str], *, transport: httpx.BaseTransport | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 not done, 2 bad usage."""
    try:
        chosen = _parser().parse_args(argv)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 2
    home = Home(chosen.home or _default_home())
    try:
        match chosen.command:
            case "enrol":
                return _enrol(home, chosen, transport)
            case "pull":
                return _pull(home, chosen, transport)
            case "verify":
                return _verify(home, chosen.folder)
        return _attest(home, chosen, transport)
    except TrainerError as error:
        print(f"remit-trainer: {error}", file=sys.stderr)
    except OSError as error:
        print(f"remit-trainer: {error.strerror or 'a file'} could not be used.", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="remit-trainer", description=__doc__.split("\n")[0])
    parser.add_argument("--version", action="version", version=VERSION)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--home", type=Path, metavar="DIR", help="state directory")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("enrol", parents=[shared], help="sign in and pin release keys")
    add.add_argument("--server", required=True, metavar="URL")
    add.add_argument("--user", required=True)
    add.add_argument("--password-file", type=Path, metavar="FILE",
                     help="default: REMIT_TRAINER_PASSWORD, else asked for")  # fmt: skip
    add.add_argument("--key", action="append", default=[], metavar="ID:BASE64",
                     help="a release key got by another way; may repeat")  # fmt: skip
    add = commands.add_parser("pull", parents=[shared], help="fetch and check a release")
    add.add_argument("--release", required=True, metavar="ID")
    add.add_argument("--purpose", required=True, metavar="KEY")
    add.add_argument("--out", required=True, type=Path, metavar="DIR")
    add = commands.add_parser("verify", parents=[shared], help="check a pulled release")
    add.add_argument("folder", type=Path, metavar="DIR")
    add = commands.add_parser("attest", parents=[shared], help="say a recall was carried out")
    add.add_argument("--recall", required=True, metavar="ID")
    add.add_argument("--statement", default="deleted")
    return parser


def _default_home() -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "remit-trainer"


def _enrol(home: Home, chosen: argparse.Namespace, transport: httpx.BaseTransport | None) -> int:
    keys = [_key(each) for each in chosen.key]
    with connect(chosen.server, transport=transport) as service:
        session = service.sign_in(user=chosen.user, password=_password(chosen.password_file))
    home.keep(session)
    if keys:
        home.pin(keys)
    print(f"Signed in as {session.user} at {session.server}.")
    return 0


def _key(text: str) -> VerifyKey:
    key_id, separator, public = text.partition(":")
    if not separator or not key_id or not public:
        raise TrainerError("--key takes ID:BASE64.")
    return VerifyKey(key_id, "ed25519", public)


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\n")
    return os.environ.get("REMIT_TRAINER_PASSWORD") or getpass.getpass("Password: ")


def _pull(home: Home, chosen: argparse.Namespace, transport: httpx.BaseTransport | None) -> int:
    session = home.session()
    with connect(session.server, session=session, transport=transport) as service:
        envelope = service.manifest(release=chosen.release)
        if not home.keys():
            # First use: from now on only these. Who got a key by another way gave it to enrol.
            home.pin(service.keys(release=chosen.release))
            print("Pinned the service's release keys (first use).")
        release = manifest.read(envelope, keys=home.keys())
        if (release.release_id, release.purpose) != (chosen.release, chosen.purpose):
            raise ReleaseError("The manifest is of another release or purpose.")
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / manifest.FILE_NAME).write_bytes(envelope)
        for number, file in enumerate(release.files, start=1):
            service.fetch(
                release=chosen.release, purpose=chosen.purpose, file=file, folder=chosen.out
            )
            print(f"{number} of {len(release.files)}: {file.name}, {file.length} bytes.")
    return _verify(home, chosen.out)


def _verify(home: Home, folder: Path) -> int:
    path = folder / manifest.FILE_NAME
    if not path.is_file():
        raise ReleaseError(f"{folder} holds no {manifest.FILE_NAME}.")
    release = manifest.read(path.read_bytes(), keys=home.keys())
    found = list(manifest.faults(folder, release))
    for line in found:
        print(f"remit-trainer: {line}", file=sys.stderr)
    if found:
        return 1
    print(
        f"Release {release.release_id} for {release.purpose}: {len(release.files)} files "
        f"of {release.contributors} contributors, all as signed."
    )
    return 0


def _attest(home: Home, chosen: argparse.Namespace, transport: httpx.BaseTransport | None) -> int:
    session = home.session()
    with connect(session.server, session=session, transport=transport) as service:
        service.attest(recall=chosen.recall, statement=chosen.statement)
    print(f"Attested for recall {chosen.recall}.")
    return 0
