"""Print for a resident. The audit entry is committed first: no entry, no letter."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.casework.access import admit, find_signal, organisation_of, report_of
from signals.errors import FieldProblem, Invalid, Restricted
from signals.models import Organisation, StaffMember
from signals.retention.periods import periods_of
from signals.vocabulary import LANGUAGES, AuditAction, RetentionRule, Role
from signals.web.desk.letters.making import Letter, Sender, card_pdf, notice_pdf
from signals.web.staff_kit import display
from signals.web.staff_kit.context import desk, operation
from signals.web.staff_kit.opened import organisation_id

DEFAULT = "nl"


def print_notice(signal_id: UUID, language: str) -> tuple[bytes, str]:
    """Return the letter of article 14 AVG about a signal of the caller's organisation as (PDF, file name).

    The file name holds the reference and no address. Raises `Invalid` for an unknown language, `NotFound`,
    `ContentGone`, and `Restricted` (art. 18 AVG): the privacy officer answers that resident.
    """
    language = _known(language)
    with operation(signal_id) as begun:
        session, own, on = begun.session, organisation_of(begun.actor), begun.today
        signal = find_signal(session, organisation_id=own, signal_id=signal_id, for_update=True)
        if signal.restricted_on is not None:
            raise Restricted
        admission = admit(
            begun, [signal_id], AuditAction.NOTICE_PRINTED, ground=Ground.ART_14_AVG, outcome=language
        )
        signal.letter_printed_on = on
        sender = _sender(session, session.get_one(Organisation, own))
        days = {rule: period.days for rule, period in periods_of(session, own, on).items()}
    letter = Letter(
        sender=sender,
        reference=signal.reference,
        address=display.address(report_of(signal, admission).address),
        on=on,
        concluded=days[RetentionRule.CONCLUDED],
        unattended=days[RetentionRule.UNATTENDED],
        hard_limit=days[RetentionRule.HARD_LIMIT],
    )
    return notice_pdf(letter, language), f"brief-{signal.reference}.pdf"


def print_card(language: str) -> bytes:
    """Return the card "we were at your door". It knows no resident, so it leaves no audit entry."""
    language = _known(language)
    with desk().reading() as session:
        sender = _sender(session, session.get_one(Organisation, organisation_id()))
    return card_pdf(sender, language)


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise Invalid(FieldProblem(field="language", code="not_a_choice"))
    return language


def _sender(session: Session, organisation: Organisation) -> Sender:
    return Sender(
        name=organisation.name,
        phone=organisation.contact_phone,
        email=organisation.contact_email,
        officer=_officer(session, organisation.id),
        legal_basis=(organisation.legal_basis or "").strip(),
        letterhead=organisation.letterhead,
        logo=organisation.logo,
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
