"""Credentials and account names: tokens of known shape, passwords that are announced, logins."""

import re
from collections.abc import Callable
from typing import Final

from governance.redaction import validators as valid
from governance.redaction.context import Surroundings
from governance.redaction.findings import Range, Rule, rule
from governance.redaction.lexicon import is_common_word
from governance.redaction.patterns import value, where

# What follows "password:" in prose and code without being one.
_NOT_A_VALUE: Final = re.compile(
    r"(?:os\.|request|process\.|getenv|none\b|null\b|true\b|false\b|undefined|self\.|env"
    r"|\$(?:[{(]|[A-Z_]{3,})|<|\{|\("
    r"|required|must|is\b|was\b|has\b|the\b|and\b|or\b|reset|field|policy|input|str\b|=|\.\.\."
    r"|\*+$|•+$|expired|incorrect|changed|manager|protected)",
    re.IGNORECASE,
)
_STATED: Final = re.compile(r"[:=]\s*[\"']?$")
_ENDS: Final = re.compile(r"\s*(?:$|[.,;\n\"'])")
_SHORTEST_PASSWORD: Final = 4
_SHORTEST_WORD: Final = 6
_SHORTEST_TOKEN: Final = 16
_TOKEN_ENTROPY, _RANDOM_ENTROPY = 3.0, 4.2
_PATH_PARTS: Final = 3


def is_placeholder(text: str) -> bool:
    """Tell whether a value is code or prose rather than somebody's secret."""
    return _NOT_A_VALUE.match(text) is not None


def _password(match: re.Match[str], _: Surroundings) -> Range:
    """Accept a value after the word password when it looks chosen, or is clearly stated."""
    text = match["v"].rstrip(".,;)\"'")
    if len(text) < _SHORTEST_PASSWORD or is_placeholder(text) or ("(" in text and "." in text):
        return None
    start = match.start("v")
    stated = bool(_STATED.search(match.string[:start])) or " is " in match[0].lower()
    classes = valid.character_classes(text)
    chosen = classes >= 2 and (any(c.isdigit() for c in text) or classes > 2 or stated)  # noqa: PLR2004
    plain_word = (
        stated
        and len(text) >= _SHORTEST_WORD
        and _ENDS.match(match.string[start + len(text) :]) is not None
    )
    return (start, start + len(text)) if chosen or plain_word else None


def _token(match: re.Match[str], _: Surroundings) -> Range:
    text = match["v"]
    random_enough = valid.entropy(text) >= _TOKEN_ENTROPY and any(c.isdigit() for c in text)
    if is_placeholder(text) or len(text) < _SHORTEST_TOKEN or not random_enough:
        return None
    return match.span("v")


def _random(match: re.Match[str], _: Surroundings) -> Range:
    """Accept a long run that no word, path or hash explains."""
    text = match[0]
    if re.fullmatch(r"[0-9a-fA-F-]+", text) or max(map(text.count, "/-_")) > _PATH_PARTS:
        return None
    return (
        match.span()
        if valid.character_classes(text) >= 3 and valid.entropy(text) >= _RANDOM_ENTROPY  # noqa: PLR2004
        else None
    )


