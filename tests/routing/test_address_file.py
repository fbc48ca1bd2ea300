"""The official address file is recognised in every layout, compressed, and refused with a reason."""

import io
import zipfile
from pathlib import Path

import pytest

from signals import reference
from signals.routing.address_file import compress_file, read_cbs_rows
from signals.routing.compact_coverage import CbsFileProblem, CbsRow, NumberRange, Pc6Run, compress

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cbs"
ADDRESS_FILES = sorted(path.name for path in FIXTURES.glob("pc6hnr*.csv"))
HEADER = "PC6;Huisnummer;Gemeente2024\n"


def stream(text: str) -> io.BytesIO:
    return io.BytesIO(text.encode())


def rows_of(text: str) -> list[CbsRow]:
    return list(read_cbs_rows(stream(text)))


def runs_and_ranges(rows: list[CbsRow]) -> tuple[list[Pc6Run], list[NumberRange]]:
    compact = compress(rows)
    return compact.pc6_runs, compact.ranges


def zipped(**members: str) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_csv", ".csv"), text)
    target.seek(0)
    return target


@pytest.mark.parametrize("name", ADDRESS_FILES)
def test_every_layout_gives_the_same_rows(name: str) -> None:
    rows = list(read_cbs_rows(FIXTURES / name))
    assert len(rows) == 21
    assert rows[0] == CbsRow("1012AA", 1, "GM0363")
    assert rows[14] == CbsRow("4197AA", 99, "GM0214")
    assert rows == list(read_cbs_rows(FIXTURES / ADDRESS_FILES[0]))


@pytest.mark.parametrize(
    "text",
    [
        "PC6;Huisnummer;Gemeente2024\r\n1012AB;12;0363\r\n",
        "\ufeffPC6,Huisnummer,Gemeente2024\n1012AB,12,363\n",
        '"pc6";"huisnummer";"gemeentecode"\n"1012AB";"12";"0363"\n',
        "gem2021\tHuisnr\tPostcode6\n363\t12\t1012AB\n",
        "Gemeente_code,Wijk,postcode,HUISNUMMER\nGM0363,x,1012 ab,12",
        'Opmerking,PC6,Huisnummer,Gemeente2024\n"a, b",1012AB,12,0363\n\n',
        "PC6;Huisnummer;Gemeente2024;Gemeentenaam2024\n1012AB;12;0363;Amsterdam\n",
    ],
)
def test_columns_are_recognised_by_name(text: str) -> None:
    assert rows_of(text) == [CbsRow("1012AB", 12, "GM0363")]
    assert compress_file(stream(text)).pc6_runs == [Pc6Run("1012AB", "1012AB", "GM0363")]


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("Huisnummer;Gemeente2024", "pc6"),
        ("PC6;Gemeente2024", "huisnummer"),
        ("PC6;Huisnummer;Wijk2024", "gemeente"),
        ("PC6;Huisnummer;Gemeentenaam2024", "gemeente"),
        ("", "pc6"),
    ],
)
def test_a_missing_column_is_named(header: str, missing: str) -> None:
    for read in (rows_of, lambda text: compress_file(stream(text))):
        with pytest.raises(CbsFileProblem, match=missing) as refused:
            read(header + "\n")
        assert refused.value.missing == missing


def test_two_columns_of_one_meaning_are_refused() -> None:
    with pytest.raises(CbsFileProblem, match="several columns could be gemeente"):
        rows_of("PC6;Huisnummer;Gemeente2023;Gemeente2024\n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0999AB;1;0363", "postcode"),
        ("1012A;1;0363", "postcode"),
        ("1012AB;1;Amsterdam", "municipality code"),
        ("1012AB;1;", "municipality code"),
        ("1012AB;twee;0363", "house number"),
        ("1012AB;-2;0363", "house number"),
        ("1012AB;1", "column is missing"),
    ],
)
def test_a_bad_value_is_refused_with_its_line_and_without_its_text(row: str, reason: str) -> None:
    with pytest.raises(CbsFileProblem, match=reason) as refused:
        rows_of(f"{HEADER}1011AA;1;0363\n{row}\n")
    assert str(refused.value).startswith("line 3:")
    assert row not in str(refused.value)


@pytest.mark.parametrize("row", ["0999AB;1;0363", "1012AB;1;Amsterdam", "1012AB;1"])
def test_compressing_names_the_line_too(row: str) -> None:
    with pytest.raises(CbsFileProblem, match=r"^line 3:"):
        compress_file(stream(f"{HEADER}1011AA;1;0363\n{row}\n"))


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(CbsFileProblem, match="no rows"):
        compress_file(stream(HEADER))


def test_the_address_file_of_a_zip_is_read_and_the_code_lists_are_not() -> None:
    lists = (FIXTURES / "gem_2024.csv").read_text()
    addresses = (FIXTURES / ADDRESS_FILES[0]).read_text()
    packed = zipped(gem_2024_csv=lists, pc6hnr20160801_gwb_csv=addresses, readme_txt="x" * 10_000)
    assert list(read_cbs_rows(packed)) == list(read_cbs_rows(FIXTURES / ADDRESS_FILES[0]))
    packed.seek(0)
    assert compress_file(packed) == compress_file(FIXTURES / ADDRESS_FILES[0])


