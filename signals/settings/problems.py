"""Find values that settings must not have, in every environment and in production."""

import os
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from ssl import SSLError, create_default_context
from urllib.parse import urlsplit

from privacy.pictures import PictureRefused, harmless
from signals.settings.values import RetentionSettings, SchemeSettings, Settings
from signals.vocabulary import Environment, ProcessRole

_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"})
LICENCES = ("CC-BY-4.0", "CC0-1.0")
"""Licences for open data, by SPDX name."""

LEAST_LIMIT = 13
"""Reports; at four fifths of it administrators get a message, and they may learn of no number below 10."""
COPIES_LIVE_DAYS = 14
"""How long copies of keys are kept: until then a restore needs to know what was forgotten since."""
ROOT_KEY_BYTES = 32
MOST_SECONDS = 15
"""A hand-over takes six calls, and a worker has two minutes for a message."""
TWILIO_SETTINGS = 3
"""So many settings of Twilio have no default."""


def problems_of(settings: Settings) -> Iterator[str]:
    """Everything about well-typed settings that must not be: for every environment, then for production."""
    yield from impossible(settings)
    if settings.environment is Environment.PRODUCTION:
        yield from _unsafe(settings)


def impossible(settings: Settings) -> Iterator[str]:
    yield from _impossible_sending(settings)
    yield from _impossible_retention(settings.retention)
    yield from _impossible_places(settings)
    if not 0 <= settings.server.port <= 65535:
        yield "server.port must lie between 0 and 65535"
    if not 1 <= settings.notes.max_length <= 280:
        yield "notes.max_length must lie between 1 and 280 characters"
    if settings.figures.licence not in LICENCES:
        yield f"figures.licence must be one of {', '.join(LICENCES)}"
    yield from _impossible_scheme(settings.scheme)
    for name, number in _whole_numbers(settings):
        if number < 0:
            yield f"{name} must not be negative"
    for name in ("server.processes", "server.threads", "arrival.batch_size", "database.pool_size"):
        section, key = name.split(".")
        if getattr(getattr(settings, section), key) < 1:
            yield f"{name} must be at least 1"
    if settings.logging.level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        yield "logging.level must be DEBUG, INFO, WARNING or ERROR"


def _impossible_scheme(scheme: SchemeSettings) -> Iterator[str]:
    if not (2 <= len(scheme.name) <= 30 and scheme.name.isprintable() and scheme.name == scheme.name.strip()):
        yield "scheme.name must have 2 to 30 characters, on one line"
    if scheme.contact_email and not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", scheme.contact_email):
        yield "scheme.contact_email must be one e-mail address, or empty"
    try:
        _ = scheme.mark_file and harmless(scheme.mark_file.read_bytes())
    except (OSError, PictureRefused):
        yield "scheme.mark_file must be an SVG of shapes or a PNG, of at most 200 KB, readable for this user"


def _impossible_places(settings: Settings) -> Iterator[str]:
    if not settings.server.host:
        yield "server.host must name the address to listen on, like 127.0.0.1"
    if not is_plain_address(settings.server.public_url):
        yield "server.public_url must be a web address, like https://signalen.example.org"
    if settings.issuer.page_url and not is_plain_address(settings.issuer.page_url):
        yield "issuer.page_url must be a web address, like https://signalen.example.org"
    if (map_url := settings.desk.map_url) and not _is_map(map_url):
        yield "desk.map_url must begin with https:// and hold {address} after the host"
    databases = {
        "database.url": settings.database.url,
        "keystore.url": settings.keystore.url,
        "issuer.database_url": settings.issuer.database_url,
    }
    for name, url in databases.items():
        if not _is_database(url):
            yield f"{name} must be sqlite:///file or postgresql+psycopg://user@host/name"
        elif _may_find_a_standby(url):
            yield f"{name} names several servers: add target_session_attrs=read-write, for only one writes"


def _is_map(url: str) -> bool:
    host, _, rest = url.removeprefix("https://").partition("/")
    return url.startswith("https://") and is_plain_address(f"https://{host}") and "{address}" in rest


