"""The jobs of a worker: each is one transaction, and safe to run twice and in two places."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from notifications.breaker import Breaker
from notifications.channels import AnyChannel, Channel, SystemChannel
from notifications.dead_letters import carry_out, post
from notifications.delivery import DeliveryReport, deliver_due
from notifications.figures import count_messages, forget_messages
from notifications.states import write_states
from privacy.keystore import Keystore
from signals.arrival.batches import ArrivalDesk
from signals.arrival.envelopes import ArrivalChecks
from signals.arrival.refused import discard, unacknowledged
from signals.audit.log import AuditLog
from signals.audit.trail import BATCH as LINKED_AT_ONCE
from signals.audit.trail import TrailKeys, link_entries, prune_trail
from signals.clock import Clock, today
from signals.db import ping, reading
from signals.intake.content import RETRY_DAYS
from signals.keys.mailbox_keys import mailbox_keys_are_whole, provision_mailbox_keys
from signals.keys.sweeping import sweep_keys
from signals.notices.channels import complete, rest, switches
from signals.notices.daily import mail_trail_head, watch_set_aside
from signals.notices.drills import DrillReport, Drills
from signals.notices.limit_notices import Growth, forget_full_days, watch_limits
from signals.notices.obsolete import why_obsolete
from signals.notices.reminders import remind
from signals.notices.systems import system_switches
from signals.operation import Operation, open_operation
from signals.operations.job_runs import JobRuns
from signals.operations.making import make_releasing, make_retention
from signals.organisations.current_addresses import still_reached
from signals.organisations.recipients import ask_for_proof
from signals.retention.expiry import forget_admissions, forget_idempotency_keys
from signals.retention.nightly import PurgeIncomplete, Retention, RetentionReport
from signals.retention.unreadable import try_signals
from signals.routing.snapshot import Router
from signals.settings import Settings
from signals.staff.departures import release_stranded_signals
from signals.staff.guesses import record_unknown
from signals.staff.openid import Directory
from signals.staff.provider_checks import check_sessions
from signals.staff.refused_rows import watch_rights
from signals.staff.stale import forget_stale
from signals.statistics.releasing import Release, Releasing

REFUSED_KEPT_DAYS = 28
SUNDAY = 7
SENT_AT_ONCE = 5_000
"""Messages of one ranking, which sorts everything that is due."""
MOST_RANKINGS = 2
MOST_BATCHES = 20
"""The limit of one run, so that a worker in a flood of work still notices that it must stop."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Everything the jobs need; made once per process by `signals.app.make_worker`."""

    settings: Settings
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    channels: Mapping[str, Channel] = field(repr=False)
    systems: Mapping[str, SystemChannel] = field(default_factory=dict, repr=False)
    router: Router
    rng: random.Random = field(default_factory=random.SystemRandom, repr=False)
    growth: Growth = field(default_factory=Growth, repr=False)
    breakers: dict[str, Breaker] = field(default_factory=lambda: defaultdict(Breaker), repr=False)

    def close(self) -> None:
        """Close the connections to the database and to the keystore."""
        self.keystore.dispose()
        self.engine.dispose()

    def ping(self) -> None:
        """Raise when the database cannot be reached."""
        ping(self.engine)

    @cached_property
    def runs(self) -> JobRuns:
        """The last run of each job."""
        return JobRuns(self.sessions, self.clock)

    def arrive(self) -> int:
        """Bring in what waits in the mailboxes; return how many reports arrived."""
        return self._arrival_desk().arrive(self.clock)

    def retry_refused(self) -> int:
        """Try each refused report once more, for its key may be back; return how many arrived."""
        return self._arrival_desk().retry(self.clock)

    def _arrival_desk(self) -> ArrivalDesk:
        return ArrivalDesk(
            sessions=self.sessions,
            keystore=self.keystore,
            audit=self.audit,
            checks=ArrivalChecks(
                router=self.router,
                notes_enabled=self.settings.notes.enabled,
                unproven_per_day=self.settings.limits.unproven_reports_per_area_and_day,
            ),
            desk_url=f"{self.settings.server.public_url.rstrip('/')}/desk",
            delay_minutes=self.settings.notifications.delay_minutes,
            channels=frozenset(self.channels),
            batch_size=self.settings.arrival.batch_size,
            rng=self.rng,
        )

    def deliver(self) -> DeliveryReport:
        """Send what is due from the outbox to people, and return the sum of all batches."""
        try:
            return self._deliver_all(self.channels)
        finally:
            rest(self.channels)

    def deliver_to_systems(self) -> DeliveryReport:
        """Send what is due to systems of organisations: one that is slow keeps no mail waiting."""
        return self._deliver_all(self.systems)

    def _deliver_all(self, channels: Mapping[str, AnyChannel]) -> DeliveryReport:
        """Send batch after batch while there is more."""
        total = DeliveryReport()
        for _ in range(MOST_RANKINGS):
            report = self._deliver_batch(channels)
            total = total.plus(report)
            if not report.total:
                break
        return total

    def remind(self) -> int:
        """Write reminders; return how many messages.

        First the claims of disabled people go back to the team.
        """
        url, channels = self.settings.server.public_url, frozenset(self.channels)
        with self.sessions.begin() as session:
            release_stranded_signals(self.operation(session))
        with self.sessions.begin() as session:
            return remind(session, self.clock, public_url=url, channels=channels)

    def operation(self, session: Session) -> Operation:
        return open_operation(self, session)

    @contextmanager
    def begin(self) -> Iterator[Operation]:
        """Open a transaction for an operation of the system, and commit it."""
        with self.sessions.begin() as session:
            yield self.operation(session)

    def ask_for_proof(self) -> int:
        """Send each new address and phone its link; return how many messages."""
        url, channels = self.settings.server.public_url, frozenset(self.channels)
        with self.sessions.begin() as session:
            return ask_for_proof(self.operation(session), public_url=url, channels=channels)

    def drill(self) -> DrillReport:
        """Send the drills that are due and follow up those that nobody answered."""
        return self.drills().run(self.begin)

    def drills(self) -> Drills:
        """Drills, with everything they need."""
        return Drills(public_url=self.settings.server.public_url, channels=frozenset(self.channels))

    def count_messages(self) -> int:
        """Store figures on delivery for the staff side, and carry out the choices made there.

        Return how many figures.
        """
        with self.sessions.begin() as session:
            figures = count_messages(session, self.clock)
            carry_out(session, self.clock, still_reached=still_reached)
            post(session, still_reached=still_reached)
            known = [*switches(self.settings), *system_switches(self.settings)]
            write_states(session, self.clock, switches=known, breakers=self.breakers)
            return figures

    def forget_messages(self) -> int:
        """Delete all messages that were settled long ago; return how many."""
        return sum(iter(self._forget_some_messages, 0))

    def _forget_some_messages(self) -> int:
        with self.sessions.begin() as session:
            return forget_messages(session, self.clock)

    def watch_limits(self) -> int:
        """Notify of organisations close to their limit of reports; return how many messages."""
        setting, url = self.settings.limits.open_reports_per_area_and_day, self.settings.server.public_url
        with self.sessions.begin() as session:
            return watch_limits(session, self.clock, setting=setting, public_url=url, growth=self.growth)

    def watch_set_aside(self) -> int:
        """Notify of a day on which several reports did not open; return how many messages."""
        with self.sessions.begin() as session:
            return watch_set_aside(session, self.clock, public_url=self.settings.server.public_url)

    def forget_full_days(self) -> int:
        """Delete what is kept of days with many reports, four weeks later; return how many."""
        with self.sessions.begin() as session:
            return forget_full_days(session, self.clock)

    def _deliver_batch(self, channels: Mapping[str, AnyChannel]) -> DeliveryReport:
        return deliver_due(
            self.sessions,
            self.clock,
            channels,
            limit=SENT_AT_ONCE,
            rng=self.rng,
            complete=partial(complete, self.keystore),
            obsolete=why_obsolete,
            breakers={name: self.breakers[name] for name in channels},
        )

    def provision_keys(self) -> int:
        """Make mailbox keys for the weeks ahead; return how many are new.

        Nearly always none is missing, and then this takes no turn to write.
        """
        with Session(reading(self.engine)) as session:
            if mailbox_keys_are_whole(self.operation(session)):
                return 0
        with self.sessions.begin() as session:
            return provision_mailbox_keys(self.operation(session))

    def link_audit(self) -> int:
        """Link waiting audit entries, batch after batch, and sign the chain's head; return how many."""
        keys = TrailKeys(mac_key=self.keystore.secret("audit"), root=self.keystore.root_signing_key())
        total = 0
        for _ in range(MOST_BATCHES):
            linked = self._link_batch(keys)
            total += linked
            if linked < LINKED_AT_ONCE:
                break
        return total

    def _link_batch(self, keys: TrailKeys) -> int:
        with self.sessions.begin() as session:
            return link_entries(session, self.clock, keys=keys)

    def mail_trail_head(self) -> int:
        """Mail the head of the audit trail to the administrators, once a day; return how many messages."""
        with self.sessions.begin() as session:
            return mail_trail_head(session, self.clock, public_url=self.settings.server.public_url)

    def prune_audit(self) -> int:
        """Delete audit entries past their own retention; return how many."""
        with self.sessions.begin() as session:
            return prune_trail(session, self.clock, audit=self.audit)

    def retain(self) -> RetentionReport:
        """Purge what is due, as every night. Raises `PurgeIncomplete`, so that it is tried again soon."""
        report = self.retention().run(self.clock)
        if report.failed:
            raise PurgeIncomplete
        return report

    def try_signals(self) -> int:
        """Note which signals nobody can read; return how many changed."""
        return try_signals(self.sessions, self.clock, keystore=self.keystore, rng=self.rng)

    def destroy_keys(self) -> int:
        """Finish ordered deletions, and destroy keys of referred or erased signals."""
        retention = self.retention()
        try:
            done = retention.carry_out_orders(self.clock)
        finally:  # an order that fails must not keep other keys alive
            destroyed = retention.confirm_destroyed(self.clock)
        return done + destroyed

    def sweep_keys(self) -> int:
        """Destroy keys that nothing needs any more, like mailbox keys of past weeks; return how many.

        On Sundays it looks at all case keys, in other nights at young ones.
        """
        swept = sweep_keys(self.sessions, self, young=today(self.clock).isoweekday() != SUNDAY)
        return swept.case_keys + swept.mailbox_keys

    def rewrite_keys(self) -> int:
        """Let the keys that were destroyed leave the keystore's files; return how many tables."""
        return self.keystore.rewrite()

    def retention(self) -> Retention:
        """Purging, with everything it needs; also for an erasure and for a replay after a restore."""
        return make_retention(self, sessions=self.sessions, router=self.router)

    def forget_retries(self) -> int:
        """Delete the keys that recognise a retry after 7 days; return how many rows.

        A report stays with its key until it arrives or a person gives it up. An envelope that never came
        through intake was promised to nobody, and goes after four weeks.
        """
        on = today(self.clock)
        with self.begin() as operation:
            session = operation.session
            discard(operation, unacknowledged(before=on - timedelta(days=REFUSED_KEPT_DAYS)))
            forget_admissions(session, on)
            return forget_idempotency_keys(session, before=on - timedelta(days=RETRY_DAYS))

    def release_figures(self) -> tuple[Release, ...]:
        """Release every quarter and year whose period of grace is over; return what is new."""
        return self.releasing().release_due(self.clock, grace_days=self.settings.figures.grace_days)

    def watch_rights(self) -> int:
        """Check every row of sign-in and rights; return how many raise the alarm."""
        return watch_rights(self.sessions)

    def check_sessions(self) -> int:
        """Ask providers about sessions that they confirmed 40 minutes ago; return how many."""
        folder = self.settings.sessions.provider_secrets_folder
        return check_sessions(self, self.sessions, self.directory, folder)

    @cached_property
    def directory(self) -> Directory:
        """The descriptions of the providers."""
        return Directory(self.clock, self.settings.ca_file)

    def releasing(self) -> Releasing:
        """Releases, with everything they need."""
        return make_releasing(self, sessions=self.sessions, router=self.router)

    def forget_sign_ins(self) -> int:
        """Delete what signing in left behind and is over; return how many rows."""
        with self.begin() as forgetting:
            return record_unknown(forgetting) + forget_stale(forgetting.session, self.clock)
