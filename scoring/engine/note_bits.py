"""Interpretation notes as bits of a number, so that collecting them is cheap."""

from collections.abc import Iterable

from scoring.regulation.terms import Note


class NoteBook:
    """Assigns each note one bit, in the order of the rule set."""

    def __init__(self, notes: Iterable[Note]) -> None:
        """Assign the bits."""
        self._ids = tuple(note.id for note in notes)
        self._bits = {name: 1 << place for place, name in enumerate(self._ids)}
        self._names: dict[int, tuple[str, ...]] = {0: ()}

    def mask(self, ids: Iterable[str]) -> int:
        """Return the bits of these notes; raises KeyError for an unknown id."""
        mask = 0
        for name in ids:
            mask |= self._bits[name]
        return mask

    def names(self, mask: int) -> tuple[str, ...]:
        """Return the ids of the notes of these bits, in the order of the rule set."""
        names = self._names.get(mask)
        if names is None:
            names = tuple(name for name in self._ids if self._bits[name] & mask)
            self._names[mask] = names
        return names
