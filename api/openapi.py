"""The API's description: what every route may answer besides its own, and problems under their own media type."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.problems import MEDIA_TYPE
from api.schemas.base import ProblemOut

Responses = dict[int | str, dict[str, Any]]

_DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "Nobody is signed in.",
    403: "The role does not allow this.",
    404: "Not there, or not for this viewer.",
    409: "Not possible in the present state.",
    412: "Someone else has saved in between.",
    413: "The body is too large.",
    422: "A value cannot be accepted; `errors` names each.",
    428: "`If-Match` is missing.",
    429: "Too many attempts; see `Retry-After`.",
    503: "A part of the service is missing; see `Retry-After`.",
}
TAGS = [
    {"name": "oauth", "description": "Access and refresh tokens (RFC 6749, RFC 7009)."},
    {"name": "me", "description": "Who is signed in."},
    {"name": "notifications", "description": "One's own inbox, and which kinds are mailed when."},
    {"name": "cases", "description": "Unidentified people in a station's care."},
    {"name": "reports", "description": "Missing-person reports."},
    {"name": "photos", "description": "Photographs and the faces in them."},
    {"name": "review", "description": "Candidates and the examiners' opinions."},
    {"name": "claims", "description": "What police systems say of who a person is."},
    {"name": "exclusions", "description": "Candidates that are not the person, for good."},
    {"name": "confirmation", "description": "The police's decision, and its recall."},
    {"name": "contact", "description": "Releasing and using the family's details."},
    {"name": "home-notices", "description": "Notices to the home district: a refusal, a transfer."},
    {"name": "outcomes", "description": "How a stay ended, with its papers; dossier and ledger."},
    {"name": "deadlines", "description": "Clocks of cases: what is due, since when, who was told; and what was done."},
    {"name": "interviews", "description": "Talks with the person, recordings, and the clues that came of them."},
    {"name": "referrals", "description": "To other services, which answer under their own login."},
    {"name": "followup", "description": "Visits after the return home; earlier cases of who wandered again."},
    {"name": "duplicates", "description": "Two records that may be one person's: linked by a human, never merged."},
    {"name": "notices", "description": "Public family-tracing notices, and who lets them through."},
    {"name": "tips", "description": "What the public writes on a notice's page."},
    {"name": "statistics", "description": "The joint meeting's figures, each traceable to its cases."},
    {"name": "admission", "description": "How a person came in; care without tracing; handovers to hospitals."},
    {"name": "sightings", "description": "Who was seen where, and whom it may be."},
    {"name": "lookouts", "description": "People who have gone, looked for by the liaisons around."},
    {"name": "patrols", "description": "Rounds through the streets, and their figures."},
    {"name": "organisations", "description": "The tree of organisations."},
    {"name": "users", "description": "Accounts."},
    {"name": "webhooks", "description": "Notifications handed to organisations' own systems."},
    {"name": "divisions", "description": "Administrative divisions of China."},
    {"name": "jobs", "description": "Background work."},
    {"name": "audit", "description": "The audit log."},
    {"name": "service", "description": "The state of the service itself."},
]
DESCRIPTION = """\
Names for the unnamed: admission, search, review, confirmation, contact, the way home.

- Sign in at `POST /api/v1/oauth/token`; send the token as `Authorization: Bearer …`.
- Errors are RFC 9457 problems (`application/problem+json`): test `slug`, show `detail`.
- A `POST` may carry an `Idempotency-Key`: repeated with the same key it makes nothing twice and answers with the
  resource as it is now and `Idempotent-Replayed: true`.
- An edit (`PUT`) names the version it changed: `If-Match` with the record's `ETag`.
- Lists are paged by cursor.
- What a viewer may not see does not exist for that viewer: 404.
"""


def problems(*statuses: int) -> Responses:
    """Descriptions of the problems that a route may answer with, besides those of every route."""
    return {status: {"model": ProblemOut, "description": _DESCRIPTIONS[status]} for status in sorted(statuses)}


def operation_id(route: APIRoute) -> str:
    """Tag and function name: short and stable for generated clients."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


class DescribedApi(FastAPI):
    """An application whose description puts every problem under the media type it is sent with."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            for path in super().openapi()["paths"].values():
                for operation in path.values():
                    _name_problems(operation["responses"])
        return super().openapi()


def _name_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        content = response.get("content", {})
        reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
        if status.isdecimal() and int(status) >= 400 and reference.endswith("/ProblemOut"):
            content[MEDIA_TYPE] = content.pop("application/json")
