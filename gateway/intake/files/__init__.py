"""The door for files 文件: what a file is, its tables, their headers, and what was done with it."""
