"""After 200 sealed reports the front has no address, observation or note: not in memory, not in a file."""

import uuid
from collections.abc import Callable

import pytest

from signals.models import SealedReport
from signals.routing.postcodes import Address
from signals.vocabulary import ConcernType, ProcessRole
from tests.support.phone import BASE, OverHttp, Phone
from tests.support.sentinels import files, forms, memory_of
from tests.support.serving import Served, serving
from tests.support.world import World, report

POSTCODES = ("1017XZ", "9711XZ", "3511XZ", "6211XZ", "4331XZ")
"""One of each area: none takes 200 reports in ten minutes."""
NUMBER, ADDITION = 98413, "QZJ7WX"
NOTE = "Karrewielslotertrommel hoort vreemd gebonk"
TYPES = (ConcernType.CONFUSED, ConcernType.FRAIL)
CLEAR = {
    "postcode": POSTCODES[0], "house_number": NUMBER, "house_number_addition": ADDITION,
    "concern_types": TYPES, "note": NOTE,
}  # fmt: skip
SENTINELS = {
    **{postcode: postcode for postcode in POSTCODES},
    "addition": ADDITION,
    "number": f'"nr":{NUMBER}',
    "observation": '"types":["confused","frail"]',
    "note": "Karrewielslotertrommel",
}


@pytest.mark.slow
def test_the_front_never_has_what_a_phone_sealed(sqlite_world: World) -> None:
    world = sqlite_world
    root = world.keystore.root_public_key()
    assert root
    with serving(world, role=ProcessRole.FRONT) as served:
        phone = Phone(OverHttp(f"http://127.0.0.1:{served.port}"), root)
        for number in range(200):
            address = Address(postcode=POSTCODES[number % 5], number=NUMBER, addition=ADDITION)
            sealed = phone.seal(report(address, concern_types=TYPES, note=f"{NOTE} {number}"))
            assert phone.send(sealed).status_code == 201
        assert world.count(SealedReport) == 200
        assert _found_in_memory(served) == set()
        left = files(world.folder) | {"log": served.log().encode()}
        assert {place: found for place, content in left.items() if (found := _found(content, forms))} == {}
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        assert phone.client.post(f"{BASE}/signals", json=CLEAR, headers=headers).status_code == 201
        assert _found_in_memory(served) >= {POSTCODES[0], "addition", "note"}  # so the search can find


def _found_in_memory(served: Served) -> set[str]:
    processes = served.processes()
    assert processes
    return {name for process in processes for part in memory_of(process) for name in _found(part, _plain)}


def _plain(text: str) -> set[bytes]:
    """Return the one form of memory: a search for all forms there takes minutes."""
    return {text.encode()}


def _found(content: bytes, in_forms: Callable[[str], set[bytes]]) -> set[str]:
    return {name for name, text in SENTINELS.items() if any(form in content for form in in_forms(text))}
