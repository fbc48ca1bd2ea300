"""`signals statistics verify`: the proof from a folder of downloads alone, honest, manipulated or broken."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from privacy.disclosure.folder import DESCRIPTION, disclosure, resource
from privacy.disclosure.protection import protect
from privacy.disclosure.tables import Cell, Measure, Schema
from signals.cli import main
from signals.cli.proof_words import LANGUAGES
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


def test_verify_proves_published_figures_from_the_folder_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    result = _verify(folder)
    assert result.exit_code == 0, result.output
    assert "1 tabellen, 4 cellen, waarvan 2 verborgen." in result.output
    assert "Elke verborgen cel houdt ten minste 5 mogelijke waarden over." in result.output


def test_a_program_reads_every_interval(folder: Path) -> None:
    result = _verify(folder, "--json", "--exact")
    data = json.loads(result.stdout)
    assert data["ok"] is True
    hidden = [one for one in data["intervals"] if not one["rest"]]
    assert len(hidden) == data["hidden"] == 2
    assert all(one["exact"] and one["most"] - one["least"] >= 4 for one in hidden)


def test_a_hidden_cell_that_the_total_tells_is_found(tmp_path: Path) -> None:
    _write(tmp_path, FIGURES, _values({"total": 40, "x": 20, "y": 25, "z": None}))
    dutch, english = _verify(tmp_path), _verify(tmp_path, "--language", "en")
    assert (dutch.exit_code, english.exit_code) == (1, 1)
    assert "Verraden: figures 2026 z signals is 0 tot en met 1." in dutch.output
    assert "Given away: figures 2026 z signals is 0 to 1." in english.output
    assert "Elke verborgen cel" not in dutch.output


def test_figures_that_contradict_each_other_are_found(tmp_path: Path) -> None:
    _write(tmp_path, FIGURES, _values({"total": 10, "x": 20, "y": 25, "z": None}))
    result = _verify(tmp_path)
    assert result.exit_code == 1
    assert "De cijfers spreken elkaar tegen" in result.output


def test_medians_that_can_be_subtracted_are_found(tmp_path: Path) -> None:
    _write(tmp_path, FIGURES, _values({"total": 70, "x": 65, "y": None, "z": None}, total=12, x=14))
    result = _verify(tmp_path, "--json")
    assert result.exit_code == 1
    assert [one["keys"] for one in json.loads(result.stdout)["derived"]] == [["total"]]


def test_a_median_without_a_shown_base_is_found(tmp_path: Path) -> None:
    _write(tmp_path, FIGURES, _values({"total": 70, "x": 65, "y": None, "z": None}, y=14))
    assert _verify(tmp_path).exit_code == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_is_said_in_the_language_of_choice(tmp_path: Path, language: str) -> None:
    _write(tmp_path, FIGURES, _values({"total": 70, "x": 65, "y": None, "z": None}, y=14))
    result = _verify(tmp_path, "--language", language)
    assert LANGUAGES[language].derived.format(place="figures 2026 y median_hours") in result.output
    assert _verify(tmp_path, "--language", "fr").exit_code == 2


# Against an older download


@pytest.fixture
def older(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as somebody downloaded it once."""
    return Path(shutil.copytree(folder, tmp_path_factory.mktemp("older") / "figures"))


def _against(folder: Path, older: Path) -> Result:
    return _verify(folder, "--against", str(older))


def _changed(folder: Path, older: Path, code: int = 1) -> list[dict[str, Any]]:
    result = _verify(folder, "--against", str(older), "--json")
    assert result.exit_code == code, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["against"]["changes"]
    return found


def test_verify_says_that_nothing_changed_since_an_older_download(folder: Path, older: Path) -> None:
    result = _against(folder, older)
    assert result.exit_code == 0
    assert "Niets van wat eerder gepubliceerd was is veranderd: 4 cellen vergeleken." in result.output
    assert (
        "Nothing that was published earlier"
        in _verify(folder, "--against", str(older), "--language", "en").output
    )


def test_a_figure_that_is_another_one_now_is_shown_by_whoever_kept_it(folder: Path, older: Path) -> None:
    _line(",40", ",45")(folder)
    result = _against(folder, older)
    assert result.exit_code == 1
    assert "Veranderd: figures 2026 total signals was 40 en is nu 45." in result.output
    assert "Elke verborgen cel" in result.output  # each of the two folders alone may well hold
    [change] = _changed(folder, older)
    assert (change["what"], change["keys"], change["was"], change["now"]) == ("value", ["total"], 40, 45)


def test_verify_counts_a_newly_shown_or_newly_hidden_cell_as_changed(folder: Path, older: Path) -> None:
    _write(folder, FIGURES, _values({"total": 40, "x": 20, "y": None, "z": None}))
    _write(older, FIGURES, _values({"total": 40, "x": None, "y": None, "z": None}))
    [change], [back] = _changed(folder, older), _changed(older, folder)
    assert (change["was"], change["now"], back["was"], back["now"]) == ("<10", 20, 20, "<10")
    assert "Veranderd: figures 2026 x signals was verborgen en is nu 20." in _against(folder, older).output


