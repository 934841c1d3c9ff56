"""The story of Nordhafen, told over HTTP with the real agent. Every chapter may be told again.

Promise: nothing here writes a table; each chapter asks the service what is there and adds what is
missing, so a start that was cut short goes on where it stopped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Final

from governance.management import demo_assessment
from governance.management import demo_texts as texts
from governance.management.demo_http import Caller, DemoError, wait_until
from governance.management.demo_people import COLLEAGUES, EVERYBODY
from governance.management.demo_texts import DESK, IMPROVE, TERMINAL, TRAIN
from remit_agent.enrol import enrol
from remit_agent.errors import AgentError
from remit_agent.home import Home
from remit_agent.replay import replay
from remit_agent.service import connect

Json = Mapping[str, Any]
Report = Callable[[int], None]

# What jonas asks for; whoever is to contribute has allowed this much.
_WANTED: Final = ("pointer", "click", "menu-navigation", "shortcut", "window-metadata")
_RECORDINGS: Final[Mapping[str, tuple[str, float]]] = {
    # Folder or file, and how many times faster than life it is told.
    "vendor-form": ("rrweb/rr_plain.json", 20.0),
    "expense-claim": ("openadapt-capture", 40.0),
    "display-settings": ("agentnet/display-settings", 100.0),
}
_AT_ONCE: Final = 4
_BEGAN: Final = "2020-01-01"
_OUTCOME_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the story is told: the service's address, the recordings, the computers' state."""

    server: str
    recordings: Path
    computers: Path


@dataclass(frozen=True, slots=True)
class Part:
    """What somebody allows, and what they work at afterwards."""

    username: str
    purposes: Sequence[str]
    applications: Sequence[str]
    recordings: Sequence[str]
    categories: Sequence[str] | None = None


def parts() -> list[Part]:
    """Return who takes part. Tariq was asked like everybody and is not among them."""
    everything = ("vendor-form", "expense-claim", "display-settings")
    chosen = [
        Part("mira", (TRAIN, IMPROVE), (DESK, TERMINAL), everything),
        Part("carla", (TRAIN,), (DESK,), ("vendor-form",)),
    ]
    for number, colleague in enumerate(COLLEAGUES):
        where, what = ((DESK, "vendor-form"), (TERMINAL, "expense-claim"))[number % 2]
        chosen.append(Part(colleague.username, (TRAIN,), (where,), (what,), _WANTED))
    return chosen


def set_up(stage: Stage, report: Report) -> int:
    """Ines registers purposes, applications, retention and notices."""
    with Caller(stage.server, "ines") as ines:
        _add_missing(ines, "purposes", texts.PURPOSES)
        _add_missing(ines, "applications", texts.APPLICATIONS)
        schedules = ines.get("retention-schedules")["schedules"]
        scheduled = {each["application"] for each in schedules}
        for application in (DESK, TERMINAL):
            if application not in scheduled:
                body = {"application": application, "days": texts.DAYS}
                ines.post("retention-schedules", body)
        references = [each["reference"] for each in ines.get("notices")["notices"]]
        for number, purpose in enumerate((TRAIN, IMPROVE), start=1):
            if not any(reference.startswith(f"{purpose}@") for reference in references):
                ines.post("notices", {"purpose": purpose, "texts": texts.notices(purpose)})
            report(number)
    return len(texts.PURPOSES)


def _add_missing(caller: Caller, path: str, wanted: Iterable[Mapping[str, str]]) -> None:
    there = {each["key"] for each in caller.get(path)[path]}
    for body in wanted:
        if body["key"] not in there:
            caller.post(path, body)


def agree(stage: Stage, report: Report) -> int:
    """Ines drafts policies and lays their ground, Lea and Wanda agree, Ines puts them in force."""
    with (
        Caller(stage.server, "ines") as ines,
        Caller(stage.server, "lea") as lea,
        Caller(stage.server, "wanda") as wanda,
    ):
        versions = {str(each["application"]): _drafted(ines, each) for each in texts.POLICIES}
        scopes = {key: str(version["scope_digest"]) for key, version in versions.items()}
        _record_bases(ines)
        _assess(ines, lea, scopes)
        for number, (key, version) in enumerate(versions.items(), start=1):
            _sign(ines, wanda, key, scopes[key])
            _agree(ines, lea, version)
            report(number)
        _ask_everybody(ines)
    return len(versions)


def _ask_everybody(ines: Caller) -> None:
    """Let the privacy office ask, once, whoever has worked here for long."""
    if ines.get("campaigns")["campaigns"]:
        return
    for character in EVERYBODY:
        began = {"kind": "employment-began", "starts_on": _BEGAN, "ends_on": _BEGAN}
        ines.post("asking-limits", began | {"username": character.username})
    ines.post("campaigns", {"purpose": TRAIN, "incentive": "none"})


def _drafted(ines: Caller, policy: Json) -> Json:
    application = policy["application"]
    versions = ines.get(f"capture-policies?application={application}")["versions"]
    found: Json = (
        versions[0] if versions else ines.post(f"capture-policies/{application}/versions", policy)
    )
    return found


def _record_bases(ines: Caller) -> None:
    recorded = {
        each["purpose"] for each in ines.get("processing-activities")["processing_activities"]
    }
    for purpose in (TRAIN, IMPROVE):
        if purpose not in recorded:
            ines.post("processing-activities", {"purpose": purpose, **texts.BASIS})


