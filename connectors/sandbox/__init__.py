"""The sandbox 沙箱平台: implements our interfaces, stores what it gets, and simulates faults."""

from connectors.sandbox.app import Sandbox, create_sandbox
from connectors.sandbox.book import Book
from connectors.sandbox.exchange_server import serve_exchange
from connectors.sandbox.faults import Faults
from connectors.sandbox.mail_server import MailAddress, serve_mail
from connectors.sandbox.places import (
    BankPlace,
    ExchangePlace,
    FilesPlace,
    MailPlace,
    Place,
    PlatformPlace,
    TopicPlace,
)
from connectors.sandbox.server import serve_sandbox
from connectors.sandbox.sftp_server import SftpAddress, serve_files
from connectors.sandbox.topic_server import serve_topics

__all__ = [
    "BankPlace",
    "Book",
    "ExchangePlace",
    "Faults",
    "FilesPlace",
    "MailAddress",
    "MailPlace",
    "Place",
    "PlatformPlace",
    "Sandbox",
    "SftpAddress",
    "TopicPlace",
    "create_sandbox",
    "serve_exchange",
    "serve_files",
    "serve_mail",
    "serve_sandbox",
    "serve_topics",
]
