"""What was chosen on the consent form and is not saved yet.

It waits in the session between the pages, never in an address, and it names the form that was
shown: a choice made on one form is never saved under another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from consent.selectors import Cell
from governance.portal import form
from governance.portal.form import Answer, Change, Section
from governance.portal.offer import Offer

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

KEY: Final = "consent-draft"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form said it was made of, as it came back with the answers."""

    digest: str
    notices: Mapping[str, str]
    policies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """The answers and ticks of one form."""

    answers: Mapping[str, Answer | None]
    ticked: frozenset[Cell]
    language: str
    shown: Shown
    # Purposes whose ticks shall hold for another term, where it ends soon.
    again: frozenset[str] = frozenset()


def of(offer: Offer) -> Shown:
    """Return what the form of this moment is made of."""
    return Shown(
        digest=offer.digest,
        notices={section.purpose: section.notice for section in offer.sections},
        policies={
            row.application: row.policy_version
            for section in offer.sections
            for row in section.rows
            if row.policy_version is not None
        },
    )


def saved(offer: Offer) -> Draft:
    """Return the answers as they stand: what the form shows before anything is touched."""
    return Draft(
        answers={section.purpose: section.answer for section in offer.sections},
        ticked=offer.covered & offer.cells,
        language=offer.language,
        shown=of(offer),
    )


def keep(session: "SessionBase", draft: Draft) -> None:
    """Let the draft wait for the next page."""
    session[KEY] = {
        "answers": dict(draft.answers),
        "ticked": sorted(draft.ticked),
        "again": sorted(draft.again),
        "language": draft.language,
        "digest": draft.shown.digest,
        "notices": dict(draft.shown.notices),
        "policies": dict(draft.shown.policies),
    }


def held(session: "SessionBase") -> Draft | None:
    """Return the draft that waits, or None."""
    kept = session.get(KEY)
    # One of an older version of this service is of no use.
    if not isinstance(kept, dict) or "ticked" not in kept:
        return None
    return Draft(
        answers={key: Answer(value) if value else None for key, value in kept["answers"].items()},
        ticked=frozenset(Cell(*cell) for cell in kept["ticked"]),
        language=kept["language"],
        shown=Shown(kept["digest"], kept["notices"], kept["policies"]),
        again=frozenset(kept.get("again", ())),
    )


def drop(session: "SessionBase") -> None:
    """Forget what was chosen and not saved."""
    session.pop(KEY, None)


def merged(before: Draft, sent: QueryDict, offer: Offer) -> Draft:
    """Return the draft with what a form sent; rows that it did not show stay as they were."""
    rows = sent.get("shown")
    shown = offer.applications if rows is None else frozenset(rows.split())
    ticked = {cell for cell in before.ticked & offer.cells if cell.application not in shown}
    ticked |= {
        cell for cell in offer.cells if cell.application in shown and form.field_name(cell) in sent
    }
    return Draft(
        answers={section.purpose: _answer(sent, section) for section in offer.sections},
        ticked=frozenset(ticked),
        language=offer.language,
        shown=Shown(
            digest=sent.get("form", ""),
            notices={
                section.purpose: sent.get(f"notice.{section.purpose}", "")
                for section in offer.sections
            },
            policies=_versions(sent.get("policies", "")),
        ),
        again=frozenset(
            section.purpose for section in offer.sections if f"again.{section.purpose}" in sent
        ),
    )


def _answer(sent: QueryDict, section: Section) -> Answer | None:
    """Return the radio as it was sent; a no that only stood there says no to nothing new."""
    given = sent.get(f"answer.{section.purpose}", "")
    if given == Answer.NO == sent.get(f"stood.{section.purpose}"):
        return section.answer
    return Answer(given) if given in set(Answer) else None


def _versions(names: str) -> dict[str, str]:
    return {name.rpartition("@")[0]: name for name in names.split()}


def copied(draft: Draft, offer: Offer, *, source: str, target: str) -> Draft:
    """Return the draft with the ticks of one purpose at another, wherever it offers the same."""
    meant = {
        cell
        for cell in offer.cells
        if cell.purpose == target and cell._replace(purpose=source) in draft.ticked
    }
    others = {cell for cell in draft.ticked if cell.purpose != target}
    return replace(draft, ticked=frozenset(others | meant))


def copied_row(draft: Draft, offer: Offer, *, purpose: str, source: str, target: str) -> Draft:
    """Return the draft with the ticks of one application at another, within one purpose."""
    meant = {
        cell
        for cell in offer.cells
        if (cell.purpose, cell.application) == (purpose, target)
        and cell._replace(application=source) in draft.ticked
    }
    others = {
        cell for cell in draft.ticked if (cell.purpose, cell.application) != (purpose, target)
    }
    return replace(draft, ticked=frozenset(others | meant))


def mistakes(draft: Draft, offer: Offer) -> dict[str, str]:
    """Return, by purpose, what is missing before the answers mean something."""
    found = {}
    for section in offer.sections:
        answer = draft.answers.get(section.purpose)
        ticked = draft.ticked.intersection(section.cells)
        if answer is None and ticked:
            found[section.purpose] = _("Choose “No” or “Yes” for this purpose.")
        elif answer is Answer.YES and not ticked and not _stands(section, offer):
            found[section.purpose] = _("Tick what may be captured, or choose “No”.")
    return found


def _stands(section: Section, offer: Offer) -> bool:
    """Tell whether the form itself showed a yes without a tick: what was allowed covers no more."""
    return section.answer is Answer.YES and offer.covered.isdisjoint(section.cells)


def changes(draft: Draft, offer: Offer) -> tuple[Change, ...]:
    """Return what would have to be written."""
    wishes: dict[Cell, bool] = {}
    for section in offer.sections:
        answer = draft.answers.get(section.purpose)
        wishes |= form.wanted(section, answer=answer, ticked=draft.ticked, covered=offer.covered)
    again = {cell for cell in offer.ending if cell.purpose in draft.again}
    return form.changes(wishes, offer.states, covered=offer.covered - again)


def is_stale(draft: Draft, offer: Offer) -> bool:
    """Tell whether the form that was filled in is not the one that would be shown now."""
    return draft.shown.digest != offer.digest


def differences(draft: Draft, offer: Offer, *, names: Mapping[str, str]) -> list[str]:
    """Return in words what is another since the form was shown."""
    now = of(offer)
    found = [
        _("The notice on “%(purpose)s” is a newer one.") % {"purpose": section.title}
        for section in offer.sections
        if draft.shown.notices.get(section.purpose) != section.notice
    ]
    applications = sorted(
        key
        for key in {*draft.shown.policies, *now.policies}
        if draft.shown.policies.get(key) != now.policies.get(key)
    )
    found += [
        _("What may be captured in %(application)s is not the same any more.")
        % {"application": names.get(key, key)}
        for key in applications
    ]
    return found or [_("What may be captured is not the same any more.")]
