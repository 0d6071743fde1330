"""Whole populations 全部对象 in columns, read from a file or the store for the column engine."""
