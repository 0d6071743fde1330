"""The connector `kafka-topic`: a topic that takes items, and one with the receipts of them."""

from connectors.kafka_topic.connector import KafkaTopic
from connectors.kafka_topic.settings import KafkaTopicSettings

__all__ = ["KafkaTopic", "KafkaTopicSettings"]
