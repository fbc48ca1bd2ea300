"""Trust a private authority beside those of the machine, on connections to providers."""

import ssl
from pathlib import Path
from typing import Any


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return a client's TLS context; `ca_file`: certificates in PEM to trust as well."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def trusting_adapter(ca_file: Path) -> Any:
    """Return an adapter for requests that trusts these authorities beside those of requests."""
    from requests.adapters import HTTPAdapter

    class Trusting(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options, ssl_context=trusting(ca_file))

        def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
            return super().proxy_manager_for(proxy, **options, ssl_context=trusting(ca_file))

    return Trusting()
