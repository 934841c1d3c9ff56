"""What each process may do to each table: the one place that says it.

On PostgreSQL `manage.py database_roles` turns it into grants and the guard; on SQLite
governance.authorizer refuses by it. A table that is not named here may be touched by nobody:
tests/governance/test_tables.py fails for it.
"""

from dataclasses import dataclass
from typing import Final

_NAMES: Final = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and by letter (Select, Insert, Update, Delete) what each role may do to it."""

    name: str
    # Web, worker and beat.
    app: str
    # The process that gives entries their places and publishes the log.
    sequencer: str = ""
    # Columns that an auditor may read; empty for none. Never what would tell when somebody decided:
    # the order of entries before they have a place, or that one waits.
    shown: tuple[str, ...] = ()
    # Columns that an insert may name; empty for all.
    written: tuple[str, ...] = ()
    # A row that is locked, never changed. PostgreSQL wants UPDATE on some column for FOR UPDATE:
    # that is granted on this one alone, and the table's trigger refuses to use it.
    locked: str = ""
    partitions: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether nobody changes or removes a row: it is the record, or part of it."""
        return not set(self.app + self.sequencer) & {"U", "D"}

    def rights(self, letters: str) -> list[str]:
        """Return the privileges that letters stand for, as GRANT takes them."""
        columns = f" ({', '.join(self.written)})" if self.written else ""
        return [_NAMES[letter] + (columns if letter == "I" else "") for letter in letters]


_LOG: Final = (
    # No id, no xid, no column that is generated: the database alone says them.
    Table(
        "audit_entry",
        app="SI",
        sequencer="SI",
        written=("uuid", "organisation", "leaf", "leaf_hash"),
    ),
    # Filled by the trigger on audit_entry, which runs as the owner.
    Table("audit_outbox", app="S", sequencer="SUD"),
    Table("audit_leaf", app="S", sequencer="SI", shown=('"index"', "leaf_hash")),
    Table("audit_tally", app="S", sequencer="SID"),
    Table("audit_treestate", app="S", sequencer="SIU", shown=("origin", "size", "published_size")),
    Table("audit_checkpoint", app="S", sequencer="SI", shown=("size", "root")),
    Table("audit_note", app="S", sequencer="SI", shown=("checkpoint_id", "text", "signed_at")),
    Table(
        "audit_cosignature",
        app="S",
        sequencer="SI",
        shown=("checkpoint_id", "witness", "line", "received_at"),
    ),
    # Deletable on purpose: an erasure deletes them.
    Table("audit_disclosure", app="SID", sequencer="SI"),
    Table("audit_subjectcounter", app="SIUD"),
    Table("audit_subjectindex", app="SID"),
)

_CONSENT: Final = (
    Table("consent_notice", app="SI"),
    Table("consent_notice_version", app="SI"),
    Table("consent_record", app="SI"),
    Table("consent_event", app="SI"),
    Table("consent_state", app="SIU"),
    Table("consent_epoch", app="SIU"),
    Table("consent_pause", app="SI"),
    Table("consent_receipt", app="SI"),
)

_PEOPLE: Final = (
    Table("accounts_person", app="SIU"),
    Table("accounts_role_assignment", app="SIU"),
    Table("accounts_device", app="SIU"),
    Table("accounts_enrolment_code", app="SIUD"),
    Table("accounts_sign_in_attempt", app="SID"),
    Table("accounts_directory_token", app="SIU"),
    Table("accounts_session", app="SIUD"),
    Table("django_session", app="SIUD"),
    # Of django-allauth: passkeys, codes (sealed), and who a person is at the single sign-on.
    Table("mfa_authenticator", app="SIUD"),
    Table("socialaccount_socialaccount", app="SIUD"),
)

_COMPLIANCE: Final = (
    Table("compliance_assessment", app="SI", locked="key"),
    Table("compliance_assessment_version", app="SI"),
    Table("compliance_assessment_step", app="SI"),
    Table("compliance_assessment_decision", app="SI"),
    Table("compliance_consultation", app="SI"),
    Table("compliance_lawful_basis", app="SI"),
    Table("compliance_works_agreement", app="SI", locked="id"),
    Table("compliance_agreement_step", app="SI"),
    Table("compliance_work_place", app="SI"),
    Table("compliance_monitoring_notice", app="SI"),
    Table("compliance_monitoring_posting", app="SI"),
    Table("compliance_acknowledgement", app="SI"),
)

_POLICIES: Final = (
    Table("policies_purpose", app="SI"),
    Table("policies_purpose_version", app="SI"),
    Table("policies_application", app="SI"),
    Table("policies_capture_policy", app="SI", locked="application_id"),
    Table("policies_capture_policy_version", app="SI"),
    Table("policies_transition", app="SI"),
    Table("policies_approval", app="SI"),
    Table("policies_resumption", app="SI"),
    Table("policies_stop", app="SI"),
    Table("policies_stop_lift", app="SI"),
    Table("policies_retention_schedule", app="SI"),
    Table("policies_retention_rule", app="SI"),
    Table("policies_cell_scope", app="SI"),
    Table("policies_generation", app="SIU"),
)

