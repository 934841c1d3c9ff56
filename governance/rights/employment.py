"""What follows when somebody leaves the organisation (R75).

In one transaction: consents end as expired, what was captured under them is ordered to be erased
and recalled, the account, its roles, devices and sessions end. Nothing of it asks why.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

import consent.selectors
import consent.services
from governance.accounts import directory, sessions
from governance.rights.choosing import follow

if TYPE_CHECKING:
    from governance.accounts.models import Person

REASON = "employment-ended"


@transaction.atomic
def end(
    *, number: int, remove: bool = False, revision: int | None = None, now: datetime | None = None
) -> "Person":
    """End an employment; twice is once. UnknownPersonError, RevisionError."""
    moment = now or timezone.now()
    # The lock that intake takes first as well, before any device of the person.
    consent.selectors.lock(subject=directory.person(number).subject_key, exclusive=True)
    person = directory.end(number, remove=remove, revision=revision)
    subject = person.subject_key
    sessions.end_all(subject=subject, actor=directory.DIRECTORY)
    act = consent.services.end_employment(subject=subject, now=moment)
    if act is not None:
        follow(subject=subject, act=act, reason=REASON, now=moment)
    return person
