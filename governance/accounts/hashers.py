"""How passwords are kept."""

from django.contrib.auth.hashers import ScryptPasswordHasher


class DemoHasher(ScryptPasswordHasher):
    """Scrypt with a sixteenth of the work, for the demo's password, which everybody knows.

    Half a hundred people are hired and sign in while somebody waits for the story. Outside the demo
    Django's own takes over and hashes anew at the next sign-in.
    """

    work_factor = 2**10
