"""Forgetting a person in the log: what is left is leaves that nobody can tie to them.

The keys are the vault's to destroy; this removes the rows as well, so that not even ciphertext or a
count remains. Leaves, tiles and proofs stay as they are.
"""

from django.db import transaction

from audit import ports, rows
from audit.models import Disclosure, SubjectCounter, SubjectIndex


@transaction.atomic
def forget(*, subject: str) -> int:
    """Delete the person's index and the disclosures of entries about them; return how many.

    Call it before the person's keys are destroyed: the index is found by their token.
    """
    token = ports.keys().token(owner=subject)
    # Whoever writes about the person now holds the counter and comes to an end first: what they
    # wrote would stay.
    rows.count({token: 0})
    places = SubjectIndex.objects.filter(token=token)
    deleted, _ = Disclosure.objects.filter(entry_id__in=places.values("entry_id")).delete()
    places.delete()
    SubjectCounter.objects.filter(token=token).delete()
    return deleted
