"""Print for a resident. The audit entry is committed first: no entry, no letter."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.casework.access import admit, find_signal, organisation_of, report_of
from signals.errors import FieldProblem, Invalid, Restricted
from signals.models import Organisation, Signal, StaffMember
from signals.operation import Operation
from signals.retention.periods import periods_of
from signals.routing.places import place_of
from signals.routing.postcodes import Address
from signals.vocabulary import LANGUAGES, AuditAction, RetentionRule, Role
from signals.web.desk.letters.making import Letter, Sender, card_pdf, notice_pdf
from signals.web.staff_kit import display
from signals.web.staff_kit.context import desk, operation
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.pdf import head_of

DEFAULT = "nl"


def print_notice(signal_id: UUID, language: str) -> tuple[bytes, str]:
    """Return the letter of article 14 AVG about a signal of the caller's organisation as (PDF, file name).

    The file name holds the reference and no address. Raises `Invalid` for an unknown language, `NotFound`,
    `ContentGone`, and `Restricted` (art. 18 AVG): the privacy officer answers that resident.
    """
    language = _known(language)
    with operation(signal_id) as begun:
        session, own, on = begun.session, organisation_of(begun.actor), begun.today
        signal, admission = _admitted(begun, signal_id, Ground.ART_14_AVG, language)
        signal.letter_printed_on = on
        sender = _sender(session, session.get_one(Organisation, own))
        days = {rule: period.days for rule, period in periods_of(session, own, on).items()}
    report = report_of(signal, admission)
    letter = Letter(
        sender=sender,
        reference=signal.reference,
        address=_address_lines(report.address),
        on=on,
        profession=report.summary.profession,
        concluded=days[RetentionRule.CONCLUDED],
        unattended=days[RetentionRule.UNATTENDED],
        hard_limit=days[RetentionRule.HARD_LIMIT],
    )
    return notice_pdf(letter, language), f"brief-{signal.reference}.pdf"


def print_card_for(signal_id: UUID, language: str) -> tuple[bytes, str]:
    """Return the card with address and reference of a signal as (PDF, name); raises as `print_notice`."""
    language = _known(language)
    with operation(signal_id) as begun:
        signal, admission = _admitted(begun, signal_id, Ground.FOLLOW_UP, language)
        sender = _sender(begun.session, begun.session.get_one(Organisation, signal.organisation_id))
    lines = _address_lines(report_of(signal, admission).address)
    return card_pdf(sender, language, lines, signal.reference), f"kaartje-{signal.reference}.pdf"


def print_card(language: str) -> bytes:
    """Return the card without an address, for the bag of a worker: it leaves no audit entry."""
    language = _known(language)
    with desk().reading() as session:
        sender = _sender(session, session.get_one(Organisation, organisation_id()))
    return card_pdf(sender, language)


def _admitted(begun: Operation, signal_id: UUID, ground: Ground, language: str) -> tuple[Signal, Admission]:
    own = organisation_of(begun.actor)
    signal = find_signal(begun.session, organisation_id=own, signal_id=signal_id, for_update=True)
    if signal.restricted_on is not None:
        raise Restricted
    return signal, admit(begun, [signal_id], AuditAction.NOTICE_PRINTED, ground=ground, outcome=language)


def _address_lines(address: Address) -> tuple[str, ...]:
    with desk().reading() as session:
        return display.address_lines(address, place_of(session, address))


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise Invalid(FieldProblem(field="language", code="not_a_choice"))
    return language


def _sender(session: Session, organisation: Organisation) -> Sender:
    return Sender(
        **vars(head_of(organisation)),
        phone=organisation.contact_phone,
        email=organisation.contact_email,
        officer=_officer(session, organisation.id),
        legal_basis=(organisation.legal_basis or "").strip(),
        words=organisation.letter_words,
        privacy=f"{desk().settings.server.public_url.rstrip('/')}/privacy",
    )


def _officer(session: Session, organisation_id: UUID) -> str:
    """Return the address of the organisation's privacy officer (art. 14(1)(b) AVG), or empty."""
    query = (
        select(StaffMember.email)
        .where(
            StaffMember.organisation_id == organisation_id,
            StaffMember.role == Role.PRIVACY_OFFICER,
            StaffMember.disabled_at.is_(None),
        )
        .order_by(StaffMember.created_at, StaffMember.id)
        .limit(1)
    )
    return session.scalar(query) or ""
