"""Typed readers for the environment: they fail loudly, and read secrets from NAME or NAME_FILE."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """Return the variable as it stands, or the default."""
    return os.environ.get(name, default)


def flag(name: str, *, default: bool = False) -> bool:
    """Return a yes/no variable; anything but the known words is an error."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.lower() in _TRUE:
        return True
    if raw.lower() in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0.")


def number(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number of at least `least`."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated variable as a list without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return a comma-separated variable of networks, such as 10.8.0.0/16."""
    try:
        return [ip_network(word) for word in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from error


def secret(name: str) -> str:
    """Return the secret from NAME, or from the file that NAME_FILE names; empty when neither."""
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return ""


SQLITE_PRAGMAS = (
    "PRAGMA journal_mode={journal};PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
    "PRAGMA secure_delete=ON;PRAGMA recursive_triggers=ON;PRAGMA journal_size_limit=67108864"
)


def sqlite(path: Path, *, journal: str = "WAL") -> dict[str, object]:
    """Return Django's settings for one SQLite file: durable, no lock storms, wiped on delete."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": SQLITE_PRAGMAS.format(journal=journal),
        },
    }


def database(url: str, *, journal: str = "WAL") -> dict[str, object]:
    """Return Django's settings for postgres://user:password@host:port/name or sqlite:///path."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite(Path(unquote(parts.path)), journal=journal)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("A database URL starts with postgres:// or sqlite:///.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def objects(url: str) -> dict[str, object]:
    """Return Django's storage for a directory, or for s3://bucket/prefix?endpoint=URL&region=NAME.

    Access keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's own role.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3":
        if "://" in url:
            raise ImproperlyConfigured("REMIT_STORAGE_URL is a directory or starts with s3://.")
        return {"BACKEND": "governance.vault.storage.DurableStorage", "OPTIONS": {"location": url}}
    try:
        asked = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise ImproperlyConfigured("REMIT_STORAGE_URL: after the ? stands name=value.") from error
    if unknown := asked.keys() - {"endpoint", "region"}:
        raise ImproperlyConfigured(f"REMIT_STORAGE_URL does not know {unknown.pop()}.")
    options = {
        "bucket_name": parts.netloc,
        "location": parts.path.strip("/"),
        "endpoint_url": asked.get("endpoint"),
        "region_name": asked.get("region"),
    }
    return {"BACKEND": "governance.vault.object_store.ObjectStore", "OPTIONS": options}
