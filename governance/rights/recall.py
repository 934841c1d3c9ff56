"""Telling who got the data that it is gone (Art. 19): the one place that recalls releases."""

from collections.abc import Sequence
from uuid import UUID

from consent.selectors import Cell


def subject(*, subject: str, cells: Sequence[Cell] | None, reason: str) -> None:
    """Recall what releases hold of a person: of these cells, or (None) everything."""
    from governance.releases import services  # noqa: PLC0415

    services.recall_subject(subject=subject, cells=cells, reason=reason)


def frames(*, subject: str, frames: Sequence[UUID], reason: str) -> None:
    """Recall these frames of a person from the releases that hold them."""
    from governance.releases import services  # noqa: PLC0415

    services.recall_frames(subject=subject, frames=frames, reason=reason)
