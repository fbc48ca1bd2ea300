"""`signals coverage streets` and the neighbourhoods of `signals coverage import`."""

from tests.support.commands import Signals

STREETS = "postcode;huisnummer;openbareruimte;woonplaats\n1012AB;12;Nieuwe Kade;Amsterdam\n"
ADDRESSES = "PC6;Huisnummer;Buurt2024;Gemeente2024\n1012AB;12;0363AD01;0363\n"
NAMES = "Buurt2024;Buurtnaam2024\n0363AD01;De Kolk\n"


def test_an_address_has_the_street_of_one_file_and_the_neighbourhood_of_the_other(
    signals: Signals,
) -> None:
    file = signals.file("streets.csv", STREETS)
    assert signals.json("coverage", "streets", file) == {"postcodes": 1, "resumed": 0}
    assert "by an earlier run" in signals("coverage", "streets", file)
    addresses = signals.file("pc6hnr20240801_gwb.csv", ADDRESSES)
    assert "put buurt_YYYY.csv" in signals("coverage", "import", addresses, "--partial")
    signals.file("buurt_2024.csv", NAMES)
    said = signals("coverage", "import", addresses, "--partial")
    assert "Neighbourhoods of 1 four-digit postcodes are in use." in said
    assert "Nieuwe Kade, Amsterdam, De Kolk" in signals("coverage", "show", "1012AB", "12")


def test_a_file_of_something_else_or_of_less_is_refused_and_the_streets_stay(signals: Signals) -> None:
    signals("coverage", "streets", signals.file("streets.csv", STREETS + "1013AB;1;Kade;Amsterdam\n"))
    said = signals("coverage", "streets", signals.file("pc6hnr.csv", ADDRESSES), code=1)
    assert "the column street is missing. Expected: a csv or zip with the columns postcode" in said
    said = signals("coverage", "streets", signals.file("part.csv", STREETS), code=1)
    assert "1 of the 2 four-digit postcodes that are in use. Use --partial" in said
    assert signals.json("coverage", "show", "1013AB", "1")["place"]["street"] == "Kade"
