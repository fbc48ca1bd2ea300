"""Compare the packages of the product with known vulnerabilities (OSV), where that source can be reached."""

import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

from tools.failing import say

SOURCE = "https://api.osv.dev/v1/query"
COMMAND = [*("pip_audit", "--disable-pip", "--require-hashes", "-r", "requirements.lock"), "-s", "osv"]


def main() -> int:
    """Return 0 without findings, and also when the source is out of reach: this is said."""
    if not is_reachable():
        say(f"The packages were not compared with advisories: {SOURCE} does not answer.")
        return 0
    command = [sys.executable, "-m", *COMMAND, "--progress-spinner", "off"]
    return subprocess.run(command, check=False).returncode


def is_reachable() -> bool:
    """Return whether the source answers; a refusal of this bare request is an answer."""
    try:
        urlopen(SOURCE, timeout=3).close()
    except HTTPError as answer:
        with answer:
            return answer.code < 500
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
