"""One consent sent twice at the same moment, to a running service: one decision comes of it."""

import re
import threading
from collections.abc import Callable
from typing import Any

import httpx

from tests.infrastructure.http import Person

AT_ONCE = 2
ROUNDS = 4


def at_once(*acts: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Do all of it at the same moment; return what each was answered."""
    start = threading.Barrier(len(acts))
    answers: list[httpx.Response] = []

    def one(act: Callable[[], httpx.Response]) -> None:
        start.wait(30)
        answers.append(act())

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == len(acts)
    return answers


def over_the_api(windows: list[Person], cell: dict[str, Any]) -> None:
    """Allow a cell from each window at once; one of them decides, the others are told so."""
    path = f"/api/v1/me/consents/{cell['purpose']}/{cell['application']}/{cell['category']}"
    yes = {"status": "ConsentGiven", "notice_version": cell["notice_version"]}
    answers = at_once(*(lambda one=one: one.put(path, yes) for one in windows))
    (first,) = [one.json() for one in answers if one.is_success and one.json()["changed"]]
    for other in answers:
        if other.is_success:  # It came when all was done: the same answer names the same act.
            assert other.json()["receipt_id"] == first["receipt_id"]
        else:
            assert (other.status_code, other.json()["type"]) == (409, "/problems/decided-meanwhile")


def over_the_form(person: Person, purpose: str, ticked: str) -> None:
    """Fill in the form, look at the review, then press "save" twice at once."""
    page = person.get("/consent/").text
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    del form["csrfmiddlewaretoken"], form["next"]
    form |= {f"answer.{purpose}": "yes", f"cell.{ticked}": "on"}
    assert person.submit("/consent/review/", form).status_code == httpx.codes.FOUND
    review = person.get("/consent/review/").text
    (name,) = re.findall(r'name="reviewed" value="([^"]+)"', review)
    save = {"do": "save", "reviewed": name}
    answers = at_once(*(lambda: person.submit("/consent/save/", save) for _ in range(AT_ONCE)))
    saved = [one for one in answers if one.status_code == httpx.codes.FOUND]
    assert [one.headers["Location"][:14] for one in saved] == ["/consent/done/"]
    others = [one for one in answers if one not in saved]
    assert {one.status_code for one in others} == {httpx.codes.CONFLICT}
    assert all('id="spent"' in one.text for one in others)
