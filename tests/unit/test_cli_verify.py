"""`signals statistics verify`: the proof from a folder of downloads alone, honest, manipulated or broken."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from privacy.disclosure.folder import DESCRIPTION, disclosure, resource
from privacy.disclosure.protection import protect
from privacy.disclosure.tables import Cell, Measure, Schema
from signals.cli import main
from tests.support.disclosure import SIGNALS, Coins, side, table

MEDIAN = Measure(name="median_hours", derived=True, base="signals")
FIGURES = table(dimensions=[side("kind", "xyz")], measures=[SIGNALS, MEDIAN], periods=("year",))
FILE = "2026-figures.csv"
COUNTS = {"total": 42, "x": 18, "y": 23, "z": 1}

Damage = Callable[[Path], None]


def _write(folder: Path, schema: Schema, values: dict[Cell, int | None], **more: Any) -> None:
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([*(dimension.name for dimension in schema.dimensions), "measure", "value"])
        lines.writerows(
            [*cell.keys, cell.measure, "<10" if value is None else value] for cell, value in values.items()
        )
    described = {
        "resources": [resource(schema, period="2026", path=FILE)],
        "disclosure": disclosure([schema]),
        **more,
    }
    (folder / DESCRIPTION).write_text(json.dumps(described), encoding="utf-8")


def _values(shown: dict[str, int | None], **medians: int) -> dict[Cell, int | None]:
    cells = {Cell("figures", "2026", (key,), "signals"): value for key, value in shown.items()}
    return cells | {Cell("figures", "2026", (key,), "median_hours"): value for key, value in medians.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A year as the product publishes it."""
    counts = {cell: count or 0 for cell, count in _values(dict(COUNTS)).items()}
    _write(tmp_path, FIGURES, dict(protect(counts, [FIGURES], {}, chance=Coins()).values))
    return tmp_path


def _verify(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["statistics", "verify", str(folder), *options])


def test_what_the_product_publishes_is_proven_from_the_folder_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    result = _verify(folder)
    assert result.exit_code == 0, result.output
    assert "1 tables, 4 cells, 2 of them hidden." in result.output
    assert "Every hidden cell keeps at least 5 possible values." in result.output


def test_a_program_reads_every_interval(folder: Path) -> None:
    result = _verify(folder, "--json", "--exact")
    data = json.loads(result.stdout)
    assert data["ok"] is True
    hidden = [one for one in data["intervals"] if not one["rest"]]
    assert len(hidden) == data["hidden"] == 2
    assert all(one["exact"] and one["most"] - one["least"] >= 4 for one in hidden)


def test_a_hidden_cell_that_the_total_tells_is_found(tmp_path: Path) -> None:
    _write(tmp_path, FIGURES, _values({"total": 40, "x": 20, "y": 25, "z": None}))
    result = _verify(tmp_path)
    assert result.exit_code == 1
    assert "Given away: figures 2026 z signals is 0 to 1." in result.output


def test_figures_that_contradict_each_other_are_found(tmp_path: Path) -> None:
    _write(tmp_path, FIGURES, _values({"total": 10, "x": 20, "y": 25, "z": None}))
    result = _verify(tmp_path)
    assert result.exit_code == 1
    assert "contradict each other" in result.output


def test_medians_that_can_be_subtracted_are_found(tmp_path: Path) -> None:
    _write(tmp_path, FIGURES, _values({"total": 70, "x": 65, "y": None, "z": None}, total=12, x=14))
    result = _verify(tmp_path, "--json")
    assert result.exit_code == 1
    assert [one["keys"] for one in json.loads(result.stdout)["derived"]] == [["total"]]


def test_a_median_without_a_shown_base_is_found(tmp_path: Path) -> None:
    _write(tmp_path, FIGURES, _values({"total": 70, "x": 65, "y": None, "z": None}, y=14))
    assert _verify(tmp_path).exit_code == 1


def _text(text: str, name: str = DESCRIPTION) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_text(text, encoding="utf-8")

    return damage


def _described(**changes: Any) -> Damage:
    def damage(folder: Path) -> None:
        data = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        (folder / DESCRIPTION).write_text(json.dumps({**data, **changes}), encoding="utf-8")

    return damage


def _resource(**changes: Any) -> Damage:
    return _described(resources=[{**resource(FIGURES, period="2026", path=FILE), **changes}])


def _line(old: str, new: str) -> Damage:
    def damage(folder: Path) -> None:
        text = (folder / FILE).read_text(encoding="utf-8")
        assert old in text
        (folder / FILE).write_text(text.replace(old, new), encoding="utf-8")

    return damage


def _link(folder: Path) -> None:
    (folder / FILE).unlink()
    (folder / FILE).symlink_to("/etc/hostname")


def _bytes(folder: Path) -> None:
    (folder / FILE).write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / DESCRIPTION).unlink(), "no such file"),
        (_text("{"), "not JSON"),
        (_text("[" * 100_000), "not JSON"),
        (_text("[]"), "not a JSON object"),
        (_described(disclosure=None), "lacks disclosure.tables"),
        (_described(disclosure={"tables": [{"name": 1}]}), "table: lacks"),
        (_described(resources=None), "resources are no list"),
        (_described(resources=[]), "publishes nothing"),
        (_described(resources=[3]), "lacks table, period or path"),
        (_resource(table="other"), "is not described"),
        (_resource(period="2026-13"), "not a period"),
        (_resource(period="2026-Q1"), "not published per quarter"),
        (_resource(withheld="no"), "neither true nor false"),
        (_resource(withheld=True), "said to be withheld"),
        (_resource(path="../../etc/passwd"), "leads out of the folder"),
        (_resource(path="/etc/passwd"), "leads out of the folder"),
        (_resource(path="\0"), "cannot be read"),
        (_resource(path="other.csv"), "no such file"),
        (_link, "leads out of the folder"),
        (_bytes, "not UTF-8"),
        (_text("kind,measure\n", FILE), "the first line must be kind,measure,value"),
        (_text("", FILE), "the first line must be"),
        (_text('kind,measure,value\n"x', FILE), "not CSV"),
        (_line("\nz,", "\nw,"), "line 5: no such cell"),
        (_line("\nz,", "\nx,"), "line 5: this cell is there twice"),
        (_line(",40", ",42"), "line 2: 42 is below ten or not rounded"),
        (_line(",40", ",-40"), "is neither a count nor"),
        (_line(",40", ",٤٠"), "is neither a count nor"),
        (_line(",40", ",40,1"), "has 4 columns"),
        (_text("kind,measure,value\r\n", FILE), "lacks 4 cells"),
    ],
)
def test_a_broken_folder_is_refused_in_words(folder: Path, damage: Damage, message: str) -> None:
    damage(folder)
    result = _verify(folder)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_folder_that_is_not_there_is_called_wrongly(tmp_path: Path) -> None:
    assert _verify(tmp_path / "nothing").exit_code == 2
