"""The sandbox 沙箱平台: implements our interfaces, stores what it gets, and simulates faults."""

from connectors.sandbox.app import Sandbox, create_sandbox
from connectors.sandbox.book import Book
from connectors.sandbox.faults import Faults
from connectors.sandbox.places import BankPlace, PlatformPlace
from connectors.sandbox.server import serve_sandbox

__all__ = [
    "BankPlace",
    "Book",
    "Faults",
    "PlatformPlace",
    "Sandbox",
    "create_sandbox",
    "serve_sandbox",
]
