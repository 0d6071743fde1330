"""The connector `exchange-database`: rows for a front-end database 前置库 of a platform."""

from connectors.exchange_database.connector import ExchangeDatabase
from connectors.exchange_database.settings import ExchangeDatabaseSettings

__all__ = ["ExchangeDatabase", "ExchangeDatabaseSettings"]
