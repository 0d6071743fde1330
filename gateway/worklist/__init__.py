"""The work list 工作清单: what is open, by hours left, who must act on it, and why."""
