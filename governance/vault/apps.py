from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "governance.vault"
    label = "vault"
