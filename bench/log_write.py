"""An act with its entry in the log, against the same act alone and the same act in django-auditlog.

Our entry is the whole of it: the leaf, the person's tag and number, two sealed halves (one for the
person concerned, one for the person who acted), the index, the outbox. The peer writes one row with
the change as JSON, and knows who acted as its middleware has it know; it can also be edited, names
people in clear, and proves nothing. Two kinds of act: a row that is made, and one that is changed.
Three kinds of entry: an officer's act that concerns nobody, a person's own choice, and an act of
one person about another, which two people can have erased.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from uuid import uuid4

from auditlog.context import set_actor
from auditlog.registry import auditlog
from django.db import connection, transaction

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from bench import rounds
from bench.models import Bare, Watched
from governance.accounts import services
from governance.accounts.models import Person

DATABASES = ("sqlite", "postgresql")
ACTS = 40
ROUNDS = 15
CROWD = 100
Row = type[Bare] | type[Watched]
Act = Callable[[Row, int], None]
PEOPLE = sorted(str(uuid4()) for _ in range(CROWD))
REQUESTER = Actor(str(uuid4()), "data_requester")
FACTS: journal.Facts = {
    "actor": REQUESTER,
    "verdict": Verdict.ALLOW,
    "purpose": "model-training",
    "act": "approve",
    "count": 1,
    "policy": journal.PolicyRef("freight-desk", 2, "ab" * 32),
    "private": {"application": "freight-desk", "reason": "The invoice form changed in March."},
}
Tell = Callable[[int], object]


def run() -> list[rounds.Row]:
    with connection.cursor() as cursor:
        for model in (Bare, Watched):
            # Not inside the editor: it turns a pragma, which our guard on SQLite refuses.
            cursor.execute(*connection.schema_editor().table_sql(model))
    auditlog.register(Watched)
    person = services.create_person(
        username="jonas", display_name="Jonas", actor=Actor.system("bench")
    )
    made = {
        model: model.objects.create(name="desk", state="draft", number=0).pk
        for model in (Bare, Watched)
    }
    crowd()  # Everybody has a key from here on, as everybody has after the first act about them.
    acts: dict[str, Act] = {"made": make, "changed": partial(change, made)}
    sides: dict[str, Callable[[], int]] = {}
    for word, act in acts.items():
        sides[f"row {word}"] = partial(alone, act)
        sides[f"row {word} + django-auditlog"] = partial(watched, act, person)
        for kind, tell in ENTRIES.items():
            sides[f"row {word} + our entry, {kind}"] = partial(told, act, tell)
    sides["row made + django-auditlog, actor unknown"] = partial(watched, make, None)
    sides["read grant"] = granted
    sides["one act about 100 people"] = crowd
    medians = rounds.rates(sides, rounds=ROUNDS)
    return [_row(medians, name) for name in sides]


def _row(medians: dict[str, float], name: str) -> rounds.Row:
    """Compare a side with its own act: what is not a changed row is held against a made one."""
    act = "row changed" if name.startswith("row changed") else "row made"
    return {
        "side": name,
        "entries/s": round(medians[name]),
        "to the act alone": round(medians[name] / medians[act], 2),
        "to auditlog": round(medians[name] / medians[f"{act} + django-auditlog"], 2),
    }


def make(model: Row, number: int) -> None:
    model.objects.create(name="freight-desk", state="approved", number=number)


def change(made: dict[Row, int], model: Row, _: int) -> None:
    row = model.objects.get(pk=made[model])
    row.number += 1
    row.save()


def alone(act: Act) -> int:
    for number in range(ACTS):
        with transaction.atomic():
            act(Bare, number)
    return ACTS


def watched(act: Act, person: Person | None) -> int:
    for number in range(ACTS):
        known = set_actor(person) if person else nullcontext()
        with known, transaction.atomic():
            act(Watched, number)
    return ACTS


def told(act: Act, tell: Tell) -> int:
    for number in range(ACTS):
        with transaction.atomic():
            act(Bare, number)
            tell(number)
    return ACTS


def _about_nobody(_: int) -> object:
    return journal.append(Action.POLICY_APPROVED, **FACTS)


def _own_choice(number: int) -> object:
    own: journal.Facts = {"actor": Actor(PEOPLE[number], "employee"), "subject": PEOPLE[number]}
    return journal.append(Action.CONSENT_DECIDED, **{**FACTS, **own})


def _about_another(number: int) -> object:
    return journal.append(Action.ACCESS_ALLOWED, **FACTS, subject=PEOPLE[number])


ENTRIES: dict[str, Tell] = {
    "nobody concerned": _about_nobody,
    "own choice": _own_choice,
    "about another": _about_another,
}


def granted() -> int:
    """Commit what must stand before a reading: no act beside it."""
    for number in range(ACTS):
        journal.append_now(Action.ACCESS_ALLOWED, **FACTS, subject=PEOPLE[number])
    return ACTS


def crowd() -> int:
    with transaction.atomic():
        journal.append_all(
            Action.RELEASE_RECALLED, [{**FACTS, "subject": subject} for subject in PEOPLE]
        )
    return CROWD
