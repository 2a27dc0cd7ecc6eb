"""`rostra schedule`, `invite`, `reschedule`, `end`, `cancel`: what a host asks for."""

import secrets
import time
from datetime import datetime
from typing import Annotated, Any

import typer

from rostra.bus.connection import Connection
from rostra.cli.app import (
    At,
    ConversationId,
    JsonFlag,
    TimeZone,
    app,
    bus,
    declare,
    out,
    print_json,
    run,
)
from rostra.config import read_settings
from rostra.core.conversation import (
    Cancel,
    Conversation,
    End,
    Event,
    Held,
    Live,
    Rescheduled,
    Schedule,
    advance,
    id_from_title,
    is_over,
    parse_duration_s,
    parse_id,
    parse_instant_ns,
    parse_timezone,
    plan,
)
from rostra.core.errors import BadInputError, ConflictError
from rostra.core.roster import StageRole
from rostra.core.units import SECOND_NS
from rostra.links import invite


@app.command("schedule")
def schedule_command(
    title: Annotated[str, typer.Argument(help="What the conversation is called.")],
    at: At,
    timezone: TimeZone = "Europe/Amsterdam",
    doors: Annotated[str, typer.Option(help="How long before the start the doors open.")] = "30m",
    duration: Annotated[str, typer.Option(help="It ends by itself after this long.")] = "4h",
    language: Annotated[str, typer.Option(help="Language of the announcements: en or nl.")] = "en",
    conversation_id: Annotated[
        str | None, typer.Option("--id", help="Its id; made from the title if left out.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Announce a conversation."""
    settings = read_settings()
    now_ns = time.time_ns()
    conversation = Conversation(
        id=parse_id(conversation_id) if conversation_id else id_from_title(title, suffix=secrets.token_hex(2)),
        schedule=plan(
            title,
            starts_ns=parse_instant_ns(at, timezone=timezone, now_ns=now_ns),
            doors_lead_s=parse_duration_s(doors),
            duration_s=parse_duration_s(duration),
            timezone=timezone,
            language=language,
            now_ns=now_ns,
        ),
    )

    async def work() -> None:
        host = None
        async with bus() as connection:
            await _create(connection, conversation)
            if settings.gates:
                host, _ = await invite(connection, settings, conversation.id, StageRole.HOST)
        url = f"{settings.url}/c/{conversation.id}"
        if as_json:
            starts_ms = conversation.schedule.starts_ns // 1_000_000
            print_json({"id": conversation.id, "url": url, "starts_ms": starts_ms, "host_url": host})
        else:
            out.print(f"[bold]{conversation.schedule.title}[/] starts {_local(conversation.schedule)}.")
            out.print(f"  listen  {url}", soft_wrap=True)
            if host is not None:
                out.print(f"  host    {host}", soft_wrap=True)
            out.print(f"  guests  rostra invite {conversation.id}\n  a file  rostra feed {conversation.id} FILE")

    run(work())


async def _create(connection: Connection, conversation: Conversation) -> None:
    from rostra.bus.state import create_conversation  # noqa: PLC0415

    try:
        await create_conversation(connection, conversation)
    except ConflictError as error:
        raise BadInputError(f"There is a conversation {conversation.id!r} already: choose another --id.") from error


def _local(schedule: Schedule) -> str:
    at = datetime.fromtimestamp(schedule.starts_ns / SECOND_NS, parse_timezone(schedule.timezone))
    return f"{at:%A %d %B %Y, %H:%M:%S} ({schedule.timezone})"


@app.command("invite")
def invite_command(
    conversation: ConversationId,
    role: Annotated[str, typer.Option(help="host, cohost or speaker; listener: may raise a hand.")] = "speaker",
    name: Annotated[str, typer.Option(help="What the guest is called; can be changed on the page.")] = "",
    green: Annotated[bool, typer.Option("--green", help="Waits behind the stage until a host says so.")] = False,
    expires: Annotated[str, typer.Option(help="How long the link holds.")] = "720h",
    as_json: JsonFlag = False,
) -> None:
    """Print a link with which one person comes on the stage, each time with the same seat."""
    roles_by_name: dict[str, StageRole | None] = {each.value: each for each in StageRole} | {"listener": None}
    if role not in roles_by_name:
        raise BadInputError(f"{role!r} is no role: choose one of {', '.join(roles_by_name)}.")

    async def work() -> None:
        from rostra.bus.state import read_conversation  # noqa: PLC0415

        settings = read_settings()
        async with bus() as connection:
            if await read_conversation(connection, parse_id(conversation)) is None:
                raise BadInputError(f"There is no conversation {conversation!r}: see `rostra status`.")
            url, token = await invite(
                connection,
                settings,
                conversation,
                roles_by_name[role],
                name=name,
                green=green,
                lifetime_s=parse_duration_s(expires),
            )
        whip = f"{settings.gate_urls[0]}/whip/{conversation}"
        if as_json:
            print_json({"url": url, "whip": whip, "token": token})
        else:
            out.print(f"  page  {url}\n  WHIP  {whip}\n        bearer token {token}", soft_wrap=True)

    run(work())


@app.command("pins")
def pins_command(conversation: ConversationId, as_json: JsonFlag = False) -> None:
    """Print the PINs with which people dial in: one for each speaker's seat, one for all listeners."""

    async def work() -> None:
        from rostra.bus.state import invitation_key  # noqa: PLC0415
        from rostra.gate.pin import every_access, pin_of  # noqa: PLC0415

        async with bus() as connection:
            key = await invitation_key(connection)
        pins = {
            f"{access.role} {access.number}".removesuffix(" 0"): pin_of(access, key=key)
            for access in every_access(parse_id(conversation))
        }
        if as_json:
            print_json(pins)
        else:
            for who, pin in pins.items():
                out.print(f"  {who:12} {pin}")

    run(work())


@app.command("reschedule")
def reschedule_command(
    conversation: ConversationId,
    at: At,
    timezone: TimeZone = "Europe/Amsterdam",
) -> None:
    """Move the announced instant; everybody who waits is told."""
    starts_ns = parse_instant_ns(at, timezone=timezone, now_ns=time.time_ns())

    def moved(before: Conversation) -> Event:
        schedule, state = before.schedule, before.state
        if isinstance(state, Live) or (isinstance(state, Held) and state.begun):
            raise BadInputError(f"{conversation!r} has begun: what has begun cannot start at another time.")
        return Rescheduled(
            plan(
                schedule.title,
                starts_ns=starts_ns,
                doors_lead_s=(schedule.starts_ns - schedule.doors_ns) // SECOND_NS,
                duration_s=(schedule.ends_ns - schedule.starts_ns) // SECOND_NS,
                timezone=timezone,
                language=schedule.language,
                now_ns=time.time_ns(),
            )
        )

    run(_change(conversation, moved, "now starts at another time", after=str(starts_ns // 1_000_000)))


@app.command("end")
def end_command(conversation: ConversationId) -> None:
    """End a conversation now: the music fades, listeners are thanked and let go."""
    run(_change(conversation, lambda _: End(), "has ended"))


@app.command("cancel")
def cancel_command(conversation: ConversationId) -> None:
    """Cancel a conversation; whoever waits is told."""
    run(_change(conversation, lambda _: Cancel(), "is cancelled"))


async def _change(conversation: str, make_event: Any, outcome: str, *, after: str | None = None) -> None:
    from rostra.bus.state import change_conversation  # noqa: PLC0415

    def change(before: Conversation) -> Conversation:
        if is_over(before.state):
            raise BadInputError(f"The conversation {conversation!r} is over already.")
        return advance(before, make_event(before), now_ns=time.time_ns())

    async with bus() as connection:
        await declare(connection, "manual", parse_id(conversation), after=after, text=outcome)
        if await change_conversation(connection, parse_id(conversation), change) is None:
            raise BadInputError(f"There is no conversation {conversation!r}: see `rostra status`.")
    out.print(f"{conversation} {outcome}.")
