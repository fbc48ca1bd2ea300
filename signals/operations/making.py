"""Make the parts of a worker by the settings; commands make some of them too."""

from sqlalchemy.orm import Session, sessionmaker

from signals.operation import Parts
from signals.retention.expiry import Expiry
from signals.retention.journal import DeletionJournal
from signals.retention.nightly import Retention
from signals.routing.snapshot import Router
from signals.statistics.counting import located_by
from signals.statistics.ledger import LedgerFile
from signals.statistics.releasing import Releasing


def make_releasing(parts: Parts, *, sessions: sessionmaker[Session], router: Router) -> Releasing:
    """Return releases by the settings."""
    ledger = LedgerFile(parts.settings.figures.ledger_file)
    return Releasing(sessions=sessions, keys=parts.keystore, locate=located_by(router), ledger=ledger)


def make_retention(parts: Parts, *, sessions: sessionmaker[Session], router: Router) -> Retention:
    """Return the purge by the settings; facts name the region of the municipality that routing finds."""
    periods = parts.settings.retention
    return Retention(
        sessions=sessions,
        keystore=parts.keystore,
        audit=parts.audit,
        locate=located_by(router),
        journal=DeletionJournal(periods.journal_file),
        expiry=Expiry(
            referrals=periods.referral_days,
            register=periods.register_days,
            sessions=periods.session_days,
            approvals=periods.approval_days,
            accounts=periods.account_days,
            journal=periods.journal_days,
        ),
        rest_percent=periods.rest_percent,
    )
