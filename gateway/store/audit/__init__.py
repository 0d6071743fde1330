"""Who did what, and when 审计."""
