"""Tokens: RFC 6749 (password and refresh grants) and RFC 7009 (revocation), with the error form of those."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api.deps import LimiterDep, NowDep, ServicesDep, SessionDep
from api.openapi import problems
from api.schemas.base import Output
from models.user import TokenKind
from tracing import accounts
from tracing.accounts import Grant
from tracing.limits import LoginLimiter
from tracing.platform import errors
from tracing.services import Services

router = APIRouter(prefix="/oauth", tags=["oauth"])


class TokenOut(Output):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: str = Field(default="bearer")
    expires_in: int = Field(description="Seconds.")
    refresh_token: str | None


class OAuthErrorOut(Output):
    """RFC 6749, section 5.2. `error_description` is English, as the RFC allows ASCII alone."""

    error: str = Field(examples=["invalid_grant"])
    error_description: str
    slug: str | None = Field(default=None, description="Our own name of the error.")


@router.post(
    "/token",
    summary="Sign in, or renew a sign-in",
    response_model=TokenOut,
    responses={400: {"model": OAuthErrorOut, "description": "RFC 6749 error."}, **problems(429)},
)
def token(
    request: Request,
    services: ServicesDep,
    limiter: LimiterDep,
    now: NowDep,
    grant_type: Annotated[str, Form(description="`password` or `refresh_token`")] = "",
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form(json_schema_extra={"format": "password"})] = "",
    refresh_token: Annotated[str, Form()] = "",
) -> Response | TokenOut:
    """Give out an access token and a refresh token. A refresh token works once; used again it ends the sign-in."""
    address = request.client.host if request.client else ""
    try:
        if grant_type == "password" and username and password:
            return _token_out(_sign_in(services, limiter, username, password, address, now), now)
        if grant_type == "refresh_token" and refresh_token:
            return _token_out(accounts.refresh(services, refresh_token, now=now), now)
    except errors.Unauthenticated as error:
        return _oauth_error("invalid_grant", error.message, error.slug)
    if grant_type in ("password", "refresh_token"):
        return _oauth_error("invalid_request", "A parameter that this grant needs is missing.")
    if grant_type:
        return _oauth_error("unsupported_grant_type", "The grants are password and refresh_token.")
    return _oauth_error("invalid_request", "The parameter grant_type is missing.")


def _sign_in(
    services: Services, limiter: LoginLimiter, username: str, password: str, address: str, now: datetime
) -> Grant:
    # No account has a name with a NUL, and PostgreSQL would not even look for it.
    return accounts.sign_in(
        services, limiter, username=username.replace("\x00", "�"), password=password, address=address,
        kind=TokenKind.ACCESS, now=now,
    )  # fmt: skip


@router.post(
    "/revoke",
    summary="End a sign-in",
    responses={400: {"model": OAuthErrorOut, "description": "RFC 6749 error."}},
)
def revoke(
    session: SessionDep, now: NowDep, token: Annotated[str, Form()] = "", token_type_hint: Annotated[str, Form()] = ""
) -> Response:
    """End the sign-in that an access or refresh token belongs to; an unknown token is no error."""
    if not token:
        return _oauth_error("invalid_request", "The parameter token is missing.")
    accounts.revoke(session, token, now=now)
    return Response(status_code=200)


def _token_out(grant: Grant, now: datetime) -> TokenOut:
    return TokenOut(
        access_token=grant.access,
        expires_in=round((grant.expires_at - now).total_seconds()),
        refresh_token=grant.refresh,
    )


def _oauth_error(code: str, description: str, slug: str | None = None) -> JSONResponse:
    body = OAuthErrorOut(error=code, error_description=description, slug=slug)
    return JSONResponse(body.model_dump(exclude_none=True), 400)
