"""Why an act was refused, in the reader's language.

The floors below raise errors whose own words are English, for logs and the API. A page says the
same from what the error carries; what has no words here is shown as the error itself says it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.compliance import errors as compliance
from governance.policies import errors as policies
from governance.policies import purposes, surfaces
from governance.web import naming, wording

_FAULTS: Final[Mapping[str, str | Promise]] = {
    "not-offered": gettext_lazy("This kind of data is not offered here."),
    "rule-of-nothing": gettext_lazy("There is a rule for a kind of data that is not captured."),
    "kind": gettext_lazy("This kind of application is not recognised like this."),
    "origin": gettext_lazy(
        "Write the origin as https:// and the whole name of the host, without * and without a path."
    ),
    "identity": gettext_lazy(
        "An identity is sha256: or authenticode: and 64 small digits from 0 to f, or apple: and "
        "team/bundle."
    ),
    "too-wide": gettext_lazy("This pattern would match nearly everything. Write more of it."),
    "wildcards": gettext_lazy("This pattern has too many *. Ten are enough."),
    "repeats": gettext_lazy("Something stands here twice. Each thing stands once."),
}
# What an entry of each field looks like, for what does not look like it.
_FORMS: Final[Mapping[str, str | Promise]] = {
    "places": gettext_lazy("A place is a code such as DE, FR or US-CA."),
    "labels": gettext_lazy("A menu word has 1 to 80 characters; there are at most 2,000 of them."),
    "budgets": gettext_lazy(
        "A limit reads “name = value”, with a name and a value of those that stand above."
    ),
    "rules": gettext_lazy(
        "A rule reads “kind-of-data: name = value”, with the key of a kind of data, such as "
        "“keystroke-timing: quantise-ms = 50”."
    ),
}
_LINE_FORM: Final = gettext_lazy(
    "A name has small letters and digits, parted by - . or _; what it stands for has 2 to 300 "
    "characters; there are at most 200 lines."
)
# Errors that say the same whatever they carry.
_FIXED: Final[Mapping[type[Exception], str | Promise]] = {
    policies.FourEyesError: gettext_lazy("Somebody else has to do this: it takes two people."),
    policies.ConsumerError: gettext_lazy(
        "Whoever uses the data, or works beside those who do, has no say in what is captured."
    ),
    policies.ContentChangedError: gettext_lazy("The text has changed. Read it again, then decide."),
    policies.StoppedError: gettext_lazy("All capture is stopped. That has to end first."),
    policies.UnknownApplicationError: gettext_lazy("No such application is registered."),
    policies.UnknownPurposeError: gettext_lazy("One of these purposes is not registered."),
    policies.AlreadyRegisteredError: gettext_lazy("Something of this key is registered already."),
    policies.PurposeTermError: gettext_lazy("No purpose may narrow this term."),
    policies.UnknownStopError: gettext_lazy("No stop of this number holds any more."),
    policies.ApprovalMissingError: gettext_lazy(
        "No second person has approved exactly this text in the last 90 days."
    ),
    compliance.AssessmentMissingError: gettext_lazy(
        "No approved impact assessment, its review not overdue, looked at exactly this."
    ),
    compliance.ConsultationMissingError: gettext_lazy(
        "The impact assessment leaves a high risk, and the authority was not consulted."
    ),
    compliance.AssessmentChangedError: gettext_lazy(
        "The text has changed. Read it again, then decide."
    ),
    compliance.SecondPersonError: gettext_lazy(
        "Somebody else has to do this: it takes two people."
    ),
    compliance.BasisFixedError: gettext_lazy(
        "A policy was active on this basis. It stays; for another basis, register another purpose."
    ),
}


def field_of(error: Exception, content: Mapping[str, object]) -> str:
    """Return the field of the draft form that an error is about."""
    if isinstance(error, policies.PolicyContentError):
        return error.pointer.strip("/").partition("/")[0] or "application"
    if isinstance(error, policies.ProtectedSurfaceError):
        return _reaching(content)
    if isinstance(error, policies.UnknownPurposeError | policies.PurposeProhibitedError):
        return "purposes"
    return "categories" if isinstance(error, policies.CategoryProhibitedError) else "application"


def _reaching(content: Mapping[str, object]) -> str:
    """Return the first part that reaches for a place which nobody may have captured."""
    for part in ("matchers", "titles", "urls"):
        items = content.get(part)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and surfaces.surface_of(str(item.get("pattern", ""))):
                return part
    return "application"


def words_of(error: Exception) -> str:
    """Return what an error says, in the reader's language where it has words."""
    if (fixed := _FIXED.get(type(error))) is not None:
        return str(fixed)
    made = _BY_WHAT_IT_CARRIES.get(type(error))
    return made(error) if made else str(error)


