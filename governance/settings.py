"""The only settings file: safe defaults for one machine, the environment over it.

Every variable is described in docs/operations.md; tests/house/test_docs.py keeps that true.
"""

import secrets
from pathlib import Path

from csp.constants import NONE, SELF

from governance import env
from governance.redaction.screens import availability

BASE_DIR = Path(__file__).resolve().parent.parent

# State of this installation: database, keys, log, ciphertext. Nothing else is written anywhere.
REMIT_VAR = Path(env.text("REMIT_VAR", str(BASE_DIR / "var"))).resolve()
REMIT_KEYS_DIR = Path(env.text("REMIT_KEYS_DIR", str(REMIT_VAR / "keys")))
REMIT_VAULT_DIR = Path(env.text("REMIT_VAULT_DIR", str(REMIT_VAR / "vault")))
REMIT_LOG_DIR = Path(env.text("REMIT_LOG_DIR", str(REMIT_VAR / "log")))
REMIT_WITNESS_DIR = Path(env.text("REMIT_WITNESS_DIR", str(REMIT_VAR / "witness")))
REMIT_BROKER_DIR = Path(env.text("REMIT_BROKER_DIR", str(REMIT_VAR / "broker")))


def _own_secret_key() -> str:
    """Return the key made on first start; it never stands in the source or the database."""
    path = REMIT_VAR / "secret-key"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    value = secrets.token_urlsafe(64)
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:  # Another process was first.
        return path.read_text(encoding="ascii").strip()
    path.write_text(value, encoding="ascii")
    return value


SECRET_KEY = env.secret("SECRET_KEY") or _own_secret_key()
# Earlier keys, for as long as something signed or sealed under them is to be read.
SECRET_KEY_FALLBACKS = env.secret("SECRET_KEY_FALLBACKS").split()
DEBUG = False

# The demo is for loopback only: fictional people, the password "demo", one-click personas.
REMIT_DEMO = env.flag("REMIT_DEMO")
# Pictures of screens are offered where the extra `ocr` can redact them.
REMIT_SCREENS = env.flag("REMIT_SCREENS", default=availability.is_available())
# By what texts are redacted: "full" adds a language model; a pattern for the house's own numbers.
REMIT_REDACTION_PROFILE = env.text("REMIT_REDACTION_PROFILE", "fast")
REMIT_REDACTION_MODEL = env.text("REMIT_REDACTION_MODEL")
REMIT_EMPLOYEE_NUMBER = env.text("REMIT_EMPLOYEE_NUMBER")
REMIT_ORGANISATION = env.text("REMIT_ORGANISATION", "Nordhafen")
_OFFICE = "privacy@nordhafen.example | 4410"
# "E-mail address | telephone" that stands at the foot of each page; empty: nothing stands there.
REMIT_PRIVACY_OFFICE = env.text("REMIT_PRIVACY_OFFICE", _OFFICE if REMIT_DEMO else "")
REMIT_WORKS_COUNCIL = env.text("REMIT_WORKS_COUNCIL", "| 2200" if REMIT_DEMO else "")
# "Name | address | contact" of who runs this service for others (GDPR 28); empty: for itself.
REMIT_PROCESSOR = env.text("REMIT_PROCESSOR")
REMIT_PORT = env.number("PORT", 8000, least=1)
REMIT_EXTERNAL_ORIGIN = env.text("REMIT_EXTERNAL_ORIGIN", f"http://127.0.0.1:{REMIT_PORT}")
_HTTPS = REMIT_EXTERNAL_ORIGIN.startswith("https://")
# What a monitoring system shows; empty: there are no numbers for anybody.
REMIT_METRICS_TOKEN = env.secret("REMIT_METRICS_TOKEN")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = [REMIT_EXTERNAL_ORIGIN]

# The log. Its origin is fixed when its keys are made.
REMIT_LOG_ORIGIN = env.text("REMIT_LOG_ORIGIN", "remit.nordhafen.example/log")
REMIT_LOG_DELAY_SECONDS = env.number("REMIT_LOG_DELAY_SECONDS", 30)
REMIT_LOG_INTERVAL_MS = env.number("REMIT_LOG_INTERVAL_MS", 1000, least=50)
REMIT_LOG_CHECKPOINT_STALE_SECONDS = env.number("REMIT_LOG_CHECKPOINT_STALE_SECONDS", 120)
REMIT_LOG_OUTBOX_STALE_SECONDS = env.number("REMIT_LOG_OUTBOX_STALE_SECONDS", 60)
REMIT_WITNESS_STALE_SECONDS = env.number("REMIT_WITNESS_STALE_SECONDS", 86400)
REMIT_WITNESS_PRIVATE = env.networks("REMIT_WITNESS_PRIVATE")
REMIT_WITNESS_POLICY = env.text("REMIT_WITNESS_POLICY", str(REMIT_LOG_DIR / "policy"))

