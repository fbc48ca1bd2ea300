"""Find nginx for the tests of docs/deploy/nginx.conf: `python -m tools.proxy`.

On Debian this takes the program out of its package, for any account: nothing is installed or started.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.failing import say

CACHE = Path(__file__).parents[1] / ".cache/nginx"
PLACES = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:{CACHE / 'usr/sbin'}"
NO_NGINX = "Tests of the proxy need nginx 1.19.4 or newer on the PATH, and it is not here: install nginx."


def find() -> str | None:
    """Return the path of nginx, None without one."""
    return shutil.which("nginx", path=PLACES)


def main() -> int:
    """Return 0 when nginx is there, also when no test needs it: each test that needs it says so."""
    if not find():
        take_from_debian()
    if not find():
        say(NO_NGINX)
    return 0


def take_from_debian() -> None:
    """Unpack the program of Debian's package, where there is apt."""
    if not shutil.which("apt-get"):
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    say("taking nginx from its Debian package")
    if subprocess.run(["apt-get", "-qq", "download", "nginx"], cwd=CACHE, check=False).returncode == 0:
        for package in CACHE.glob("nginx_*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(CACHE)], check=True)


if __name__ == "__main__":
    sys.exit(main())
