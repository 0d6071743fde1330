"""How aiokafka asks for the metadata of a cluster that has no answer."""

import asyncio
from typing import Any

#: Seconds between two requests for metadata while the cluster has no answer.
METADATA_PAUSE = 0.2


def ask_with_pauses(client: Any) -> None:
    """Make a client pause after a metadata request that failed.

    aiokafka 0.14 repeats it at once while a partition has no leader: with the broker away, that
    takes a whole core and writes thousands of log lines a second.
    """
    ask = client._metadata_update  # noqa: SLF001  there is no setting for it

    async def patiently(*arguments: Any) -> bool:
        if await ask(*arguments):
            return True
        await asyncio.sleep(METADATA_PAUSE)
        return False

    client._metadata_update = patiently  # noqa: SLF001
