"""`manage.py database_roles`: an administrator's command, at installation and at each upgrade."""

from argparse import ArgumentParser

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from governance.management import roles
from governance.tables import TABLES


class Command(BaseCommand):
    help = "Lay roles, tables, grants and the guard on PostgreSQL; needs a superuser's URLs."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; say what is not as it was laid"
        )

    def handle(self, *_args: object, **options: object) -> None:
        if options["check"]:
            found = [fault for alias in TABLES for fault in roles.faults(alias)]
            if found:
                raise CommandError("\n".join(found))
            self.stdout.write("Roles and guard are as they were laid.")
            return
        for alias in TABLES:
            roles.lay(alias, say=self.stdout.write)
