"""The service's settings, with the peers that the benchmarks measure beside it."""

from governance.settings import *  # noqa: F403 - settings are inherited whole.
from governance.settings import INSTALLED_APPS as SERVICE

INSTALLED_APPS = [*SERVICE, "auditlog", "bench"]
ROOT_URLCONF = "bench.urls"
REMIT_WORK_PLACE = "DE"
