"""The words for keys: roles, events, gate purposes and refusal reasons, in the reader's terms.

A key without words is shown as it stands: nothing is hidden because a translation is missing.
"""

from typing import Final, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words: TypeAlias = str | Promise

ROLES: Final[dict[str, Words]] = {
    "employee": _("employee"),
    "privacy_officer": _("privacy officer"),
    "policy_approver": _("policy approver"),
    "auditor": _("auditor"),
    "data_requester": _("data requester"),
    "service_admin": _("service admin"),
    "capture_agent": _("capture agent"),
    "redactor": _("redaction job"),
    "release-builder": _("release builder"),
    "expiry": _("deletion job"),
    "export": _("export job"),
    "erasure": _("erasure job"),
    "witness": _("witness"),
    "sequencer": _("log sequencer"),
    "guard": _("guard of policies"),
    "setup": _("setup"),
}

JOBS: Final[frozenset[str]] = frozenset(
    {"redactor", "release-builder", "expiry", "export", "erasure", "sequencer", "capture_agent"}
)

EVENTS: Final[dict[str, Words]] = {
    "log:genesis": _("Log begun"),
    "log:heartbeat": _("Sign of life"),
    "log:recovered": _("Log recovered"),
    "log:closed": _("Log closed"),
    "log:rotated": _("Log goes on under new keys"),
    "log:searched": _("Log searched"),
    "log:opened": _("Log entry opened"),
    "consent:decided": _("Consent decision"),
    "notice:published": _("Notice published"),
    "purpose:registered": _("Purpose registered"),
    "application:registered": _("Application registered"),
    "policy:drafted": _("Policy drafted"),
    "policy:submitted": _("Policy submitted"),
    "policy:approved": _("Policy approved"),
    "policy:rejected": _("Policy returned"),
    "policy:activated": _("Policy activated"),
    "policy:suspended": _("Policy suspended"),
    "policy:resumed": _("Policy resumed"),
    "stop:ordered": _("Capture stopped everywhere"),
    "stop:lifted": _("End of the stop wanted"),
    "place:recorded": _("Place of work recorded"),
    "monitoring:published": _("Monitoring notice published"),
    "monitoring:posted": _("Monitoring notice posted"),
    "monitoring:acknowledged": _("Monitoring notice acknowledged"),
    "retention:scheduled": _("Keep limit set"),
    "basis:recorded": _("Lawful basis recorded"),
    "assessment:drafted": _("Impact assessment drafted"),
    "assessment:submitted": _("Impact assessment submitted"),
    "assessment:decided": _("Impact assessment decided"),
    "assessment:review_due": _("Impact assessment due for review"),
    "consultation:recorded": _("Authority's answer recorded"),
    "agreement:recorded": _("Works agreement recorded"),
    "agreement:confirmed": _("Works agreement confirmed"),
    "agreement:ended": _("Works agreement ended"),
    "account:created": _("Account created"),
    "account:changed": _("Account changed"),
    "account:ended": _("Employment ended"),
    "role:assigned": _("Role assigned"),
    "session:started": _("Signed in"),
    "session:refused": _("Sign-in refused"),
    "session:confirmed": _("Identity confirmed"),
    "session:ended": _("Sessions ended"),
    "credential:added": _("Way to sign in added"),
    "credential:removed": _("Way to sign in removed"),
    "device:enrolled": _("Computer enrolled"),
    "device:revoked": _("Computer removed"),
    "capture:ingested": _("Capture received"),
    "capture:redacted": _("Personal details removed"),
    "capture:refused": _("Capture refused"),
    "capture:deleted": _("Capture deleted"),
    "capture:expired": _("Capture expired"),
    "access:requested": _("Access asked for"),
    "access:approved": _("Access request approved"),
    "access:rejected": _("Access request rejected"),
    "access:allowed": _("Records opened"),
    "access:denied": _("Access refused"),
    "access:closed": _("Access ended"),
    "release:published": _("Release published"),
    "release:recalled": _("Release recalled"),
    "rights:requested": _("Request received"),
    "rights:fulfilled": _("Request fulfilled"),
    "erasure:requested": _("Erasure asked for"),
    "erasure:completed": _("Erasure completed"),
    "key:shredded": _("Keys destroyed"),
    "key:rotated": _("Keys changed"),
    "export:built": _("Copy of data made"),
    "campaign:sent": _("Consent asked for"),
    "campaign:ended": _("Request for consent ended"),
    "asking:limited": _("Time without requests recorded"),
    "pressure:reported": _("Pressure reported"),
    "pressure:settled": _("Report of pressure settled"),
    "participation:published": _("Participation figure published"),
    "private:told": _("Private matter"),
    "ending:proposed": _("End of consents proposed"),
    "ending:decided": _("End of consents decided"),
}

