from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class VaultConfig(AppConfig):
    name = "governance.vault"
    label = "vault"

    def ready(self) -> None:
        from audit import findings, relinking  # noqa: PLC0415
        from governance.vault import files, reconciliation  # noqa: PLC0415

        relinking.use(reconciliation.owners)
        findings.register("release", reconciliation.unallowed_releases)
        findings.register("access", reconciliation.unjournalled_accesses)
        findings.register("journal", reconciliation.broken_journal)
        files.make_directory(Path(settings.REMIT_VAULT_DIR))
        files.make_directory(Path(settings.REMIT_KEYS_DIR))
