"""Same decision, new version, or repeat 入账."""
