"""Make or end the token by which the personnel directory provisions people (SCIM)."""

from argparse import ArgumentParser
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from governance.accounts import directory


class Command(BaseCommand):
    help = "Make a token for the personnel directory, shown once, or end one."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a name, and whether the token of that name ends."""
        parser.add_argument("name", help="whose token it is, such as hr")
        parser.add_argument("--end", action="store_true", help="end the token of this name")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401 - Django's own options.
        """Print the token, or that it ended."""
        name = options["name"]
        if options["end"]:
            if not directory.revoke_token(name=name):
                raise CommandError(f"There is no token of the name {name}.")
            self.stdout.write(f"The token {name} opens nothing any more.")
            return
        if directory.has_token(name=name):
            raise CommandError(f"There is a token {name} already; end it first.")
        self.stdout.write(directory.issue_token(name=name))
