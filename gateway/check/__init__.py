"""Bytes → a typed record and its problems, or a refusal 校验 (pure)."""
