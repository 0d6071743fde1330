"""All SQL of the gateway: one function for each question.

A function takes a connection, works on the whole batch at once, and never opens or commits a
transaction: the caller owns it.
"""
