"""Printing for a resident: the audit entry is committed first. No entry, no letter."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.casework import find_signal
from signals.clock import today
from signals.errors import FieldProblem, Invalid, Restricted
from signals.intake.content import open_report
from signals.models import Organisation, StaffMember
from signals.retention import periods_of
from signals.vocabulary import LANGUAGES, AuditAction, RetentionRule, Role
from signals.web.desk.letters.making import Letter, Sender, card_pdf, notice_pdf
from signals.web.staff_kit import display
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import changing, organisation_id

DEFAULT = "nl"


def print_notice(signal_id: UUID, language: str) -> tuple[bytes, str]:
    """The letter of article 14 AVG about a signal of the caller's organisation, as PDF, and its file's name.

    The name holds the reference, by which the letter is found again, and no address.

    Raises `Invalid` for a language that there is not, `NotFound`, `ContentGone`, and `Restricted` while the
    resident has its use restricted (art. 18): then it is answered by the privacy officer.
    """
    language, context = _known(language), desk()
    with changing(signal_id) as session:
        signal = find_signal(session, organisation_id=organisation_id(), signal_id=signal_id, for_update=True)
        if signal.restricted_on is not None:
            raise Restricted
        context.audit.record(
            session,
            context.clock,
            actor=current().actor,
            action=AuditAction.NOTICE_PRINTED,
            subject_id=signal_id,
            ground="art_14_avg",
            outcome=language,
        )
        signal.letter_printed_on = today(context.clock)
        sender = _sender(session, session.get_one(Organisation, organisation_id()))
        days = {rule: period.days for rule, period in periods_of(session, organisation_id()).items()}
    letter = Letter(
        sender=sender,
        reference=signal.reference,
        address=display.address(open_report(context.keystore, signal).address),
        on=today(context.clock),
        concluded=days[RetentionRule.CONCLUDED],
        unattended=days[RetentionRule.UNATTENDED],
        hard_limit=days[RetentionRule.HARD_LIMIT],
    )
    return notice_pdf(letter, language), f"brief-{signal.reference}.pdf"


def print_card(language: str) -> bytes:
    """The card "we were at your door" of the caller's organisation. It knows no resident: no audit entry."""
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
    )


def _officer(session: Session, organisation_id: UUID) -> str:
    """How the organisation's privacy officer is reached (art. 14(1)(b) AVG); empty where it has none."""
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
