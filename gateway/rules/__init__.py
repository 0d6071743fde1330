"""Which text scores whom 评价办法的启用."""
