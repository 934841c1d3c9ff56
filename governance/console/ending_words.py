"""The words of the page about ending consents: classes of reasons, and why nothing was changed."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.rights import errors
from governance.rights.states import EndingReason

REASONS: Final[Mapping[str, Promise]] = {
    EndingReason.PURPOSE_CLOSED.value: _("the purpose is closed"),
    EndingReason.APPLICATION_REMOVED.value: _("the application is captured no more"),
    EndingReason.SCOPE_CHANGED.value: _("what was agreed to has changed for the worse"),
    EndingReason.DEFECT_FOUND.value: _("a defect was found in how people were asked"),
    EndingReason.AUTHORITY_ORDER.value: _("an authority ordered it"),
    EndingReason.COURT_ORDER.value: _("a court ordered it"),
}
_REFUSALS: Final[Mapping[type[Exception], Promise]] = {
    errors.EndingError: _(
        "Name a purpose and, where it is about less, an application, a kind of data or a person "
        "that there is; say in up to 500 characters what stands behind it."
    ),
    errors.EndingSecondPersonError: _("Who proposed it does not decide on it."),
    errors.EndingConflictError: _(
        "You lead somebody whom it reaches. Let an officer do it who does not."
    ),
    errors.RequestChangeError: _("It was decided on already."),
    ValueError: _("Choose a reason."),
}


def refusal(error: Exception) -> str:
    """Return why nothing was changed, in the reader's language."""
    return str(_REFUSALS.get(type(error), error))
