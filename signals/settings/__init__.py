"""Settings as frozen values, read from TOML and the environment; unknown keys are refused.

`SIGNALS__SECTION__KEY` (top level: `SIGNALS__KEY`) overrides the file. Every problem is listed
at once, so that an administrator fixes them in one go.
"""

from signals.settings.problems import problems_of
from signals.settings.reading import CONFIG_VARIABLE, load_settings
from signals.settings.values import (
    ArrivalSettings,
    AuditSettings,
    DatabaseSettings,
    DeskSettings,
    FiguresSettings,
    FrontSettings,
    IntakeSettings,
    IssuerSettings,
    KeystoreSettings,
    LimitsSettings,
    LoggingSettings,
    MetricsSettings,
    NotesSettings,
    NotificationsSettings,
    RetentionSettings,
    RoutingSettings,
    SchemeSettings,
    ServerSettings,
    SessionsSettings,
    Settings,
    SystemsSettings,
    TwilioSettings,
)
