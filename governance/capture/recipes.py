"""By what this installation redacts: its people, its profile, and the digest of all that.

Promise: every redaction of this service, the first and every later one, goes by the same recipe, so
that what an older one left can be told from what the present one did.
"""

from pathlib import Path

from django.conf import settings

from governance.accounts import selectors as accounts
from governance.redaction import ner, pipeline
from governance.redaction.directory import Employee

FULL = "full"


def model_folder() -> Path | None:
    """Return where the model of the profile full lies; None for the profile fast.

    ModelError when the profile is full and there is no model.
    """
    if settings.REMIT_REDACTION_PROFILE != FULL:
        return None
    named = settings.REMIT_REDACTION_MODEL
    return ner.place(Path(named) if named else ner.folder())


def recipe() -> str:
    """Return the digest of what decides what is removed here."""
    return pipeline.recipe(
        with_model=settings.REMIT_REDACTION_PROFILE == FULL,
        employee_number=settings.REMIT_EMPLOYEE_NUMBER or None,
    )


def context_of(seed: str) -> pipeline.RedactionContext:
    """Tell the redactor who works here: their names go even where no pattern would see them."""
    people = []
    for name, login in accounts.directory():
        given, _, surname = name.rpartition(" ")
        people.append(Employee(given=given, surname=surname, login=login))
    return pipeline.RedactionContext(
        directory=tuple(people),
        employee_number=settings.REMIT_EMPLOYEE_NUMBER or None,
        seed=seed,
        model=model_folder(),
    )
