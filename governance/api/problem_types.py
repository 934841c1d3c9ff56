"""Every problem type the API answers with: its address, status and words, as data.

The address is `/problems/<slug>` and opens a page with these words. A slug is part of the interface
and is never renamed. None of these words names a person.
"""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.web.failures import Problem, register

_CORRECT: Final = _("Correct what you sent and send it again.")
_NOTHING: Final = _("Nothing was changed.")
_KEPT_OUT: Final = _("Nothing was stored.")
_READ_AGAIN: Final = _("Read the present state and decide again.")


def _type(
    slug: str,
    status: int,
    title: str | Promise,
    then: str | Promise = _CORRECT,
    text: str | Promise = _NOTHING,
) -> Problem:
    return Problem(slug, status, title, text, then)


_ALL: Final = (
    _type("invalid-request", 400, _("The request is not well formed")),
    _type("batch-malformed", 400, _("The upload is no sealed batch"), text=_KEPT_OUT),
    _type("not-signed-in", 401, _("Nobody is signed in"), _("Sign in and try again.")),
    _type(
        "sign-in-refused",
        401,
        _("User name and password do not belong together"),
        _("Try again; after five failures this computer waits five minutes."),
    ),
    _type(
        "second-factor-required",
        401,
        _("This account asks for a code as well"),
        _("Send the code of the authenticator app, or a recovery code, as `code`."),
    ),
    _type(
        "confirmation-required",
        403,
        _("Show once more that it is you"),
        _("Send your password or a code to `/api/v1/session/confirmation`, then try again."),
    ),
    _type(
        "confirmation-refused",
        422,
        _("This does not show that it is you"),
        _("Correct it and send it again; after five failures this computer waits five minutes."),
    ),
    _type(
        "signature-invalid",
        401,
        _("The signature of this request does not hold"),
        _("Check the key, the clock and the parts that are signed."),
        _KEPT_OUT,
    ),
    _type(
        "not-allowed",
        403,
        _("This role may not do that"),
        _("Sign in with the role that may, or ask somebody who holds it."),
    ),
    _type("csrf-failed", 403, _("The proof that you sent this yourself is missing")),
    _type(
        "access-denied",
        403,
        _("The gate refused this access"),
        _("`reason` names the rule; the refusal is an entry that the person can see."),
        _("No data left the vault."),
    ),
    _type(
        "self-approval",
        403,
        _("Another person must decide"),
        _("Ask somebody else who holds the role of an approver."),
    ),
    _type(
        "conflict-of-interest",
        403,
        _("Whoever uses the data does not decide on it"),
        _("Ask somebody who neither asks for data nor works beside those who do."),
    ),
    _type(
        "consent-required",
        403,
        _("There is no valid consent for this"),
        _("Fetch the policy again and send only what it allows."),
        _KEPT_OUT,
    ),
    _type(
        "consent-withdrawn",
        403,
        _("The consent was withdrawn"),
        _("Destroy what is buffered, then fetch the policy again."),
        _KEPT_OUT,
    ),
    _type(
        "policy-expired",
        403,
        _("The policy of this device has ended"),
        _("Fetch the policy again."),
        _KEPT_OUT,
    ),
    _type("not-found", 404, _("There is nothing here"), _("It is not there, or not yours.")),
    _type("method-not-allowed", 405, _("This address does not know this method")),
    _type("not-acceptable", 406, _("No such representation"), _("Ask for application/json.")),
    _type("already-registered", 409, _("This name is taken"), _("Choose another one.")),
    _type("approval-required", 409, _("A second person has not approved this"), _READ_AGAIN),
    _type("batch-sequence", 409, _("A batch is missing before this one"), text=_KEPT_OUT),
    _type(
        "asking-window",
        409,
        _("Nobody is asked for consent at this time"),
        _("Ask when the review cycle, or what was announced, is over."),
    ),
    _type("cell-not-offered", 409, _("Nobody is asking for this"), _READ_AGAIN),
    _type("decided-meanwhile", 409, _("This was answered a moment ago"), _READ_AGAIN),
    _type(
        "assessment-incomplete",
        409,
        _("The impact assessment leaves something out"),
        _("Write a version that says what `parts` names."),
    ),
    _type(
        "commitment-broken",
        409,
        _("The impact assessment promises otherwise"),
        _("Change the policy, or have a new assessment approved; `commitments` names which."),
    ),
    _type(
        "dpia-required",
        409,
        _("No approved impact assessment covers this scope"),
        _("Have an assessment approved that names exactly this scope digest."),
    ),
    _type("export-not-ready", 409, _("The export is still being built"), _("Ask again soon.")),
    _type("invalid-transition", 409, _("This step does not follow from here"), _READ_AGAIN),
    _type(
        "jurisdiction-unknown",
        409,
        _("Nobody knows what the law of this place asks for"),
        _("Name the places of the policy, and only those that a jurisdiction profile covers."),
    ),
    _type(
        "jurisdiction-unmet",
        409,
        _("A place of the policy asks for something that is not there"),
        _("`conditions` names what is missing."),
    ),
    _type(
        "lawful-basis-fixed",
        409,
        _("The lawful basis of this purpose stands"),
        _("Register another purpose; a basis is never swapped under those who were told."),
    ),
    _type(
        "lawful-basis-missing",
        409,
        _("A purpose has no lawful basis that its places allow"),
        _("Record the lawful basis of every purpose of the policy."),
    ),
    _type(
        "notice-missing",
        409,
        _("Nobody has been told about this"),
        _("Publish a notice that names every application, category and period."),
    ),
    _type(
        "notice-outdated",
        409,
        _("The notice has a newer version"),
        _("Read the present notice and decide again."),
    ),
    _type("not-ready", 409, _("What this depends on is not complete"), _READ_AGAIN),
    _type(
        "prior-consultation-required",
        409,
        _("The risk stays high, and the authority was not asked"),
        _("Consult the supervisory authority first and record its answer (GDPR 36)."),
    ),
    _type(
        "works-agreement-required",
        409,
        _("No works agreement over exactly this scope is in force"),
        _("Agree with the representatives, record the agreement and have it confirmed."),
    ),
    _type(
        "redaction-unproven",
        409,
        _("Nobody can be sure that this was redacted well enough"),
        _("Wait until it has been redacted again, then ask for a new release."),
    ),
    _type(
        "retention-missing",
        409,
        _("A category has no retention period"),
        _("Set a retention schedule for every category of the policy."),
    ),
    _type(
        "stopped",
        409,
        _("Capture is stopped everywhere"),
        _("Two people end the stop first."),
    ),
    _type("role-conflict", 409, _("The person cannot hold this role"), _READ_AGAIN),
    _type("erased", 410, _("Everything of this person was erased"), _READ_AGAIN),
    _type("recalled", 410, _("This was recalled"), _("Delete your copies and attest it.")),
    _type("shredded", 410, _("The key was destroyed; nobody can read this"), _READ_AGAIN),
    _type("precondition-failed", 412, _("This is not what you read"), _READ_AGAIN),
    _type("too-large", 413, _("The body is too large"), text=_KEPT_OUT),
    _type("unsupported-type", 415, _("This door takes another media type"), text=_KEPT_OUT),
    _type(
        "category-prohibited",
        422,
        _("Nobody may collect this kind of data"),
        _("Leave it out. No role and no setting can allow it."),
    ),
    _type(
        "protected-surface",
        422,
        _("Nobody may have this place captured"),
        _("Leave it out; `surface` names the rule. No role and no setting can allow it."),
    ),
    _type("device-key", 422, _("The device's key cannot be used")),
    _type("enrolment-code", 422, _("The code is not valid"), _("Get a new one in the portal.")),
    _type(
        "idempotency-mismatch",
        422,
        _("This batch id came before with other bytes"),
        _("Send new bytes under a new id."),
        _KEPT_OUT,
    ),
    _type("notice-incomplete", 422, _("The notice does not say everything it must")),
    _type(
        "notice-persuades",
        422,
        _("The notice pushes people towards an answer"),
        _("Leave out the words that `words` names, and say what happens, to whom and when."),
    ),
    _type(
        "policy-violation",
        422,
        _("The batch declares what the policy does not allow"),
        _("Fetch the policy again; `reason` names the rule."),
        _KEPT_OUT,
    ),
    _type(
        "purpose-prohibited",
        422,
        _("Captured work may never be used for this"),
        _("Nobody can register, request or approve it. The attempt is an entry."),
    ),
    _type(
        "incentive",
        422,
        _("A request for consent carries no incentive"),
        _("Declare `incentive` as `none`, and promise nothing to anybody who agrees."),
    ),
    _type("purpose-term", 422, _("A purpose cannot narrow this term")),
    _type("retention-period", 422, _("This period cannot be set")),
    _type("unknown-reference", 422, _("The request names something that is not registered")),
    _type("rate-limited", 429, _("Too many requests"), _("Wait as long as Retry-After says.")),
    _type("fault", 500, _("Something here is broken"), _("Try again later.")),
    _type(
        "log-unavailable",
        503,
        _("The audit log cannot be written or signed just now"),
        _("Try again later. Withdrawing, pausing and erasing go on working."),
        _("Without an entry there is no access. Nothing was opened or changed."),
    ),
    _type(
        "database-unavailable",
        503,
        _("The database does not answer just now"),
        _("Send it again when Retry-After says; what was done already is not done twice."),
        _("Nothing was half changed: each change is stored whole or not at all."),
    ),
    _type(
        "storage-unavailable",
        503,
        _("The store of sealed data does not answer just now"),
        _("Try again later. Withdrawing, pausing and erasing go on working."),
    ),
    _type(
        "key-store-unavailable",
        503,
        _("The keys to the sealed data cannot be reached just now"),
        _("Try again later. Nothing was opened, and nothing was stored unsealed."),
    ),
    _type(
        "mail-unavailable",
        503,
        _("No mail can be sent just now"),
        _("Try again later, or write to the privacy office."),
    ),
    _type(
        "not-yet-sequenced",
        503,
        _("The entry is not in a published checkpoint yet"),
        _("Ask again in a few seconds."),
    ),
)

TYPES: Final[dict[str, Problem]] = {problem.slug: problem for problem in _ALL}


def open_pages() -> None:
    """Give each type its page under /problems/."""
    for problem in _ALL:
        register(problem)
