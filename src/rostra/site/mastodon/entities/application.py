"""Application and CredentialApplication: what others see of an application, and what it is told of itself."""

from typing_extensions import TypedDict

from rostra.site.database.tables.authorization import App


class ApplicationEntity(TypedDict):
    id: str
    name: str
    website: str | None
    scopes: list[str]
    redirect_uris: list[str]
    redirect_uri: str
    vapid_key: str


class CredentialApplicationEntity(ApplicationEntity):
    client_id: str
    client_secret: str
    client_secret_expires_at: int


def application(app: App, vapid_key: str) -> ApplicationEntity:
    return ApplicationEntity(
        id=str(app.id),
        name=app.name,
        website=app.website,
        scopes=app.scopes.split(),
        redirect_uris=list(app.redirect_uris),
        redirect_uri="\n".join(app.redirect_uris),
        vapid_key=vapid_key,
    )


def credential_application(app: App, secret: str, vapid_key: str) -> CredentialApplicationEntity:
    """With its secret, which is told once."""
    return CredentialApplicationEntity(
        **application(app, vapid_key), client_id=app.client_id, client_secret=secret, client_secret_expires_at=0
    )
