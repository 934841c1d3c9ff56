"""What a draft would do if it were in force, while it is being written. Nothing is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.compliance import jurisdictions
from governance.console import differing, refusals
from governance.console.drafting import Draft
from governance.policies import content as policy_content
from governance.policies import dry_run, history, selectors
from governance.policies.categories import Category
from governance.policies.errors import PoliciesError
from governance.policies.states import PolicyState
from governance.web import naming

_HAS_ACTED: Final = frozenset({PolicyState.ACTIVE, PolicyState.SUSPENDED, PolicyState.SUPERSEDED})


@dataclass(frozen=True, slots=True)
class Preview:
    """The draft in words, what it lacks, what it would capture of a recording, what it changes."""

    categories: list[tuple[Category, int | None]]
    places: list[str]
    lacks: list[str]
    outcomes: list[dry_run.Outcome]
    against: history.Version | None
    changes: list[differing.Change] = field(default_factory=list)


def preview(draft: Draft) -> Preview | None:
    """Return what a draft would do; None, with the mistake at its field, when it cannot stand."""
    if draft.errors:
        return None
    try:
        content = policy_content.parse(draft.content)
    except PoliciesError as error:
        draft.errors[refusals.field_of(error, draft.content)] = refusals.words_of(error)
        return None
    kept = next((each.days for each in selectors.schedules(content.application)), {})
    before = last_in_force(content.application)
    return Preview(
        categories=[(key, kept.get(key)) for key in Category if key in content.categories],
        places=[naming.place(code) for code in content.places],
        lacks=_lacks(content, kept),
        outcomes=_outcomes(content, draft.recording),
        against=before,
        changes=differing.changes(before.content, content.as_json()) if before else [],
    )


def last_in_force(application: str, *, below: int | None = None) -> history.Version | None:
    """Return the newest version that is or was in force; with `below`, of the earlier ones."""
    found = [
        version
        for version in history.versions(application)
        if has_acted(version) and (below is None or version.number < below)
    ]
    return found[0] if found else None


def has_acted(version: history.Version) -> bool:
    """Return whether a version is or was in force."""
    return version.state in _HAS_ACTED


def _outcomes(content: policy_content.Content, recording: str) -> list[dry_run.Outcome]:
    chosen = [each for each in dry_run.samples() if each.name == recording]
    # What it captures most of is what the reader came to see.
    return sorted(dry_run.run_all(content, chosen), key=lambda each: -each.kept)


def _lacks(content: policy_content.Content, kept: Mapping[Category, int]) -> list[str]:
    """Return what would keep the draft from capturing anything, whoever allows it."""
    found = []
    if not content.places:
        found.append(_("It names no place where people work, so it would capture nobody."))
    today = timezone.now().date()
    known = [code for code in content.places if jurisdictions.profile_of(code, today)]
    if strangers := [naming.place(code) for code in content.places if code not in known]:
        words = _("The law of these places is not known here: %(places)s.")
        found.append(words % {"places": ", ".join(strangers)})
    if missing := [str(key.label) for key in content.categories if key not in kept]:
        words = _("There is no keep limit for: %(what)s.")
        found.append(words % {"what": ", ".join(missing)})
    return found
