"""SQL of the facts that branches 分支机构 bring to their legal persons, for each way of reading."""

#: Whether the register ever named a branch. The order lets PostgreSQL look into the small index of
#: parents; without statistics, as in a first import, it would read all facts, each time.
ARE_ANY = """
    (select parent from fact where parent is not null order by parent limit 1) is not null
"""


def facts_of_branches(owners: str, known: str) -> str:
    """Return a select of (subject_id of the legal person, id, text of the body).

    The body says which subject the branch is. Entries of the branch are among its facts: they say
    from when to when it counts for whom. `owners` says which legal persons, as `p`; `known` which
    rows of `fact`, with {0} as its alias.
    """
    return f"""
    select b.owner as subject_id, f.id,
           '{{"branch":"' || b.branch || '",' || substr(f.body::text, 2) as body from (
        select distinct p.id as owner, r.subject_id as branch from subject p
        join fact r on r.parent = p.code and {known.format("r")}
        where {owners} and {ARE_ANY}) b
    join fact f on f.subject_id = b.branch and {known.format("f")}
    """
