"""The screens of one record: pictures of untrusted bytes in, events that hold safe pictures out.

Promise: an event of a screen leaves with a picture that was redacted here, or not at all; what the
accessibility tree said never leaves. Without the extra `ocr` every picture is refused.
"""

import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from governance.redaction.engine import Deadline, Detector
from governance.redaction.findings import Shown
from governance.redaction.schema import Event, ScreenFrame
from governance.redaction.screens import availability

if TYPE_CHECKING:
    from governance.redaction.screens.redactor import RedactedScreen, ScreenRedactor

MOST_PICTURES: Final = 16
_PICTURE: Final = "screenshot"
MOST_STORED_OCTETS: Final = 5 << 20
# What one picture may cost beside the record's own time.
SECONDS_EACH: Final = 2.0


class Pictures:
    """Redacts the pictures of one record, as often as other parts of it find new values."""

    def __init__(self, events: Iterable[Event], blobs: Mapping[str, bytes]) -> None:
        self.refused: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self._frames = {
            position: event
            for position, event in enumerate(events)
            if isinstance(event, ScreenFrame)
        }
        self._bytes: dict[int, bytes] = {}
        self._done: dict[int, RedactedScreen] = {}
        self._shown: set[Shown] = set()
        self.sensitive: set[str] = set()
        self._redactor: ScreenRedactor | None = None
        for position, frame in self._frames.items():
            if reason := self._refusal(position, frame, blobs):
                self.refused[reason] += 1

    @property
    def number(self) -> int:
        """How many pictures are to be redacted."""
        return len(self._bytes)

    def _refusal(self, position: int, frame: ScreenFrame, blobs: Mapping[str, bytes]) -> str | None:
        """Note a picture's bytes, or return why there are none."""
        if not availability.is_available():
            return "screens_unavailable"
        data = blobs.get(frame.blob_id) or _stored(frame)
        if data is None:
            return "picture_missing"
        if len(self._bytes) == MOST_PICTURES:
            return "too_many"
        self._bytes[position] = data
        return None

    def paint(
        self, detector: Detector, deadline: Deadline, *, known: Collection[str]
    ) -> frozenset[str]:
        """Redact every picture, what is `known` from elsewhere too; return the values found."""
        from governance.redaction.screens.errors import PictureError  # noqa: PLC0415 - extra.
        from governance.redaction.screens.geometry import Box  # noqa: PLC0415
        from governance.redaction.screens.redactor import ScreenRedactor  # noqa: PLC0415
        from governance.redaction.screens.trees import TreeText  # noqa: PLC0415

        # One for every look at this record: what was read once need not be read again.
        redactor = self._redactor = self._redactor or ScreenRedactor(detector)
        self._done = {}
        values: set[str] = set()
        for position, data in list(self._bytes.items()):
            tree = [TreeText(one.text, Box(*one.bounds)) for one in self._frames[position].texts]
            try:
                done = redactor.redact(data, tree=tree, known=known, deadline=deadline)
            except PictureError:
                self.refused["bad_picture"] += 1
                del self._bytes[position]
                continue
            self._done[position] = done
            values |= done.values
            of = self._frames[position].app
            if done.is_sensitive:
                self.sensitive.add(of)
            self._shown |= {Shown(of, _PICTURE, kind, value) for kind, value in done.shown}
        return frozenset(values)

    def shown(self) -> frozenset[Shown]:
        """Return what the pictures showed of anyone, those that were refused left out."""
        return frozenset(self._shown)

    def written(self, events: Iterable[Event]) -> list[Event]:
        """Return the events with safe pictures in them, without those that were refused."""
        result: list[Event] = []
        octets = 0
        for position, event in enumerate(events):
            if not isinstance(event, ScreenFrame):
                result.append(event)
                continue
            done = self._done.get(position)
            if done is None:
                continue
            octets += len(done.picture)
            if octets > MOST_STORED_OCTETS:
                self.refused["too_large"] += 1
                continue
            self.counts.update(done.counts)
            result.append(_written(event, done))
        return result


def _stored(frame: ScreenFrame) -> bytes | None:
    """Return the picture of an event that was stored before."""
    try:
        return base64.b64decode(frame.image, validate=True) if frame.image else None
    except binascii.Error:
        return None


def _written(frame: ScreenFrame, done: "RedactedScreen") -> ScreenFrame:
    """Return the event as stored; an earlier run's counts stay, since it painted what they say."""
    removed = Counter(frame.removed or {}) | Counter(done.counts)
    return replace(
        frame,
        blob_id=hashlib.sha256(done.picture).hexdigest(),
        texts=[],
        image=base64.b64encode(done.picture).decode("ascii"),
        width=done.width,
        height=done.height,
        removed=dict(sorted(removed.items())),
    )
