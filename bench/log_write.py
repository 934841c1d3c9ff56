"""An act with its entry in the log, against the same act alone and the same act in django-auditlog.

Our entry is the whole of it: the leaf, the person's tag and number, two sealed halves (one for the
person concerned, one for the person who acted), the index, the outbox. The peer writes one row with
the change as JSON; nothing in it is personal-proof, append-only or provable.
"""

from uuid import uuid4

from auditlog.registry import auditlog
from django.db import connection, transaction

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from bench import rounds
from bench.models import Bare, Watched

DATABASES = ("sqlite", "postgresql")
ACTS = 60
ROUNDS = 15
CROWD = 100
PEOPLE = sorted(str(uuid4()) for _ in range(CROWD))
REQUESTER = Actor(str(uuid4()), "data_requester")
POLICY = journal.PolicyRef("freight-desk", 2, "ab" * 32)
PRIVATE = {"application": "freight-desk", "reason": "The invoice form changed in March."}


def run() -> list[rounds.Row]:
    with connection.cursor() as cursor:
        for model in (Bare, Watched):
            # Not inside the editor: it turns a pragma, which our guard on SQLite refuses.
            cursor.execute(*connection.schema_editor().table_sql(model))
    auditlog.register(Watched)
    crowd()  # Everybody has a key from here on, as everybody has after the first act about them.
    medians = rounds.rates(
        {
            "act alone": alone,
            "act + django-auditlog": watched,
            "act + our entry": told,
            "read grant": granted,
            "one act about 100 people": crowd,
        },
        rounds=ROUNDS,
    )
    peer = medians["act + django-auditlog"]
    return [
        {
            "side": name,
            "entries/s": round(rate),
            "to act alone": round(rate / medians["act alone"], 2),
            "to auditlog": round(rate / peer, 2),
        }
        for name, rate in medians.items()
    ]


def alone() -> int:
    for number in range(ACTS):
        with transaction.atomic():
            Bare.objects.create(name="freight-desk", state="approved", number=number)
    return ACTS


def watched() -> int:
    for number in range(ACTS):
        with transaction.atomic():
            Watched.objects.create(name="freight-desk", state="approved", number=number)
    return ACTS


def told() -> int:
    for number in range(ACTS):
        with transaction.atomic():
            Bare.objects.create(name="freight-desk", state="approved", number=number)
            _append(PEOPLE[number])
    return ACTS


def granted() -> int:
    """Commit what must stand before a reading: no act beside it."""
    for number in range(ACTS):
        journal.append_now(
            Action.ACCESS_ALLOWED,
            actor=REQUESTER,
            subject=PEOPLE[number],
            verdict=Verdict.ALLOW,
            purpose="model-training",
            act="read",
            count=3,
            private=PRIVATE,
        )
    return ACTS


def crowd() -> int:
    with transaction.atomic():
        for subject in PEOPLE:
            _append(subject)
    return CROWD


def _append(subject: str) -> None:
    journal.append(
        Action.POLICY_APPROVED,
        actor=REQUESTER,
        subject=subject,
        verdict=Verdict.ALLOW,
        purpose="model-training",
        act="approve",
        count=1,
        policy=POLICY,
        private=PRIVATE,
    )