def test_a_median_that_came_later_has_changed_the_release(folder: Path, older: Path) -> None:
    text = (folder / FILE).read_text(encoding="utf-8")
    (folder / FILE).write_text(f"{text}total,median_hours,14\n", encoding="utf-8")
    [change] = _changed(folder, older)
    assert (change["measure"], change["was"], change["now"]) == ("median_hours", None, 14)
    assert "was afwezig en is nu 14." in _against(folder, older).output


def test_a_later_period_is_no_change(folder: Path, older: Path) -> None:
    _another_year(folder)
    assert _changed(folder, older, code=0) == []


def test_a_release_that_is_gone_is_found_as_after_a_service_was_set_back(folder: Path, older: Path) -> None:
    _another_year(older)
    assert [(one["what"], one["period"]) for one in _changed(folder, older)] == [("gone", "2025")]
    assert "Verdwenen: figures 2025 was gepubliceerd en staat er niet meer." in _against(folder, older).output


def test_a_table_of_an_old_release_that_was_not_in_it_is_found(folder: Path, older: Path) -> None:
    other = table("other", dimensions=[side("kind", "xyz")], periods=("year",))
    shutil.copyfile(folder / FILE, folder / "other.csv")
    described = [
        resource(FIGURES, period="2026", path=FILE),
        resource(other, period="2026", path="other.csv"),
    ]
    _described(resources=described, disclosure=disclosure([FIGURES, other]))(folder)
    assert [(one["what"], one["table"]) for one in _changed(folder, older)] == [("added", "other")]


def test_a_table_that_is_divided_otherwise_is_found_and_its_title_may_change(
    folder: Path, older: Path
) -> None:
    renamed = replace(FIGURES, title={"en": "other words"})
    _described(disclosure=disclosure([renamed]))(folder)
    assert _changed(folder, older, code=0) == []
    _described(disclosure=disclosure([replace(FIGURES, counted_by="concluded")]))(folder)
    assert [one["what"] for one in _changed(folder, older)] == ["reshaped"]


def test_a_table_that_was_withheld_since_is_found(folder: Path, older: Path) -> None:
    _another_year(folder)
    shutil.copytree(folder, older, dirs_exist_ok=True)
    _text("kind,measure,value\n", FILE)(folder)
    withheld = resource(FIGURES, period="2026", path=FILE, withheld=True)
    _described(resources=[withheld, resource(FIGURES, period="2025", path="2025.csv")])(folder)
    assert [(one["what"], one["period"]) for one in _changed(folder, older)] == [("withheld", "2026")]


@pytest.mark.parametrize(
    "damage", [lambda folder: (folder / DESCRIPTION).unlink(), lambda folder: _bytes(folder)]
)
def test_a_broken_older_folder_is_refused_by_its_own_name(folder: Path, older: Path, damage: Damage) -> None:
    damage(older)
    result = _against(folder, older)
    assert result.exit_code == 2
    assert "--against" in result.output


def test_an_older_folder_that_is_not_there_or_of_other_figures_is_refused(folder: Path, older: Path) -> None:
    _described(resources=[resource(FIGURES, period="2025", path=FILE)])(older)
    result = _against(folder, older)
    assert result.exit_code == 2
    assert "no table of any period is in both" in " ".join(result.output.split())
    assert _against(folder, older / "nothing").exit_code == 2
    assert _against(folder, folder / FILE).exit_code == 2


def _another_year(folder: Path) -> None:
    """Another period beside that of the folder, with the same numbers."""
    shutil.copyfile(folder / FILE, folder / "2025.csv")
    _described(
        resources=[
            resource(FIGURES, period="2026", path=FILE),
            resource(FIGURES, period="2025", path="2025.csv"),
        ]
    )(folder)


# A folder that is not as it should be


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


@pytest.mark.parametrize("evil", ["z\x1b[2K", "z\nElke verborgen cel houdt", "z\u202e"])
def test_a_folder_writes_nothing_to_the_terminal_itself(tmp_path: Path, evil: str) -> None:
    schema = table(dimensions=[replace(side("kind", "xyz"), members=("x", "y", evil))], periods=("year",))
    _write(tmp_path, schema, _values({"total": 40, "x": 20, "y": 25, evil: None}))
    told = _verify(tmp_path)
    _described(disclosure={"tables": [{**schema.as_json(), evil: 1}]})(tmp_path)
    broken = _verify(tmp_path)
    assert (told.exit_code, broken.exit_code) == (1, 2)
    for output in (told.output, broken.output):
        assert all(line.isprintable() for line in output.split("\n"))
        assert not any(line.startswith("Elke") for line in output.split("\n"))
        assert evil.encode("unicode_escape").decode()[:6] in output


def test_a_folder_that_is_not_there_is_called_wrongly(tmp_path: Path) -> None:
    assert _verify(tmp_path / "nothing").exit_code == 2
