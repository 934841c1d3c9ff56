from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "governance.policies"
    label = "policies"

    def ready(self) -> None:
        from governance.policies import checks  # noqa: F401, PLC0415 - registers the check.
