"""The C2SP tlog-policy file: the log's keys, the witnesses that watch it, how many must agree.

The file is published with the log. It is written when the keys are made and when a witness is
registered; an operator may edit it, and the sequencer reads it anew for each checkpoint.
"""

from pathlib import Path

from django.conf import settings

from audit import addresses, checkpoint, files, signing
from audit.checkpoint import LogKeys
from audit.errors import NoteError, WitnessError
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import COSIGNATURE, ED25519, Key
from audit.verifier.policy import NONE, Policy, parse_policy

_GROUP = "witnesses"


def path() -> Path:
    """Return where the policy stands."""
    return Path(settings.REMIT_WITNESS_POLICY)


def read(where: Path | None = None) -> Policy:
    """Return the policy. Raises NoteError when it is missing or not of the format."""
    try:
        return parse_policy((where or path()).read_bytes())
    except FileNotFoundError as error:
        raise NoteError("There is no witness policy yet; see manage.py log_keygen.") from error
    except NotVerifiedError as error:
        raise NoteError(f"The witness policy: {error}.") from error


def ensure() -> Policy:
    """Return the policy, written without witnesses when there is none; publish the log's keys."""
    keys = checkpoint.log_keys()
    if not path().exists():
        _write(keys.vkeys[0], {}, {})
    policy = read()
    _publish_keys(policy, keys)
    return policy


def follow(keys: LogKeys) -> Policy:
    """Let the policy name the log by new keys; its witnesses and their quorum stay."""
    if path().exists():
        lines = path().read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        kept = [line for line in lines if line.split()[:1] != ["log"]]
        text = "\n".join((f"log {keys.vkeys[0]}", *kept))
        files.replace(path(), text.encode("utf-8", "surrogateescape"))
    else:
        _write(keys.vkeys[0], {}, {})
    policy = read()
    _publish_keys(policy, keys)
    return policy


def register(key: Key, *, url: str) -> Policy:
    """Add a witness, or move it to another address.

    Any one witness makes the quorum, unless somebody wrote another rule into the policy: that stays
    as it is, and the newcomer counts once it is written into a group. Raises NoteError when another
    key already bears the name, the key is none of a witness or the address is none.
    """
    if key.type != COSIGNATURE:
        raise NoteError("That is no witness's key (cosignature/v1).")
    try:
        addresses.parse(url)
    except WitnessError as error:
        raise NoteError(str(error)) from error
    policy = ensure()
    if policy.witnesses.get(key.name, key) != key:
        raise NoteError(f"Another key is registered as {key.name}.")
    if policy.urls.get(key.name) != url:
        log_vkey = checkpoint.log_keys().vkeys[0]
        if path().read_text("utf-8") == _text(log_vkey, policy.witnesses, policy.urls):
            _write(log_vkey, policy.witnesses | {key.name: key}, policy.urls | {key.name: url})
        else:
            _put_line(_line(key, url))
    return ensure()


def _publish_keys(policy: Policy, keys: LogKeys) -> None:
    """Write `vkeys`: the log's keys, its witnesses', those of documents, those of earlier names.

    Document keys bear the log's name and their use, as in `log.example/receipt`; verifiers let no
    key that does not bear the log's very name sign a tree.
    """
    documents = [
        Key(f"{keys.origin}/{use}", ED25519, key.public)
        for use in sorted(signing.KEYS)
        for key in signing.public_keys(use)
    ]
    lines = [*keys.vkeys, *map(checkpoint.vkey, (*policy.witnesses.values(), *documents))]
    lines += checkpoint.earlier_vkeys()
    text = "".join(f"{line}\n" for line in lines).encode()
    published = Path(settings.REMIT_LOG_DIR) / "vkeys"
    if not published.exists() or published.read_bytes() != text:
        files.make_directory(published.parent)
        files.replace(published, text)


def _put_line(line: str) -> None:
    """Put a witness's line into a policy that somebody wrote, and leave the rest alone."""
    lines = path().read_text("utf-8").splitlines()
    starts = [each.split()[:2] for each in lines]
    if line.split()[:2] in starts:
        lines[starts.index(line.split()[:2])] = line
    else:
        # Groups stand behind the witnesses that they name.
        known = [n for n, start in enumerate(starts) if start[:1] in (["log"], ["witness"])]
        lines.insert(known[-1] + 1, line)
    files.replace(path(), "".join(f"{each}\n" for each in lines).encode())


def _line(key: Key, url: str) -> str:
    # The reference parser refuses a witness line without an address.
    return f"witness {key.name} {checkpoint.vkey(key)} {url}"


def _write(log_vkey: str, witnesses: dict[str, Key], urls: dict[str, str]) -> None:
    files.make_directory(path().parent)
    files.replace(path(), _text(log_vkey, witnesses, urls).encode())


def _text(log_vkey: str, witnesses: dict[str, Key], urls: dict[str, str]) -> str:
    # Ed25519 alone: it is what public witnesses and other verifiers know. The ML-DSA-44 key stands
    # in `vkeys`.
    lines = [f"log {log_vkey}"]
    lines += [_line(key, urls[name]) for name, key in witnesses.items()]
    if witnesses:
        lines.append(f"group {_GROUP} any {' '.join(witnesses)}")
    lines.append(f"quorum {_GROUP if witnesses else NONE}")
    return "".join(f"{line}\n" for line in lines)
