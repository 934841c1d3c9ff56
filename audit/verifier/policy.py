"""C2SP tlog-policy: which logs and witnesses are trusted, and how many witnesses must agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import COSIGNATURE, ED25519, ML_DSA_44, Key, parse_vkey

if TYPE_CHECKING:
    from collections.abc import Collection

NONE = "none"
_MOST_NAMES = 256
_ALLOWED = frozenset((*range(0x20, 0x7F), *range(0x80, 0x100), 0x09, 0x0A))


@dataclass(frozen=True)
class Group:
    """Members of whom at least `least` must have witnessed."""

    least: int
    members: tuple[str, ...]


@dataclass
class Policy:
    """A read policy; `logs` may sign, `witnesses` cosign, `quorum` says which of them must."""

    logs: list[Key] = field(default_factory=list)
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    quorum: str | None = None
    used: list[str] = field(default_factory=list)

    def is_satisfied(self, cosigned_by: Collection[Key]) -> bool:
        """Whether these verified cosigners make the quorum."""
        return self.quorum == NONE or self._has_witnessed(self.quorum or "", cosigned_by)

    def _has_witnessed(self, name: str, cosigned_by: Collection[Key]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name] in cosigned_by
        group = self.groups[name]
        count = sum(self._has_witnessed(member, cosigned_by) for member in group.members)
        return count >= group.least


def parse_policy(data: bytes) -> Policy:
    """Read a policy file; any line that is not understood refuses the file."""
    if len(data) > 1024 * 1024 or not _ALLOWED.issuperset(data):
        raise NotVerifiedError("the policy file is too long or holds control characters")
    policy = Policy()
    # Octets above 0x7F are opaque; surrogateescape keeps names apart without reading them.
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if words and not words[0].startswith("#"):
            _read_line(policy, words)
    if policy.quorum is None:
        raise NotVerifiedError("the policy has no quorum line")
    return policy


def _read_line(policy: Policy, words: list[str]) -> None:
    readers = {"log": _log, "witness": _witness, "group": _group, "quorum": _quorum}
    reader = readers.get(words[0])
    if reader is None or not reader(policy, words[1:]):
        raise NotVerifiedError(f"the policy line that starts with {words[0]!r} is not valid")
    if len(policy.witnesses) + len(policy.groups) + len(policy.logs) > _MOST_NAMES:
        raise NotVerifiedError(f"the policy names more than {_MOST_NAMES} logs and witnesses")


def _log(policy: Policy, words: list[str]) -> bool:
    if len(words) not in (1, 2):
        return False
    key = parse_vkey(words[0])
    if key.type not in (ED25519, ML_DSA_44) or key.public in [log.public for log in policy.logs]:
        return False
    policy.logs.append(key)
    return True


def _witness(policy: Policy, words: list[str]) -> bool:
    if len(words) not in (2, 3) or not _is_new(policy, words[0]):
        return False
    key = parse_vkey(words[1])
    known = [witness.public for witness in policy.witnesses.values()]
    if key.type not in (COSIGNATURE, ML_DSA_44) or key.public in known:
        return False
    policy.witnesses[words[0]] = key
    if len(words) == 3:  # noqa: PLR2004 - name, key and address.
        policy.urls[words[0]] = words[2]
    return True


def _group(policy: Policy, words: list[str]) -> bool:
    if len(words) < 3 or not _is_new(policy, words[0]):  # noqa: PLR2004 - name, rule, one member.
        return False
    name, rule, members = words[0], words[1], words[2:]
    if rule in ("any", "all"):
        least = 1 if rule == "any" else len(members)
    elif rule.isascii() and rule.isdigit() and not rule.startswith("0"):
        least = int(rule[:9])
    else:
        return False
    # Each name counts in one place only, so that no witness counts twice.
    if not 1 <= least <= len(members) or len(set(members)) != len(members):
        return False
    if NONE in members or any(_is_new(policy, one) or one in policy.used for one in members):
        return False
    policy.used.extend(members)
    policy.groups[name] = Group(least=least, members=tuple(members))
    return True


def _quorum(policy: Policy, words: list[str]) -> bool:
    known = len(words) == 1 and (words[0] == NONE or not _is_new(policy, words[0]))
    if not known or policy.quorum is not None:
        return False
    policy.quorum = words[0]
    return True


def _is_new(policy: Policy, name: str) -> bool:
    return name not in policy.witnesses and name not in policy.groups and name != NONE
