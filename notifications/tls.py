"""Trust a private authority beside those of the machine, on connections to providers."""

import ssl
from pathlib import Path


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return a client's TLS context; `ca_file`: certificates in PEM to trust as well."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
