"""What an assessment leads to 评价结果的运用: grade changes, measures, publicity, outlook."""