def _of_content(error: policies.PolicyContentError) -> str:
    part, _slash, rest = error.pointer.strip("/").partition("/")
    if not part:
        return str(error)
    fault = _FAULTS.get(error.fault) or _FORMS.get(part, _LINE_FORM)
    place = rest.partition("/")[0]
    if place.isdecimal() and part != "categories":
        return _("Entry %(number)d: %(fault)s") % {"number": int(place) + 1, "fault": fault}
    return str(fault)


def _of_surface(error: policies.ProtectedSurfaceError) -> str:
    known = {each.key: each.words for each in surfaces.PROTECTED}
    return _("Nobody may allow capture of %(what)s.") % {"what": known.get(error.surface, "")}


def _of_category(error: policies.CategoryProhibitedError) -> str:
    known = {each.key: each.words for each in surfaces.NEVER_COLLECTED}
    return _("Nobody may collect %(what)s.") % {"what": known.get(error.prohibition, "")}


def _of_purpose(error: policies.PurposeProhibitedError) -> str:
    known = {each.key: each.words for each in purposes.PROHIBITED}
    what = known.get(error.prohibition, "")
    return _("Captured work may not be used for this by anybody: %(what)s.") % {"what": what}


def _of_state(error: policies.InvalidStateError) -> str:
    is_now = wording.words(wording.STATES, error.current)
    return _("This version is “%(state)s” by now, so this step is not open any more.") % {
        "state": is_now
    }


def _of_retention(error: policies.RetentionMissingError) -> str:
    names = ", ".join(str(naming.category(key)) for key in error.categories)
    return _("There is no keep limit for: %(what)s.") % {"what": names}


def _of_notice(error: policies.NoticeMissingError) -> str:
    return _(
        "The notice of %(purposes)s is not published in every language, leaves out something that "
        "would be captured, or promises to keep it for less time."
    ) % {"purposes": ", ".join(error.purposes)}


def _of_basis(error: compliance.LawfulBasisMissingError) -> str:
    return _(
        "No lawful basis stands that every place allows and the notice names, for: %(purposes)s."
    ) % {"purposes": ", ".join(error.purposes)}


def _of_unknown_place(error: compliance.JurisdictionUnknownError) -> str:
    if not error.places:
        return _("It names no place where people work, so it would capture nobody.")
    return _("The law of these places is not known here: %(places)s.") % {
        "places": ", ".join(map(naming.place, error.places))
    }


def _of_commitment(error: compliance.CommitmentBrokenError) -> str:
    return _("The impact assessment promises otherwise: %(names)s.") % {
        "names": ", ".join(error.commitments)
    }


_UNMET: Final[Mapping[str, str | Promise]] = {
    "kept-too-long": gettext_lazy("%(of)s may be kept for %(most)s days at most"),
    "not-published": gettext_lazy("no monitoring notice is published for %(of)s"),
    "not-posted": gettext_lazy("the monitoring notice for %(of)s hangs nowhere yet"),
}


def _of_unmet(error: compliance.JurisdictionUnmetError) -> str:
    named = [
        str(_UNMET[each.kind])
        % {
            "of": (naming.category if each.kind == "kept-too-long" else naming.place)(each.of),
            "most": each.most,
        }
        for each in error.unmet
    ]
    return _("The law of a place asks for more: %(what)s.") % {"what": "; ".join(named)}


def _of_agreement(error: compliance.AgreementMissingError) -> str:
    return _("No works agreement over exactly this is in force for: %(places)s.") % {
        "places": ", ".join(map(naming.place, error.places))
    }


_BY_WHAT_IT_CARRIES: Final[dict[type[Exception], Callable[..., str]]] = {
    policies.PolicyContentError: _of_content,
    policies.ProtectedSurfaceError: _of_surface,
    policies.CategoryProhibitedError: _of_category,
    policies.PurposeProhibitedError: _of_purpose,
    policies.InvalidStateError: _of_state,
    policies.RetentionMissingError: _of_retention,
    policies.NoticeMissingError: _of_notice,
    compliance.LawfulBasisMissingError: _of_basis,
    compliance.JurisdictionUnknownError: _of_unknown_place,
    compliance.CommitmentBrokenError: _of_commitment,
    compliance.JurisdictionUnmetError: _of_unmet,
    compliance.AgreementMissingError: _of_agreement,
}
