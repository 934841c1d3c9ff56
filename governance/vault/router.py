"""Keeps the key store in its own database: a copy of the data alone opens nothing."""

from typing import Any

from django.db.models import Model

KEY_STORE = "keys"
_VAULT = "vault"


def _is_key(model: Model | type[Model]) -> bool:
    return model._meta.app_label == _VAULT  # noqa: SLF001 - Django's documented Options.


class KeyStoreRouter:
    """Send the vault's tables to the alias "keys" and everything else to "default"."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str | None:  # noqa: ANN401 - Django's own hook.
        """Read keys from the key store only."""
        return KEY_STORE if _is_key(model) else None

    def db_for_write(self, model: type[Model], **_hints: Any) -> str | None:  # noqa: ANN401 - Django's own hook.
        """Write keys to the key store only."""
        return KEY_STORE if _is_key(model) else None

    def allow_relation(self, one: Model, other: Model, **_hints: Any) -> bool:  # noqa: ANN401 - Django's own hook.
        """Allow no relation across the two databases."""
        return _is_key(one) == _is_key(other)

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool:  # noqa: ANN401 - Django's own hook.
        """Lay the vault's tables in the key store, and no other table there."""
        return (db == KEY_STORE) == (app_label == _VAULT)
