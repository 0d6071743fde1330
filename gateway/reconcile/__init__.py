"""Our records against what a platform shows 对账."""
