"""The two kinds of bus that every contract is tried on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus_server import Bus
from rostra.bus.server import prepare
from system import free_port


@pytest.fixture(params=["embedded", "external"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    server = prepare(tmp_path / "bus", free_port())
    if request.param == "external":
        server.config.write_text(
            json.dumps({"listen": f"127.0.0.1:{server.port}", "jetstream": {"store_dir": str(tmp_path / "js")}})
        )
    made = Bus(server, external=request.param == "external")
    made.start()
    yield made
    made.kill()
