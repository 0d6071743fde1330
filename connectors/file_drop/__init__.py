"""The connector `file-drop`: XML files in a folder of a platform, by SFTP, FTPS or FTP."""

from connectors.file_drop.connector import FileDrop
from connectors.file_drop.settings import FileDropSettings

__all__ = ["FileDrop", "FileDropSettings"]
