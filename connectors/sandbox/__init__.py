"""The sandbox 沙箱平台: implements our interfaces, stores what it gets, and simulates faults."""

from connectors.sandbox.app import Sandbox, create_sandbox
from connectors.sandbox.book import Book
from connectors.sandbox.faults import Faults
from connectors.sandbox.places import BankPlace, FilesPlace, Place, PlatformPlace, TopicPlace
from connectors.sandbox.server import serve_sandbox
from connectors.sandbox.sftp_server import SftpAddress, serve_files
from connectors.sandbox.topic_server import serve_topics

__all__ = [
    "BankPlace",
    "Book",
    "Faults",
    "FilesPlace",
    "Place",
    "PlatformPlace",
    "Sandbox",
    "SftpAddress",
    "TopicPlace",
    "create_sandbox",
    "serve_files",
    "serve_sandbox",
    "serve_topics",
]
