"""The pattern language of policies: `*` stands for any run of characters, nothing else is special.

Whole text, case-sensitive, linear in practice: no regular expression is built from a policy.
"""


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if len(text) < len(first) + len(last):
        return False
    if not (text.startswith(first) and text.endswith(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True