_SHAPES: Final = (
    (r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z2-7]{16}\b", "akia asia ag ai ar an ab ac"),
    (r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b", "gh"),
    (r"\bgithub_pat_[A-Za-z0-9_]{50,255}\b", "github_pat_"),
    (r"\bglpat-[A-Za-z0-9_-]{20,255}", "glpat-"),
    (r"\bxox[abposer]-[A-Za-z0-9-]{10,255}|\bxapp-\d-[A-Za-z0-9-]{20,255}", "xox xapp"),
    (r"\b[srp]k_(?:live|test)_[A-Za-z0-9]{16,255}\b", "_live_ _test_"),
    (r"\bwhsec_[A-Za-z0-9]{24,255}", "whsec_"),
    (r"\bAIza[A-Za-z0-9_-]{35}", "aiza"),
    (r"\bya29\.[A-Za-z0-9_-]{20,255}", "ya29"),
    (r"\beyJ[A-Za-z0-9_-]{8,2000}\.(?:eyJ)?[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{4,2000}", "eyj"),
    (r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[A-Za-z0-9_-]{50,255}", "npm_ pypi-"),
    (r"\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}", "sg."),
    (r"\bsk-(?:proj-|ant-|svcacct-|or-|admin-)?[A-Za-z0-9_-]{20,255}", "sk-"),
    (r"\bSK[0-9a-f]{32}\b|\bAC[0-9a-f]{32}\b|\bkey-[0-9a-f]{32}\b", "sk ac key-"),
    (r"\bhf_[A-Za-z0-9]{30,255}\b|\bdop_v1_[a-f0-9]{64}\b", "hf_ dop_"),
    (r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b|\bdapi[a-f0-9]{32}\b", "shp dapi"),
    (r"\blin_api_[A-Za-z0-9]{40}\b|\bATATT3[A-Za-z0-9_=-]{100,500}", "lin_api_ atatt3"),
    (r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}|\bhvs\.[A-Za-z0-9_-]{24,255}", "age-secret hvs."),
    (r"\bsq0[a-z]{3}-[A-Za-z0-9_-]{22,255}|\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b", "sq0 :aa"),
    (
        (r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----[^-]{0,4000}"
        r"(?:-----END [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----)?"),
        "private",
    ),
    (
        (r"https://hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,255}"
        r"|https://discord(?:app)?\.com/api/webhooks/\d{1,30}/[A-Za-z0-9_-]{1,255}"),
        "hooks.slack webhooks",
    ),
)  # fmt: skip
_SECRETS: Final = (
    *(rule("SECRET", shape, needs=needs) for shape, needs in _SHAPES),
    rule(
        "SECRET",
        r"(?:api[_-]?key|apikey|secret|token|access[_-]?key|accountkey|sharedaccesskey"
        r"|client[_-]?secret|auth|credential|private[_-]?key|x-api-key|signature|sig)[\"']?"
        r"\s{0,2}[:=]\s{0,2}[\"']?(?P<v>[A-Za-z0-9/+_=.~-]{16,1024})",
        _token,
        needs="key secret token auth credential sig",
        fold=True,
    ),
    rule(
        "SECRET",
        r"\b(?:bearer|basic)\s{1,3}(?P<v>[A-Za-z0-9/+_=.~-]{16,2048})",
        value(),
        needs="bearer basic",
        fold=True,
    ),
    rule("SECRET", r"(?<![\w/+.=-])[A-Za-z0-9/+_-]{32,128}={0,2}(?![\w/+-])", _random, needs="\\d"),
    rule("SECRET", r"(?<![\w-])[0-9a-f]{32,64}(?![\w-])", where("secret"), needs="\\d"),
)
_USER_AND: Final = (
    r"\b(?:user(?:name)?|login|account|usr|id|benutzer)[:=]? ?(?!with |and |und |your |for |the )"
    r"(?P<u>[\w.@-]{3,40}) ?"
    r"(?:[/,;|]|and|und|with)? ?(?:pass(?:word|wort)?|pw|pwd)\b ?[:=]? ?"
)
_PASSWORDS: Final = (
    rule(
        "PASSWORD",
        r"(?:\b|_|(?<=pg))(?:password|passwort|passwd|kennwort|passphrase|pwd|pw|contrasena"
        r"|mot de passe|haslo|wachtwoord|losenord|senha|parola|passcode"
        r"|pass(?=\W{0,2}[:=]))\b[\"']?"
        r"(?: (?:for|to|of|fur|de)(?: \w{1,40}){1,4})?\s{0,2}(?:is |lautet |ist |=|:|->)?\s{0,2}"
        r"[\"']?(?P<v>[^\s\"'<>,;]{4,64})",
        _password,
        needs="pass pw kennwort contrasena haslo wachtwoord losenord senha parola",
        fold=True,
    ),
    rule("PASSWORD", rf"{_USER_AND}(?P<v>\S{{4,64}})", value(), needs="pass pw", fold=True),
    rule("PASSWORD", r"\bpin\b(?: is|:| =)? ?(?P<v>\d{4,8})\b", value(), needs="pin", fold=True),
    rule(
        "PASSWORD",
        r"\bcreds?\b[^/\n]{0,12}?(?P<u>[\w.@-]{3,40}) ?/ ?(?P<v>\S{4,64})",
        value(),
        needs="cred",
        fold=True,
    ),
    # Text written as the hex of its letters; of a digest's bytes less than half are letters.
    rule("SECRET", r"(?<![0-9A-Za-z])(?:[2-7][0-9A-Fa-f]){12,}(?![0-9A-Za-z])", needs="\\d"),
    rule("PASSWORD", r"://[^\s:/@]{0,64}:(?P<v>[^\s:/@]{3,128})@", value(), needs="://"),
    rule(
        "PASSWORD",
        r"\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n]{0,200}? -p(?P<v>[^\s]{4,64})",
        value(),
        needs="mysql mariadb",
    ),
    rule(
        "PASSWORD",
        r"\b(?:docker|podman|helm|az|oc|sshpass|psql|curl|ldapsearch|kinit|smbclient|net use)\b"
        r"[^\n]{0,200}? (?:-p|-w|--password)[ =]?(?P<v>[^\s-][^\s]{3,64})",
        value(unless=lambda given: not given.strip("0123456789:./-")),
        needs="-p -w --password",
    ),
    rule(
        "PASSWORD",
        r"\bcurl\b[^\n]{0,200}? (?:-u|--user) ?[^\s:]{1,64}:(?P<v>\S{3,64})",
        value(),
        needs="curl",
    ),
)


def _is_code_word(text: str) -> bool:
    """Tell whether what stands after "first_name:" is a type or a column and no name."""
    return text[:1].islower() and (is_common_word(text) or is_placeholder(text))


_SHARED_FOLDERS: Final = frozenset({"public", "shared", "default", "all"})


def _login(match: re.Match[str], _: Surroundings) -> Range:
    return match.span("v") if match["v"] else match.span("w")


_USERNAMES: Final = (
    rule("USERNAME", rf"{_USER_AND}\S{{4,64}}", value("u"), needs="pass pw", fold=True),
    rule(
        "USERNAME",
        r"\b(?:reset for|account of|account for|logged in as|signed in as|log in as|login as"
        r"|sudo -u|su -|session for user|locked out user|angemeldet als|connecte en tant que"
        r"|as user|user account|by user|from user"
        r"|for user) (?P<v>[a-z][a-z0-9._-]{2,31})(?![\w@(]|\.\w)",
        value(unless=is_common_word),
        needs="reset account logged signed log login sudo su session locked angemeldet connecte"
        " user",
    ),
    rule(
        "USERNAME",
        r"^(?:\d{1,3}\.){3}\d{1,3} \S{1,30} (?P<v>[a-z][\w.-]{1,31}) \[",
        value(),
        needs="[",
    ),
    rule(
        "USERNAME",
        r"(?:[A-Za-z]:\\Users\\|/home/|/Users/)(?P<v>[A-Za-z0-9._-]{2,40})",
        value(unless=lambda name: name.lower() in _SHARED_FOLDERS),
        needs="users home",
        fold=True,
    ),
    rule(
        "USERNAME",
        r"(?:\b|_)(?:user|username|user_name|user_login|login|loginname|uid|usr|benutzer"
        r"|samaccountname)"
        r"[\"']? ?(?:=>|[=:]) ?[\"']?(?P<v>[A-Za-z0-9._-]{3,40})\b(?![(@])",
        value(unless=is_placeholder),
        needs="user login uid usr benutzer",
        fold=True,
    ),
    rule(
        "USERNAME",
        r"(?:\b(?:for invalid user|for user|password for|publickey for) |(?<=\s)-u |(?<=\s)-l "
        r"|--user[= ])(?P<v>[a-z][a-z0-9._-]{2,31})\b(?= (?:from|-p|-h|\d|--))"
        r"|\bssh(?: -\w \S{1,60}){0,6} (?P<w>[A-Za-z0-9._-]{2,32})@",
        _login,
        needs="user for -u -l ssh",
    ),
    rule(
        "USERNAME",
        r"(?:^|\s)(?P<v>[a-z][a-z0-9._-]{2,31})@[a-z][a-z0-9-]{1,40}(?::|\s|$)(?!\.)",
        value(),
        needs="@",
    ),
    rule("USERNAME", r"://(?P<v>[^\s:/@]{2,64}):[^\s:/@]{3,128}@", value(), needs="://"),
    rule(
        "USERNAME",
        r"\b(?:LAPTOP|DESKTOP|PC|WS|NB|MBP|MACBOOK)-(?P<v>[A-Z][A-Z0-9.]{3,40})",
        value(),
        needs="laptop- desktop- pc- ws- nb- mbp- macbook-",
    ),
    rule(
        "USERNAME",
        r"\bcreds?\b[^/\n]{0,12}?(?P<v>[\w.@-]{3,40}) ?/ ?\S{4,64}",
        value(),
        needs="cred",
        fold=True,
    ),
    rule(
        "USERNAME",
        r"\b(?:edit user|user|account|profile)\b:? (?P<v>[a-z][a-z0-9._-]{2,31}) ?[(<]",
        value(),
        needs="user account profile",
        fold=True,
    ),
)
_FIELDS: Final = (
    rule(
        "PERSON",
        r"(?:first|last|given|family|middle|full|display|sur|nick|maiden)[_-]?name[\"']?\s{0,3}"
        r"(?:=>|[:=>,])\s{0,3}[\"']?"
        r"(?P<v>(?=[^\n\"'<]{1,60}(?:[\"'<,;\n}]|$))[^\W\d_][\w .'-]{1,60}?)"
        r"(?=[\"'<,;\n}]|  |$)",
        value(unless=_is_code_word),
        needs="name",
        fold=True,
    ),
    rule(
        "PERSON",
        r"\b(?:vorname|nachname|prenom|apellidos?|cognome|imie|nazwisko|voornaam|achternaam)[\"']?"
        r"\s{0,3}[:=>]\s{0,3}[\"']?(?P<v>[^\W\d_][\w .'-]{1,60}?)(?=[\"'<,;\n}]|  |$)",
        value(unless=_is_code_word),
        needs="name prenom apellido imie nazwisko voornaam achternaam",
        fold=True,
    ),
)
_QUERY: Final = r"[?&;#][a-z_-]{0,20}?(?:"
_QUERY_VALUE: Final = r")=(?P<v>[^&#\s\"'<>]{1,2048})"


def _query(kind: str, names: str, *, unless: Callable[[str], bool] | None = None) -> Rule:
    return rule(
        kind,
        f"{_QUERY}{names}{_QUERY_VALUE}",
        value(unless=unless),
        needs="=",
        fold=True,
    )


def _too_plain(text: str) -> bool:
    return len(text) < 8 or not (any(c.isdigit() for c in text) or len(text) > 20)  # noqa: PLR2004


_PARAMETERS: Final = (
    _query(
        "SECRET",
        "token|access_token|id_token|code|sig|signature|x-amz-signature|apikey|api_key|key|secret"
        "|session|sid|auth|jwt|otp|ticket|state_token",
        unless=_too_plain,
    ),
    _query("PASSWORD", "password|passwd|pwd|pass"),
    _query("PHONE", "phone|tel|mobile|msisdn|fax"),
    _query(
        "PERSON",
        "name|first|last|firstname|lastname|fname|lname|surname|given|fullname|first_name"
        "|last_name|recipient|guest",
        unless=str.isdigit,
    ),
    _query("USERNAME", "user|username|login|uname|owner|author|assignee", unless=str.isdigit),
    _query("DATE_OF_BIRTH", "dob|birth|birthday|birthdate"),
)
RULES: Final[tuple[Rule, ...]] = (
    *_SECRETS,
    *_PASSWORDS,
    *_USERNAMES,
    *_FIELDS,
    *_PARAMETERS,
)
