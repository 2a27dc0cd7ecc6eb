"""People with real speech, without browsers. Standard input: invitations; output: packets sent and received.

Arguments: how many of them speak (the others are there and say nothing), and what the gate is told of their sound.
"""

import asyncio
import json
import sys

from speaking import Visitor

STAY_S = 55


async def stay(invitation: dict[str, str], number: int) -> Visitor:
    talking, sound = int(sys.argv[1]), sys.argv[2]
    visitor = Visitor(invitation, start=number * 150, silent=number >= talking, sound=sound)
    await visitor.speak(f"Speaker{number}")
    await asyncio.sleep(STAY_S)
    await visitor.close()
    return visitor


async def main() -> None:
    async with asyncio.TaskGroup() as tasks:
        staying = [
            tasks.create_task(stay(invitation, number), name=f"speaker {number}")
            for number, invitation in enumerate(json.load(sys.stdin))
        ]
    done = [each.result() for each in staying]
    sys.stdout.write(json.dumps({"sent": sum(v.sent for v in done), "received": sum(v.received for v in done)}))


asyncio.run(main())
