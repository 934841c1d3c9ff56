"""The WSGI application that granian serves: Django, and before it the short way for uploads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

django = get_wsgi_application()

from governance.api.upload_door import UploadDoor  # noqa: E402 - needs Django set up.

application = UploadDoor(django)
