"""A case system with the VNG's Zaken and Documenten APIs 1.x: make a zaak with one document in it.

Each step asks before it creates, by an identification of ours. So any step may be repeated, by any worker.
`tests/prism/zgw.yaml` describes the calls.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from notifications.clock import Clock
from notifications.guarded_http import Answer, GuardedHttp
from notifications.retry import DeliveryFailure, PermanentFailure, TemporaryFailure, Throttled

_CRS: Final = {"Accept-Crs": "EPSG:4326", "Content-Crs": "EPSG:4326"}
_TAKEN: Final = frozenset({"identificatie-niet-uniek", "unique"})
"""Codes of a refusal because the thing exists: another worker made it between question and creation."""
_LASTING: Final = (400, 404, 405, 409, 413, 415)


@dataclass(frozen=True, kw_only=True)
class CaseSystem:
    """The APIs of one organisation, and the types of what is made there; `rsin`: its own number."""

    zaken_url: str
    documenten_url: str
    client_id: str
    secret: str = field(repr=False)
    rsin: str
    zaaktype: str
    informatieobjecttype: str
    http: GuardedHttp
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Filing:
    """A case to file: identifications of zaak and document, titles, and the day; nothing of the content."""

    zaak: str
    document: str
    title: str
    author: str
    on: date


def file_case(system: CaseSystem, filing: Filing, content: Callable[[], bytes]) -> str:
    """Make what is missing of zaak, document and their relation; return the address of the zaak.

    `content` gives the PDF; it is asked only when the document is not there. Raises a `DeliveryFailure`.
    """
    calls = _Calls(system)
    documents = f"{system.documenten_url.rstrip('/')}/enkelvoudiginformatieobjecten"
    zaken, relations = (
        f"{system.zaken_url.rstrip('/')}/{name}" for name in ("zaken", "zaakinformatieobjecten")
    )
    document = calls.find(documents, _key(system, filing.document))
    pdf = content() if document is None else b""
    zaak = calls.find_or_make(zaken, _key(system, filing.zaak), lambda: _zaak(system, filing))
    if document is None:
        document = calls.find_or_make(
            documents, _key(system, filing.document), lambda: _document(system, filing, pdf)
        )
    pair = {"zaak": zaak, "informatieobject": document}
    calls.find_or_make(relations, pair, lambda: pair)
    return zaak


def _key(system: CaseSystem, identification: str) -> dict[str, str]:
    return {"identificatie": identification, "bronorganisatie": system.rsin}


def _zaak(system: CaseSystem, filing: Filing) -> dict[str, Any]:
    day = filing.on.isoformat()
    return {
        **_key(system, filing.zaak),
        "omschrijving": filing.title,
        "zaaktype": system.zaaktype,
        "verantwoordelijkeOrganisatie": system.rsin,
        "registratiedatum": day,
        "startdatum": day,
    }


def _document(system: CaseSystem, filing: Filing, pdf: bytes) -> dict[str, Any]:
    return {
        **_key(system, filing.document),
        "creatiedatum": filing.on.isoformat(),
        "titel": filing.title,
        "auteur": filing.author,
        "taal": "nld",
        "formaat": "application/pdf",
        "bestandsnaam": f"{filing.document}.pdf",
        "bestandsomvang": len(pdf),
        "inhoud": base64.b64encode(pdf).decode(),
        "informatieobjecttype": system.informatieobjecttype,
    }


@dataclass(frozen=True)
class _Calls:
    system: CaseSystem

    def find_or_make(self, url: str, key: Mapping[str, str], make: Callable[[], dict[str, Any]]) -> str:
        """Return the address of the thing with this key; ask first, and once more when it was taken since."""
        found = self.find(url, key)
        if found is not None:
            return found
        answer = self._call("POST", url, json.dumps(make()).encode())
        if answer.status == 201:
            return _address(_object(answer))
        found = self.find(url, key) if _says_taken(answer) else None
        if found is None:
            raise _refusal(answer)
        return found

    def find(self, url: str, key: Mapping[str, str]) -> str | None:
        """Return the address of the thing with this key; None without one."""
        answer = self._call("GET", f"{url}?{urlencode(key)}")
        if answer.status != 200:
            raise _refusal(answer)
        page = _json(answer)
        # A list of relations has no pages.
        results = page.get("results") if isinstance(page, dict) else page
        if not isinstance(results, list):
            raise TemporaryFailure("zgw_answer")
        return _address(results[0]) if results else None

    def _call(self, method: str, url: str, body: bytes | None = None) -> Answer:
        headers = {
            **_CRS,
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {_token(self.system)}",
        }
        return self.system.http.call(method, url, headers=headers, body=body)


def _token(system: CaseSystem) -> str:
    """Return a token (JWT, HS256) of this moment; the system refuses old ones."""
    import jwt

    now = int(system.clock.now().timestamp())
    who = {"user_id": system.client_id, "user_representation": system.client_id}
    claims = {"iss": system.client_id, "iat": now, "client_id": system.client_id, **who}
    return jwt.encode(claims, system.secret, algorithm="HS256")


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        raise TemporaryFailure("zgw_answer") from None


def _object(answer: Answer) -> Any:
    found = _json(answer)
    return found if isinstance(found, dict) else {}


def _address(found: Any) -> str:
    url = found.get("url") if isinstance(found, dict) else None
    if not isinstance(url, str):
        raise TemporaryFailure("zgw_answer")
    return url


def _says_taken(answer: Answer) -> bool:
    """Return whether a refusal says that the thing exists (`invalidParams` of the VNG's error format)."""
    if answer.status != 400:
        return False
    problems = _object(answer).get("invalidParams")
    listed = problems if isinstance(problems, list) else []
    codes = {str(one.get("code")) for one in listed if isinstance(one, dict)}
    return not _TAKEN.isdisjoint(codes)


def _refusal(answer: Answer) -> DeliveryFailure:
    """Return the failure: our credentials and the server may be fixed, a wrong request stays wrong."""
    problem = f"zgw_{answer.status}"
    if answer.status == 429:
        return Throttled(problem, answer.pause)
    return PermanentFailure(problem) if answer.status in _LASTING else TemporaryFailure(problem)