_CAPTURE: Final = (
    Table("capture_capturebatch", app="SI", partitions=("capture_capturebatch_rest",)),
    Table("capture_sealedbatch", app="SID"),
    Table("capture_capturesession", app="SIUD"),
    Table("capture_batchoutcome", app="SI"),
    Table("capture_frame", app="SI", partitions=("capture_frame_rest",)),
    Table("capture_framestate", app="SI", partitions=("capture_framestate_rest",)),
    Table("capture_liveframe", app="SID"),
    Table("capture_frameblob", app="SID"),
    Table("capture_forgottenspan", app="SI"),
    Table("capture_rereading", app="SI"),
    Table("capture_nevercapture", app="SI"),
    Table("capture_bystandermark", app="SID"),
    Table("capture_refusaltally", app="SIU"),
    Table("capture_dispositionrecord", app="SI"),
    Table("capture_issuedpolicy", app="SID"),
    # Filled by triggers on what decides about policies, which run as the owner.
    Table("capture_policychange", app="SUD"),
    Table("capture_seennonce", app="SID"),
    Table("capture_deviceuse", app="SIUD"),
)

_RELEASES: Final = (
    Table("releases_access_request", app="SI", locked="id"),
    Table("releases_request_step", app="SI"),
    Table("releases_access_approval", app="SI"),
    Table("releases_release", app="SI", locked="id"),
    Table("releases_release_step", app="SI"),
    Table("releases_manifest", app="SI"),
    Table("releases_file", app="SI"),
    Table("releases_item", app="SI"),
    Table("releases_recall", app="SI"),
)

_RIGHTS: Final = (
    Table("rights_rightsrequest", app="SI"),
    Table("rights_requeststep", app="SI"),
    Table("rights_erasureorder", app="SI", locked="id"),
    Table("rights_erasurestep", app="SI"),
    Table("rights_erasurecertificate", app="SI"),
    Table("rights_portabilityexport", app="SIU"),
    Table("rights_campaign", app="SI", locked="id"),
    Table("rights_campaign_end", app="SI"),
    Table("rights_asked", app="SI"),
    Table("rights_askinglimit", app="SI"),
    Table("rights_pressurereport", app="SI"),
    Table("rights_pressurefinding", app="SI"),
    Table("rights_consentending", app="SI"),
    Table("rights_endingdecision", app="SI"),
    Table("rights_endingreach", app="SI"),
    Table("rights_participation", app="SI"),
    Table("rights_bystandermail", app="SID"),
    Table("rights_bystanderrequest", app="SI"),
    Table("rights_bystanderanswer", app="SI"),
)

_WORK: Final = (
    Table("jobs_sign", app="SIU"),
    Table("jobs_job", app="SIU"),
)

# Written by `migrate` and by nobody else.
_DJANGO: Final = (
    Table("django_migrations", app="S", sequencer="S"),
    Table("django_content_type", app="S"),
    Table("auth_permission", app="S"),
    Table("auth_group", app="S"),
    Table("auth_group_permissions", app="S"),
    # Of django-allauth, never filled: no e-mail addresses, tokens or providers are kept.
    Table("account_emailaddress", app="S"),
    Table("account_emailconfirmation", app="S"),
    Table("socialaccount_socialapp", app="S"),
    Table("socialaccount_socialtoken", app="S"),
)

# The sequencer seals what the log says about itself under the organisation's key, no more.
_VAULT: Final = (
    Table("vault_epoch", app="SIUD", sequencer="SIU"),
    Table("vault_storedkey", app="SIUD", sequencer="SI"),
    Table("vault_cellgeneration", app="SIUD", sequencer="S"),
    Table("vault_ledger", app="SI", sequencer="S"),
    Table("vault_keyrelease", app="SI"),
    Table("vault_sealkey", app="SIU"),
    # Django keeps its own book in each database it migrates.
    Table("django_migrations", app="S", sequencer="S"),
)

# By database alias.
TABLES: Final = {
    "default": (
        *(*_LOG, *_CONSENT, *_PEOPLE, *_COMPLIANCE, *_POLICIES, *_CAPTURE),
        *(*_RELEASES, *_RIGHTS, *_WORK, *_DJANGO),
    ),
    "keys": _VAULT,
}

# Kept, and written by the service: what Django keeps for itself is not a record.
KEPT: Final = {
    alias: frozenset(
        name
        for table in tables
        if table.is_kept and table not in _DJANGO
        for name in (table.name, *table.partitions)
    )
    for alias, tables in TABLES.items()
}
