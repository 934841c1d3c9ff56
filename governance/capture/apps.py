from django.apps import AppConfig


class CaptureConfig(AppConfig):
    name = "governance.capture"
    label = "capture"
