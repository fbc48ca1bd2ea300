"""A second administrator, who approves what the first asks."""

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import Approval, CoverageArea, StaffMember
from signals.staff.accounts import add_staff, issue_token
from signals.vocabulary import Role
from tests.support.desk_side import BASE, PASSWORD, QUICK, Desk, Person


def agreed(desk: Desk, asked: TestResponse) -> str:
    """Let Boris approve an area that waits; return the id of the coverage."""
    assert asked.status_code == 202, asked.get_data(as_text=True)
    body = asked.get_json()
    path = f"{BASE}/approvals/{body['id']}/approve"
    assert desk.client.post(path, headers=boris(desk).bearer).status_code == 200
    with Session(desk.engine) as session:
        where = (
            getattr(CoverageArea, name) == body["area"][name] for name in ("level", "area", "number_from")
        )
        query = select(CoverageArea).where(*where).order_by(CoverageArea.valid_from)
        found = session.scalars(query).all()
        return str(next(one.id for one in found if str(one.valid_from) == body["area"]["valid_from"]))


def agree_to_all(desk: Desk) -> None:
    """Let Boris approve all that waits."""
    with Session(desk.engine) as session:
        waiting = session.scalars(select(Approval.id).where(Approval.decision == "asked")).all()
    for one in waiting:
        path = f"{BASE}/approvals/{one}/approve"
        assert desk.client.post(path, headers=boris(desk).bearer).status_code == 200


def boris(desk: Desk) -> Person:
    """Return Boris, an administrator with a program's token; add him at the first call."""
    with Session(desk.engine) as session, session.begin():
        known = session.scalar(select(StaffMember).where(StaffMember.email == "boris@example.org"))
        if known is not None:
            token = issue_token(desk.operation(session), member=known, label="test")
            return Person(email=known.email, totp_secret="", token=token)
    with Session(desk.engine) as session, session.begin():
        acting = desk.operation(session)
        new = add_staff(
            acting,
            organisation_id=None,
            role=Role.ADMINISTRATOR,
            name="Boris Voorbeeld",
            email="boris@example.org",
            password=PASSWORD,
            hasher=QUICK,
        )
        token = issue_token(acting, member=new.member, label="test")
        return Person(email=new.member.email, totp_secret=new.totp_secret, token=token)
