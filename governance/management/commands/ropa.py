"""`manage.py ropa [--kind processor]`: prints the record of processing activities as JSON."""

import json

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from governance.oversight import ropa


class Command(BaseCommand):
    help = "Print the record of processing activities (GDPR 30), made from what is in force."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kind", choices=("controller", "processor"), default="controller")

    def handle(self, *_args: object, **options: object) -> None:
        now = timezone.now()
        record = (
            ropa.processor_record(now)
            if options["kind"] == "processor"
            else ropa.controller_record(now)
        )
        self.stdout.write(json.dumps(record, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
