"""A browser without scripts for the tests: it keeps cookies, and posts forms with the token that pages give."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx2

from site_kit import Kit


@dataclass
class Browsing:
    kit: Kit
    client: httpx2.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx2.AsyncClient(
            transport=self.kit.anonymous._transport,  # noqa: SLF001 # one application for all
            base_url=self.kit.site.settings.url,
            headers={"Accept": "text/html,application/xhtml+xml", "Accept-Language": "en-GB,en;q=0.9"},
        )

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.client.get(path, **options)

    async def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> httpx2.Response:
        """Post a form as one of our pages has it."""
        return await self.client.post(path, data={"csrf": await self.token()} | (data or {}), **options)

    async def token(self, page: str = "/login") -> str:
        answer = await self.client.get(page)
        if answer.is_redirect:  # a member asked for the log-in page: any page has the form to log out
            answer = await self.client.get("/")
        found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
        assert found, f"{page} has no form"
        return found[1]

    async def log_in(self, email: str, password: str, **more: str) -> httpx2.Response:
        return await self.post("/login", {"email": email, "password": password} | more)
