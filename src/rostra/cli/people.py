"""`rostra statements`: what the site has decided, for whoever is to be told."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from rostra.cli.app import app, print_json, run
from rostra.config import read_settings


@app.command("statements")
def statements_command(
    year: Annotated[int, typer.Option(min=2020, max=2038, help="The year of the decisions.")],
) -> None:
    """Print the statements of reasons of a year as the DSA Transparency Database takes them. Nothing is sent."""

    async def work() -> None:
        from rostra.site.moderation.transparency import statements_of_database  # noqa: PLC0415

        since, until = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        found = await statements_of_database(read_settings().database_url, since, until)
        print_json({"statements": [statement.as_submitted() for statement in found]})

    run(work())
