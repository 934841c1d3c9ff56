"""Phrases that introduce a person: greetings, titles, sign-offs, "my name is", "wrote:".

Patterns see the plain form (`normalize`); each names the person's words `v`. A cue says how sure it
makes: after a title even an everyday word is a name, after "call with" it is not.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

PREFIX: Final = r"(?:Mc|Mac|Fitz|De|Di|Du|La|Le|Van|Von|Al-|El-|[OLD]'|Dell'|Dall')"
WORD: Final = (
    rf"{PREFIX}?[A-Z][a-z]+(?:'(?:[A-Z][a-z]+|[a-z]{{3,}}))?(?:-[A-Za-z][a-z]+){{0,3}}+"
    r"(?![A-Za-z]|'t\b)"
)
PARTICLES: Final = (
    r"(?:van|von|de|der|den|di|da|del|della|dos|du|la|le|bin|ibn|al|el|'t|ter|ten|zu|zur|af|av)"
)
TITLE: Final = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Herr|Herrn|Frau|Madame|Monsieur|Mme|Mlle|M\.|Sr|Sra|Senora?"
    r"|Signora?|Sig|Sig\.ra|Dott|Dhr|Mevr|Pan|Pani|Fru|Ing|Dipl\.-Ing"
    r"|mr|mrs|ms|dr|prof)\b\.?"
)
# Words of rank alone, after "the", say an office, whoever holds it: the Vice President.
_RANK_WORDS: Final = """
    admiral archbishop bishop brigadier captain cardinal chancellor chief colonel commander
    commissioner count countess director duchess duke emperor empress executive general
    governor grand justice king lady lieutenant lord major marshal mayor minister mother
    officer pope premier president prime prince princess principal queen royal secretary
    sergeant speaker vice viceroy warrant
"""
RANKS: Final = frozenset(_RANK_WORDS.split())
_SMALL: Final = rf"(?:{PARTICLES} )"
_LONG: Final = (
    rf"(?P<v>{_SMALL}{{0,2}}[A-Z][\w'-]{{0,40}}"
    rf"(?:,? {_SMALL}{{0,2}}(?:[A-Z]\.|[A-Z][\w'-]{{0,40}})){{0,3}})"
)
_SHORT: Final = rf"(?P<v>[A-Z][\w'-]{{1,40}}(?: {_SMALL}{{0,2}}[A-Z][\w'-]{{1,40}})?)"


class Trust(IntEnum):
    """How much a cue proves about the word right after it."""

    WEAK = 0
    SECOND = 1
    CLOSED = 2
    SURE = 3


@dataclass(frozen=True)
class Cue:
    """A phrase; `trust` says when an everyday word after it is a name all the same.

    WEAK never, SECOND after a given name, CLOSED when it ends the greeting, SURE always.
    """

    source: str
    trust: Trust = Trust.WEAK

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled where somebody redacts: all of them take a tenth of a second."""
        return re.compile(self.source, re.ASCII)


