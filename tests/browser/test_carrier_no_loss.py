"""Random days of a carrier on a bad network: what the database has in the end is what was sent, each once.

A few seeds here; `make soak` runs two hundred.
"""

import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from signals.intake.content import open_report
from tests.browser.carrier import MakePhone, Phone, Service
from tests.browser.faults import Fault

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.soak]

SEEDS, SOAK_SEEDS = 12, 200
FAULTS = [fault for fault in Fault if fault is not Fault.BUSY_UNTIL]  # which keeps a report for an hour
POSTCODES = ("1012AB", "9711AA", "4331AA", "1000AA")
KEPT_OR_ANSWERED = """async () => {
  if (document.querySelector("#answer h1")) return true;
  const change = (await idb.openDB("signals")).transaction("reports", "readwrite", { durability: "strict" });
  const all = await change.store.getAll();
  await change.done;
  const texts = await Promise.all(all.map((report) => signalsQueue.text(report)));
  return texts.some((text) => text.includes(':%d,') || text.includes(':%d}'));
}"""
"""Its transaction waits for the one that keeps the report, so it sees only reports on the disk."""

Address = tuple[str, int]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    soak = metafunc.config.getoption("--hypothesis-profile") == "soak"
    metafunc.parametrize("seed", range(SOAK_SEEDS if soak else SEEDS))


def test_each_sent_report_arrives_exactly_once(make_phone: MakePhone, service: Service, seed: int) -> None:
    chance = random.Random(seed)
    phone = make_phone(own_process=seed % 4 == 0)
    phone.open_for_offline()
    sent = [
        _send_one(phone, chance, (chance.choice(POSTCODES), seed * 10 + n + 1))
        for n in range(chance.randint(1, 3))
    ]
    _come_home(phone)
    assert _arrived(service, seed) == Counter(sent)
    assert phone.complaints == []


def _send_one(phone: Phone, chance: random.Random, address: Address) -> Address:
    """One report on a network that breaks, and then something happens to the phone."""
    phone.service.proxy.plan(*(chance.choice(FAULTS) for _ in range(chance.randint(0, 4))))
    phone.offline(chance.random() < 0.3)
    phone.open("/")
    phone.fill(*map(str, address))
    phone.press_send()
    if chance.random() < 0.5:
        phone.page.evaluate("document.querySelector('.send .button').click()")
    _until_kept(phone, address[1])
    _happens(phone, chance)
    return address


def _until_kept(phone: Phone, number: int) -> None:
    """Until the report is the phone's to lose; before, the carrier has read only that it is being sent."""
    phone.until(KEPT_OR_ANSWERED % (number, number))


def _happens(phone: Phone, chance: random.Random) -> None:
    what = chance.choice(["nothing", "reload", "close", "reception", "try", "kill"])
    if what == "reload":
        phone.page.reload()
    elif what == "close":
        phone.close_tab()
        phone.open("/")
    elif what == "reception":
        phone.offline(False)
    elif what == "try":
        phone.page.evaluate("signalsQueue.flush(true)")
    elif what == "kill" and phone.folder:
        phone.kill()
        phone.start()
        phone.open("/")


def _come_home(phone: Phone) -> None:
    """A whole network, the page opened once: everything must go by itself."""
    phone.service.proxy.plan()
    phone.offline(False)
    phone.close_tab()
    phone.open("/")
    phone.expect_nothing_waits()


def _arrived(service: Service, seed: int) -> Counter[Address]:
    """The addresses of this seed in the database, opened as the team would."""
    world = service.world
    world.clock.moment = datetime.now(UTC)
    world.worker().arrive()
    found = (open_report(world.keystore, signal).address for signal in world.signals())
    return Counter((one.postcode, one.number) for one in found if one.number // 10 == seed)
