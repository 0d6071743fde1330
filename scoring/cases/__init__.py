"""How rule sets and policies are tried 用例: the cases beside each, and what they reach."""
