"""Choose and activate rule sets 评价办法的启用."""
