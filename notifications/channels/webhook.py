"""Events by webhook: a CloudEvent in JSON (NL GOV profile), signed by Standard Webhooks.

The receiver knows a repeat by its `webhook-id`, which is the id of the event.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from notifications.channels import Sent
from notifications.guarded_http import GuardedHttp
from notifications.retry import PermanentFailure, TemporaryFailure, Throttled

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"
_GONE: Final = 410


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """The address that gets events, and the secret that it shares with us (`whsec_...`)."""

    url: str
    secret: str = field(repr=False)
    http: GuardedHttp


@dataclass(frozen=True, kw_only=True)
class CloudEvent:
    """An event. It has no `time`: that would tell when staff work; `data` has the day."""

    id: UUID
    source: str
    type: str
    subject: str
    data: Mapping[str, str]

    def as_json(self) -> str:
        """Return the event in the JSON format of CloudEvents 1.0."""
        context = {"specversion": "1.0", "datacontenttype": "application/json", "id": str(self.id)}
        values = {name: getattr(self, name) for name in ("source", "type", "subject")}
        return json.dumps({**context, **values, "data": dict(self.data)})


def post_event(webhook: Webhook, event: CloudEvent, at: datetime) -> Sent:
    """Post an event. Raises a `DeliveryFailure` for any answer but 2xx; 410 ends the delivery at once."""
    from standardwebhooks.webhooks import Webhook as Signer

    body = event.as_json()
    headers = {
        "Content-Type": MEDIA_TYPE,
        "webhook-id": str(event.id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Signer(webhook.secret).sign(str(event.id), at, body),
    }
    answer = webhook.http.call("POST", webhook.url, headers=headers, body=body.encode())
    problem = f"webhook_{answer.status}"
    if 200 <= answer.status <= 299:
        return Sent(provider_message_id=str(event.id))
    if answer.status in (429, 503):
        raise Throttled(problem, answer.pause)
    raise PermanentFailure(problem) if answer.status == _GONE else TemporaryFailure(problem)
