"""Time-based codes: RFC 6238's own vectors, one step of drift, and no code twice."""

from datetime import UTC, datetime, timedelta

import pytest

from privacy.totp import provisioning_uri, verify_totp

# The secret of RFC 6238 appendix B ("12345678901234567890" in base32); last six digits of its SHA-1 codes.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
AT = datetime(2005, 3, 18, 1, 58, 29, tzinfo=UTC)
STEP, CODE = 37037036, "081804"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_codes_of_the_rfc_are_accepted(seconds: int, code: str) -> None:
    assert verify_totp(SECRET, code, datetime.fromtimestamp(seconds, UTC), None) == seconds // 30


@pytest.mark.parametrize("drift", [-30, 0, 30])
def test_one_step_of_drift_is_accepted_as_the_step_of_the_code(drift: int) -> None:
    assert verify_totp(SECRET, CODE, AT + timedelta(seconds=drift), None) == STEP


@pytest.mark.parametrize("drift", [-60, 60])
def test_two_steps_of_drift_are_refused(drift: int) -> None:
    assert verify_totp(SECRET, CODE, AT + timedelta(seconds=drift), None) is None


@pytest.mark.parametrize(("last_step", "accepted"), [(STEP - 1, STEP), (STEP, None), (STEP + 1, None)])
def test_a_code_is_accepted_once(last_step: int, accepted: int | None) -> None:
    assert verify_totp(SECRET, CODE, AT, last_step) == accepted


@pytest.mark.parametrize("code", ["", "81804", "0818040", "081805", "abcdef", "٠٨١٨٠٤"])
def test_another_code_is_refused(code: str) -> None:
    assert verify_totp(SECRET, code, AT, None) is None


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        verify_totp(SECRET, CODE, datetime(2005, 3, 18, 1, 58, 29), None)


def test_the_address_for_the_app_names_issuer_and_account() -> None:
    uri = provisioning_uri(SECRET, account="team@voorbeeld.example", issuer="Signaal")
    assert uri == f"otpauth://totp/Signaal:team%40voorbeeld.example?secret={SECRET}&issuer=Signaal"
