"""What can go wrong with impact assessments, agreements, bases and profiles."""

from dataclasses import dataclass
from typing import Final, Literal

_UNMET: Final = {
    "kept-too-long": "{of} is kept for {most} days at most",
    "not-published": "{of}: a monitoring notice is published",
    "not-posted": "{of}: the monitoring notice is posted where people see it",
}


@dataclass(frozen=True, slots=True)
class Unmet:
    """One thing that a place asks for and that is not so; `of` is a place or a kind of data."""

    kind: Literal["kept-too-long", "not-published", "not-posted"]
    of: str
    most: int = 0

    def __str__(self) -> str:
        """Return it for programs, in English."""
        return _UNMET[self.kind].format(of=self.of, most=self.most)


class ComplianceError(Exception):
    """Anything this app refuses."""


class ProfileError(ComplianceError):
    """A jurisdiction profile is not well formed; the service does not start with it."""


class UnknownAssessmentError(ComplianceError):
    """There is no such impact assessment, or no such version of it."""


class UnknownAgreementError(ComplianceError):
    """There is no such works agreement."""


class AssessmentContentError(ComplianceError):
    """The content is not well formed; `pointer` says where (RFC 6901)."""

    def __init__(self, detail: str, *, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer


class AssessmentIncompleteError(ComplianceError):
    """The assessment leaves out what GDPR 35(7) asks for; `parts` names it."""

    def __init__(self, *, parts: list[str]) -> None:
        super().__init__("The assessment does not say yet: " + ", ".join(parts) + ".")
        self.parts = parts


class AssessmentStateError(ComplianceError):
    """The version is not in a state from which this step leads."""

    def __init__(self, *, current: str, wanted: str) -> None:
        super().__init__(f"A version that is {current} cannot become {wanted}.")
        self.current = current
        self.wanted = wanted


class AssessmentChangedError(ComplianceError):
    """The digest that was read is not the digest of the version; read it again."""


class SecondPersonError(ComplianceError):
    """Who wrote something down does not decide on it."""


class AgreementError(ComplianceError):
    """The works agreement cannot be recorded, confirmed or ended like this."""


class BasisFixedError(ComplianceError):
    """A purpose's lawful basis stands once a policy for it was active; it is never swapped."""


class BasisError(ComplianceError):
    """The basis is unknown, or its assessment is missing."""


class MonitoringError(ComplianceError):
    """A monitoring notice, its posting or its acknowledgement cannot be recorded like this."""


class GuardError(ComplianceError):
    """A policy may not act: something that must exist before it does not."""


class LawfulBasisMissingError(GuardError):
    """A purpose of the policy has no lawful basis that every place of it allows."""

    def __init__(self, detail: str, *, purposes: list[str]) -> None:
        super().__init__(detail)
        self.purposes = purposes


class JurisdictionUnknownError(GuardError):
    """The policy names no place, or one whose rules nobody knows."""

    def __init__(self, *, places: list[str]) -> None:
        said = ", ".join(places) if places else "no place at all"
        super().__init__(f"No jurisdiction profile covers {said}.")
        self.places = places


class JurisdictionUnmetError(GuardError):
    """A place of the policy asks for something that is not there; `conditions` names it."""

    def __init__(self, *, unmet: list[Unmet]) -> None:
        self.unmet = unmet
        self.conditions = [str(each) for each in unmet]
        super().__init__("Not met: " + "; ".join(self.conditions) + ".")


class AssessmentMissingError(GuardError):
    """No approved impact assessment covers exactly this scope."""


class ConsultationMissingError(GuardError):
    """The risk stays high, and the authority has not been consulted (GDPR 36)."""


class CommitmentBrokenError(GuardError):
    """The policy breaks what its impact assessment promised; `commitments` names which."""

    def __init__(self, *, commitments: list[str]) -> None:
        super().__init__("The impact assessment promises otherwise: " + ", ".join(commitments))
        self.commitments = commitments


class AgreementMissingError(GuardError):
    """A place needs a works agreement over exactly this scope, and none is in force."""

    def __init__(self, *, places: list[str]) -> None:
        super().__init__("No works agreement over this scope is in force for " + ", ".join(places))
        self.places = places
