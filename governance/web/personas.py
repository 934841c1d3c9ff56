"""The people of the demo organisation that one click may look through. Demo mode only."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Persona:
    """One card of the front page."""

    username: str
    name: str
    role: str | Promise
    sees: str | Promise
    attempt: str | Promise


EVERYONE: tuple[Persona, ...] = (
    Persona(
        "mira",
        "Mira",
        _("employee"),
        _("She allowed capture in two applications. She sees each record, and who opened it."),
        _("press “Check now” on “Who accessed my data”, then withdraw one tick."),
    ),
    Persona(
        "tariq",
        "Tariq",
        _("employee"),
        _("He was asked and has not answered, so nothing is captured from him."),
        _("open “My consent”: nothing is chosen for him."),
    ),
    Persona(
        "carla",
        "Carla",
        _("employee"),
        _("She allowed it once and withdrew. Her records are gone and the proof is there."),
        _("open “My requests” and “My consent”."),
    ),
    Persona(
        "petra",
        "Petra",
        _("employee, leads Mira's team"),
        _("She leads Mira, Tariq and Carla, and sees exactly as much of them as a stranger."),
        _("look for their choices. There is no page for it."),
    ),
    Persona(
        "ines",
        "Ines",
        _("privacy officer"),
        _("She writes capture policies, decides on access requests and explores the log."),
        _("draft a policy. You cannot approve your own draft."),
    ),
    Persona(
        "lea",
        "Lea",
        _("policy approver"),
        _("Nothing is captured and nothing is handed out before she has agreed as well."),
        _("read what a policy would capture, then approve it."),
    ),
    Persona(
        "jonas",
        "Jonas",
        _("data requester"),
        _("He trains agents and gets only what people allowed for exactly that purpose."),
        _("ask for data to judge a colleague. The service refuses and writes it down."),
    ),
    Persona(
        "wanda",
        "Wanda",
        _("auditor, works council"),
        _("She reads every policy and the whole log, and not one person's data."),
        _("open an entry and check its proof on your own computer."),
    ),
    Persona(
        "adam",
        "Adam",
        _("service admin"),
        _("He keeps the service running and can read nobody's data."),
        _("try to open a page about a person."),
    ),
)
