"""The authorization server (RFC 6749) on Authlib's core: who is given a code, a token, and how one is taken back.

Authlib's core does not wait for anything, so it runs with the session's own synchronous face
(`AsyncSession.run_sync`). What is slow, passwords, is checked before.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar, Final

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidGrantError, InvalidScopeError, OAuth2Request, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rostra.site.answers import RefusedError
from rostra.site.database.tables.authorization import App, Grant, Token
from rostra.site.events import TokenRevoked
from rostra.site.oauth.apps import token_for
from rostra.site.oauth.bearer import digest
from rostra.site.oauth.client import AUTH_METHODS, Client, Code, IssuedToken
from rostra.site.work import Work

_CODE_LIFETIME: Final = timedelta(minutes=10)  # RFC 6749 §4.1.2


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer of the protocol: its parameters and headers."""

    values: Mapping[str, Any]
    headers: Mapping[str, str]
    status: int = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Consent:
    """What an application asks of somebody, checked."""

    app: App
    scopes: tuple[str, ...]
    redirect_uri: str


async def issue(work: Work, asked: Message, *, account_id: int | None = None) -> Message:
    """A token. `account_id` is whose password was right, for the password grant."""
    return await _with_server(work, asked, account_id, _Server.create_token_response)


async def revoke(work: Work, asked: Message) -> Message:
    return await _with_server(
        work, asked, None, lambda server: server.create_endpoint_response(_Revocation.ENDPOINT_NAME)
    )


async def consent(work: Work, asked: Message) -> Consent:
    """What is asked for. RefusedError if it cannot be granted; then nobody is sent anywhere."""

    def validated(session: Session) -> Consent:
        grant = _Server(session, work, asked, None).get_consent_grant()
        return Consent(grant.request.client.app, tuple(grant.request.scope.split()), grant.redirect_uri)

    try:
        return await work.session.run_sync(validated)
    except OAuth2Error as error:
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, error.get_error_description() or str(error.error), code=str(error.error)
        ) from error
    except ValueError as error:  # Authlib, of parameters that it cannot quote in its answer
        raise _unreadable() from error


async def authorize(work: Work, asked: Message, *, account_id: int | None) -> Message:
    """Send a code to the application, in the answer's Location; without `account_id`, that it was denied."""

    def answered(server: "_Server") -> Message:
        grant = server.get_consent_grant()
        answer: Message = server.create_authorization_response(grant.request, account_id, grant)
        return answer

    return await _with_server(work, asked, account_id, answered)


async def _with_server(
    work: Work, asked: Message, account_id: int | None, do: "Callable[[_Server], Message]"
) -> Message:
    try:
        return await work.session.run_sync(lambda session: do(_Server(session, work, asked, account_id)))
    except OAuth2Error as error:
        raise RefusedError(
            HTTPStatus(error.status_code), error.get_error_description() or str(error.error), code=str(error.error)
        ) from error
    except ValueError as error:
        raise _unreadable() from error


def _unreadable() -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, "The request cannot be read", code="invalid_request")


class _Request(OAuth2Request):
    """`values` are those of the query or of the body, whichever the endpoint reads."""

    def __init__(self, method: str, asked: Message) -> None:
        # Authlib insists on https. Whether people reach us so is for our address to say, which we do not get here:
        # TLS ends at a proxy before us.
        super().__init__(method, "https://localhost/", headers=dict(asked.headers))
        self._values = {name: value for name, value in asked.values.items() if isinstance(value, str) and value}
        self.payload = BasicOAuth2Payload(self._values)

    @property
    def form(self) -> dict[str, str]:
        return self._values

    @property
    def args(self) -> dict[str, str]:
        return self._values


class _Server(AuthorizationServer):
    """One request's authorization server."""

    def __init__(self, session: Session, work: Work, asked: Message, account_id: int | None) -> None:
        super().__init__()
        self.session = session
        self.work = work
        self.account_id = account_id
        self._asked = asked
        self.register_grant(_AuthorizationCode, [_Challenge(required=False)])
        self.register_grant(_ClientCredentials)
        if work.settings.password_grant:
            self.register_grant(_Password)
        self.register_endpoint(_Revocation)

    def query_client(self, client_id: str) -> Client | None:
        app = self.session.scalar(select(App).where(App.client_id == client_id))
        return None if app is None else Client(app)

    def generate_token(
        self, grant_type: str, client: Client, user: int | None = None, scope: str | None = None, **_: Any
    ) -> dict[str, Any]:
        """Made and kept in one step; Authlib's `save_token` has nothing left to do."""
        del grant_type
        allowed = client.get_allowed_scope(scope)
        if allowed is None:
            raise InvalidScopeError("The scopes are not among those of the application.")
        return token_for(self.work, client.app.id, user, allowed.split())

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """It is kept already."""

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        return request if isinstance(request, OAuth2Request) else _Request("POST", self._asked)

    def handle_response(self, status: int, body: Any, headers: Sequence[tuple[str, str]]) -> Message:
        return Message(body or {}, dict(headers), status)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens to Authlib's signals here."""


class _Challenge(CodeChallenge):
    """RFC 7636 with S256 alone: who sends a challenge in the clear protects nothing."""

    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar = ["S256"]
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"


class _AuthorizationCode(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)
    server: _Server

    def generate_authorization_code(self) -> str:
        return secrets.token_urlsafe(32)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        work, client = self.server.work, request.client
        assert isinstance(client, Client)
        self.server.session.add(
            Grant(
                id=work.make_id(),
                code_hash=digest(code),
                app_id=client.app.id,
                account_id=request.user,
                redirect_uri=request.payload.redirect_uri or client.get_default_redirect_uri(),
                scopes=request.scope,
                challenge=request.payload.data.get("code_challenge"),
                challenge_method=request.payload.data.get("code_challenge_method"),
                expires_at=work.now + _CODE_LIFETIME,
            )
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        """The code, taken: of two requests with one code only one gets a token."""
        taken = self.server.session.scalar(
            delete(Grant)
            .where(Grant.code_hash == digest(code), Grant.app_id == client.app.id)
            .returning(Grant)
            .execution_options(synchronize_session=False)
        )
        return None if taken is None or taken.expires_at <= self.server.work.now else Code(taken)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It was taken when it was found."""

    def authenticate_user(self, authorization_code: Code) -> int:
        return authorization_code.grant.account_id


class _ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)


class _Password(grants.ResourceOwnerPasswordCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)
    server: _Server

    def authenticate_user(self, username: str, password: str) -> int:
        del username, password  # checked before, in a thread
        if self.server.account_id is None:
            raise InvalidGrantError("The e-mail address or the password is wrong.")
        return self.server.account_id


class _Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)
    server: _Server

    def query_token(self, token_string: str, token_type_hint: str | None) -> IssuedToken | None:
        del token_type_hint
        found = self.server.session.execute(
            select(Token, App)
            .join(App, App.id == Token.app_id)
            .where(Token.token_hash == digest(token_string), Token.revoked_at.is_(None))
        ).one_or_none()
        return None if found is None else IssuedToken(*found)

    def revoke_token(self, token: IssuedToken, request: OAuth2Request) -> None:
        del request
        token.token.revoked_at = self.server.work.now
        self.server.work.tell(TokenRevoked(token.token.id))
