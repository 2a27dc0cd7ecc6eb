"""P5: the site and its database die and nothing is heard of it; a crowd comes to the door and posting goes on."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest

from postgres import postgresql
from rostra.audio.recordings import two_cities
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import System, free_port, running, wait_until

SECONDS = 8
COMING = 300  # each with a connection of their own, as fast as they can
POSTS = 40


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE evening")
        yield f"{server.rpartition('/')[0]}/evening"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[System]:
    port = str(free_port())
    settings = {
        "sites": "1",
        "site_port": port,
        "database": database,
        "confirm_email": "false",
        "rate_limits": "false",
    }
    with running(tmp_path_factory.mktemp("evening"), **settings) as started:
        yield started


def on_the_air(system: System, conversation: str) -> str:
    announced = system.schedule(at="+1s", id=conversation)
    system.feed(conversation, str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
    wait_for_state(system, conversation, "live")
    return str(announced["url"])


def join(client: httpx2.Client) -> None:
    """Somebody new, whose token the client has from then on."""
    wait_until(lambda: _is_up(client), within_s=30, what="the site")
    app = {"client_name": "A test", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write"}
    made = client.post("/api/v1/apps", json=app).json()
    secrets = {name: made[name] for name in ("client_id", "client_secret")}
    grant = secrets | {"grant_type": "client_credentials", "scope": "read write"}
    client.headers["Authorization"] = f"Bearer {client.post('/oauth/token', json=grant).json()['access_token']}"
    newcomer = {"username": "ann", "email": "ann@example.com", "password": "correct horse", "agreement": True}
    joined = client.post("/api/v1/accounts", json=newcomer)
    client.headers["Authorization"] = f"Bearer {joined.json()['access_token']}"


def _is_up(client: httpx2.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx2.TransportError:
        return False


def test_p5_a_flood_at_the_door_stops_nobody_from_posting(system: System) -> None:
    url, over, joined = on_the_air(system, "flood"), threading.Event(), list[int]()

    def come() -> None:
        with httpx2.Client() as visitor:
            while not over.is_set():
                joined.append(visitor.post(f"{url}/join", headers={"Connection": "close"}).status_code)

    coming = [threading.Thread(target=come) for _ in range(8)]
    address = f"http://127.0.0.1:{system.environment['ROSTRA_SITE_PORT']}"
    with httpx2.Client(base_url=address, timeout=30) as ann:
        join(ann)
        for each in coming:
            each.start()
        try:
            wait_until(lambda: len(joined) >= COMING, within_s=30, what="the flood")
            texts = [f"Still here, {number}" for number in range(POSTS)]
            posted = [ann.post("/api/v1/statuses", json={"status": text}) for text in texts]
            came = len(joined)
        finally:
            over.set()
            for each in coming:
                each.join()
        assert [each.status_code for each in posted] == [200] * POSTS
        assert len(ann.get("/api/v1/timelines/home").json()) == 20
    assert came > COMING, "they kept coming meanwhile"
    assert "Traceback" not in system.log


def test_p5_nobody_hears_that_the_site_and_its_database_die(system: System, database: str) -> None:
    listener = Listener(on_the_air(system, "evening"))
    with psycopg.connect(database) as connection:
        folder = connection.execute("SHOW data_directory").fetchone()
    assert folder is not None
    postmaster = int((Path(folder[0]) / "postmaster.pid").read_text().split()[0])
    heard = []
    listening = threading.Thread(target=lambda: heard.append(listener.listen(seconds=SECONDS)))
    listening.start()
    wait_until(lambda: listener.heard.chunks, within_s=5, what="sound")
    os.kill(postmaster, signal.SIGKILL)
    system.kill("site-1")
    listening.join()
    (report,) = heard
    assert (report.missing_chunks, report.missed_chunks, report.repeated_chunks, report.state) == (0, 0, 0, "live")
