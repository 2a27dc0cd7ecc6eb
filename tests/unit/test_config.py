"""Settings: what evidence has of them."""

import pytest

from rostra.config import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("trusted_proxies", "10.0.0.0/8"), ("proxy_protocol", True), ("edge_listeners_max", 9), ("site_title", "A")],
)
def test_no_setting_changes_without_another_digest(name: str, value: object) -> None:
    assert Settings().model_copy(update={name: value}).digest() != Settings().digest()


def test_a_new_password_is_no_other_configuration_and_another_host_is() -> None:
    one, other, moved = (
        Settings(database=f"postgresql://rostra:{secret}@{host}/site").digest()
        for secret, host in (("first", "db-1"), ("second", "db-1"), ("first", "db-2"))
    )
    assert one == other != moved


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("postgresql://db/site?user=r&password=first", "postgresql://db/site?user=r&password=second", True),
        ("postgresql://r:fi@rst@db/site", "postgresql://r:sec@nd@db/site", True),
        ("postgresql://r:a@db-1/site", "postgresql://r:a@db-2/site", False),
        ("postgresql://db/site?sslmode=require", "postgresql://db/site?sslmode=disable", False),
    ],
)
def test_where_a_password_stands_does_not_matter(one: str, other: str, *, same: bool) -> None:
    assert (Settings(database=one).digest() == Settings(database=other).digest()) is same
