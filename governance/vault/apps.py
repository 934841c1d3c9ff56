from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class VaultConfig(AppConfig):
    name = "governance.vault"
    label = "vault"

    def ready(self) -> None:
        from governance.vault import files  # noqa: PLC0415

        files.make_directory(Path(settings.REMIT_VAULT_DIR))
        files.make_directory(Path(settings.REMIT_KEYS_DIR))
