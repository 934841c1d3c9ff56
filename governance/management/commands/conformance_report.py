"""`manage.py conformance_report`: prints what each policy allows, what came and what was refused.

The exit status is 1 when a promise of an impact assessment does not hold.
"""

import json
from dataclasses import asdict

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from governance.oversight import conformance


class Command(BaseCommand):
    help = "Print the conformance of every policy in force as JSON."
    requires_system_checks = (Tags.security,)

    def handle(self, *_args: object, **_options: object) -> None:
        found = conformance.report(timezone.now())
        self.stdout.write(json.dumps([asdict(each) for each in found], indent=2))
        if broken := [
            f"{each.version}: {promise.id}"
            for each in found
            for promise in each.promises
            if not promise.holds
        ]:
            raise CommandError("A promise does not hold: " + ", ".join(broken))
