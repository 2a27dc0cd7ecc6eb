"""An application and its code as Authlib sees them."""

from hmac import compare_digest
from typing import Final

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin

from rostra.site.database.tables.authorization import App, Grant, Token
from rostra.site.oauth.apps import SCOPE_DEFAULT
from rostra.site.oauth.bearer import digest
from rostra.site.oauth.scopes import allows, parse_scopes

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post")


class Client(ClientMixin):
    """Every application has a secret and may use every grant that the site offers."""

    def __init__(self, app: App) -> None:
        self.app = app

    def get_client_id(self) -> str:
        return self.app.client_id

    def get_default_redirect_uri(self) -> str:
        return str(self.app.redirect_uris[0])

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes asked for, or None if one does not exist or is not among the application's."""
        parsed = parse_scopes(scope or SCOPE_DEFAULT)
        granted = self.app.scopes.split()
        if parsed is None or not all(allows(granted, each) for each in parsed):
            return None
        return " ".join(parsed)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.app.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return compare_digest(self.app.secret_hash, digest(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        del endpoint
        return method in AUTH_METHODS

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type != "refresh_token"  # tokens do not expire, so there is nothing to refresh


class Code(AuthorizationCodeMixin):
    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self.code_challenge = grant.challenge
        self.code_challenge_method = grant.challenge_method

    def get_redirect_uri(self) -> str:
        return self.grant.redirect_uri

    def get_scope(self) -> str:
        return self.grant.scopes


class IssuedToken(TokenMixin):
    def __init__(self, token: Token, app: App) -> None:
        self.token = token
        self.app = app

    def check_client(self, client: ClientMixin) -> bool:
        return isinstance(client, Client) and client.app.id == self.app.id