# Capture.
REMIT_POLICY_TTL_SECONDS = env.number("REMIT_POLICY_TTL_SECONDS", 900, least=60)
# Where those work of whom nobody wrote it down (ISO 3166). Empty: unknown, and so not captured.
REMIT_WORK_PLACE = env.text("REMIT_WORK_PLACE")
REMIT_CLOCK_SKEW_SECONDS = env.number("REMIT_CLOCK_SKEW_SECONDS", 300)
# The least share of planted canaries, in percent, that the runs behind a release are sure to find.
REMIT_MIN_RECALL_PERCENT = env.number("REMIT_MIN_RECALL_PERCENT", 90)
REMIT_MIN_CONTRIBUTORS = env.number("REMIT_MIN_CONTRIBUTORS", 20, least=2)
# Recalls are told once in so long, all of that time at once: a time of its own would tell who ended
# something (R18). A day at most (R85).
REMIT_RECALL_SECONDS = env.number(
    "REMIT_RECALL_SECONDS",
    60 if REMIT_DEMO else 86400,
    least=1 if REMIT_DEMO else 3600,
    most=86400,
)
REMIT_SWEEP_SECONDS = env.number("REMIT_SWEEP_SECONDS", 15, least=1)
REMIT_JOB_LEASE_SECONDS = env.number("REMIT_JOB_LEASE_SECONDS", 60, least=1)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "audit",
    "consent",
    "governance.accounts",
    "governance.compliance",
    "governance.policies",
    "governance.jobs",
    "governance.vault",
    "governance.capture",
    "governance.releases",
    "governance.rights",
    "governance.web",
    "governance",
]

MIDDLEWARE = [
    "governance.web.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "governance.web.middleware.headers",
    "governance.web.middleware.forms",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "governance.web.middleware.problems",
]

ROOT_URLCONF = "governance.urls"
WSGI_APPLICATION = "governance.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "governance.web.context.site",
            ],
            "builtins": ["django.templatetags.i18n", "governance.web.templatetags.words"],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader"],
                )
            ],
        },
    }
]