def is_plain_address(url: str) -> bool:
    """Whether links can begin with it; no message goes out, and no report arrives, with another link."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    bare = not (parts.query or parts.fragment or set(url) & set(" ?#@"))
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bare and url.isascii()


def _is_database(url: str) -> bool:
    from sqlalchemy import make_url  # not before there is something to look at
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).drivername in _DRIVERS
    except (ArgumentError, ValueError):  # the words of either repeat the url, which may hold a password
        return False


def _may_find_a_standby(url: str) -> bool:
    from sqlalchemy import make_url

    query = make_url(url).normalized_query
    several = "," in ",".join(query.get("host", ()))
    return several and query.get("target_session_attrs") != ("read-write",)


def _impossible_retention(retention: RetentionSettings) -> Iterator[str]:
    if retention.at_hour > 23:
        yield "retention.at_hour must lie between 0 and 23"
    if retention.journal_days < COPIES_LIVE_DAYS:
        yield f"retention.journal_days must be at least {COPIES_LIVE_DAYS}, as long as copies of keys live"


def _impossible_sending(settings: Settings) -> Iterator[str]:
    if settings.notifications.smtp_security not in ("starttls", "tls", "none"):
        yield "notifications.smtp_security must be starttls, tls or none"
    if 0 < len(settings.twilio.missing) < TWILIO_SETTINGS:
        yield f"{settings.twilio.missing[0]} is missing: text messages need all of twilio, or none"
    yield from _unreadable(settings)
    if not 1 <= settings.systems.timeout_seconds <= MOST_SECONDS:
        yield f"systems.timeout_seconds must lie between 1 and {MOST_SECONDS}"
    if settings.metrics.worker_port > 65535:
        yield "metrics.worker_port must lie between 0 and 65535"


def _unreadable(settings: Settings) -> Iterator[str]:
    """Files with what providers gave us; the public side sends nothing and needs none."""
    files = {
        "notifications.smtp_password_file": settings.notifications.smtp_password_file,
        "twilio.auth_token_file": settings.twilio.auth_token_file,
    }
    for name, path in files.items():
        if settings.holds_keys and path is not None and not (path.is_file() and os.access(path, os.R_OK)):
            yield f"{name} cannot be read: put there what the provider gave you, readable for this user"
    folder = settings.systems.secrets_folder
    if settings.runs_jobs and folder is not None and not (folder.is_dir() and os.access(folder, os.X_OK)):
        yield "systems.secrets_folder cannot be read: make the folder, readable for this user"
    if settings.ca_file is not None and not _holds_certificates(settings.ca_file):
        yield "ca_file cannot be read: put there certificates of authorities in PEM, readable for this user"


def _holds_certificates(file: Path) -> bool:
    """Return whether TLS can trust the authorities in a file."""
    try:
        return bool(create_default_context(cafile=file).get_ca_certs())
    except (OSError, SSLError):
        return False


def _whole_numbers(settings: Settings) -> Iterator[tuple[str, int]]:
    for section in fields(settings):
        value = getattr(settings, section.name)
        if not is_dataclass(value):
            continue
        for entry in fields(value):
            number = getattr(value, entry.name)
            if type(number) is int:
                yield f"{section.name}.{entry.name}", number


def _unsafe(settings: Settings) -> Iterator[str]:
    if settings.debug:
        yield "debug must be false in production"
    if settings.logging.level == "DEBUG":
        yield "logging.level must not be DEBUG in production"
    if not settings.server.public_url.startswith("https://"):
        yield "server.public_url must begin with https:// in production"
    if settings.role is ProcessRole.ALL:
        yield "role must be front, desk, issuer or worker in production: the public side holds no keys"
    if settings.sessions.password_memory_kib < 65536:
        yield "sessions.password_memory_kib must be at least 65536 (64 MiB) in production"
    if settings.limits.openings_per_hour < 1:
        yield "limits.openings_per_hour must be at least 1"
    if settings.limits.open_reports_per_area_and_day < LEAST_LIMIT:
        yield f"limits.open_reports_per_area_and_day must be at least {LEAST_LIMIT}: its alarm tells a number"
    yield from _unsafe_sending(settings)
    if settings.holds_keys and settings.keystore.url == settings.database.url:
        yield "keystore.url must be another database than database.url: a stolen copy would hold its keys"
    yield from _unsafe_secrets(settings)
    if settings.role is ProcessRole.ISSUER:
        yield from _unsafe_issuer(settings)


def _unsafe_issuer(settings: Settings) -> Iterator[str]:
    if settings.issuer.database_url in (settings.database.url, settings.keystore.url):
        yield "issuer.database_url must be a database of its own: nobody may join codes and reports"
    if _lies_within(settings.issuer.secret_file, settings.data_folder):
        yield "issuer.secret_file must lie outside data_folder in production"
    if not settings.issuer.secret_file.is_file():
        yield "issuer.secret_file does not exist: make it with 'signals keys new-master FILE'"


def _unsafe_sending(settings: Settings) -> Iterator[str]:
    if settings.notifications.mail_folder is not None:
        yield "notifications.mail_folder is for the demo: set notifications.smtp_host in production"
    if settings.role is ProcessRole.WORKER and not settings.notifications.smtp_host:
        yield "notifications.smtp_host is missing: without it no team hears of a signal"
    if settings.role is ProcessRole.WORKER and settings.notifications.smtp_security == "none":
        yield "notifications.smtp_security must be starttls or tls in production"
    if not settings.twilio.api_url.startswith("https://"):
        yield "twilio.api_url must begin with https:// in production: the account's token goes along"
    if settings.notifications.delay_minutes < 15:
        yield "notifications.delay_minutes must be at least 15: a shorter delay tells when a report came"


def _unsafe_secrets(settings: Settings) -> Iterator[str]:
    if settings.holds_keys and _lies_within(settings.keystore.master_key_file, settings.data_folder):
        yield "keystore.master_key_file must lie outside data_folder in production"
    if settings.holds_keys and not settings.keystore.master_key_file.is_file():
        yield (
            "keystore.master_key_file does not exist: put back the file that the keystore was made or last"
            " rotated with (a copy lies in the safe); a new installation makes it with"
            " 'signals keys new-master FILE'"
        )
    if settings.serves_public and _lies_within(settings.front.secret_file, settings.data_folder):
        yield "front.secret_file must lie outside data_folder in production"
    if settings.serves_public and not settings.front.secret_file.is_file():
        yield "front.secret_file does not exist: make it with 'signals keys new-master FILE'"
    other = settings.front.other_secret_file
    if settings.serves_public and other is not None and not other.is_file():
        yield "front.other_secret_file does not exist: name the other secret of a rotation, or none"
    if settings.serves_public and not _is_root_key(settings.front.root_public_key):
        yield "front.root_public_key is missing, malformed or a placeholder: read it with 'signals keys list'"


def _is_root_key(text: str) -> bool:
    """Return whether a text is 32 bytes in base64, and not the zeros of the example."""
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        return False
    return len(key) == ROOT_KEY_BYTES and any(key)


def _lies_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
