"""The sheets for van and depot as PDF."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from signals.cli import main
from signals.web.sheets import SheetSize, make_sheet

ADDRESS = "https://zorgen.example.org"


@pytest.mark.parametrize(("size", "width", "height"), [(SheetSize.A6, 105, 148), (SheetSize.A4, 210, 297)])
def test_a_sheet_is_one_accessible_page_of_its_size(size: SheetSize, width: int, height: int) -> None:
    content = make_sheet(address=ADDRESS, size=size)
    box = re.search(rb"MediaBox\s*\[0 0 ([0-9.]+) ([0-9.]+)\]", content)
    assert box
    assert [round(float(side) / 72 * 25.4) for side in box.groups()] == [width, height]
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content


@pytest.mark.parametrize("size", SheetSize)
@pytest.mark.parametrize("length", [24, 48, 96, 160])
def test_a_long_address_leaves_the_sheet_one_page_with_the_number_to_call(
    size: SheetSize, length: int
) -> None:
    name = ("zorgen-om-een-bewoner-in-onze-gemeente." * 5)[: length - 4].rstrip(".-") + ".org"
    (page,) = PdfReader(io.BytesIO(make_sheet(address=f"https://{name}", size=size))).pages
    text = "".join(page.extract_text().split())
    assert name in text
    assert "DirectgevaarBel112" in text.replace("?", "")


def test_the_command_writes_both_sizes_without_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(
        main, ["sheets", "--out", str(tmp_path / "new"), "--address", ADDRESS, "--json"]
    )
    assert result.exit_code == 0, result.output
    files = [Path(file) for file in json.loads(result.stdout)["files"]]
    assert [file.name for file in files] == ["signals-a6.pdf", "signals-a4.pdf"]
    assert all(file.read_bytes().startswith(b"%PDF") for file in files)


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("in the way")
    result = CliRunner().invoke(main, ["sheets", "--out", str(tmp_path / "file" / "x"), "--address", ADDRESS])
    assert result.exit_code == 1
    assert "cannot write there" in result.output
    assert "Traceback" not in result.output


def test_the_typesetter_is_absent_until_a_sheet_is_made() -> None:
    script = "import sys, signals.web.sheets; sys.exit({'typst', 'segno'} & set(sys.modules) != set())"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
