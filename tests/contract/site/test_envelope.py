"""What every answer has around it: a number, what other origins may read, how often one may still ask."""

from pathlib import Path

from bus_server import run
from site_kit import site_kit


def test_other_origins_read_the_api_and_its_headers_but_no_pages(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            origin = {"Origin": "https://client.example"}
            for path in ("/api/v2/instance", "/.well-known/nodeinfo", "/api/v1/accounts/1"):
                answer = await kit.anonymous.get(path, headers=origin)
                assert answer.headers["access-control-allow-origin"] == "*", path
                assert "access-control-allow-credentials" not in answer.headers
                assert {"Link", "X-RateLimit-Limit", "X-Request-Id"} <= set(
                    answer.headers["access-control-expose-headers"].split(", ")
                )
            asked = origin | {
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization, idempotency-key",
            }
            before = await kit.anonymous.options("/api/v1/statuses", headers=asked)
            assert before.status_code == 200
            assert "POST" in before.headers["access-control-allow-methods"]
            page = await kit.anonymous.get("/login", headers=origin)
            assert "access-control-allow-origin" not in page.headers

    run(test)


def test_every_answer_has_a_number_of_its_own(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            paths = ("/health", "/api/v1/accounts/1", "/no/such/page")
            numbers = [(await kit.anonymous.get(path)).headers["x-request-id"] for path in paths]
            assert len(set(numbers)) == len(paths)

    run(test)


def test_who_asks_too_often_is_told_when_to_come_back(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path, rate_limits=True) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            first = await ann.get("/api/v1/preferences")
            assert first.headers["x-ratelimit-limit"] == "1500"
            assert first.headers["x-ratelimit-remaining"] == "1499"
            for _ in range(300):
                answer = await kit.anonymous.get("/api/v1/custom_emojis")
                assert answer.status_code == 200
            refused = await kit.anonymous.get("/api/v1/custom_emojis")
            assert (refused.status_code, refused.json()) == (429, {"error": "Too many requests"})
            assert refused.headers["x-ratelimit-remaining"] == "0"
            assert 0 < int(refused.headers["retry-after"]) <= 301
            assert (await bob.get("/api/v1/preferences")).status_code == 200, "who has a token is counted by it"
            kit.clock.pass_(minutes=5)
            assert (await kit.anonymous.get("/api/v1/custom_emojis")).status_code == 200

    run(test)
