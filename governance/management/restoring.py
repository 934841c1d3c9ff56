"""After a restore: finds what an older copy brought back and ends it again, before serving anyone.

Promises: what was erased stays unreadable whichever of the two databases was put back, or both;
nobody is served from them until this went through. Whose consent ended after the copy was made is
known, but not which: all consents of that person end, and they are asked anew. Leaves to others:
the log, which halts by itself when its database is older than what it signed (`log_recover`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import consent.selectors
import consent.services
from audit import selectors as audit
from audit.actors import Actor
from governance.rights import selectors as rights
from governance.rights import services
from governance.vault import ledger, reconciliation, standing
from governance.vault.ledger import Tokens

RESTORER: Final = Actor.system("restore")
# Nobody saw a form.
_NO_FORM: Final = "0" * 64
NO_USE: Final = (
    "the key store is an old copy: the key that its keys are wrapped with is destroyed, so it "
    "opens nothing; restore its newest copy"
)
LEDGER_LOST: Final = (
    "the log knows of more erasures than the ledger: it was put back too, and cannot say what to "
    "erase again; restore the newest `REMIT_VAULT_DIR`"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What an older copy brought back; empty when nothing was restored."""

    lines: int
    ended: list[str]
    erased: list[str]

    def __bool__(self) -> bool:
        return bool(self.lines or self.ended or self.erased)

    def words(self) -> Iterator[str]:
        """Yield a line for each kind of thing; nobody is named."""
        if self.lines:
            yield f"the key store is older than its ledger by {self.lines} lines"
        if self.ended:
            yield f"the database is older: {len(self.ended)} people ended consents since"
        if self.erased:
            yield f"the database is older: {len(self.erased)} people had themselves erased since"


def hopeless() -> Iterator[str]:
    """Yield a line for each fault that no replay mends."""
    if standing.opens_nothing():
        yield NO_USE
    kept = max(ledger.count(), standing.lines_kept())
    if any(lines > kept for lines in reconciliation.ledger_anchors()):
        yield LEDGER_LOST


def found() -> Restored:
    """Return what is to be ended again. LedgerBrokenError when the ledger was edited."""
    missing = standing.missing()
    highest = ledger.highest()
    for line in missing:
        highest[line.token] = max(line.value, highest.get(line.token, 0))
    tokens = Tokens()
    ended, erased = [], []
    for subject, epoch in consent.selectors.epochs():
        if tokens.of("subject", subject) in highest:
            if rights.whole_erasure(subject=subject) is None:
                erased.append(subject)
        elif highest.get(tokens.of("consent", subject), 0) > epoch:
            ended.append(subject)
    return Restored(len(missing), ended, erased)


def mend(restored: Restored) -> int:
    """End again what came back; return how many keys were destroyed again. Safe to repeat."""
    destroyed = standing.replay()
    for subject in restored.erased:
        services.erase_everything(
            subject=subject, actor=RESTORER, language="en", form_digest=_NO_FORM
        )
    for subject in restored.ended:
        services.withdraw_all(
            person_subject=subject, actor=RESTORER, language="en", form_digest=_NO_FORM
        )
        consent.services.catch_up(subject=subject, epoch=ledger.standing("consent", subject)[1])
    return destroyed


def is_behind_the_key_store() -> bool:
    """Say whether the newest key was released under an entry that the database does not have."""
    newest = reconciliation.newest_release()
    return newest is not None and bool(audit.not_allowing([newest]))
