"""`make build` for an installation refuses a Python that the accounts of the services cannot run."""

from pathlib import Path

import pytest

from tools.failing import Failed
from tools.install import require_open_to_services


@pytest.mark.parametrize(("folder", "file"), [(0o700, 0o755), (0o755, 0o700)])
def test_a_python_closed_to_others_is_refused_with_the_remedy(tmp_path: Path, folder: int, file: int) -> None:
    """Units with the Python of an administrator's home could not start."""
    home, python = tmp_path / "home", tmp_path / "home/python3"
    home.mkdir()
    python.touch()
    python.chmod(file)
    link = tmp_path / "python"
    link.symlink_to(python)
    home.chmod(folder)
    with pytest.raises(Failed, match=r"PYTHON=/usr/bin/python3 make build"):
        require_open_to_services(link)


def test_a_python_of_the_system_is_taken() -> None:
    require_open_to_services(Path("/bin/sh"))
