"""Requests of people who stood on somebody else's screen, and have no account here (R57).

Promises: whoever asks is answered alike, whether anything is known of them or not; nothing is kept
of an address until a link mailed to it was followed; then it is sealed until it was answered. An
objection acts at once: what shows the address is dropped on arrival from then on.
Leaves to others: what the office does with a request (governance.rights.bystander_answers).
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from audit import sql
from audit.actors import Actor
from governance.accounts import limits
from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.limits import Source
from governance.capture import never_capture
from governance.redaction import identifiers
from governance.rights import channel, mailing, requests
from governance.rights.errors import BystanderLinkError, BystanderRequestError, MailAwayError
from governance.rights.models import BystanderMail, BystanderRequest
from governance.rights.states import Kind, RequestStatus
from governance.vault import letters, registers
from governance.vault.errors import UnsealError

KINDS: Final = (Kind.ACCESS, Kind.ERASURE, Kind.OBJECTION)
LONGEST: Final = identifiers.LONGEST
CHANNEL: Final = Actor.system("bystanders")
# How long a mailed link can begin a request, and how long it tells where that stands.
LINK_LASTS: Final = timedelta(days=3)
TOLD_FOR: Final = timedelta(days=400)
MAILS_A_DAY: Final = 3
MAILS_A_DAY_IN_ALL: Final = 1000
_A_DAY_SECONDS: Final = 86_400
# Any fixed number; it names this lock among the database's advisory locks.
_ADVISORY_KEY: Final = 1_447_118_154
_LINKS: Final = "bystander-link"
_MAILS: Final = "bystander-mail"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a mailed link says: who asks for what, in which language, since when."""

    address: str
    kind: Kind
    language: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands, for whoever holds its link and for the office."""

    id: UUID
    kind: Kind
    status: RequestStatus
    received_at: datetime
    due_at: datetime
    is_decided: bool


def ask(*, address: str, kind: str, language: str, source: Source, now: datetime) -> None:
    """Mail a link by which whoever reads that address can ask; all else is as if nobody had.

    BystanderRequestError (no address, no such request), TooManyAttemptsError (of this place),
    MailAwayError (also when a day has had all its mails: nobody is left to wait for one).
    """
    mailbox = address.strip()
    if not _is_mailbox(mailbox) or kind not in KINDS:
        raise BystanderRequestError("Give a mail address and what you ask for.")
    if language not in dict(settings.LANGUAGES):
        raise BystanderRequestError("Choose one of the languages of this page.")
    form = f"mail:{mailbox.casefold()}"
    limits.begin(kind="bystander", account=form, source=source, now=now)
    mailing.require_open()
    if not channel.has_room(source.address, day=now.date(), of="bystanders"):
        raise TooManyAttemptsError(retry_after=_A_DAY_SECONDS)
    if not _is_within_bounds(form, now):
        return
    words = {"a": mailbox, "k": kind, "l": language, "t": int(now.timestamp())}
    link = f"{settings.REMIT_EXTERNAL_ORIGIN}/others/{letters.link(json.dumps(words))}/"
    with override(language):
        mailing.send(
            to=mailbox,
            subject=_("Your request to %(organisation)s")
            % {"organisation": settings.REMIT_ORGANISATION},
            text=_(
                "Somebody, probably you, asked %(organisation)s about recordings of screens in "
                "which you may be seen. Open this link and confirm it within three days:\n\n"
                "%(link)s\n\nKeep the link: it tells where your request stands. If you did not "
                "ask, do nothing; your address was not kept."
            )
            % {"organisation": settings.REMIT_ORGANISATION, "link": link},
        )


def _is_mailbox(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return False
    return identifiers.is_mail_itself(address)


def _is_within_bounds(form: str, now: datetime) -> bool:
    """Note one mail more; False when this address had enough for a day. MailAwayError."""
    mark = registers.marks(_MAILS, [form], is_new=True)[form]
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # What others count at this moment counts as well; SQLite lets in one writer at a time.
            sql.rows("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_KEY])
        BystanderMail.objects.filter(at__lt=now - timedelta(days=1)).delete()
        own = BystanderMail.objects.filter(mark=mark).count()
        if own >= MAILS_A_DAY:
            return False
        if BystanderMail.objects.count() >= MAILS_A_DAY_IN_ALL:
            raise MailAwayError("All mails of this day were sent.")
        BystanderMail.objects.create(mark=mark, at=now)
    return True


def follow(link: str, *, now: datetime) -> Asked:
    """Return what a link says. BystanderLinkError for one that is not ours, or is over."""
    try:
        words = json.loads(letters.follow(link))
    except UnsealError as error:
        raise BystanderLinkError("This link is not one of ours.") from error
    asked = Asked(
        address=words["a"],
        kind=Kind(words["k"]),
        language=words["l"],
        at=datetime.fromtimestamp(words["t"], tz=now.tzinfo),
    )
    if now >= asked.at + TOLD_FOR:
        raise BystanderLinkError("This link is over.")
    return asked


def confirm(link: str, *, now: datetime | None = None) -> BystanderRequest:
    """Take the request of a link in; twice is once. BystanderLinkError.

    Whoever holds the link reads the address: nothing else is asked of them.
    """
    moment = now or timezone.now()
    asked = follow(link, now=moment)
    held = _of(link)
    if held is not None:
        return held
    if moment >= asked.at + LINK_LASTS:
        raise BystanderLinkError("This link is over.")
    try:
        return _take_in(link, asked, moment)
    except IntegrityError:
        # Two clicks: the other one was first.
        held = _of(link)
        if held is None:
            raise
        return held


@transaction.atomic
def _take_in(link: str, asked: Asked, now: datetime) -> BystanderRequest:
    request = requests.open_request(subject=str(uuid4()), kind=asked.kind, actor=CHANNEL, now=now)
    letter = json.dumps({"a": asked.address, "l": asked.language})
    made = BystanderRequest.objects.create(
        request=request,
        link=_mark(link),
        sealed=letters.seal(ref=str(request.id), words=letter),
        entry=request.entry,
    )
    if asked.kind is Kind.OBJECTION:
        never_capture.enter(identifier=asked.address, actor=CHANNEL)
    return made


def standing(link: str) -> Standing | None:
    """Return where the request of a link stands; None when it was not confirmed."""
    held = _of(link)
    return None if held is None else standing_of(held)


def standing_of(held: BystanderRequest) -> Standing:
    """Return where a request stands."""
    request = held.request
    return Standing(
        id=request.id,
        kind=Kind(request.kind),
        status=RequestStatus(requests.latest_step(request).status),
        received_at=request.received_at,
        due_at=request.due_at,
        is_decided=hasattr(held, "answer"),
    )


def find(request_id: UUID) -> BystanderRequest | None:
    """Return a request of this channel, for the office."""
    rows = BystanderRequest.objects.select_related("request", "answer")
    return rows.filter(request_id=request_id).first()


def _of(link: str) -> BystanderRequest | None:
    rows = BystanderRequest.objects.select_related("request")
    return rows.filter(link=_mark(link)).first()


def _mark(link: str) -> str:
    return registers.marks(_LINKS, [link], is_new=True)[link]
