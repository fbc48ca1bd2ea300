"""A machine below a folder: a real PostgreSQL, a mail relay, and a systemctl that starts the real worker."""

import os
import pwd
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from signals.cli import main
from signals.operations.setup.answers import Answers, checked
from signals.operations.setup.files import Machine
from tests.notifications.smtp_server import Mailbox, accept_only, make_certificate, smtp_server
from tests.support.postgres import PostgresServer
from tests.support.postgres_programs import account_to_run_as

PASSWORD = "given by the provider"
_SYSTEMCTL = """\
#!/bin/sh
echo "$*" >> {run}/told
case "$1 $2" in
  "is-active --quiet") test -e {run}/$3 ;;
  "restart signals-worker.service")
    test ! -e {run}/$2 || kill $(cat {run}/$2)
    mkdir -p {root}/var/lib/signals-worker
    set -a; . {root}/etc/signals/admin.env
    {python} -m signals.cli work >{run}/worker.log 2>&1 &
    echo $! > {run}/$2 ;;
  restart\\ *) touch {run}/$2 ;;
esac
"""


@dataclass
class FreshMachine:
    """The machine, and what its administrator knows."""

    root: Path
    answers: Answers
    postgres: PostgresServer

    @property
    def machine(self) -> Machine:
        return Machine(self.answers, self.root)

    @property
    def told(self) -> list[str]:
        """What systemctl was told so far."""
        file = self.root / "run/told"
        return file.read_text().splitlines() if file.exists() else []

    def setup(self, *arguments: str, stdin: str | None = None) -> Result:
        """Run the command below this root."""
        return CliRunner().invoke(main, ["setup", "--root", str(self.root), *arguments], input=stdin)

    def everything(self) -> dict[str, bytes]:
        """Return each file that setup makes, with what is in it."""
        below = (self.root / "etc").rglob("*")
        return {str(path): path.read_bytes() for path in below if path.is_file()}


def run_as_the_tests_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let setup take PostgreSQL's account for that of the tests: some machines lack `postgres`."""
    account = account_to_run_as()
    if account:
        name = pwd.getpwuid(account["user"]).pw_name
        monkeypatch.setattr("signals.operations.setup.databases.ACCOUNT", name)


@contextmanager
def fresh_machine(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FreshMachine]:
    """Run PostgreSQL and the mail relay; end the worker that was started."""
    run_as_the_tests_do(monkeypatch)
    context, trusted = make_certificate(root)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    sender = {"authenticator": accept_only("signals", PASSWORD), "auth_require_tls": True}
    with PostgresServer() as server, smtp_server(Mailbox(), tls_context=context, **sender) as port:
        answers = checked({
            "public_name": "meldpunt.voorbeeld.nl", "desk_name": "desk.voorbeeld.nl",
            "offices": ["203.0.113.0/24", "2001:db8::/32"], "mail_host": "127.0.0.1", "mail_port": port,
            "mail_user": "signals", "sender": "post@voorbeeld.nl", "socket": str(server.socket_folder),
        })  # fmt: skip
        here = FreshMachine(root, answers, server)
        _put_what_others_give(here)
        try:
            yield here
        finally:
            worker = root / "run/signals-worker.service"
            if worker.exists():
                os.kill(int(worker.read_text()), signal.SIGTERM)


def _put_what_others_give(here: FreshMachine) -> None:
    for name in (here.answers.public_name, here.answers.desk_name):
        for end in ("crt", "key"):
            file = here.root / f"etc/nginx/tls/{name}.{end}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    for path, text in {
        "usr/bin/systemctl": _SYSTEMCTL.format(run=here.root / "run", root=here.root, python=sys.executable),
        "usr/sbin/nginx": "#!/bin/sh\n",
    }.items():
        program = here.root / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o700)
    (here.root / "run").mkdir()
    (here.root / "setup.toml").write_text(here.answers.as_toml())
