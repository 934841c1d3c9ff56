"""Typed readers for the environment: they fail loudly, and read secrets from NAME or NAME_FILE."""

import os
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
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


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """Return a whole number of at least `least`, and at most `most`."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}.")
    if most is not None and value > most:
        raise ImproperlyConfigured(f"{name} must be at most {most}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated variable as a list without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def choices(name: str, offered: dict[str, str]) -> list[tuple[str, str]]:
    """Return the offered choices that a comma-separated variable names, all without it."""
    named = words(name, ",".join(offered))
    if not named or set(named) - set(offered):
        raise ImproperlyConfigured(f"{name} names some of {', '.join(offered)}, the first first.")
    return [(key, offered[key]) for key in dict.fromkeys(named)]


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


def single_sign_on(issuer: str, *, client: str, secret: str, name: str) -> list[dict[str, object]]:
    """Return the one OpenID Connect provider as django-allauth takes it; none without an issuer."""
    if not issuer:
        return []
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and _is_loopback(parts.hostname or "")
    ):
        raise ImproperlyConfigured("REMIT_OIDC_ISSUER starts with https://.")
    if not client or not secret:
        raise ImproperlyConfigured("REMIT_OIDC_ISSUER needs REMIT_OIDC_CLIENT and its secret.")
    # The token says who somebody is; nothing more is asked for.
    own = {"server_url": issuer, "fetch_userinfo": False, "scope": ["openid"]}
    return [
        {
            "provider_id": "sso",
            "name": name,
            "client_id": client,
            "secret": secret,
            "settings": own | {"oauth_pkce_enabled": True},
        }
    ]


@dataclass(frozen=True, slots=True)
class Mail:
    """By which of Django's backends mail goes, and where to."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    is_tls: bool = False
    begins_tls: bool = False


def mail(url: str) -> Mail:
    """Return where mail goes: smtps://user:password@host:465 or smtp://...:587 (STARTTLS).

    Without an address it goes to files. Unencrypted only to this very computer.
    """
    if not url:
        return Mail("filebased")
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured("REMIT_MAIL_URL starts with smtp:// or smtps://.")
    is_tls = parts.scheme == "smtps"
    return Mail(
        "smtp",
        parts.hostname,
        parts.port or (465 if is_tls else 587),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        is_tls=is_tls,
        begins_tls=not is_tls and not _is_loopback(parts.hostname),
    )


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


@dataclass(frozen=True, slots=True)
class KeyServiceAddress:
    """Where the Transit engine of an OpenBao or Vault server is.

    `keys` begins the names of our keys there; `ca` is a file of certificates, or empty for the
    well-known authorities.
    """

    origin: str
    mount: str
    namespace: str
    keys: str
    ca: str


def key_service(url: str) -> KeyServiceAddress | None:
    """Return openbao://host:8200/mount?namespace=&keys=&ca= taken apart; None when empty.

    It is spoken to over TLS; openbao+http:// is for a server on this machine alone.
    """
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"openbao", "openbao+http"} or not parts.hostname:
        raise ImproperlyConfigured("REMIT_KEK_URL starts with openbao://host.")
    if parts.username or parts.password or parts.fragment:
        raise ImproperlyConfigured("REMIT_KEK_URL holds no token; give REMIT_KEK_TOKEN.")
    if parts.scheme == "openbao+http" and not _is_loopback(parts.hostname):
        raise ImproperlyConfigured("REMIT_KEK_URL: only 127.0.0.1 and ::1 go without TLS.")
    try:
        asked = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        asked = {"": ""} if parts.query else {}
    if asked.keys() - {"namespace", "keys", "ca"}:
        raise ImproperlyConfigured("REMIT_KEK_URL knows namespace=, keys= and ca= alone.")
    keys = asked.get("keys", "remit")
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,40}", keys):
        raise ImproperlyConfigured("REMIT_KEK_URL: keys= takes small letters, digits and dashes.")
    return KeyServiceAddress(
        origin=f"{'https' if parts.scheme == 'openbao' else 'http'}://{parts.netloc}",
        mount=parts.path.strip("/") or "transit",
        namespace=asked.get("namespace", ""),
        keys=keys,
        ca=asked.get("ca", ""),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
