"""Waiting for what a conversation's page would show."""

from http import HTTPStatus
from urllib.error import HTTPError

from system import System, wait_until


def state_or_none(system: System, conversation: str) -> str | None:
    """The state that the page shows, or None while the edge that answers has not heard of the conversation."""
    try:
        return str(system.state(conversation)["state"])
    except HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        return None


def wait_for_state(system: System, conversation: str, state: str, *, within_s: float = 10.0) -> None:
    wait_until(
        lambda: state_or_none(system, conversation) == state, within_s=within_s, what=f"{conversation} {state}"
    )


def everybody_is_back(system: System) -> None:
    """Wait until every process runs again and has said so."""

    def reported() -> bool:
        now = system.status()
        return len(now["edges"]) == 2 and len(now["stages"]) == 2

    wait_until(reported, within_s=20, what="two edges and two stages")