# Why the log is closed, as `audit.health` says it.
CLOSED: Final[dict[str, Words]] = {
    "the database does not answer": _("the database does not answer"),
    "the log has halted": _("the log has halted"),
    "no sequencer has run": _("no sequencer has run"),
    "the sequencer is silent": _("the sequencer is silent"),
    "entries wait": _("entries wait"),
    "the head is not published": _("the head is not published"),
    "no quorum of witnesses": _("too few witnesses have signed"),
}

PURPOSES: Final[dict[str, Words]] = {
    "own-access": _("Your own view"),
    "redaction": _("Removing personal details"),
    "retention": _("Deleting what is due"),
    "export": _("A copy for you"),
    "release-build": _("Building a release"),
    "train-computer-use-agents": _("Train software agents"),
    "improve-redaction": _("Improve the removal of personal details"),
    "performance-evaluation": _("Performance evaluation"),
    "computer-support": _("Looking after computers"),
}

REASONS: Final[dict[str, Words]] = {
    "no_rule": _("No rule allows it."),
    "app_not_allowed": _("The policy does not name the place it happened in."),
    "category_denied": _("The policy does not name this kind of data."),
    "not_declared": _("The upload did not declare it."),
    "unknown_field": _("It carried something nobody agreed on."),
    "place_not_covered": _("The person works where the policy does not act."),
    "notice_not_acknowledged": _("A notice that is owed was not acknowledged."),
    "field_not_named": _("The policy does not name the field."),
    "purpose_prohibited": _("This purpose is prohibited for everyone."),
    "purpose_unknown": _("Nobody registered this purpose."),
    "purpose_not_permitted": _("The purpose does not permit this."),
    "role": _("The role may not do this."),
    "role_not_permitted": _("The role may not do this."),
    "not_own_data": _("The data belonged to somebody else."),
    "no_approved_request": _("No approved request covered it."),
    "conflict_of_interest": _("The person leads the one whose data it is."),
    "consent_missing": _("There was no consent for it."),
    "consent_withdrawn": _("The consent had been withdrawn."),
    "expired": _("The time limit for keeping it had passed."),
    "erased": _("It had been erased."),
    "recalled": _("The release had been recalled."),
    "not_redacted": _("Personal details had not been removed yet."),
    "device_revoked": _("The computer had been removed."),
    "paused": _("Capture was paused."),
    "credentials": _("User name and password did not belong together."),
}

STATUSES: Final[dict[str, Words]] = {
    "ConsentUnknown": _("no decision yet"),
    "ConsentRequested": _("no decision yet"),
    "ConsentRequestDeferred": _("no decision yet"),
    "ConsentGiven": _("allowed"),
    "RenewedConsentGiven": _("allowed again"),
    "ConsentRefused": _("not allowed"),
    "ConsentWithdrawn": _("withdrawn"),
    "ConsentRevoked": _("ended by the privacy office"),
    "ConsentExpired": _("ended by its time limit"),
    "ConsentInvalidated": _("no longer valid"),
}

