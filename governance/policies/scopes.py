"""How far one cell reaches, and whether a change widens it. Pure.

Promise: a consent given for one scope never covers a wider one (standards.md §3.2: any new matcher,
pattern, field, label, rule, recipient, transfer or longer retention is wider). Doubt counts as
wider. So is every budget that is raised. Budgets at their defaults are left out, so that a scope
that was agreed before there were budgets still is the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import cast

import msgspec

from audit.leaf import Json, canonical
from governance.policies import budgets
from governance.policies.categories import Category
from governance.policies.content import Content

# More of these is wider; masks are the other way round.
_WIDENING = ("matchers", "titles", "urls", "fields", "labels")
# As the notice says it: one more recipient or place is wider, and so is any other transfer.
_TOLD = ("recipients", "locations")
_CLOSED = canonical({})


@dataclass(frozen=True, slots=True)
class Told:
    """Who gets the data and where it goes, as the notice in force says."""

    recipients: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    transfers: str = ""


def scope_of(content: Content, *, purpose: str, category: Category, days: int, told: Told) -> bytes:
    """Return the canonical scope of one cell of a policy, with what its notice promises."""
    plain = cast("dict[str, Json]", content.as_json())
    scope: dict[str, Json] = {name: plain[name] for name in (*_WIDENING, "masks")}
    rules = cast("dict[str, Json]", plain["rules"])
    scope |= {
        "application": content.application,
        "kind": content.kind,
        "purpose": purpose,
        "category": category.value,
        "rules": rules.get(category.value, {}),
        "days": days,
        "recipients": list(told.recipients),
        "locations": list(told.locations),
        "transfers": told.transfers,
    }
    if content.budgets != budgets.DEFAULT:
        scope["budgets"] = cast("Json", budgets.told(content.budgets))
    if content.participants:
        scope["participants"] = cast("Json", content.participants)
    return canonical(scope)


def closed() -> bytes:
    """Return the scope of a cell that captures nothing; everything is wider than it."""
    return _CLOSED


def is_within(*, new: bytes, old: bytes) -> bool:
    """Return whether `new` reaches no further than `old` in any respect."""
    if new == old:
        return True
    wide, narrow = json.loads(old), json.loads(new)
    if not wide or not narrow:
        return not narrow
    same = ("application", "kind", "purpose", "category", "rules", "transfers")
    return (
        # A scope of before notices counted names no transfers: doubt counts as wider.
        all(wide.get(name) == narrow[name] for name in same)
        and narrow["days"] <= wide["days"]
        and all(_all_in(narrow[name], wide[name]) for name in (*_WIDENING, *_TOLD))
        and _all_in(wide["masks"], narrow["masks"])
        and _kinds(wide["matchers"]) <= _kinds(narrow["matchers"])
        and _is_as_closed(narrow["fields"], wide["fields"])
        and _is_as_closed(narrow.get("participants", []), wide.get("participants", []))
        and _budgets(narrow).is_within(_budgets(wide))
    )


def _budgets(scope: Mapping[str, object]) -> budgets.Budgets:
    return msgspec.convert(scope.get("budgets", {}), budgets.Budgets)


def _kinds(matchers: list[dict[str, str]]) -> set[str]:
    """Return the kinds that a window has to match, each of them: one kind less matches more."""
    return {matcher["kind"] for matcher in matchers}


def _is_as_closed(narrow: list[object], wide: list[object]) -> bool:
    """Return whether a list that lets everything through where it is empty lets no more through."""
    return not wide or (bool(narrow) and _all_in(narrow, wide))


def _all_in(some: list[object], others: list[object]) -> bool:
    return all(item in others for item in some)


def digest(*, scope: bytes, number: int) -> str:
    """Return the name of a scope. The number keeps a scope that returns from reviving consents."""
    return sha256(canonical({"number": number, "scope": sha256(scope).hexdigest()})).hexdigest()


def whole_digest(content: Content) -> str:
    """Return the digest over everything a version may reach, for agreements that name it.

    The order of a list does not matter: two versions that reach equally far have one digest.
    """
    plain = cast("dict[str, Json]", content.as_json())
    if content.budgets == budgets.DEFAULT:
        del plain["budgets"]
    return sha256(canonical({name: _unordered(part) for name, part in plain.items()})).hexdigest()


def _unordered(part: Json) -> Json:
    if isinstance(part, list):
        return sorted(sha256(canonical(item)).hexdigest() for item in part)
    return part
