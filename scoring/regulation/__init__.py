"""The text of a regulation as data 评价办法: its model, and what makes a text unusable."""
