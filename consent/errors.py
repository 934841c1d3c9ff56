"""What can go wrong when somebody decides about consent."""


class ConsentError(Exception):
    """Base of every refusal of this package."""


class InvalidTransitionError(ConsentError):
    """The change asked for is not in the table of allowed changes."""


class NotTheSubjectError(ConsentError):
    """Somebody tried to answer for another person."""


class NoticeOutdatedError(ConsentError):
    """The yes refers to a notice that is not the one in force, or does not cover the cell."""


class NoticeMissingError(ConsentError):
    """There is no published notice for the purpose in the language asked for."""


class NoticeIncompleteError(ConsentError):
    """A notice lacks something that GDPR Art. 13 requires; `fields` names each."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__("The notice does not yet say: " + ", ".join(fields) + ".")
        self.fields = fields


class NoticePersuadesError(ConsentError):
    """A notice pushes people towards an answer; `words` names what pushes, by language."""

    def __init__(self, words: dict[str, list[str]]) -> None:
        said = "; ".join(f"{language}: {', '.join(found)}" for language, found in words.items())
        super().__init__(f"A notice informs and does not persuade. Leave out {said}.")
        self.words = words


class ReceiptNotFoundError(ConsentError):
    """The person has no such receipt."""


class UnlockedError(ConsentError):
    """A consent lock was asked for outside a transaction, where it would hold nothing."""
