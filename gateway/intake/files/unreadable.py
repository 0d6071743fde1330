"""Why a file, or the rest of it, is not read."""


class UnreadableFile(ValueError):
    """A file or a part of it cannot be read; the message says in Chinese why, and what to do."""
