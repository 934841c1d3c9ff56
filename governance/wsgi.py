"""The WSGI application that granian serves: Django, before it short ways for polls and uploads."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

django = get_wsgi_application()

from governance.api.policy_door import PolicyDoor  # noqa: E402 - needs Django set up.
from governance.api.upload_door import UploadDoor  # noqa: E402 - needs Django set up.

application = PolicyDoor(UploadDoor(django))

# What the start made, every page's code included, lives as long as the process. Looking through it
# for garbage made one page in twenty take three times as long.
resolve("/")
gc.collect()
gc.freeze()