_START: Final = r"(?:^|[\n.!?>] ?)"
_GREETINGS: Final = (
    r"(?:[Dd]ear|[Hh]i|[Hh]ey|[Hh]ello|[Hh]allo|[Bb]onjour|[Bb]onsoir|[Hh]ola|[Ll]ieber?|[Cc]her"
    r"|[Cc]here|[Cc]iao|[Ee]stimad[oa]|[Gg]uten Tag|[Gg]uten Morgen|[Mm]oin|[Ss]alut|[Ss]ervus"
    r"|[Cc]ar[oa]|[Gg]entile|[Gg]ood (?:morning|afternoon|evening)|[Mm]orning|[Hh]oi|[Bb]este"
    r"|[Gg]eachte|[Hh]ej|[Hh]ei|[Cc]zesc|[Dd]rog[ia]|[Oo]la|[Pp]rezad[oa]|[Ww]elcome(?: back)?"
    r"|[Bb]uongiorno|[Bb]uenos dias|[Dd]zien dobry)"
)
_SIGN_OFFS: Final = (
    r"(?:(?:Kind|Best|Warm|Many)(?:est)? (?:regards|wishes|thanks)|Regards|Best|Cheers|Thanks"
    r"|Thank you|Thx|Sincerely|Yours(?: \w{5,10})?|BR|Love|Mit (?:freundlichen|besten) Gr\w+"
    r"|(?:Viele|Liebe|Beste|Freundliche|Schone) Gr\w+|Gr(?:us|uss)|LG|VG|MfG|Danke|Merci"
    r"|Cordialement|Bien (?:a vous|cordialement)|Amities|Bises|Saludos|Un saludo|Atentamente"
    r"|Gracias|Grazie|(?:Cordiali|Distinti) saluti|Saluti|Groet(?:en|jes)?"
    r"|Met vriendelijke groet(?:en)?|Mvg|Pozdrawiam|Dzieki|Hilsen|Med vennlig hilsen|Mvh|Tack"
    r"|(?:Vanliga|Basta) halsningar|Atenciosamente|Abracos?|Obrigad[oa]|Um abraco|Kaerlig hilsen)"
)
_OWN_NAMES: Final = (
    r"(?:[Mm]y (?:full |first |last |maiden )?name is|[Nn]ame's|[Cc]all(?:ed|s)? me|go by"
    r"|(?:[Hh]er|[Hh]is|[Tt]heir|[Yy]our|[Mm]y|[Pp]artner's) (?:maiden |last |first |full |middle "
    r"|sur|family )?name(?: is)?|named (?:him|her|them)|[Ii]ch heis+e|[Mm]ein Name ist"
    r"|[Jj]e m'appelle|[Mm]e llamo|[Mm]i nombre es|[Mm]i chiamo|[Mm]eu nome e|[Cc]hamo-me"
    r"|[Nn]azywam sie|[Mm]am na imie|[Mm]ijn naam is|[Ii]k heet|[Jj]ag heter|[Jj]eg hedder"
    r"|[Jj]eg heter|name\?)"
)
_ROLES: Final = (
    r"\b(?:[Nn]ame|[Cc]ardholder|[Aa]ccount holder|[Hh]older|[Tt]itular|[Aa]pplicant"
    r"|[Ii]nsured(?: person)?|[Pp]atient|[Ss]hip(?:ping)? to|[Dd]eliver(?:y)? to|[Bb]ill(?:ed)? to"
    r"|[Ss]old to|[Ee]mergency contact|[Cc]ontact(?: person)?|[Aa]ttn|[Rr]ecipient|[Bb]eneficiary"
    r"|[Kk]ontoinhaber|[Ee]mpf\w+er|[Dd]estinataire|name on card|[Aa]ssignee|[Aa]ssigned to"
    r"|[Rr]eporter|[Rr]eported by|[Oo]wner|[Oo]wned by|[Aa]uthor|[Gg]uest|[Ee]mployee|[Cc]ustomer"
    r"|[Cc]lient|[Mm]anager|[Ss]upervisor|[Cc]reated by|[Uu]pdated by|[Mm]odified by"
    r"|[Cc]ompleted by|[Cc]hecked by|[Rr]eviewer|[Aa]pprover|[Dd]river|[Tt]enant|[Ss]tudent"
    r"|[Tt]eacher|[Cc]andidate|[Bb]ewerbung|[Bb]ewerber(?:in)?|[Cc]aller|[Ss]ender|[Pp]ayee"
    r"|[Ss]igned|[Kk]unde|[Kk]undin|[Mm]itarbeiter(?:in)?|[Ll]ead|[Pp]assenger|[Vv]isitor|[Hh]ost"
    rf"|[Pp]ayslip|[Pp]rofile)\b ?[:#]? ?(?:of |for )?(?:{TITLE} )?{_LONG}"
)
_KIN: Final = (
    r"\b(?:[Mm]y|[Hh]is|[Hh]er|[Oo]ur|[Tt]heir|[Yy]our) (?:\w{1,12} )?(?:kid|son|daughter|wife"
    r"|husband|partner|brother|sister|mother|father|mom|dad|aunt|uncle|cousin|friend|colleague"
    r"|boss|manager|assistant|neighbou?r|girlfriend|boyfriend|fiancee?|doctor|lawyer|coworker"
    rf"|teammate|landlord),? {_LONG}"
)
_COMPANY_OF: Final = (
    r"\b(?:spoke (?:with|to)|speak (?:with|to)|talk(?:ed|ing)? (?:with|to)|met(?: with)?"
    r"|(?:lunch|dinner|coffee|call|meeting|interview|chat|appointment|1:1|sync|session) with"
    r"|[Cc]hat with|[Mm]eeting with|[Cc]all with|[Ii]nterview with|[Aa]ccording to|ask(?:ed)?"
    r"|ask for|reach(?:ed)?|contact(?:ed)?|ping(?:ed)?|[Cc]c:?|thanks to|forward(?:ed)? (?:it )?to"
    r"|[Oo]ffer for|review - |on behalf of|(?:signed|approved|sent|written|made|sung|directed"
    r"|created|submitted|requested|reviewed) by|reports? to|manager is|[Tt]his is|I am|I'm"
    r"|[Ii]ch bin|[Jj]e suis|ik ben|tell|told|know|loop in|remind|invite[ds]?|email(?:ed)?"
    r"|call(?:ed)?|text(?:ed)?|visit(?:ed)?|belongs to|assign(?:ed)? to|give(?:n)? to|starring"
    r"|by|for|with|from|and"
    rf") {_LONG}"
)
_VERBS: Final = (
    r"(?:said|says|told|asked|wrote|thinks|agreed|is (?:leaving|out|on|in|off|away|very|from|the|a)"
    r"|joined|called|emailed|replied|mentioned|will (?:call|be|join|send)|wants|lives|works|hat"
    r"|ist|a ecrit|schrieb|has|had|was|went|took|got|needs|knows|shouted|spent|began|can't)"
)
CUES: Final = (
    Cue(rf"\b{TITLE} (?:{TITLE} )?{_LONG}", Trust.SURE),
    Cue(rf"{_START}{_GREETINGS},? (?:{TITLE} )?{_SHORT}", Trust.CLOSED),
    Cue(rf"\b{_OWN_NAMES}\s?:? {_LONG}", Trust.CLOSED),
    Cue(_ROLES, Trust.SECOND),
    Cue(_KIN),
    Cue(rf"(?:^|\n)\s*(?:From|To|Cc|Bcc|Von|An|De|Organizer|Required)\s?:\s?{_LONG}"),
    Cue(rf"(?:^|[\n,;>]) ?{_LONG} ?<[^>\s]{{1,80}}@", Trust.SECOND),
    Cue(rf"\b(?:Organizer|Required|Optional|Attendees?):? {_LONG}"),
    Cue(rf"\b{_SIGN_OFFS}[,!.]?\s+{_SHORT}"),
    Cue(rf"\bOn [^\n]{{6,40}}?, {_LONG} wrote:"),
    Cue(rf"\bschrieb {_LONG}"),
    Cue(rf"\ba ecrit ?: ?{_LONG}"),
    Cue(rf"{_LONG} (?:wrote|a ecrit|schrieb|escribio|ha scritto|schreef|napisal\(?a?\)?)\b",
         Trust.CLOSED),
    Cue(rf"@{_SHORT}"),
    Cue(r"\b(?:CV|Resume|Lebenslauf)[_ -]"
         r"(?P<v>[A-Z][a-z'-]{1,40}(?:[_ ][A-Z][a-z'-]{1,40}){0,4})"),
    Cue(r"\bInvoice_(?P<v>[A-Z][a-z'-]{1,40})_"),
    Cue(_COMPANY_OF),
    Cue(r"\b(?:did|does|is|has|can|could|would|will) (?P<v>[A-Z][\w'-]{1,40})"
         r" (?:send|call|say|get|reply|come|finish|do|so|in|out|still|already)\b"),
    Cue(rf"(?:^|[.!?\n] ?)(?P<v>[A-Z][\w'-]{{1,40}}(?: [A-Z][\w'-]{{1,40}})?) {_VERBS}\b"),
    Cue(r"\"(?:firstName|lastName|first_name|last_name|name|fullName|givenName|familyName|surname"
         r"|customer|displayName)\" ?: ?\"(?P<v>[^\"]{1,80})\""),
    Cue(r"'(?:firstName|lastName|first_name|last_name|fullName)' ?: ?'(?P<v>[^']{1,80})'"),
)  # fmt: skip
LOWER_GREETING: Final = re.compile(
    r"(?:^|[\n.!?] ?)(?:hey|hi|hello|hallo|dear|thanks|thx|danke|merci|hola|ciao|ping|ask|tell"
    r"|cc|@|moin|hoi|hej)"
    r" ?(?P<v>[a-z]{3,20})\b",
    re.ASCII,
)
# What a button or link says of one person; whole labels only.
CONTROL: Final = re.compile(
    r"^(?:Message|Call|Email|Mail|Chat with|Ping|Invite|Assign to|Reply to|Remove|Add|Block|Follow"
    r"|Unfollow|View|Open|Edit|Delete|Mention|Contact|Write to|Send to|Share with|Message to"
    r"|Profile of|Signed in as|Logged in as|Sign out|Log out|Welcome|Hello|Hi|Nachricht an|Anrufen"
    rf"|Antwort an|Ecrire a|Appeler|Llamar a|Chiama)(?: back)?,? (?P<v>{WORD}(?: {WORD}){{0,2}})"
    r"(?:'s (?:profile|account|calendar))?[!.]?$",
    re.ASCII,
)
