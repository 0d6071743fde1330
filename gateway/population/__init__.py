"""Whole populations 全部对象 in columns: from a file or the store to the column engine."""
