"""Mail to people without an account: the only mail this service sends.

Promise: who is written to stands in no log; that a mailbox does not exist is told to nobody.
"""

from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage

from governance.rights.errors import MailAwayError


def require_open() -> None:
    """Raise MailAwayError when no mail can be sent from here at all."""
    if not settings.REMIT_MAIL_FROM:
        raise MailAwayError("No mail is sent from here.")


def send(*, to: str, subject: str, text: str) -> None:
    """Send one mail. MailAwayError when the mail server does not take any."""
    require_open()
    message = EmailMessage(
        subject=" ".join(subject.split()),
        body=text,
        from_email=settings.REMIT_MAIL_FROM,
        to=[to],
        # Nobody on holiday answers to it.
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except SMTPRecipientsRefused:
        return
    except (SMTPException, OSError):
        # Not as its cause: the server's words may name the address.
        raise MailAwayError("The mail server does not answer.") from None
