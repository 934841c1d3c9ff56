"""What the review page showed, under a name of its own, so that "save" means that and nothing else.

The page carries the name as a hidden field. It is keyed, for it is made of a person and what they
chose. Whatever moves meanwhile (an answer, a notice, a policy, the form in another window) makes
another name, and only another review shows it.
"""

import json
from collections.abc import Sequence
from typing import Final

from django.utils.crypto import constant_time_compare, salted_hmac

from governance.portal import draft as drafts
from governance.portal.draft import Draft
from governance.portal.form import Change
from governance.portal.offer import Offer
from governance.rights import services as rights

_SALT: Final = "remit.portal.reviewed"


def name(subject: str, changes: Sequence[Change], offer: Offer) -> str:
    """Return the name of exactly these changes, of this person, on this form."""
    bases = _bases(changes, offer)
    said = [
        [*change.cell, change.was, change.will, str(basis.event_id or ""), basis.scope_digest]
        for change, basis in zip(changes, bases, strict=True)
    ]
    # The form's own digest names every notice and the language it was read in.
    shown = json.dumps({"person": subject, "form": offer.digest, "changes": said}, sort_keys=True)
    return salted_hmac(_SALT, shown, algorithm="sha256").hexdigest()


def is_still(claimed: str, *, subject: str, draft: Draft, offer: Offer) -> bool:
    """Tell whether saving the draft would write what the page of this name showed, and no more."""
    changes = drafts.changes(draft, offer)
    if not changes or drafts.is_stale(draft, offer):
        return False
    return constant_time_compare(claimed, name(subject, changes, offer))


def answers(draft: Draft, offer: Offer, *, signal: str) -> list[rights.Answer]:
    """Return the draft's changes as answers, each bound to what was shown beside it."""
    changes = drafts.changes(draft, offer)
    return [
        rights.Answer(
            *change.cell,
            change.will,
            draft.shown.notices.get(change.cell.purpose) or None,
            signal=signal,
            basis=basis,
        )
        for change, basis in zip(changes, _bases(changes, offer), strict=True)
    ]


def _bases(changes: Sequence[Change], offer: Offer) -> list[rights.Basis]:
    """Return what stood beside each change on the page."""
    scopes = offer.scopes
    events = {cell: state.event_id for cell, state in offer.states.items()}
    return [
        rights.Basis(events.get(change.cell), scopes.get(change.cell, "")) for change in changes
    ]
