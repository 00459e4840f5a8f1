"""Subject patterns: `*` stands for one token, `>` for all that follow.

Source: https://docs.nats.io/nats-concepts/subjects
"""


def matches(pattern: str, subject: str) -> bool:
    """Tell whether a subject fits a pattern."""
    wanted, tokens = pattern.split("."), subject.split(".")
    for place, part in enumerate(wanted):
        if part == ">":
            return len(tokens) > place
        if place >= len(tokens) or part not in {"*", tokens[place]}:
            return False
    return len(wanted) == len(tokens)
