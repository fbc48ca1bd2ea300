"""The e-mail itself: text and HTML in one message."""

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from notifications.channels import Outgoing, message_id
from notifications.retry import PermanentFailure


def compose_mail(message: Outgoing, *, sender: str, name: str = "", message_id_host: str) -> EmailMessage:
    """Return an e-mail (RFC 5322) marked as automatic (RFC 3834), so that no absence note answers it.

    Raises PermanentFailure when the recipient cannot be an e-mail address.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=name, addr_spec=sender)
    mail["To"] = _address(message.recipient)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = message_id(message.id, message_id_host)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["Content-Language"] = message.language
    mail.set_content(message.text)
    # An own boundary (RFC 2046, 5.1.1): the library would compile an expression for each one.
    mail.make_alternative(boundary=f"=_{message.id.hex}")
    mail.add_alternative(message.html, subtype="html")
    return mail


def _address(recipient: str) -> Address:
    if not recipient.isascii():  # needs SMTPUTF8, which few servers speak
        raise PermanentFailure("bad_address")
    try:
        return Address(addr_spec=recipient)
    except (ValueError, LookupError, MessageError):
        raise PermanentFailure("bad_address") from None
