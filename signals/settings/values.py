"""Every setting as a frozen dataclass with its default; a test compares `config.example.toml` with them."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from signals.vocabulary import ClearReports, Environment, ProcessRole, Profession


@dataclass(frozen=True, kw_only=True)
class SchemeSettings:
    name: str = "Deurpost"
    mark_file: Path | None = None
    contact_email: str = ""


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    processes: int = 1
    threads: int = 4


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    url: str = "sqlite:///var/signals.db"
    pool_size: int = 5


@dataclass(frozen=True, kw_only=True)
class KeystoreSettings:
    url: str = "sqlite:///var/keystore/keystore.db"
    master_key_file: Path = Path("var/secrets/master.key")


@dataclass(frozen=True, kw_only=True)
class FrontSettings:
    secret_file: Path = Path("var/secrets/front.key")
    other_secret_file: Path | None = None
    root_public_key: str = ""
    issuers_file: Path = Path("var/issuers.json")

    @property
    def root_key(self) -> bytes | None:
        """Return the pinned public half of the keystore's root, 32 bytes; None when none is set."""
        return base64.b64decode(self.root_public_key) if self.root_public_key else None


@dataclass(frozen=True, kw_only=True)
class IssuerSettings:
    database_url: str = "sqlite:///var/issuer/issuer.db"
    secret_file: Path = Path("var/secrets/issuer.key")
    name: str = "Voorbeeld Bezorgers"
    profession: Profession = Profession.CARRIER
    page_url: str = ""
    tokens_per_phone_and_day: int = 8
    tokens_in_stock: int = 24


@dataclass(frozen=True, kw_only=True)
class IntakeSettings:
    clear_reports: ClearReports = ClearReports.ALLOW


@dataclass(frozen=True, kw_only=True)
class NotesSettings:
    enabled: bool = False
    max_length: int = 280


@dataclass(frozen=True, kw_only=True)
class LimitsSettings:
    open_reports_per_area_and_day: int = 500
    unproven_reports_per_area_and_day: int = 12
    unproven_reports_per_area_and_hour: int = 3
    openings_per_hour: int = 60


@dataclass(frozen=True, kw_only=True)
class RoutingSettings:
    refresh_seconds: float = 1.0


@dataclass(frozen=True, kw_only=True)
class DeskSettings:
    map_url: str = ""


@dataclass(frozen=True, kw_only=True)
class ArrivalSettings:
    interval_seconds: int = 2
    batch_size: int = 500


@dataclass(frozen=True, kw_only=True)
class RetentionSettings:
    journal_file: Path = Path("var/deletions.journal")
    at_hour: int = 3
    rest_percent: int = 100
    referral_days: int = 730
    register_days: int = 1826
    session_days: int = 30
    approval_days: int = 730
    account_days: int = 731
    journal_days: int = 730


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    link_seconds: int = 5


@dataclass(frozen=True, kw_only=True)
class NotificationsSettings:
    delay_minutes: int = 30
    mail_folder: Path | None = None
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str = ""
    smtp_password_file: Path | None = None
    sender: str = "meldingen@example.org"
    interval_seconds: int = 2


@dataclass(frozen=True, kw_only=True)
class TwilioSettings:
    account_sid: str = ""
    auth_token_file: Path | None = None
    messaging_service_sid: str = ""
    api_url: str = "https://api.twilio.com"
    timeout_seconds: float = 10.0

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the names of the settings that text messages still lack; empty when they are on."""
        wanted = {
            "twilio.account_sid": bool(self.account_sid),
            "twilio.auth_token_file": self.auth_token_file is not None,
            "twilio.messaging_service_sid": bool(self.messaging_service_sid),
        }
        return tuple(name for name, there in wanted.items() if not there)


@dataclass(frozen=True, kw_only=True)
class SystemsSettings:
    secrets_folder: Path | None = None
    private_hosts: str = ""
    events_source: str = ""
    timeout_seconds: float = 10.0


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    worker_host: str = "127.0.0.1"
    worker_port: int = 0


@dataclass(frozen=True, kw_only=True)
class FiguresSettings:
    public: bool = False
    licence: str = "CC-BY-4.0"
    grace_days: int = 35
    ledger_file: Path = Path("var/figures.ledger")


@dataclass(frozen=True, kw_only=True)
class SessionsSettings:
    idle_minutes: int = 60
    absolute_hours: int = 12
    password_memory_kib: int = 65536
    provider_secrets_folder: Path = Path("var/provider-secrets")


@dataclass(frozen=True, kw_only=True)
class LoggingSettings:
    level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the composition root needs; built by `load_settings`, changed only with `replace`."""

    role: ProcessRole = ProcessRole.ALL
    environment: Environment = Environment.DEMO
    debug: bool = False
    data_folder: Path = Path("var")
    ca_file: Path | None = None
    scheme: SchemeSettings = field(default_factory=SchemeSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    keystore: KeystoreSettings = field(default_factory=KeystoreSettings)
    front: FrontSettings = field(default_factory=FrontSettings)
    issuer: IssuerSettings = field(default_factory=IssuerSettings)
    intake: IntakeSettings = field(default_factory=IntakeSettings)
    notes: NotesSettings = field(default_factory=NotesSettings)
    limits: LimitsSettings = field(default_factory=LimitsSettings)
    routing: RoutingSettings = field(default_factory=RoutingSettings)
    desk: DeskSettings = field(default_factory=DeskSettings)
    arrival: ArrivalSettings = field(default_factory=ArrivalSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    notifications: NotificationsSettings = field(default_factory=NotificationsSettings)
    twilio: TwilioSettings = field(default_factory=TwilioSettings)
    systems: SystemsSettings = field(default_factory=SystemsSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    figures: FiguresSettings = field(default_factory=FiguresSettings)
    sessions: SessionsSettings = field(default_factory=SessionsSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)

    @property
    def serves_public(self) -> bool:
        return self.role in (ProcessRole.FRONT, ProcessRole.ALL)

    @property
    def serves_staff(self) -> bool:
        return self.role in (ProcessRole.DESK, ProcessRole.ALL)

    @property
    def issues_tokens(self) -> bool:
        return self.role in (ProcessRole.ISSUER, ProcessRole.ALL)

    @property
    def shows_figures(self) -> bool:
        return self.serves_staff or (self.serves_public and self.figures.public)

    @property
    def runs_jobs(self) -> bool:
        return self.role in (ProcessRole.WORKER, ProcessRole.ALL)

    @property
    def holds_keys(self) -> bool:
        """Whether this process may open the keystore; front and issuer never may."""
        return self.role not in (ProcessRole.FRONT, ProcessRole.ISSUER)
