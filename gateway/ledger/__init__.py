"""The monthly ledger 双公示台账: rows, figures, frozen workbook."""
