"""The service's own settings with a throw-away state directory and a fast password hasher."""

import atexit
import os
import shutil
import tempfile

if "REMIT_VAR" not in os.environ:
    _var = tempfile.mkdtemp(prefix="remit-test-")
    _owner = os.getpid()

    def _tidy() -> None:
        if os.getpid() == _owner:
            shutil.rmtree(_var, ignore_errors=True)

    atexit.register(_tidy)
    os.environ["REMIT_VAR"] = _var

os.environ.setdefault("REMIT_LOG_DELAY_SECONDS", "0")
os.environ.setdefault("REMIT_DEMO", "1")
# Tests that take pictures switch them on themselves.
os.environ.setdefault("REMIT_SCREENS", "0")
# Few contributors, few runs: their bound is low although every canary is found.
os.environ.setdefault("REMIT_MIN_RECALL_PERCENT", "60")

# Everybody in the tests works in Hamburg, unless a test says otherwise.
os.environ.setdefault("REMIT_WORK_PLACE", "DE")

from governance.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
ALLOWED_HOSTS = ["*"]
# Whitenoise warns about a directory that is not there, and a warning fails a test.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405

# Static files straight from the source tree: nothing is collected before tests.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
# What was counted for one test says nothing to the next.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
