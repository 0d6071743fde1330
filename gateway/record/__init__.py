"""The record step 入账: same decision, new version, or repeat."""
