"""What can go wrong when a person uses a right."""


class RightsError(Exception):
    """Base of this app's refusals."""


class CellNotOfferedError(RightsError):
    """Nobody may say yes to this cell: no policy in force asks for it."""


class DecidedMeanwhileError(RightsError):
    """The cell was answered elsewhere, or asks for more, while this yes was on its way."""


class SubjectErasedError(RightsError):
    """The person had everything erased; keys destroyed for good cannot seal anything again."""


class RequestChangeError(RightsError):
    """The request does not go from where it stands to where it was asked to go."""


class RequestNotFoundError(RightsError):
    """The person has no such request, certificate or export."""


class ExportNotReadyError(RightsError):
    """The export is still being built; ask again in a moment."""


class MissTextError(RightsError):
    """What was missed is said in four to two hundred characters."""


class ForgetSpanError(RightsError):
    """The time to forget is not between one minute and one day."""


class CampaignSenderError(RightsError):
    """Somebody else than the privacy office asked for consent."""


class IncentiveError(RightsError):
    """A request for consent came with an incentive."""


class CampaignOverError(RightsError):
    """The request for consent has lapsed or was ended."""


class AskingWindowError(RightsError):
    """Nobody may be asked at this time."""


class AskingLimitError(RightsError):
    """A window, an exemption or a date says nothing that can be kept."""


class BystanderRequestError(RightsError):
    """A request without an account says nothing that can be asked, or its answer no reasons."""


class BystanderLinkError(RightsError):
    """A mailed link is not one of ours, or its time is over."""


class MailAwayError(RightsError):
    """No mail can be sent from here, now or at all."""


class EndingError(RightsError):
    """An end of consents that is proposed names nothing that can be ended."""


class EndingSecondPersonError(RightsError):
    """Who proposed an end of consents does not decide on it."""


class EndingConflictError(RightsError):
    """Who leads anybody whom an end of consents reaches neither proposes it nor decides on it."""


class PressureReportError(RightsError):
    """A report of pressure, or what was found, says nothing or too much."""
