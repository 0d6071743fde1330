"""The demo: the main job on sample data, everything embedded, one stepped clock."""