STATES: Final[dict[str, Words]] = {
    "Draft": _("draft"),
    "InReview": _("waits for approval"),
    "Approved": _("approved"),
    "Rejected": _("returned"),
    "Active": _("active"),
    "Suspended": _("suspended"),
    "Superseded": _("replaced"),
    "requested": _("waits for the privacy officer"),
    "reviewed": _("waits for the policy approver"),
    "withheld": _("withheld: too few people"),
    "unproven": _("blocked: redaction is not proven well enough"),
    "affected": _("published, partly recalled"),
    "approved": _("approved"),
    "rejected": _("rejected"),
    "building": _("being built"),
    "published": _("published"),
    "recalled": _("recalled"),
    "refused": _("refused"),
    "received": _("received"),
    "pending": _("in progress"),
    "open": _("in progress"),
    "running": _("in progress"),
    "done": _("done"),
    "completed": _("completed"),
    "failed": _("failed"),
    "ready": _("ready"),
}

CATEGORY_ICONS: Final[dict[str, str]] = {
    "pointer": "mouse-pointer",
    "click": "mouse-pointer-click",
    "menu-navigation": "square-menu",
    "shortcut": "command",
    "keystroke-timing": "timer",
    "keystroke-text": "keyboard",
    "window-metadata": "app-window",
    "ui-structure": "list-tree",
    "screenshot": "camera",
}


def words(table: dict[str, Words], key: object) -> Words:
    """Return the words for a key, or the key itself."""
    return table.get(str(key), str(key))


REQUESTS: Final[dict[str, Words]] = {
    "access": _("Information about my data"),
    "rectification": _("Correct my data"),
    "erasure": _("Delete everything"),
    "restriction": _("Lock my data"),
    "portability": _("A copy of my data"),
    "objection": _("Object to a use"),
    "RequestInitiated": _("received"),
    "RequestAcknowledged": _("received"),
    "RequestRequiresAction": _("waits for you"),
    "RequestRequiredActionPerformed": _("in progress"),
    "RequestAccepted": _("in progress"),
    "RequestActionDelayed": _("delayed"),
    "RequestRejected": _("rejected"),
    "RequestFulfilled": _("done"),
    "RequestUnfulfilled": _("not done"),
    "Ordered": _("You asked for it"),
    "Restricted": _("Locked: nobody may read it any more"),
    "KeyDestroyed": _("Keys destroyed: nobody can read it any more"),
    "ObjectsPurged": _("Locked files removed"),
    "RecipientsNotified": _("Everybody who got data sets was told"),
    "Verified": _("Checked that nothing is left"),
    "Completed": _("Completed and certified"),
}

OTHERS_ASK: Final[dict[str, Words]] = {
    "access": _("Tell me what is kept of me"),
    "erasure": _("Destroy what shows me"),
    "objection": _("Never record me again"),
}
WAYS: Final[dict[str, Words]] = {
    "password": _("by password"),
    "passkey": _("by passkey"),
    "code": _("by password and code"),
    "single-sign-on": _("by single sign-on"),
    "demo": _("by one click in the demo"),
}

# What redaction takes out, by its type.
REMOVED: Final[dict[str, Words]] = {
    "ADDRESS": _("address"),
    "BANK_ACCOUNT": _("bank account"),
    "CREDIT_CARD": _("card number"),
    "CVV": _("card code"),
    "DATE_OF_BIRTH": _("date of birth"),
    "DRIVER_LICENSE": _("driving licence"),
    "EMAIL": _("e-mail address"),
    "EMPLOYEE_ID": _("staff number"),
    "GEO": _("place on the map"),
    "IBAN": _("bank account"),
    "IP_ADDRESS": _("network address"),
    "MAC_ADDRESS": _("network address"),
    "MEDICAL_ID": _("health number"),
    "NATIONAL_ID": _("identity number"),
    "OTHER": _("other detail"),
    "OTP": _("one-time code"),
    "PASSPORT": _("passport number"),
    "PASSWORD": _("password"),
    "PERSON": _("name"),
    "PHONE": _("phone number"),
    "PICTURE": _("photograph or drawing"),
    "REMOVED": _("removed"),
    "REPEATED": _("detail found elsewhere"),
    "SECRET": _("secret"),
    "UNKNOWN_TEXT": _("unread text or sign"),
    "URL": _("web address"),
    "USERNAME": _("user name"),
    "US_SSN": _("identity number"),
}

