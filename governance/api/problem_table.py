"""Which domain error is which problem: the one table. `tests/house/test_problems.py` walks it.

Errors are named, not imported, so that this floor's table can speak of every floor. An error that
is a fault of ours, never of the caller, stands under FAULT: nothing of it leaves.
"""

from dataclasses import dataclass
from typing import Final

FAULT: Final = "fault"


@dataclass(frozen=True, slots=True)
class Row:
    """The problem of an error: its slug, which attributes become members, when to come back.

    `says_why` lets the error's own sentence out as `detail`; only for errors whose sentences are
    written for the caller and hold no personal data.
    """

    slug: str
    members: tuple[str, ...] = ()
    says_why: bool = True
    retry_after_seconds: int | str | None = None


def _fault() -> Row:
    return Row(FAULT, says_why=False)


def _missing() -> Row:
    # One sentence for what is not there and for what is not yours, and so the same bytes.
    return Row("not-found", says_why=False)


TABLE: Final[dict[str, Row]] = {
    "audit.AuditError": _fault(),
    "audit.ExportTooLargeError": Row("invalid-request", ("found", "most")),
    "audit.LogUnavailableError": Row("log-unavailable", says_why=False, retry_after_seconds=30),
    "audit.NotYetSequencedError": Row("not-yet-sequenced", says_why=False, retry_after_seconds=5),
    "audit.UnknownEntryError": _missing(),
    "audit.verifier.NotVerifiedError": _fault(),
    "consent.ConsentError": _fault(),
    "consent.InvalidTransitionError": Row("invalid-transition"),
    "consent.NotTheSubjectError": _missing(),
    "consent.NoticeIncompleteError": Row("notice-incomplete", ("fields",)),
    "consent.NoticeMissingError": Row("notice-missing"),
    "consent.NoticeOutdatedError": Row("notice-outdated"),
    "consent.NoticePersuadesError": Row("notice-persuades", ("words",)),
    "consent.ReceiptNotFoundError": _missing(),
    "governance.accounts.AccountsError": _fault(),
    "governance.accounts.ConfirmationRequiredError": Row("confirmation-required"),
    "governance.accounts.DeviceKeyError": Row("device-key"),
    "governance.accounts.EnrolmentCodeError": Row("enrolment-code"),
    "governance.accounts.ManagerError": Row("invalid-request"),
    "governance.accounts.RevisionError": Row("precondition-failed"),
    "governance.accounts.RoleConflictError": Row("role-conflict"),
    "governance.accounts.RoleNotHeldError": Row("role-conflict"),
    "governance.accounts.SecretUnreadableError": _fault(),
    "governance.accounts.TooManyAttemptsError": Row(
        "rate-limited", retry_after_seconds="retry_after"
    ),
    "governance.accounts.UnknownDeviceError": _missing(),
    "governance.accounts.UnknownPersonError": _missing(),
    "governance.accounts.UnknownSessionError": _missing(),
    "governance.accounts.UsernameTakenError": Row("already-registered"),
    "governance.api.BodyTooLargeError": Row("too-large"),
    "governance.api.ConfirmationRefusedError": Row("confirmation-refused"),
    "governance.api.CsrfError": Row("csrf-failed"),
    "governance.api.SecondFactorRequiredError": Row("second-factor-required"),
    "governance.api.SignInRefusedError": Row("sign-in-refused", says_why=False),
    "governance.api.SignatureInvalidError": Row("signature-invalid"),
    "governance.capture.AccessDeniedError": Row("access-denied", ("reason",), says_why=False),
    "governance.capture.BatchConflictError": Row("idempotency-mismatch"),
    "governance.capture.BatchMalformedError": Row("batch-malformed"),
    "governance.capture.BatchSequenceError": Row("batch-sequence", ("next_seq",)),
    "governance.capture.BatchTooLargeError": Row("too-large"),
    "governance.capture.CaptureError": _fault(),
    # Towards agents and third parties one body for never asked, refused and expired (§7.3).
    "governance.capture.ConsentRequiredError": Row("consent-required", says_why=False),
    "governance.capture.ConsentWithdrawnError": Row("consent-withdrawn", says_why=False),
    "governance.capture.DeviceBudgetError": Row(
        "rate-limited", retry_after_seconds="retry_after_seconds"
    ),
    "governance.capture.IdentifierError": Row("invalid-request"),
    "governance.capture.PolicyExpiredError": Row("policy-expired"),
    "governance.capture.PolicyViolationError": Row("policy-violation", ("reason", "members")),
    "governance.capture.RecordGoneError": _missing(),
    "governance.compliance.AgreementError": Row("invalid-transition"),
    "governance.compliance.AgreementMissingError": Row("works-agreement-required", ("places",)),
    "governance.compliance.AssessmentChangedError": Row("precondition-failed"),
    "governance.compliance.AssessmentContentError": Row("invalid-request", ("pointer",)),
    "governance.compliance.AssessmentIncompleteError": Row("assessment-incomplete", ("parts",)),
    "governance.compliance.AssessmentMissingError": Row("dpia-required"),
    "governance.compliance.AssessmentStateError": Row("invalid-transition", ("current", "wanted")),
    "governance.compliance.BasisError": Row("invalid-request"),
    "governance.compliance.BasisFixedError": Row("lawful-basis-fixed"),
    "governance.compliance.CommitmentBrokenError": Row("commitment-broken", ("commitments",)),
    "governance.compliance.ComplianceError": _fault(),
    "governance.compliance.ConsultationMissingError": Row("prior-consultation-required"),
    "governance.compliance.JurisdictionUnknownError": Row("jurisdiction-unknown", ("places",)),
    "governance.compliance.JurisdictionUnmetError": Row("jurisdiction-unmet", ("conditions",)),
    "governance.compliance.LawfulBasisMissingError": Row("lawful-basis-missing", ("purposes",)),
    "governance.compliance.MonitoringError": Row("invalid-request"),
    "governance.compliance.SecondPersonError": Row("self-approval"),
    "governance.compliance.UnknownAgreementError": _missing(),
    "governance.compliance.UnknownAssessmentError": _missing(),
    "governance.jobs.JobError": _fault(),
    "governance.oversight.NoProcessorError": Row("not-ready"),
    "governance.oversight.OversightError": _fault(),
    "governance.policies.AlreadyRegisteredError": Row("already-registered"),
    "governance.policies.ApprovalMissingError": Row("approval-required"),
    "governance.policies.CategoryProhibitedError": Row("category-prohibited", ("prohibition",)),
    "governance.policies.ConsumerError": Row("conflict-of-interest"),
    "governance.policies.ContentChangedError": Row("precondition-failed"),
    "governance.policies.FourEyesError": Row("self-approval"),
    "governance.policies.InvalidStateError": Row("invalid-transition", ("current", "wanted")),
    "governance.policies.NoticeMissingError": Row("notice-missing", ("purposes",)),
    "governance.policies.PoliciesError": _fault(),
    "governance.policies.PolicyContentError": Row("invalid-request", ("pointer",)),
    "governance.policies.ProtectedSurfaceError": Row("protected-surface", ("surface",)),
    "governance.policies.PurposeProhibitedError": Row("purpose-prohibited", ("prohibition",)),
    "governance.policies.PurposeTermError": Row("purpose-term"),
    "governance.policies.RetentionMissingError": Row("retention-missing", ("categories",)),
    "governance.policies.RetentionPeriodError": Row("retention-period"),
    "governance.policies.StopUnfinishedError": Row("not-ready", retry_after_seconds=30),
    "governance.policies.StoppedError": Row("stopped"),
    "governance.policies.UnknownApplicationError": Row("unknown-reference"),
    "governance.policies.UnknownPolicyVersionError": _missing(),
    "governance.policies.UnknownSampleError": _missing(),
    "governance.policies.UnknownStopError": _missing(),
    "governance.policies.UnknownPurposeError": Row("unknown-reference"),
    "governance.redaction.RedactionError": _fault(),
    "governance.redaction.screens.PictureError": _fault(),
    "governance.releases.FourEyesError": Row("self-approval"),
    "governance.releases.RedactionUnprovenError": Row("redaction-unproven"),
    "governance.releases.ReleaseNotFoundError": _missing(),
    "governance.releases.ReleaseNotReadyError": Row(
        "not-ready", ("state",), retry_after_seconds=10
    ),
    "governance.releases.ReleaseRecalledError": Row("recalled", says_why=False),
    "governance.releases.ReleasesError": _fault(),
    "governance.releases.RequestContentError": Row("invalid-request"),
    "governance.releases.RequestNotFoundError": _missing(),
    "governance.releases.RequestStateError": Row("invalid-transition", ("current", "wanted")),
    "governance.rights.AskingLimitError": Row("invalid-request"),
    "governance.rights.AskingWindowError": Row("asking-window"),
    "governance.rights.BystanderLinkError": _missing(),
    "governance.rights.BystanderRequestError": Row("invalid-request"),
    "governance.rights.CampaignOverError": Row("invalid-transition"),
    "governance.rights.CampaignSenderError": Row("not-allowed"),
    "governance.rights.CellNotOfferedError": Row("cell-not-offered"),
    "governance.rights.DecidedMeanwhileError": Row("decided-meanwhile"),
    "governance.rights.EndingConflictError": Row("conflict-of-interest"),
    "governance.rights.EndingError": Row("invalid-request"),
    "governance.rights.EndingSecondPersonError": Row("self-approval"),
    "governance.rights.ExportNotReadyError": Row("export-not-ready", retry_after_seconds=10),
    "governance.rights.ForgetSpanError": Row("invalid-request"),
    "governance.rights.IncentiveError": Row("incentive"),
    "governance.rights.MissTextError": Row("invalid-request"),
    "governance.rights.MailAwayError": Row(
        "mail-unavailable", says_why=False, retry_after_seconds=600
    ),
    "governance.rights.PressureReportError": Row("invalid-request"),
    "governance.rights.RequestChangeError": Row("invalid-transition"),
    "governance.rights.RequestNotFoundError": _missing(),
    "governance.rights.RightsError": _fault(),
    "governance.rights.SubjectErasedError": Row("erased"),
    "governance.vault.KeyServiceError": Row(
        "key-store-unavailable", says_why=False, retry_after_seconds=30
    ),
    "governance.vault.KeyShreddedError": Row("shredded", says_why=False),
    "governance.vault.StorageUnavailableError": Row(
        "storage-unavailable", says_why=False, retry_after_seconds=30
    ),
    "governance.vault.VaultError": _fault(),
}


def name_of(kind: type[BaseException]) -> str:
    """Return how the table names an error: its package and class, without `.errors`."""
    return f"{kind.__module__.removesuffix('.errors')}.{kind.__qualname__}"


def row_for(kind: type[BaseException]) -> Row | None:
    """Return the row of an error or of the nearest error it is a kind of, or None."""
    for ancestor in kind.__mro__:
        if row := TABLE.get(name_of(ancestor)):
            return row
    return None
