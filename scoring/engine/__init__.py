"""How it is counted 计分: the facts of one subject and a rule set → an assessment."""
