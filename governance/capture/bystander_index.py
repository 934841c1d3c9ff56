"""Which stored frames showed whom: keyed marks of what redaction removed, and nothing readable.

Promises: of a mail address, a phone number or an account name only an HMAC under a key of the key
store is kept, beside the id of the frame that showed it; a mark goes with its frame, whatever ends
that, and is copied with it; nobody lists the marks: a search names the request it serves and one
identifier, and is an entry of the log.
Leaves to others: whose requests these are (governance.rights.bystander_answers, the one caller).
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from audit import journal, sql
from audit.actions import Action
from audit.actors import Actor
from governance.capture.models import BystanderMark, LiveFrame
from governance.redaction import identifiers
from governance.vault import registers

_REGISTER: Final = "bystander-index"
_CHUNK: Final = 200
_COPY: Final = """
    INSERT INTO capture_bystandermark (frame_id, mark)
    SELECT %s, mark FROM capture_bystandermark WHERE frame_id = %s
"""
_END: Final = "DELETE FROM capture_bystandermark WHERE frame_id = %s"


def marks(forms: identifiers.Forms) -> dict[identifiers.Cell, list[str]]:
    """Return the marks to be kept of each cell; `forms` as identifiers.forms says."""
    every = {form for shown in forms.values() for form in shown}
    if not every:
        return {}
    known = registers.marks(_REGISTER, every, is_new=True)
    return {cell: sorted(known[form] for form in shown) for cell, shown in forms.items()}


def store(frame_id: UUID, found: Collection[str]) -> None:
    """Keep the marks of a frame, in the transaction that stores it."""
    left = list(found)
    while left:
        part, left = left[:_CHUNK], left[_CHUNK:]
        rows = ", ".join(["(%s, %s)"] * len(part))
        values = [value for mark in part for value in (frame_id, mark)]
        sql.rows(f"INSERT INTO capture_bystandermark (frame_id, mark) VALUES {rows}", values)  # noqa: S608 - constants.


def copy(*, old: UUID, new: UUID) -> None:
    """Keep a frame's marks for what is stored in its place."""
    sql.rows(_COPY, [new, old])


def end(frame_id: UUID) -> None:
    """Forget the marks of a frame, in the transaction that ends it."""
    sql.rows(_END, [frame_id])


def find(*, request: UUID, identifier: str, actor: Actor) -> dict[str, list[UUID]]:
    """Return the stored frames that showed an identifier, by the person recorded.

    For one rights request, which the entry names; whether anything was found is in no entry.
    """
    journal.append_now(
        Action.RIGHTS_REQUESTED,
        actor=actor,
        act="look-up",
        private={"asked": str(request)},
    )
    form = identifiers.form_of(identifier)
    if form is None:
        return {}
    mark = registers.marks(_REGISTER, [form], is_new=True)[form]
    marked = BystanderMark.objects.filter(mark=mark).values("frame_id")
    live = LiveFrame.objects.filter(frame_id__in=marked)
    found: dict[str, list[UUID]] = {}
    for subject, frame in live.order_by("subject", "frame_id").values_list("subject", "frame_id"):
        found.setdefault(subject, []).append(frame)
    return found