@pytest.mark.parametrize("content", [b"PK\x03\x04 and nothing more", b"PK\x03\x04"])
def test_a_damaged_zip_is_refused(content: bytes) -> None:
    with pytest.raises(CbsFileProblem, match="zip"):
        compress_file(io.BytesIO(content))


def test_a_zip_without_a_csv_is_refused() -> None:
    with pytest.raises(CbsFileProblem, match="no csv"):
        compress_file(zipped(readme_txt="x"))


def test_a_zip_with_a_damaged_member_is_refused() -> None:
    content = bytearray(zipped(a_csv=HEADER + "1012AB;1;0363\n" * 1000).getvalue())
    content[45] ^= 0xFF
    with pytest.raises(CbsFileProblem):
        compress_file(io.BytesIO(bytes(content)))


@pytest.mark.parametrize("name", ADDRESS_FILES)
def test_compressing_a_file_equals_compressing_its_rows(name: str) -> None:
    assert compress_file(FIXTURES / name) == compress(read_cbs_rows(FIXTURES / name))


def test_neighbouring_postcodes_of_one_municipality_are_one_run() -> None:
    rows = [CbsRow("1012AA", 1, "GM0363"), CbsRow("1012AC", 5, "GM0363"), CbsRow("1013ZZ", 1, "GM0363")]
    assert runs_and_ranges(rows) == ([Pc6Run("1012AA", "1013ZZ", "GM0363")], [])


def test_a_postcode_in_two_municipalities_gets_ranges_and_its_larger_part_a_run() -> None:
    rows = [
        CbsRow("4197AA", 5, "GM1960"),
        CbsRow("4197AA", 1, "GM1960"),
        CbsRow("4197AA", 99, "GM0214"),
        CbsRow("4197AA", 3, "GM1960"),
        CbsRow("4197AA", 101, "GM0214"),
    ]
    assert runs_and_ranges(rows) == (
        [Pc6Run("4197AA", "4197AA", "GM1960")],
        [NumberRange("4197AA", 1, 5, "GM1960"), NumberRange("4197AA", 99, 101, "GM0214")],
    )


def test_two_sides_of_a_street_give_a_range_each_number() -> None:
    rows = [CbsRow("4197AA", number, f"GM000{1 + number % 2}") for number in (1, 2, 3)]
    assert [part[1:3] for part in compress(rows).ranges] == [(1, 1), (2, 2), (3, 3)]


def test_a_house_number_listed_twice_counts_where_it_is_listed_first() -> None:
    rows = [CbsRow("4197AA", 1, "GM0002"), CbsRow("4197AA", 1, "GM0001")]
    assert runs_and_ranges(rows) == ([Pc6Run("4197AA", "4197AA", "GM0002")], [])


@pytest.mark.parametrize("codes", [("GM0001", "GM0002"), ("GM0002", "GM0001")])
def test_rows_of_a_split_postcode_that_lie_apart_are_refused(codes: tuple[str, str]) -> None:
    rows = [CbsRow("1012AB", 1, codes[0]), CbsRow("1012AA", 1, "GM0001"), CbsRow("1012AB", 3, codes[1])]
    with pytest.raises(CbsFileProblem, match="lie apart"):
        compress(rows)


def test_exceptions_are_the_postcodes_that_differ_from_their_four_digits() -> None:
    rows = [CbsRow("4197AA", 1, "GM1960"), CbsRow("4197AC", 1, "GM0214"), CbsRow("4197AE", 1, "GM0214")]
    found = compress(rows).exceptions(reference.municipality_of_pc4)
    assert found == {"4197AC": "GM0214", "4197AD": "GM0214", "4197AE": "GM0214"}


def test_exceptions_cross_the_border_of_four_digits() -> None:
    rows = [CbsRow("1012ZY", 1, "GM0001"), CbsRow("1013AB", 1, "GM0001")]
    found = compress(rows).exceptions({1012: "GM0001", 1013: "GM0002"}.get)
    assert found == {"1013AA": "GM0001", "1013AB": "GM0001"}


def test_the_rows_that_were_read_are_counted() -> None:
    rows = [CbsRow("1012AB", 1, "GM0363"), CbsRow("1012AB", 2, "GM0384"), CbsRow("1012AC", 1, "GM0363")]
    compact = compress([*rows, CbsRow("1383AA", 1, "GM0363")])
    assert (compact.rows, compact.pc4s) == (4, {1012, 1383})
    assert compact.municipality_codes == {"GM0363", "GM0384"}


def test_a_partial_file_speaks_of_its_own_postcodes_only() -> None:
    text = HEADER + "".join(f"{pc6};1;0363\n" for pc6 in ("1012AA", "1012AB", "1012AD", "1012ZZ", "1013AA"))
    compact = compress_file(stream(text), partial=True)
    assert [run[:2] for run in compact.pc6_runs] == [
        ("1012AA", "1012AB"), ("1012AD", "1012AD"), ("1012ZZ", "1013AA")
    ]  # fmt: skip
    assert list(compact.postcodes()) == ["1012AA", "1012AB", "1012AD", "1012ZZ", "1013AA"]
    assert compact.exceptions({1012: "GM0363", 1013: "GM0384"}.get) == {"1013AA": "GM0363"}
    assert compact == compress(read_cbs_rows(stream(text)), partial=True)
