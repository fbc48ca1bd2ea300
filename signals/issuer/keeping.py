"""Keep an issuer's keys from a thread of its process, hour after hour."""

import threading
import time
from typing import Final

from structlog import get_logger

from signals.issuer.service import Issuer

_EVERY_SECONDS: Final = 3600

log = get_logger(__name__)


def keep_in_background(issuer: Issuer) -> None:
    """Make and destroy keys now and every hour until the process ends."""
    threading.Thread(target=_keep, args=(issuer,), name="issuer-keys", daemon=True).start()


def _keep(issuer: Issuer) -> None:
    while True:
        try:
            issuer.keep()
        except Exception as error:
            log.error("issuer.keys_not_kept", exc_info=error)
        time.sleep(_EVERY_SECONDS)
