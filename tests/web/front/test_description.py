"""The public calls take what their description says, and nothing else."""

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

ADDRESS = {"house_number": 12}
TYPED = (
    "1012AB",
    "1012 ab",
    "  1012\u00a0AB\u202f ",
    " " * 26 + "1012AB",
    " " * 27 + "1012AB",
    "1012\tAB",
    "1012AB\n",
    "\n1012AB",
    "1012SS",
    "1012 sa",
    "1012Sd",
    "1012SB",
    "1012AS",
    "0012AB",
    "1012 A B",
    "10 12AB",
    "1012A",
    "1012ABC",
    "\u0661\u0660\u0661\u0662AB",
    "",
)


@pytest.mark.parametrize("name", ["Report", "Lookup"])
@pytest.mark.parametrize("postcode", TYPED)
def test_a_postcode_is_taken_as_it_is_described(client: FlaskClient, postcode: str, name: str) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    schema = document["components"]["schemas"][name]["properties"]["postcode"]
    answer = client.post("/api/v1/coverage/lookup", json={"postcode": postcode, **ADDRESS})
    assert Draft202012Validator(schema).is_valid(postcode) == (answer.status_code == 200)
