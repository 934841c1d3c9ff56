"""The words of the checks that run in a browser; `verify-panel.js` fills in what stands in braces.

Each reason is the one word with which a check in `static/verify*.js` refuses.
"""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from governance.web.wording import Words

_SAID: Final[Mapping[str, Words]] = {
    "running": _("Checking …"),
    "again": _("Check again"),
    "empty": _("There is nothing to check on this page yet."),
    "unsupported": _(
        "This browser cannot check anything here: it computes signatures only on pages that came "
        "over https, from this computer, or from a file. Open the page over https, or download "
        "the page as a file and open that."
    ),
    "file": _("Checked file: {name}"),
    "trusted": _("{count} keys are trusted for this check:"),
    "untrusting": _("No key is trusted yet: paste the policy or the keys."),
    "key": _("{name}, {algorithm}, key id {id}"),
    # Step by step, in the order in which they are taken.
    "step-file": _("The file is a proof of entry {index}, with {hashes} hashes on its path"),
    "step-head": _("The signed head of {origin} counts {size} entries; its signatures are below"),
    "step-path": _("The entry's hash and the {hashes} others lead to the signed root"),
    "step-leaf": _("The entry is in its one form: {event}, {time}, {id}"),
    "step-disclosures": _("{count} disclosed values are the ones the entry committed to"),
    "step-receipt": _("The organisation signed receipt {id}"),
    "step-bond": _("Receipt and entry are about each other"),
    "detail": _("Disclosed: {name} = {value}"),
    "valid": _("{algorithm} signature of {name} holds (key id {id})"),
    "witnessed": _("Witness {name} signed at {at}; its {algorithm} signature holds (key id {id})"),
    "missing": _("{name} (key id {id}, {algorithm}) did not sign"),
    "unchecked": _("This browser cannot check {algorithm}: the signature of {name} stays open"),
    "reason": _("It does not hold: {reason}"),
    # One file.
    "file-verified": _(
        "Checked here just now: entry {index} ({event}, {time}) stands in the signed log of {size} "
        "entries. Witnesses whose signature holds: {witnesses}."
    ),
    "file-partial": _(
        "Entry {index} ({event}, {time}) stands in the log of {size} entries, but something could "
        "not be checked here: see below."
    ),
    "file-failed": _("{name} does not hold. What was checked until then stands below."),
    "own-found": _("{good} entries about you are proved"),
    "own-whole": _("Their numbers run from 1 to {last} without a gap: none is hidden"),
    "own-part": _(
        "Their numbers run from {first} to {last} without a gap; older ones are not here"
    ),
    "own-gap": _("Numbers are missing: {missing}. Entries about you were hidden"),
    "own-pending": _("{pending} are not signed into the log yet; that takes a few minutes"),
    "own-failed": _("The check of your own entries failed: see below."),
    "own-verified": _("Checked here just now: {good} entries about you stand in the signed log."),
    "archive-verified": _("Checked here just now: all {total} parts of the copy hold."),
    "archive-partial": _("{good} of {total} parts hold, but something could not be checked here."),
    "archive-failed": _("Only {good} of {total} parts of the copy hold."),
    "part-verified": _("{name} holds"),
    "part-partial": _("{name} holds as far as it can be checked here"),
    "part-failed": _("{name} does not hold: {reason}"),
    # The list of accesses.
    "list-found": _("{good} of {total} lines stand in the log of {size} entries, as shown"),
    "list-verified": _(
        "Checked just now in this browser: {good} of {total} lines are in the signed log of {size} "
        "entries, and of your {own} entries none is missing. Witnesses whose signature holds: "
        "{witnesses}."
    ),
    "list-partial": _("{good} of {total} lines were found. Something could not be checked here."),
    "list-failed": _(
        "The check failed: {good} of {total} lines stand in the signed log as shown. Please tell "
        "the works council."
    ),
    "list-gap": _(
        "The check failed: entries about you are missing (numbers {missing}). Please tell the "
        "works council."
    ),
    "title-verified": _("Every line on this page is in the signed log"),
    "title-failed": _("Something on this page does not hold"),
    # Why something does not hold.
    "reason-absent": _("a line of this page is not among your entries in the log"),
    "reason-archive": _("it is not a copy that can be read"),
    "reason-base64": _("a value is not encoded as it must be"),
    "reason-browser": _("the browser stopped ({error})"),
    "reason-canonical": _("the entry is not in its one form"),
    "reason-checkpoint": _("the signed head is malformed"),
    "reason-disclosure": _("a disclosed value does not belong to the entry"),
    "reason-early": _("the decision was not in the log yet: download the receipt again"),
    "reason-fetch": _("a file could not be loaded"),
    "reason-form": _("it is not a proof file"),
    "reason-gap": _("entries about you are missing"),
    "reason-index": _("the number is outside the log"),
    "reason-json": _("it cannot be read as JSON"),
    "reason-keys": _("the keys cannot be read"),
    "reason-leaf": _("the entry is not one of this log's form"),
    "reason-manifest": _("a file of the copy is not the one that its list names"),
    "reason-number": _("a number is malformed"),
    "reason-path": _("the path to the root has the wrong length"),
    "reason-policy": _("the policy cannot be read"),
    "reason-quorum": _("fewer witnesses signed than the policy demands"),
    "reason-receipt": _("it is not a consent receipt"),
    "reason-receipt-entry": _("receipt and entry are not about each other"),
    "reason-receipt-signature": _("the organisation's signature of the receipt does not hold"),
    "reason-receipt-fields": _("the receipt lacks something that a consent receipt must say"),
    "reason-receipt-unsigned": _("no trusted key signed the receipt"),
    "reason-root": _("the path leads to another root: the entry was changed or is not there"),
    "reason-shown": _("a line shows something else than its entry says"),
    "reason-signature": _("a signature does not hold"),
    "reason-size": _("the file is too large"),
    "reason-stranger": _("an entry is not about you"),
    "reason-tag": _("an entry about you cannot be found with your key"),
    "reason-text": _("it is not text"),
    "reason-twice": _("two entries bear the same number"),
    "reason-unsigned": _("no trusted key of the log signed it"),
    "reason-untrusting": _("no key is trusted: paste the policy or the keys"),
}


def texts() -> dict[str, str]:
    """Return every sentence in the reader's language."""
    return {name: str(words) for name, words in _SAID.items()}
