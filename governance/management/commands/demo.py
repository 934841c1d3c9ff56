"""`manage.py demo`: fills an empty installation with Nordhafen, through the doors everyone uses."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from governance.jobs import selectors as jobs
from governance.jobs import services
from governance.management import demo_people, demo_story
from governance.management.demo_http import DemoError
from governance.management.demo_story import Report, Stage
from governance.web.health import DEMO_SIGN


@dataclass(frozen=True, slots=True)
class _Chapter:
    words: str
    tell: Callable[[Stage, Report], int]


_CHAPTERS: Final = (
    _Chapter("Nordhafen hires its people", lambda _, report: demo_people.hire(report=report)),
    _Chapter("Ines registers purposes, applications and notices", demo_story.set_up),
    _Chapter("Ines drafts two policies; Lea and Wanda agree", demo_story.agree),
    _Chapter("People decide, enrol their computers and work", demo_story.work),
    _Chapter("Carla withdraws", demo_story.withdraw),
    _Chapter("Jonas asks for training data; Ines and Lea agree", demo_story.train),
)
_REPORT_EACH: Final = 5


class Command(BaseCommand):
    help = "Tell the demo's story to a running service; what is told already is left alone."
    requires_system_checks = (Tags.security,)

    def handle(self, *_args: object, **_options: object) -> None:
        if not settings.REMIT_DEMO:
            raise CommandError("The demo needs REMIT_DEMO=1.")
        if jobs.seconds_since(DEMO_SIGN) is not None:
            return
        stage = Stage(
            server=f"http://127.0.0.1:{settings.REMIT_PORT}",
            recordings=Path(settings.BASE_DIR) / "clients" / "recordings",
            computers=Path(settings.REMIT_VAR) / "demo-computers",
        )
        try:
            for chapter in _CHAPTERS:
                self._tell(chapter, stage)
        except DemoError as error:
            raise CommandError(f"The demo: {error}") from error
        services.give_sign(DEMO_SIGN)

    def _tell(self, chapter: _Chapter, stage: Stage) -> None:
        began = time.monotonic()
        self._say(chapter.words)

        def report(done: int) -> None:
            if done % _REPORT_EACH == 0:
                self._say(f"  {done} done")

        chapter.tell(stage, report)
        self._say(f"  in {time.monotonic() - began:.1f} s")

    def _say(self, words: str) -> None:
        self.stdout.write(f"demo: {words}")
        self.stdout.flush()
