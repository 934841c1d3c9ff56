"""The steps a release takes. Each is a row; the latest row is the state."""

from datetime import datetime
from typing import TYPE_CHECKING

from governance.releases.models import DatasetRelease, ReleaseStep
from governance.releases.states import ReleaseState

if TYPE_CHECKING:
    from audit.models import Entry


def release_step(
    release: DatasetRelease, state: ReleaseState, *, at: datetime, entry: "Entry"
) -> None:
    """Take one step; the unique number refuses a second one taken at the same moment."""
    ReleaseStep.objects.create(
        release=release, number=release.steps.count() + 1, state=state.value, at=at, entry=entry
    )


def release_state(release: DatasetRelease) -> ReleaseState:
    """Return where a release stands."""
    latest = release.steps.order_by("-number").values_list("state", flat=True)[:1].get()
    return ReleaseState(latest)
