"""`rostra probe`: somebody else looks at a conversation, and signs what was found."""

import time
from pathlib import Path
from typing import Annotated

import typer

from rostra.cli.app import app, err, out
from rostra.core.conversation import parse_duration_s


@app.command("probe")
def probe_command(
    url: Annotated[str, typer.Argument(help="The conversation's page.")] = "",
    name: Annotated[str, typer.Option(help="Who looks: a domain that you own.")] = "probe.local",
    key: Annotated[Path, typer.Option(help="The probe's key; made if there is none.")] = Path("probe.key"),
    every: Annotated[str, typer.Option(help="How often.")] = "10s",
    witness: Annotated[str, typer.Option(help="Address at which the witness is told.")] = "",
    to: Annotated[Path, typer.Option("--file", help="Where every visit is kept, to be published.")] = Path(
        "probe.jsonl"
    ),
    visits: Annotated[int, typer.Option(min=0, help="So many; 0: until it is stopped.")] = 0,
) -> None:
    """Join a conversation again and again as a listener does, and sign how long each step took and what was heard.

    Without URL it prints the key that the operator registers before the event (`ROSTRA_PROBES`).
    """
    from rostra.evidence.chain import Chain  # noqa: PLC0415
    from rostra.probing import Probe, Visit  # noqa: PLC0415
    from rostra.signing import signing_key  # noqa: PLC0415
    from rostra.verifier.note import note_key  # noqa: PLC0415

    private = signing_key(key)
    if not url:
        out.print(str(note_key(name, private)), soft_wrap=True)
        return
    every_s = parse_duration_s(every)
    probe = Probe(Chain(name, private), to, witness or None)
    count = 0
    due_s = time.monotonic()
    while not visits or count < visits:
        found = Visit(url).go()
        probe.say(found)
        out.print(f"{found['outcome']}: {found}", soft_wrap=True)
        if witness and (trouble := probe.tell()):
            err.print(f"The witness was not told ({trouble}): it will be.")
        count += 1
        due_s = max(due_s + every_s, time.monotonic())
        if not visits or count < visits:
            time.sleep(max(0.0, due_s - time.monotonic()))
