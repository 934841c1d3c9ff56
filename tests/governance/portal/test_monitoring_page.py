"""The notice that the law of a place wants people told, on its page."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from governance.compliance import monitoring
from governance.policies import groundwork
from tests import make
from tests.governance.portal.test_pages import signed_in

pytestmark = pytest.mark.django_db

TEXTS = {
    "en": "Your work may be recorded.",
    "de": "Ihre Arbeit kann aufgezeichnet werden.",
    "fr": "Votre travail peut être enregistré.",
}


def test_r103_r104_a_person_reads_the_notice_in_their_language_and_says_so(
    nordhafen: make.House,
) -> None:
    subject = nordhafen.subject("mira")
    mira = signed_in("mira")
    assert "asks for no such notice" in mira.get("/work-notice/").content.decode()
    assert mira.post("/work-notice/").status_code == 422
    monitoring.record_place(subject=subject, place="US-CT", actor=nordhafen.ines)
    assert "none is published yet" in mira.get("/work-notice/").content.decode()
    assert "A notice waits for you" not in mira.get("/").content.decode()
    groundwork.publish_monitoring_notice(code="US-CT", texts=TEXTS, actor=nordhafen.ines)
    assert "A notice waits for you" in mira.get("/").content.decode()
    page = mira.get("/work-notice/").content.decode()
    assert "Connecticut (US-CT)" in page
    assert TEXTS["en"] in page
    assert TEXTS["de"] not in page
    assert f'<div lang="de"><p>{TEXTS["de"]}' in (
        mira.get("/work-notice/?language=de").content.decode()
    )
    assert TEXTS["en"] in mira.get("/work-notice/?language=xx").content.decode()
    assert mira.post("/work-notice/")["Location"] == "/work-notice/"
    told = mira.get("/work-notice/").content.decode()
    assert "You have read it" in told
    assert "I have read this notice" not in told
    assert [each.notice.code for each in monitoring.acknowledged(subject=subject)] == ["US-CT"]
    assert "A notice waits for you" not in mira.get("/").content.decode()
    # Another text is another notice: her word was for the first.
    groundwork.publish_monitoring_notice(code="US-CT", texts=TEXTS, actor=nordhafen.ines)
    assert "It waits for you" in mira.get("/work-notice/").content.decode()
    assert monitoring.acknowledged(subject=nordhafen.subject("tariq")) == []


def test_a_word_that_ran_out_is_asked_for_anew(
    nordhafen: make.House, time_machine: Callable[[datetime], None]
) -> None:
    subject = nordhafen.subject("mira")
    monitoring.record_place(subject=subject, place="US-ME", actor=nordhafen.ines)
    groundwork.publish_monitoring_notice(code="US-ME", texts=TEXTS, actor=nordhafen.ines)
    mira = signed_in("mira")
    mira.post("/work-notice/")
    assert "It holds until" in mira.get("/work-notice/").content.decode()
    time_machine(timezone.now() + timedelta(days=367))
    mira = signed_in("mira")
    assert "Your word held until" in mira.get("/work-notice/").content.decode()
    mira.post("/work-notice/")
    told = mira.get("/work-notice/").content.decode()
    assert "It holds until" in told
    assert told.count("Maine (US-ME)</td>") == 2
