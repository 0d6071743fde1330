"""Test cases 用例 of rule sets and policies: run the cases and measure what they cover."""