# Data and keys never share a database: a copy of one must not open the other.
_DATABASE_URL = env.text("DATABASE_URL")
_KEYSTORE_URL = env.text("REMIT_KEYSTORE_URL")
# `serve` gives it to the sequencer in place of DATABASE_URL, and to nobody else.
REMIT_SEQUENCER_DATABASE_URL = env.text("REMIT_SEQUENCER_DATABASE_URL")
DATABASES = {
    "default": env.database(_DATABASE_URL)
    if _DATABASE_URL
    else env.sqlite(REMIT_VAR / "remit.sqlite3"),
    "keys": env.database(_KEYSTORE_URL, journal="TRUNCATE")
    if _KEYSTORE_URL
    else env.sqlite(REMIT_VAULT_DIR / "keys.sqlite3", journal="TRUNCATE"),
}
# What wraps the keys of an epoch: a file of REMIT_VAULT_DIR, or a key service.
REMIT_KEK = env.key_service(env.text("REMIT_KEK_URL"))
REMIT_KEK_TOKEN = env.text("REMIT_KEK_TOKEN")
REMIT_KEK_TOKEN_FILE = env.text("REMIT_KEK_TOKEN_FILE")
DATABASE_ROUTERS = ["governance.vault.router.KeyStoreRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False

REDIS_URL = env.text("REDIS_URL")

# Ciphertext objects: a directory by default, S3-compatible storage in production.
REMIT_STORAGE_URL = env.text("REMIT_STORAGE_URL", str(REMIT_VAR / "objects"))
STORAGES = {
    # Nothing but ciphertext is ever stored.
    "default": env.objects(REMIT_STORAGE_URL),
    "captures": env.objects(REMIT_STORAGE_URL),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Mail, to people without an account alone. In the demo each mail is a file.
REMIT_MAIL_FROM = env.text("REMIT_MAIL_FROM", "remit@localhost" if REMIT_DEMO else "")
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = str(REMIT_VAR / "mail")
_MAIL = env.mail(env.secret("REMIT_MAIL_URL"))
EMAIL_BACKEND = f"django.core.mail.backends.{_MAIL.backend}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.begins_tls, _MAIL.is_tls

# People.
AUTH_USER_MODEL = "accounts.Person"
LOGIN_URL = "/sign-in/"
PASSWORD_HASHERS = [
    "governance.accounts.hashers.DemoHasher"
    if REMIT_DEMO
    else "django.contrib.auth.hashers.ScryptPasswordHasher"
]
REMIT_PASSWORD_LOGIN = env.flag("REMIT_PASSWORD_LOGIN", default=REMIT_DEMO)
# How old a sign-in may be when a consent is given or a way to sign in is added; 0: any age.
REMIT_STEP_UP_SECONDS = env.number("REMIT_STEP_UP_SECONDS", 0 if REMIT_DEMO else 300)
# Whether what an office approves needs a passkey or a code, and when its session ends; 0: never.
REMIT_OFFICE_SECOND_FACTOR = env.flag("REMIT_OFFICE_SECOND_FACTOR", default=not REMIT_DEMO)
REMIT_OFFICE_IDLE_SECONDS = env.number("REMIT_OFFICE_IDLE_SECONDS", 0 if REMIT_DEMO else 1800)
# Proxies whose X-Forwarded-For is believed.
REMIT_TRUSTED_PROXIES = env.networks("REMIT_TRUSTED_PROXIES")
REMIT_COMPUTER_COOKIE = "__Host-computer" if _HTTPS else "remit-computer"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 28800
SESSION_COOKIE_NAME = "__Host-sid" if _HTTPS else "remit-sid"
SESSION_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if _HTTPS else "remit-csrf"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "governance.web.failures.csrf"

# django-allauth: passkeys, codes and single sign-on, in our own pages (docs/decisions/0030).
# No e-mail, no signing up, no mails of its own; tries are counted by governance.accounts.limits.
ACCOUNT_ADAPTER = "governance.web.identity.AccountAdapter"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "governance.web.identity.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# A key that is left in a computer is no proof by itself: confirming asks for its PIN or finger.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_ISSUER = "Remit"
MFA_TOTP_TOLERANCE = 1  # A phone's clock may be half a minute off.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SOCIALACCOUNT_ADAPTER = "governance.web.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
# The claim by which the directory's people are found at their first sign-in.
REMIT_OIDC_CLAIM = env.text("REMIT_OIDC_CLAIM", "sub")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": env.single_sign_on(
            env.text("REMIT_OIDC_ISSUER"),
            client=env.text("REMIT_OIDC_CLIENT"),
            secret=env.secret("REMIT_OIDC_SECRET"),
            name=env.text("REMIT_OIDC_NAME", REMIT_ORGANISATION),
        )
    }
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _HTTPS else "http"

# Browser.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not "no-referrer": under it browsers send forms with "Origin: null", which CSRF checks refuse.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = _HTTPS
X_FRAME_OPTIONS = "DENY"
# W008: nothing is redirected from plain HTTP; a credential sent in clear is to be refused, not
# led on (R101). The proxy in front closes port 80.
SILENCED_SYSTEM_CHECKS = ["security.W008"]

# Nothing uploaded ever becomes a file by itself.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_200_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_200_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
APPEND_SLASH = False

# A language stands here once its catalogue is complete: half a translation misleads. Nobody is
# asked in a language in which a notice cannot be read, so an installation may name fewer.
LANGUAGES = env.choices("REMIT_LANGUAGES", {"en": "English", "de": "Deutsch", "fr": "Français"})
LANGUAGE_CODE = LANGUAGES[0][0]
LOCALE_PATHS = [BASE_DIR / "governance" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = True
REMIT_DISPLAY_TIME_ZONE = env.text("REMIT_DISPLAY_TIME_ZONE", "Europe/Berlin")

STATIC_URL = "/static/"
STATIC_ROOT = REMIT_VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "governance" / "web" / "static"]

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["governance.api.permissions.Nobody"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["governance.api.authentication.PersonSession"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["governance.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "governance.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Remit",
    "DESCRIPTION": "Consent, capture, access and proof for recorded computer work.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "BatchStateEnum": ["queued", "done", "refused", "quarantined"],
        "AgentStateEnum": ["capturing", "paused", "not-allowed", "no-policy"],
        "ApplicationKindEnum": ["web", "desktop"],
        "PolicyStateEnum": "governance.api.capture_policies.STATES",
        "AssessmentStateEnum": "governance.api.assessments.STATES",
        "AgreementKindEnum": ["agreement", "consultation"],
        "AccessRequestStateEnum": "governance.releases.states.RequestState",
        "ReleaseStateEnum": "governance.releases.states.ReleaseState",
        "RightsRequestKindEnum": [
            "access",
            "rectification",
            "erasure",
            "restriction",
            "portability",
            "objection",
        ],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "governance.api.openapi.add_problems",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "governance.web.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.text("REMIT_LOG_LEVEL", "WARNING")},
}
