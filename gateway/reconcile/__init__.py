"""Compare our records with what a platform shows 对账."""