# What an entry says was done, and the names of its disclosed values.
ACTS: Final[dict[str, Words]] = {
    "again": _("redact again"),
    "approve": _("approve"),
    "download-export": _("download a copy"),
    "download-release": _("download a release"),
    "download-release-file": _("download a release"),
    "export": _("take a copy of the log"),
    "list": _("list"),
    "name-computer": _("look up whose computer it is"),
    "open": _("open"),
    "process": _("process"),
    "read": _("read"),
    "report-miss": _("report what redaction missed"),
    "request": _("ask for access"),
    "search": _("search"),
}

DETAILS: Final[dict[str, Words]] = {
    "application": _("Application"),
    "applications": _("Applications"),
    "batch": _("Upload"),
    "categories": _("Kinds of data"),
    "category": _("Kind of data"),
    "cells": _("Which records"),
    "device": _("Computer"),
    "filters": _("Filters"),
    "format": _("File format"),
    "number": _("Version"),
    "opened": _("Entry that was opened"),
    "policy": _("Policy"),
    "reason": _("Reason"),
    "release": _("Release"),
    "request": _("Access request"),
    "resource": _("Resource"),
    "role": _("Role"),
    "status": _("Status"),
    "version": _("Version"),
}

# What must hold before a policy may act.
GUARDS: Final[dict[str, Words]] = {
    "approval": _("A second person approved exactly this"),
    "reach": _("It reaches for nothing that nobody may have captured"),
    "retention": _("Every kind of data has a keep limit"),
    "places": _("The law of every place is known and met"),
    "notices": _("Everybody can read the notice in their language"),
    "bases": _("Every purpose has a lawful basis"),
    "assessment": _("An impact assessment looked at exactly this"),
    "commitments": _("It keeps what the assessment promised"),
    "agreement": _("A works agreement covers exactly this"),
}

# Where an impact assessment stands, and its parts.
ASSESSMENT_STATES: Final[dict[str, Words]] = {
    "Draft": _("draft"),
    "InReview": _("waits for a decision"),
    "Approved": _("approved"),
    "ApprovedWithConditions": _("approved with conditions"),
    "Rejected": _("returned"),
    "ReferredToAuthority": _("referred to the authority"),
    "ReviewRequired": _("due for review"),
    "Superseded": _("replaced"),
}
LEVELS: Final[dict[str, Words]] = {
    "low": _("low"),
    "medium": _("medium"),
    "high": _("high"),
    "data-subjects": _("people who are recorded"),
    "other-persons": _("other people"),
    "representatives": _("their representatives"),
}

# What somebody did to bring a policy into a state.
STEPS: Final[dict[str, Words]] = {
    "Draft": _("Drafted"),
    "InReview": _("Submitted"),
    "Approved": _("Approved"),
    "Rejected": _("Returned"),
    "Active": _("Activated"),
    "Suspended": _("Stopped"),
    "Superseded": _("Replaced by the next version"),
}

# Terms of the Data Privacy Vocabulary, which notices hold so that programs can read them too.
TERMS: Final[dict[str, Words]] = {
    "eu-gdpr:A6-1-a": _("Your consent (GDPR, article 6(1)(a))."),
    "eu-gdpr:A6-1-a-explicit-consent": _("Your explicit consent (GDPR, article 6(1)(a))."),
    "eu-gdpr:A6-1-a-non-explicit-consent": _("Your consent (GDPR, article 6(1)(a))."),
    "loc:AT": _("Austria"),
    "loc:CH": _("Switzerland"),
    "loc:DE": _("Germany"),
    "loc:EU": _("the European Union"),
    "loc:FR": _("France"),
    "loc:IE": _("Ireland"),
    "loc:NL": _("the Netherlands"),
}
