"""System checks that refuse an unsafe installation before it serves anyone.

They run at every start (`serve` and every command), so an operator cannot go round them by
starting the web server without looking; what only matters on the open network is a deploy check.
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register  # noqa: A004 - Django's name.

from governance.redaction.screens import availability

_OTHERS = 0o077
_SECRET_LENGTH = 50
_LEAST_CONTRIBUTORS = 20


def is_loopback(origin: str) -> bool:
    """Say whether an address can be reached from this machine only."""
    host = urlsplit(origin).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@register(Tags.security)
def origin(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Refuse plain HTTP, the demo and its passwords anywhere but on this machine."""
    address = settings.REMIT_EXTERNAL_ORIGIN
    if is_loopback(address):
        return []
    found: list[CheckMessage] = []
    if not address.startswith("https://"):
        hint = "Set REMIT_EXTERNAL_ORIGIN to the https:// address people use."
        found.append(Error("Remit is reached over plain HTTP.", hint=hint, id="remit.E001"))
    if settings.REMIT_DEMO:
        hint = "Unset REMIT_DEMO; everyone's password is in the manual."
        found.append(Error("The demo is open to other machines.", hint=hint, id="remit.E002"))
    if settings.REMIT_PASSWORD_LOGIN:
        hint = "Sign people in with single sign-on or passkeys; unset REMIT_PASSWORD_LOGIN."
        found.append(Warning("People sign in with passwords.", hint=hint, id="remit.W003"))
    if not settings.REMIT_STEP_UP_SECONDS:
        hint = "Unset REMIT_STEP_UP_SECONDS, or give it a number of seconds such as 300."
        found.append(Error("Whoever passes by may say yes.", hint=hint, id="remit.E014"))
    if not (settings.REMIT_OFFICE_SECOND_FACTOR and settings.REMIT_OFFICE_IDLE_SECONDS):
        hint = "Unset REMIT_OFFICE_SECOND_FACTOR and REMIT_OFFICE_IDLE_SECONDS."
        found.append(Warning("An office lies open.", hint=hint, id="remit.W019"))
    return found


@register(Tags.security)
def mail(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Refuse to write people's addresses and working links into files, but on this machine."""
    is_filed = settings.EMAIL_BACKEND == "django.core.mail.backends.filebased.EmailBackend"
    if is_loopback(settings.REMIT_EXTERNAL_ORIGIN) or not (settings.REMIT_MAIL_FROM and is_filed):
        return []
    hint = "Set REMIT_MAIL_URL, or unset REMIT_MAIL_FROM."
    return [Error("Mails would lie in files, with addresses.", hint=hint, id="remit.E020")]


@register(Tags.security)
def screens(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Refuse to offer pictures of screens where nothing can redact them."""
    if not settings.REMIT_SCREENS or availability.is_available():
        return []
    hint = "Install requirements-ocr.lock, or unset REMIT_SCREENS."
    return [Error(availability.MISSING, hint=hint, id="remit.E010")]


@register(Tags.security)
def redaction(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Refuse a profile whose model is not the one we know, and numbers that no pattern can find."""
    found: list[CheckMessage] = []
    if settings.REMIT_REDACTION_PROFILE == "full":
        found += _model()
    elif settings.REMIT_REDACTION_PROFILE != "fast":
        hint = "Set REMIT_REDACTION_PROFILE to fast or full."
        found.append(Error("There is no such profile of redaction.", hint=hint, id="remit.E011"))
    try:
        re.compile(settings.REMIT_EMPLOYEE_NUMBER, re.ASCII)
    except re.error as error:
        hint = "Correct REMIT_EMPLOYEE_NUMBER."
        found.append(Error(f"Employee numbers: {error}.", hint=hint, id="remit.E013"))
    return found


def _model() -> list[CheckMessage]:
    # Read here, so that no process without a model compiles patterns when it starts.
    from governance.capture import recipes  # noqa: PLC0415
    from governance.redaction import ner  # noqa: PLC0415
    from governance.redaction.errors import ModelError  # noqa: PLC0415

    try:
        if folder := recipes.model_folder():
            ner.read(folder)
    except ModelError as error:
        hint = "See docs/operations.md, Redacting text, or unset REMIT_REDACTION_PROFILE."
        return [Error(f"The profile full: {error}", hint=hint, id="remit.E012")]
    return []


@register(Tags.security)
def secrets_kept(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Refuse a weak secret, debug pages, and key directories that others may enter."""
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < _SECRET_LENGTH:
        hint = f"Use at least {_SECRET_LENGTH} random characters in SECRET_KEY or SECRET_KEY_FILE."
        found.append(Error("SECRET_KEY is short.", hint=hint, id="remit.E004"))
    if settings.DEBUG:
        found.append(Error("DEBUG shows secrets to strangers.", id="remit.E005"))
    for name in ("REMIT_KEYS_DIR", "REMIT_VAULT_DIR"):
        directory = Path(getattr(settings, name))
        if directory.is_dir() and directory.stat().st_mode & _OTHERS:
            hint = f"Run: chmod 0700 {directory}"
            found.append(Error(f"{name} is open to others.", hint=hint, id="remit.E006"))
    return found


@register(Tags.security)
def keys_apart(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Refuse keys in the data's database or directory: one copy would hold both."""
    found: list[CheckMessage] = []
    data, keys = settings.DATABASES["default"], settings.DATABASES["keys"]
    place = ("ENGINE", "HOST", "PORT", "NAME")
    if [data.get(part) for part in place] == [keys.get(part) for part in place]:
        hint = "Give REMIT_KEYSTORE_URL a database of its own."
        found.append(Error("Keys and data share a database.", hint=hint, id="remit.E007"))
    objects = settings.REMIT_STORAGE_URL
    for name in ("REMIT_KEYS_DIR", "REMIT_VAULT_DIR"):
        if "://" not in objects and Path(getattr(settings, name)).is_relative_to(objects):
            hint = f"Put {name} outside REMIT_STORAGE_URL."
            found.append(Error("Keys lie among the ciphertext.", hint=hint, id="remit.E008"))
    return found


@register(Tags.security)
def sqlite_durable(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Refuse a SQLite file that may lose an acknowledged commit or keep a destroyed key."""
    found: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        if "sqlite" not in str(database["ENGINE"]):
            continue
        options: Any = database.get("OPTIONS", {})
        pragmas = str(options.get("init_command", ""))
        wanted = ["synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"]
        missing = [pragma for pragma in wanted if pragma not in pragmas]
        if options.get("transaction_mode") != "IMMEDIATE":
            missing.append("transaction_mode IMMEDIATE")
        if alias == "keys" and "journal_mode=TRUNCATE" not in pragmas:
            missing.append("journal_mode=TRUNCATE")
        if missing:
            what = f'The database "{alias}" is not durable: {", ".join(missing)}.'
            found.append(Error(what, id="remit.E009"))
    return found


@register(Tags.security, deploy=True)
def pictures_refused(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Say that pictures of screens are refused, and why."""
    if settings.REMIT_SCREENS:
        return []
    return [Info(availability.refused(), id="remit.I014")]


@register(Tags.security, deploy=True)
def releases_large_enough(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001, ANN401
    """Warn about releases so small that single people show through."""
    if settings.REMIT_MIN_CONTRIBUTORS >= _LEAST_CONTRIBUTORS:
        return []
    hint = f"Leave REMIT_MIN_CONTRIBUTORS at {_LEAST_CONTRIBUTORS} or above."
    return [Warning("Releases may be very small.", hint=hint, id="remit.W010")]
