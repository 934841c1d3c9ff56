"""My log key: with it a person finds all own entries in the public log, without this service.

Promises: only the person gets it, and each time is an entry of its own. Whoever holds the file can
tell which entries of the public log are about the person, and read what stands in them: the page
says so before it is handed out. After an erasure there is no key any more (SubjectErasedError).
"""

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit import journal, own
from audit.actions import Action
from audit.actors import Actor
from governance.rights.errors import SubjectErasedError
from governance.vault import shredding

if TYPE_CHECKING:
    from audit.models import Entry

ACT: Final = "log-key"
# The newest ones, proved in the file itself; the key finds the rest in the log.
MOST_PROOFS: Final = 2000
_PUBLIC = ("checkpoint", "policy", "vkeys")


@dataclass(frozen=True, slots=True)
class LogKey:
    """What was handed out, and the entry that says so."""

    origin: str
    key: str
    disclosures: list[str]
    entries: int
    waiting: int
    entry: "Entry"


def take(*, subject: str, actor: Actor, request_id: UUID | None = None) -> LogKey:
    """Hand the person their tag key and disclosures; the act is an entry first."""
    if shredding.is_destroyed(subject=subject):
        raise SubjectErasedError
    with transaction.atomic():
        entry = journal.append(
            Action.EXPORT_BUILT, actor=actor, subject=subject, act=ACT, request_id=request_id
        )
    numbered = own.numbered(subject=subject)
    return LogKey(
        origin=settings.REMIT_LOG_ORIGIN,
        key=base64.b64encode(own.tag_key(subject=subject)).decode("ascii"),
        disclosures=numbered.disclosures,
        entries=numbered.entries,
        waiting=numbered.waiting,
        entry=entry,
    )


def archive(taken: LogKey, *, subject: str) -> bytes:
    """Return the files as a ZIP, with the public ones they are checked against and how."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression=zipfile.ZIP_DEFLATED) as held:
        held.writestr("READ-ME.txt", _words())
        for name, body in sorted(files(subject=subject, taken=taken).items()):
            held.writestr(name, body)
    return packed.getvalue()


def files(*, subject: str, taken: LogKey | None = None) -> Mapping[str, bytes]:
    """Return key, disclosures, proofs and the log's public files, by name under `log/`."""
    key = taken.key if taken else base64.b64encode(own.tag_key(subject=subject)).decode("ascii")
    opened = taken.disclosures if taken else own.numbered(subject=subject).disclosures
    proofs = own.proofs_of(subject=subject, limit=MOST_PROOFS).document()
    public = Path(settings.REMIT_LOG_DIR)
    held = {
        "log/tag-key.txt": f"{key}\n".encode("ascii"),
        "log/disclosures.json": _json(opened),
        "log/entries.json": _json(proofs),
    }
    held |= {f"log/{n}": (public / n).read_bytes() for n in _PUBLIC if (public / n).exists()}
    return held


def _words() -> str:
    command = (
        "python3 -I remit-verify.pyz mine --policy log/policy --key log/tag-key.txt "
        f"--disclosures log/disclosures.json {settings.REMIT_EXTERNAL_ORIGIN}/log"
    )
    return "\n\n".join(
        (
            _("My log key"),
            _(
                "log/tag-key.txt finds your entries in the public log, which names nobody. Keep "
                "it to yourself: whoever has it can tell which entries are about you."
            ),
            _(
                "log/disclosures.json opens what stands in those entries. log/entries.json holds "
                "a proof of each, to be checked without network on the saved page."
            ),
            _("The command that finds them, and misses one that was hidden:"),
            command,
            _(
                "The keys in log/policy come from the operator. Compare their key ids with those "
                "printed in your works agreement."
            ),
            "",
        )
    )


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8")
