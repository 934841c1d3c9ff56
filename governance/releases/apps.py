from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    name = "governance.releases"
    label = "releases"

    def ready(self) -> None:
        from governance.capture import approvals  # noqa: PLC0415
        from governance.releases import selectors  # noqa: PLC0415

        approvals.use(selectors.approved_purposes)
