"""The bodies and answers about staff and approvals."""

from typing import Final

from marshmallow import Schema, fields, validate

from signals.staff.invitations import INVITED_BY_LEADS
from signals.vocabulary import ApprovalAction, Role
from signals.web.admin.schemas import AskedAreaSchema
from signals.web.http.fields import Choice, CodeList, Strict
from signals.web.staff_kit.schemas import STAFF_LANGUAGE, DayOfMoment, Moment, OrganisationSchema, something

_DECISION: Final = CodeList(
    name="Decision", text="The state of a request", codes=("asked", "approved", "declined", "expired")
)
_TEAM_ROLE: Final = CodeList(
    name="TeamRole",
    text="A role that a lead gives",
    codes=tuple(role for role in Role if role in INVITED_BY_LEADS),
)


class StaffQuery(Strict):
    """For an administrator: the organisation; without it, the staff without an organisation."""

    organisation = fields.UUID(load_default=None)


class NewStaffSchema(Strict):
    """Somebody to invite. A lead leaves out `organisation_id`: it is the own organisation."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=120, error="out_of_range"))
    email = fields.String(required=True, validate=something(254))
    role = Choice(Role, required=True)
    language = Choice(STAFF_LANGUAGE, load_default="nl")
    organisation_id = fields.UUID(load_default=None, allow_none=True)


class ChangeRoleSchema(Strict):
    """A role that a lead gives."""

    role = Choice(_TEAM_ROLE, required=True)


class StaffMemberSchema(Schema):
    """A member of staff."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    role = Choice(Role, required=True)
    language = Choice(STAFF_LANGUAGE, required=True)
    organisation_id = fields.UUID(required=True, allow_none=True)
    disabled_on = DayOfMoment(attribute="disabled_at", required=True, allow_none=True)
    invited = fields.Boolean(
        required=True, metadata={"description": "The account is not set up yet: nobody can give it a signal"}
    )


class StaffSchema(Schema):
    """A team; disabled members come last."""

    items = fields.List(fields.Nested(StaffMemberSchema), required=True)


class AskedProviderSchema(Schema):
    """The OpenID provider at which a team would sign in; without an issuer, none any more."""

    issuer = fields.String(required=True, metadata={"description": "Its address, as the provider states it"})
    client_id = fields.String(
        required=True, metadata={"description": "The name of this service at the provider"}
    )
    domains = fields.String(
        required=True, metadata={"description": "Domains of addresses, with spaces between them"}
    )
    factors = fields.String(
        required=True, metadata={"description": "Values of `amr` or `acr` that prove a second factor"}
    )


class ApprovalSchema(Schema):
    """A request to an organisation, to its privacy officer or to another administrator, for 14 days."""

    id = fields.UUID(attribute="approval.id", required=True)
    organisation = fields.Nested(
        OrganisationSchema,
        required=True,
        allow_none=True,
        metadata={"description": "It decides; null: only another administrator does"},
    )
    action = Choice(
        ApprovalAction,
        attribute="approval.action",
        required=True,
        metadata={
            "description": "`grant` and `reset` are asked by administrators, the others by a lead: `role` for"
            " somebody new or of the team, `disable` to shut somebody out. `cover`: the organisation in"
            " `name` wants to cover `area`. `provider`: where the organisation signs in"
        },
    )
    role = Choice(
        Role,
        attribute="approval.role",
        required=True,
        allow_none=True,
        metadata={"description": "Null for `disable`, `cover` and `provider`"},
    )
    area = fields.Nested(AskedAreaSchema, required=True, allow_none=True)
    provider = fields.Nested(
        AskedProviderSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Asked with `provider`, else null"},
    )
    name = fields.String(attribute="approval.name", required=True)
    email = fields.String(attribute="approval.email", required=True)
    asked_by = fields.String(required=True)
    asked_at = Moment(attribute="approval.asked_at", required=True)
    decision = Choice(_DECISION, required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = Moment(attribute="approval.decided_at", required=True, allow_none=True)


class ApprovalsSchema(Schema):
    """Requests; the waiting ones come first."""

    items = fields.List(fields.Nested(ApprovalSchema), required=True)


class LetInSchema(Schema):
    """Either the account, whose owner gets a link by mail, or the request that waits."""

    member = fields.Nested(StaffMemberSchema, required=True, allow_none=True)
    approval = fields.Nested(ApprovalSchema, required=True, allow_none=True)
