"""People on somebody else's screen ask without an account, and what showed them goes (R56, R57)."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.limits import Source
from governance.capture import bystander_index, deletion
from governance.capture.models import BatchOutcome, BystanderMark, Frame, LiveFrame, NeverCapture
from governance.jobs import services as jobs
from governance.jobs.models import Job
from governance.redaction import identifiers
from governance.redaction.findings import Shown
from governance.rights import bystander_answers, bystanders, channel
from governance.rights.errors import BystanderLinkError, MailAwayError
from governance.rights.models import BystanderMail, BystanderRequest, RightsRequest
from tests import make
from tests.governance.api.people import Session
from tests.governance.capture.test_path import now_events, send, typed, upload

pytestmark = pytest.mark.django_db
JANE = "jane.doe@example.com"


@pytest.fixture(autouse=True)
def _posted(settings: Any) -> None:
    settings.REMIT_MAIL_FROM = "remit@nordhafen.example"
    channel.forget()


@pytest.fixture
def agent(nordhafen: make.House) -> make.Endpoint:
    cells = [(make.TRAIN, make.DESK, kind) for kind in ("keystroke-text", "pointer")]
    make.decide(nordhafen, "mira", cells)
    return make.endpoint(nordhafen, "mira")


def _typed(agent: make.Endpoint, text: str) -> set[UUID]:
    before = set(LiveFrame.objects.values_list("frame_id", flat=True))
    lines = [
        {**event, "seq": agent.next_seq + n} for n, event in enumerate(now_events(*typed(text)))
    ]
    send(agent, lines, {(make.DESK, "keystroke-text"): len(lines)})
    return set(LiveFrame.objects.values_list("frame_id", flat=True)) - before


def _link(kind: str, address: str = JANE) -> str:
    BystanderMail.objects.all().delete()
    sent = Client().post("/others/", {"address": address, "kind": kind})
    assert sent.status_code == 200
    (link,) = re.findall(r"http\S+(/others/\S+/)", str(mail.outbox[-1].body))
    return str(link)


def _asked(kind: str) -> BystanderRequest:
    assert Client().post(_link(kind)).status_code == 302
    return BystanderRequest.objects.latest("request__received_at")


def _answered(request: BystanderRequest, *, is_granted: bool = True, reasons: str = "") -> None:
    ines = Session("ines", "privacy_officer")
    done = ines.post(
        f"/api/v1/bystander-requests/{request.pk}/answer",
        {"is_granted": is_granted, "reasons": reasons},
    )
    assert done.status_code == 200, done.content
    Job.objects.filter(kind=bystander_answers.JOB).update(
        run_at=timezone.now() - timedelta(minutes=1)
    )
    jobs.run_due()


def test_r57_the_notice_tells_everybody_in_each_language_where_it_comes_from(
    nordhafen: make.House,
) -> None:
    for language, words in (("en", "observing another"), ("de", "Bildschirm"), ("fr", "écran")):
        page = Client().get("/others/", headers={"accept-language": language})
        assert page.status_code == 200
        assert words in page.content.decode()
        assert f'lang="{language}"' in page.content.decode()
        assert "<script" not in page.content.decode()


def test_r57_whoever_asks_is_answered_alike_and_nothing_is_kept_before_the_link_was_followed(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    _typed(agent, f"mail {JANE} today")
    pages = []
    for address in (JANE, "nobody@example.org"):
        answer = Client().post("/others/", {"address": address, "kind": "erasure"})
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
        pages.append((answer.status_code, text.replace(address, "")))
    assert pages[0] == pages[1]
    assert [message.to for message in mail.outbox] == [[JANE], ["nobody@example.org"]]
    assert not RightsRequest.objects.exists()
    assert JANE not in mail.outbox[0].body
    for wrong in ({"address": "x", "kind": "access"}, {"address": JANE, "kind": "portability"}):
        assert Client().post("/others/", wrong).status_code == 422


STRANGE = (
    f'"{JANE}" <joe@[203.0.113.5]>',
    f'"{JANE}" <"a b"@joe.example>',
    "jane.doe@ex\N{CYRILLIC SMALL LETTER A}mple.com",
    "jane.doe@exampl\N{LATIN SMALL LETTER E WITH ACUTE}.com",
    "jane%2Edoe@example.com",
    "jane.doe (at) example.com",
    f"Buy this now {JANE}",
    f"x\n{JANE}",
    f"joe@localhost, {JANE}",
    "jane..doe@example.com",
)


def test_only_who_reads_the_very_address_can_ask_for_it(nordhafen: make.House) -> None:
    """What was asked, mailed and marked are the same letters, so no other mailbox proves them."""
    for address in STRANGE:
        sent = {"address": address, "kind": "erasure"}
        json = "application/json"
        for answer in (
            Client().post("/others/", sent),
            Client().post("/api/v1/bystander-requests", sent, content_type=json),
        ):
            assert answer.status_code in {400, 422}, (address, answer.content)
    assert mail.outbox == []


def _asks(number: int, *, address: str, now: datetime) -> None:
    bystanders.ask(
        address=f"somebody-{number}@example.com",
        kind="access",
        language="en",
        source=Source(address),
        now=now,
    )


def test_no_one_place_uses_up_the_mails_of_a_day(nordhafen: make.House) -> None:
    now = timezone.now()
    for number in range(channel.MOST_A_PLACE):
        _asks(number, address="192.0.2.7", now=now)
    with pytest.raises(TooManyAttemptsError):
        _asks(100, address="192.0.2.7", now=now)
    _asks(101, address="192.0.2.8", now=now)
    assert len(mail.outbox) == channel.MOST_A_PLACE + 1
    # Reports of pressure from there come in all the same.
    assert channel.has_room("192.0.2.7", day=now.date())


def test_nobody_waits_for_a_mail_of_a_day_that_had_all_its_mails(
    nordhafen: make.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bystanders, "MAILS_A_DAY_IN_ALL", 1)
    _asks(1, address="192.0.2.7", now=timezone.now())
    with pytest.raises(MailAwayError):
        _asks(2, address="192.0.2.8", now=timezone.now())
    full = Client().post("/others/", {"address": JANE, "kind": "access"})
    assert full.status_code == 503
    assert "No mail can be sent at the moment." in full.content.decode()


def test_an_apostrophe_is_part_of_an_address_and_no_text_is_read_for_minutes() -> None:
    jane = identifiers.form_of("d'or@example.com")
    assert jane == "mail:d'or@example.com" != identifiers.form_of("or@example.com")
    shown = Shown("desk", "keystroke-text", "EMAIL", "'jane@example.com'")
    assert identifiers.forms([shown]) == {("desk", "keystroke-text"): {"mail:jane@example.com"}}
    before = process_time()
    identifiers.form_of("a" * 200 + "@")
    identifiers.forms([Shown("desk", "keystroke-text", "URL", "a" * 30_000 + "@" + "b" * 30_000)])
    assert process_time() - before < 2


def test_r57_a_followed_link_becomes_one_request_with_a_month_that_the_office_sees(
    nordhafen: make.House,
) -> None:
    link = _link("access")
    asking = Client().get(link)
    assert JANE in asking.content.decode()
    assert not RightsRequest.objects.exists(), "a mail scanner that opens links asked"
    for _ in range(2):
        assert Client().post(link).status_code == 302
    request = RightsRequest.objects.get()
    assert (request.kind, request.due_at.month) != ("", request.received_at.month)
    ines = Session("ines", "privacy_officer")
    (row,) = ines.get("/api/v1/bystander-requests").json()["requests"]
    assert (row["kind"], row["status"]) == ("access", "RequestAcknowledged")
    assert JANE not in str(row)
    for name, role in (("wanda", "auditor"), ("adam", "service_admin"), ("petra", "employee")):
        assert Session(name, role).get("/api/v1/bystander-requests").status_code == 403
    page = ines.client.get("/office/others/").content.decode()
    assert str(request.id) in page
    assert JANE not in page
    assert "RequestAcknowledged" not in Client().get(link).content.decode()
    assert Client().get(f"{link[:-3]}xx/").status_code == 404


def test_r57_a_link_is_over_after_three_days_and_mails_are_few(
    nordhafen: make.House,
) -> None:
    for _ in range(bystanders.MAILS_A_DAY + 1):
        Client().post("/others/", {"address": JANE, "kind": "access"})
    assert len(mail.outbox) == bystanders.MAILS_A_DAY
    assert Client().post("/others/", {"address": JANE, "kind": "access"}).status_code == 200
    assert Client().post("/others/", {"address": JANE, "kind": "access"}).status_code == 429
    part = re.findall(r"/others/(\S+)/", str(mail.outbox[0].body))[0]
    later = timezone.now() + timedelta(days=3)
    with pytest.raises(BystanderLinkError):
        bystanders.confirm(part, now=later)


def test_r57_an_objection_keeps_the_address_out_at_once(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    request = _asked("objection")
    assert NeverCapture.objects.count() == 1
    assert _typed(agent, f"mail {JANE} today") == set()
    _answered(request)
    assert "dropped when it arrives" in mail.outbox[-1].body
    assert not _rows_with("jane")


def test_r56_a_request_finds_exactly_the_records_that_showed_the_address_and_they_go_whole(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    shown = _typed(agent, f"mail {JANE} today")
    other = _typed(agent, "mail john.roe@example.com today")
    request = _asked("erasure")
    found = bystander_index.find(request=request.pk, identifier=JANE.upper(), actor=nordhafen.ines)
    assert found == {agent.subject: sorted(shown, key=str)}
    _answered(request)
    left = set(LiveFrame.objects.values_list("frame_id", flat=True))
    assert not shown & left
    assert Frame.objects.filter(id__in=left).count() == len(other)
    assert BystanderMark.objects.filter(frame_id__in=shown).count() == 0
    assert set(BystanderMark.objects.values_list("frame_id", flat=True)) == left
    assert Entry.objects.filter(event="private:told").exists()
    assert request.request.steps.latest("number").status == "RequestFulfilled"
    assert mail.outbox[-1].to == [JANE]
    assert "destroyed whole" in mail.outbox[-1].body
    assert not _rows_with("jane")


def test_r56_an_erasure_waits_for_what_had_come_before_it_was_decided(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    """What lies in the queue is not in the index yet, and would be stored after the erasure."""
    request = _asked("erasure")
    lines = now_events(*typed(f"mail {JANE} today"))
    cell = {(make.DESK, "keystroke-text"): len(lines)}
    batch = upload(agent, *make.sealed(agent, lines, cell))
    waiting = Job.objects.filter(ref=str(batch.id))
    waiting.update(run_at=timezone.now() + timedelta(hours=1))
    _answered(request)
    assert "destroyed whole" not in mail.outbox[-1].body
    Job.objects.update(run_at=timezone.now() - timedelta(minutes=1))
    for _ in range(2):
        jobs.run_due()
        Job.objects.update(run_at=timezone.now() - timedelta(minutes=1))
    jobs.run_due()
    assert BatchOutcome.objects.get(batch_id=batch.id).accepted == len(lines)
    assert "destroyed whole" in mail.outbox[-1].body
    assert not LiveFrame.objects.exists()


def test_r56_the_answer_and_the_log_of_the_office_are_the_same_whether_anything_was_found(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    answers = []
    for kind in ("access", "erasure"):
        for is_shown in (False, True):
            if is_shown:
                _typed(agent, f"mail {JANE} today")
            _answered(_asked(kind))
            answers.append((mail.outbox[-1].subject, mail.outbox[-1].body))
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]


def test_r57_a_refusal_gives_its_reasons_and_where_to_complain(nordhafen: make.House) -> None:
    request = _asked("erasure")
    ines = Session("ines", "privacy_officer")
    door = f"/api/v1/bystander-requests/{request.pk}/answer"
    assert ines.post(door, {"is_granted": False}).status_code == 400
    _answered(request, is_granted=False, reasons="The address is that of a machine.")
    assert "that of a machine" in mail.outbox[-1].body
    assert "supervisory authority" in mail.outbox[-1].body
    assert ines.post(door, {"is_granted": True}).status_code == 409
    assert request.request.steps.latest("number").status == "RequestRejected"


def test_r56_marks_go_with_their_frames_and_survive_a_renewal(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    first = _typed(agent, f"mail {JANE} today")
    second = _typed(agent, f"mail {JANE} tomorrow")
    actor = nordhafen.actor("mira")
    deletion.delete_frames(subject=agent.subject, frames=list(first), actor=actor)
    live = set(LiveFrame.objects.values_list("frame_id", flat=True))
    assert not live & second, "the survivor was sealed anew"
    assert set(BystanderMark.objects.values_list("frame_id", flat=True)) == live
    deletion.purge_subject(subject=agent.subject, actor=deletion.ERASER)
    assert not BystanderMark.objects.exists()


def test_r56_no_door_lists_the_index(nordhafen: make.House) -> None:
    schema = Path("docs/openapi.yaml").read_text(encoding="utf-8")
    paths = re.findall(r"^  (/\S+):$", schema, re.MULTILINE)
    assert [path for path in paths if "bystander" in path or "never" in path] == [
        "/api/v1/bystander-requests",
        "/api/v1/bystander-requests/{request_id}/answer",
        "/api/v1/never-capture",
    ]


def _rows_with(word: str) -> list[str]:
    """Return the tables in which a word stands, in whatever column."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if model._meta.db_table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
                if any(word in str(value) for row in cursor.fetchall() for value in row):
                    found.append(model._meta.db_table)
    return found
