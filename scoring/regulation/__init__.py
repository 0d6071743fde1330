"""The text of a regulation as data 评价办法: its model, and the checks of the text."""
