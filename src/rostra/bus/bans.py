"""The bans that edges share: told without waiting, kept for an hour, read by whoever starts."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from rostra.bus.connection import Connection
from rostra.bus.state import follow_latest
from rostra.bus.subjects import BAN_STREAM, ban_subject
from rostra.core.errors import BadInputError
from rostra.core.messages import BanNotice, decode, encode
from rostra.core.prefixes import parse_prefix

_log = structlog.get_logger()


async def tell_ban(connection: Connection, notice: BanNotice) -> None:
    """BusError while the bus is away."""
    await connection.publish(ban_subject(notice.prefix), encode(notice))


async def follow_bans(connection: Connection) -> AsyncGenerator[BanNotice, None]:
    """The newest notice of each prefix, then each further one, for ever."""
    async with aclosing(follow_latest(connection, BAN_STREAM, ban_subject("*"))) as latest:
        async for stored in latest:
            try:
                notice = decode(stored.payload)
                if isinstance(notice, BanNotice) and parse_prefix(notice.prefix) == notice.prefix:
                    yield notice
                    continue
            except BadInputError as error:
                _log.warning("ban.unread", error=str(error))
