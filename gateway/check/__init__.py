"""Check 校验 (pure): turn bytes into a typed record with its problems, or a refusal."""