def _assess(ines: Caller, lea: Caller, scopes: Mapping[str, str]) -> None:
    there = ines.get("impact-assessments")["assessments"]
    path = f"impact-assessments/{demo_assessment.KEY}"
    version = (
        there[0]
        if there
        else ines.post(
            "impact-assessments",
            {"key": demo_assessment.KEY, "content": demo_assessment.assessment(scopes)},
        )
    )
    step = {"number": version["number"]}
    if version["state"] == "Draft":
        version = ines.post(f"{path}/submit", step)
    if version["state"] == "InReview":
        read = lea.get(f"{path}/versions/{version['number']}")
        word = {"decision": "approve", "content_digest": read["content_digest"]}
        lea.post(f"{path}/decisions", step | word)


def _sign(ines: Caller, wanda: Caller, application: str, scope_digest: str) -> None:
    there = [
        each
        for each in ines.get("works-agreements")["agreements"]
        if each["application"] == application
    ]
    agreed = (
        there[0]
        if there
        else ines.post("works-agreements", texts.agreement(application, scope_digest))
    )
    if agreed["confirmed_at"] is None:
        wanda.post(f"works-agreements/{agreed['id']}/confirm")


def _agree(ines: Caller, lea: Caller, version: Json) -> None:
    path = f"capture-policies/{version['application']}"
    step = {"number": version["number"]}
    if version["state"] == "Draft":
        version = ines.post(f"{path}/submit", step)
    if version["state"] == "InReview":
        read = lea.get(f"{path}/versions/{version['number']}")
        version = lea.post(f"{path}/approvals", step | {"content_digest": read["content_digest"]})
    if version["state"] == "Approved":
        ines.post(f"{path}/activate", step)


def work(stage: Stage, report: Report) -> int:
    """Everybody decides, enrols a computer and works; the agent sends what they allowed."""
    chosen = parts()
    counted = Lock()
    done = 0

    def play(part: Part) -> None:
        nonlocal done
        _play(stage, part)
        with counted:
            done += 1
            report(done)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(play, chosen):
            pass
    return len(chosen)


def _play(stage: Stage, part: Part) -> None:
    home = Home(stage.computers / part.username)
    waiting = [name for name in part.recordings if not _told(home, name).exists()]
    if not waiting:
        return
    with Caller(stage.server, part.username) as person:
        _decide(person, part)
        if not home.is_enrolled:
            code = person.post("me/devices")["code"]
            with home.exclusive(), connect(stage.server) as service:
                enrol(home=home, service=service, code=code)
    for name in waiting:
        _replay(stage, home, name)
        _told(home, name).touch()


def _told(home: Home, name: str) -> Path:
    return home.path / f"told-{name}"


def _decide(person: Caller, part: Part) -> None:
    for cell in person.get("me/consents")["cells"]:
        allowed = (
            cell["purpose"] in part.purposes
            and cell["application"] in part.applications
            and (part.categories is None or cell["category"] in part.categories)
        )
        if allowed and not cell["is_valid"]:
            path = f"me/consents/{cell['purpose']}/{cell['application']}/{cell['category']}"
            choice = {"status": "ConsentGiven", "notice_version": cell["notice_version"]}
            person.put(path, choice)


def _replay(stage: Stage, home: Home, name: str) -> None:
    recording, speed = _RECORDINGS[name]
    try:
        report = replay(
            home=home.path,
            recording=stage.recordings / recording,
            speed=speed,
            wait_s=_OUTCOME_SECONDS,
        )
    except AgentError as error:
        raise DemoError(f"The agent of {home.path.name}: {error}") from error
    kept = sum(status.accepted for status in report.statuses)
    if report.pending or report.refused or not kept:
        raise DemoError(f"The agent of {home.path.name} could not deliver {name}: {report}.")


def withdraw(stage: Stage, report: Report) -> int:
    """Carla changes her mind; her records are destroyed."""
    with Caller(stage.server, "carla") as carla:
        if any(cell["is_valid"] for cell in carla.get("me/consents")["cells"]):
            carla.post("me/consents/withdraw-all")
        is_gone = partial(_holds_nothing, carla)
        wait_until(is_gone, what="The end of Carla's records", seconds=60)
    report(1)
    return 1


def _holds_nothing(person: Caller) -> bool:
    return not person.get("me/captures")["captures"]


def train(stage: Stage, report: Report) -> int:
    """Jonas is refused what is prohibited, asks for what is not, and gets it from two others."""
    with Caller(stage.server, "jonas") as jonas:
        asked = _ask(jonas)
        report(1)
        for number, officer in enumerate(("ines", "lea"), start=2):
            with Caller(stage.server, officer) as decider:
                _approve(decider, asked)
            report(number)
        wait_until(partial(_is_released, jonas), what="The release", seconds=60)
    return 3


def _ask(jonas: Caller) -> str:
    there = jonas.get("access-requests")["access_requests"]
    wish: dict[str, object] = {
        "purpose": TRAIN,
        "applications": [DESK, TERMINAL],
        "categories": list(_WANTED),
        "reason": "Train an agent that enters vendors and expense claims.",
    }
    if there:
        return str(there[0]["id"])
    prohibited = wish | {
        "purpose": "performance-evaluation",
        "reason": "See how quickly the freight team works.",
    }
    if not jonas.is_refused("access-requests", prohibited, problem="purpose-prohibited"):
        raise DemoError("A prohibited purpose was not refused.")
    return str(jonas.post("access-requests", wish)["id"])


def _approve(decider: Caller, asked: str) -> None:
    turns = {"ines": "requested", "lea": "reviewed"}
    if decider.get(f"access-requests/{asked}")["state"] == turns[decider.username]:
        decider.post(f"access-requests/{asked}/approvals")


def _is_released(jonas: Caller) -> bool:
    states = [each["state"] for each in jonas.get("releases")["releases"]]
    if "withheld" in states:
        raise DemoError("The release was withheld: too few people take part.")
    return "published" in states
