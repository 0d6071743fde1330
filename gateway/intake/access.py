"""The way to the Kafka cluster: the arguments of its clients, and what a first call may meet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.shared.kafka_connection import client_options, kafka_words
from connectors.shared.tls import TlsFileError
from gateway.config.errors import Away, BadConfiguration
from gateway.config.settings import KafkaSettings


class KafkaAway(Away):
    """No broker answers at the start; if it goes away later, intake waits for it."""

    lead = "Kafka 不可用，检查 Kafka 服务、它的 advertised.listeners 和 KAFKA_BOOTSTRAP_SERVERS"


@contextmanager
def first_call() -> Iterator[None]:
    """Raise KafkaAway for errors of the first call to a cluster, a malformed address included."""
    try:
        yield
    except KafkaError as error:
        raise KafkaAway(kafka_words(error)) from error
    except (ValueError, OverflowError) as error:
        raise KafkaAway(str(error)) from error


def options_of(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments of a client; raises BadConfiguration if a file is unusable."""
    try:
        return client_options(settings)
    except TlsFileError as error:
        raise BadConfiguration(f"kafka {error}") from None


async def bounds_of(
    settings: KafkaSettings, bootstrap: str, partition: TopicPartition
) -> tuple[int, int] | None:
    """Return the first offset of a partition and the one behind its last message.

    None if there is no such partition.

    Raises:
        KafkaAway: no broker answers.
        BadConfiguration: a file of the connection is unusable.
    """
    options = options_of(settings)
    with first_call():
        reader = AIOKafkaConsumer(
            partition.topic,
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",  # as intake has it
            **options,
        )
        try:
            await reader.start()
            if partition.partition not in (reader.partitions_for_topic(partition.topic) or ()):
                return None
            first = (await reader.beginning_offsets([partition]))[partition]
            return int(first), int((await reader.end_offsets([partition]))[partition])
        finally:
            await reader.stop()
