"""What schemathesis makes of our OpenAPI, sent by somebody signed in: it gets an answer, and none is our fault."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from site_kit import Kit, site_kit

_EXAMPLES: Final = 4  # of each operation, right ones and wrong ones: on two databases more than 2,000
_ENDLESS: Final = "/api/v1/streaming"
_EXAMINING: Final = settings(
    max_examples=_EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(300)
def test_no_example_of_the_openapi_is_a_failure_of_ours(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path, password_grant=True) as kit:
            examples = _Examples(kit, database_url.partition(":")[0])
            await examples.prepare()
            # Hypothesis is not asynchronous: it runs in a thread, and the site here.
            await asyncio.to_thread(examples.examine, asyncio.get_running_loop())
        assert examples.asked >= 1_000
        assert not examples.failed, "\n".join(examples.failed)

    asyncio.run(test())


class _Examples:
    def __init__(self, kit: Kit, seeded: str) -> None:
        self._kit, self._seed = kit, seeded
        self.asked = 0
        self.failed: list[str] = []

    async def prepare(self) -> None:
        kit = self._kit
        self._owner = await kit.person("ann", role="owner", scopes="read write follow push admin:read admin:write")
        bob = await kit.account("bob")
        posted = await kit.client(await kit.token(bob)).post("/api/v1/statuses", json={"status": "#hello"})
        self._known = [str(bob), posted.json()["id"]]

    def examine(self, loop: asyncio.AbstractEventLoop) -> None:
        for operation in self._operations():
            # What asks for nothing cannot be asked wrongly; any text may be in an address.
            modes = [*GenerationMode] if operation.query or operation.body else [GenerationMode.POSITIVE]
            for mode in modes:
                # The same examples each time: who breaks one finds it in their own change.
                @seed(self._seed)
                @_EXAMINING
                @given(
                    case=operation.as_strategy(generation_mode=mode), known=st.sampled_from([*self._known, None])
                )
                def ask(case: Case, known: str | None) -> None:
                    for name in case.path_parameters if known else ():
                        case.path_parameters[name] = known
                    asyncio.run_coroutine_threadsafe(self._ask(case), loop).result()

                ask()

    def _operations(self) -> Iterator[APIOperation[Any, Any, Any, Any]]:
        app = self._kit.anonymous._transport.app  # type: ignore[attr-defined] # noqa: SLF001 # it describes itself
        schema = schemathesis.openapi.from_dict(app.openapi())
        for found in schema.get_all_operations():
            operation = found.ok()
            if not operation.path.startswith(_ENDLESS):
                yield operation

    async def _ask(self, case: Case) -> None:
        wire = requests.Request(**case.as_transport_kwargs(base_url=self._kit.site.settings.url)).prepare()
        answer = await self._owner.request(wire.method, wire.url, headers=dict(wire.headers), content=wire.body)
        self.asked += 1
        if answer.status_code >= 500:
            self.failed.append(f"{answer.status_code} {wire.method} {wire.url} {wire.body!r}")
