"""A desktop, its agent as a process, and the real service over HTTP, from the key to the record."""

import json
import select
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

pytest.importorskip("tesserocr")

from django.core.wsgi import get_wsgi_application

from consent import services as consent
from governance.accounts import services as accounts
from governance.api import agent as agent_api
from governance.capture import gate
from governance.capture.models import CaptureBatch, LiveFrame
from governance.jobs import services as jobs
from governance.policies import services as policies
from governance.policies.categories import Category
from tests import make
from tests.desktop.test_recorder import (
    FOREIGN,
    PASSWORD,
    PAUSED,
    UNNAMED,
    Agent,
    application,
    typed,
    work,
)
from tests.infrastructure.canary import Canary
from tests.infrastructure.desktop import Desktop

pytestmark = [pytest.mark.real, pytest.mark.once]
T = TypeVar("T")
ALLOWED = (
    Category.POINTER, Category.CLICK, Category.MENU_NAVIGATION, Category.SHORTCUT,
    Category.KEYSTROKE_TEXT, Category.WINDOW_METADATA, Category.SCREENSHOT,
)  # fmt: skip


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        return


class _Server(WSGIServer):
    allow_reuse_address = True


@pytest.fixture
def house(nordhafen: make.House, settings: Any) -> make.House:
    """Nordhafen, where mira allowed all of the terminal but her rhythm and the screen's layout."""
    settings.REMIT_SCREENS = True
    days = dict.fromkeys(Category, make.DAYS)
    policies.set_retention(application=make.TERMINAL, days=days, actor=nordhafen.ines)
    for purpose in make.PURPOSES:
        texts = {language: make.notice(purpose, Category) for language in ("en", "de", "fr")}
        consent.publish_notice(purpose=purpose, texts=texts, actor=nordhafen.ines)
    window = application()
    content = make.policy_content(make.TERMINAL, tuple(Category)) | {
        name: window[name] for name in ("matchers", "titles", "labels", "fields")
    }
    make.activate(nordhafen, content)
    cells = [(make.TRAIN, make.TERMINAL, category.value) for category in ALLOWED]
    make.decide(nordhafen, "mira", cells)
    return nordhafen


@pytest.fixture
def serve(
    monkeypatch: pytest.MonkeyPatch, settings: Any, kept_connections: None
) -> Iterator[Callable[[Callable[[str], T]], T]]:
    """Serve in this thread, whose transaction the test is, while something is done in another."""
    # One thread answers one request at a time: none may be held open.
    monkeypatch.setattr(agent_api, "_LONGEST_WAIT_SECONDS", 0)
    server = make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Quiet)

    def run(act: Callable[[str], T]) -> T:
        done: list[T] = []
        origin = f"http://127.0.0.1:{server.server_port}"
        settings.REMIT_EXTERNAL_ORIGIN = origin
        thread = threading.Thread(target=lambda: done.append(act(origin)))
        thread.start()
        while thread.is_alive():
            if select.select([server], [], [], 0.05)[0]:
                server.handle_request()
        thread.join()
        return done[0]

    yield run
    server.server_close()


def stored(house: make.House) -> list[dict[str, object]]:
    mira = house.actor("mira")
    frames = list(LiveFrame.objects.filter(subject=mira.key).values_list("frame_id", flat=True))
    with gate.open_records(actor=mira, purpose="own-access", frames=frames) as records:
        return [event for record in records for event in record.events]


def test_r48_r49_r50_r53_what_a_desktop_leaves_at_the_service_is_what_was_allowed(
    desktop: Desktop, house: make.House, serve: Callable[..., Any], tmp_path: Path
) -> None:
    code = accounts.make_enrolment_code(subject=house.subject("mira"))
    agent = Agent(desktop, tmp_path / "agent")

    def act(origin: str) -> None:
        agent.run("enrol", "--server", origin, "--code", code)
        work(desktop, agent)

    serve(act)
    sealed = CaptureBatch.objects.count()
    assert sealed >= 1
    jobs.run_due()
    events = stored(house)
    kinds = {str(event["type"]) for event in events}
    assert {"mouse.down", "menu.select", "key.shortcut", "key.down", "app.focus",
            "window.focus", "screen.frame"} <= kinds  # fmt: skip
    assert typed(events) == "Abc12\b9"
    assert "ui.tree" not in kinds
    assert not [event for event in events if "key_class" in event]
    told = json.dumps(events, ensure_ascii=False)
    for secret in (PASSWORD, FOREIGN, PAUSED, UNNAMED):
        assert Canary(secret).scan(told.encode()) == []
        assert secret not in typed(events)
        assert Canary(secret).scan_tree(agent.home) == []
        assert Canary(secret).scan_tree(desktop.folder) == []
