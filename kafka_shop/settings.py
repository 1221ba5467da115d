"""Django's settings: assignments only. `conf.py` reads the environment, `checks.py` reports what is wrong with it."""

import sys
from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF
from psycopg import IsolationLevel

from kafka_shop.conf import BASE_DIR, folders, read_environment, service_databases
from kafka_shop.conf import SERVICES as ALL_SERVICES
from kafka_shop.logs import logging_config

env = read_environment()

# --- the process ---
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.required(
    "SECRET_KEY", when=True, why="Django signs sessions with it", hint="Run `make .env`, or set 50 random characters."
)
SECRET_KEY = SECRET_KEY or "missing"
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]" if DEBUG else "")
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")
SERVICES = env.names("SERVICES", ",".join(ALL_SERVICES), among=ALL_SERVICES)
VAR_DIR, HEARTBEAT_DIR = folders(env)
DEMO = env.flag("DEMO")

# --- databases ---
env.required(
    "DATABASE_URL",
    when=not DEBUG,
    why="with DEBUG off a database must be named",
    hint="Set DATABASE_URL=postgres://user:password@host:5432/name.",
)
EMBEDDED_DATABASE = {"ENGINE": "django.db.backends.postgresql", "HOST": str(VAR_DIR / "postgres"), "NAME": "shop", "USER": "postgres"}
DATABASES, SERVICE_DATABASES = service_databases(
    env.database("DATABASE_URL", EMBEDDED_DATABASE) or dict(EMBEDDED_DATABASE),
    {service: env.database(f"{service.upper()}_DATABASE_URL", EMBEDDED_DATABASE) for service in ALL_SERVICES},
)
EMBEDDED_DATABASES = [each["NAME"] for each in DATABASES.values() if DEBUG and each["HOST"] == EMBEDDED_DATABASE["HOST"]]
DATABASE_OPTIONS: dict[str, Any] = {
    "isolation_level": IsolationLevel.READ_COMMITTED,
    "connect_timeout": 5,
    "application_name": "kafka_shop",
    # a connection whose other end is gone without a word is found in 8 s, not in two hours
    "keepalives_idle": 5,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
}
for database in DATABASES.values():
    own_options = database.get("OPTIONS", {})  # of the URL: ?sslmode=require
    database.update({"CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True, "OPTIONS": DATABASE_OPTIONS | own_options})
DATABASE_ROUTERS = ["kafka_shop.databases.ServiceRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- messaging ---
TRANSPORT = env.choice("TRANSPORT", "kafka", ("kafka", "http"))
SERVICE_URLS = {service: env.text(f"{service.upper()}_URL") for service in ALL_SERVICES}
SERVICE_TOKEN = env.text("SERVICE_TOKEN")
KAFKA_BOOTSTRAP_SERVERS = env.required(
    "KAFKA_BOOTSTRAP_SERVERS",
    when=not DEBUG and TRANSPORT == "kafka",
    why="with DEBUG off a broker must be named",
    hint="Set KAFKA_BOOTSTRAP_SERVERS=host:9092.",
)
EMBEDDED_BROKER_FILE = VAR_DIR / "broker"
KAFKA_CONFIG = env.json_object("KAFKA_CONFIG")
KAFKA_GROUP_PROTOCOL = env.choice("KAFKA_GROUP_PROTOCOL", "consumer", ("consumer", "classic"))
TOPICS = {name: env.text(name.upper().replace("-", "_"), name) for name in ("order-topic", "billing-topic", "notify-topic")}
BATCH_SIZE = env.integer("BATCH_SIZE", 1000, most=10_000)
MESSAGE_ATTEMPTS = env.integer("MESSAGE_ATTEMPTS", 3, most=100)
RETRY_BACKOFF_MS = env.milliseconds_range("RETRY_BACKOFF_MS", "100..30000")
FLOOD_SHARE = env.share("FLOOD_SHARE", 0.5)
SWEEP_AFTER_SECONDS = env.integer("SWEEP_AFTER_SECONDS", 60)

# --- the shop ---
BILLING_MODE = env.choice("BILLING_MODE", "auto", ("auto", "on_request"))
CURRENCY = env.currency("CURRENCY", "EUR")
SIGN_UP = env.flag("SIGN_UP")
SELF_SERVICE_DEPOSITS = env.flag("SELF_SERVICE_DEPOSITS")
WEB_THREADS = env.integer("WEB_THREADS", 8, most=1000)  # of a web process: at most half of them wait for orders to settle

# --- traces ---
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", "kafka_shop")

# --- Django ---
ROOT_URLCONF = "kafka_shop.urls"
WSGI_APPLICATION: str | None = "kafka_shop.wsgi.application"
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["kafka_shop.users.backends.ThrottledBackend"]
APPEND_SLASH = False
LOGIN_REDIRECT_URL = "/"
INSTALLED_APPS = [
    "kafka_shop.local",  # above staticfiles, whose runserver it replaces
    "consumers.console",  # above unfold, and that above the admin, whose templates they replace
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "import_export",
    "consumers.console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "kafka_shop.api",  # above REST framework, whose pages it replaces
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_filters",
    "knox",
    "django_structlog",
    "kafka_shop.apps.ShopConfig",
    "kafka_shop.users",
    "kafka_shop.staff",  # below what it registers anew
    "kafka_shop.messaging",
    "orders",
    "billing",
    "notify",
    "consumers",
]
MIDDLEWARE = [
    *(["kafka_shop.spans.SpanMiddleware"] if OTEL_EXPORTER_OTLP_ENDPOINT else []),
    "kafka_shop.api.metrics.MetricsMiddleware",
    "kafka_shop.api.middleware.TraceMiddleware",
    "kafka_shop.api.middleware.ProblemMiddleware",
    "kafka_shop.api.middleware.SlashMiddleware",
    "kafka_shop.api.middleware.BodyMiddleware",
    "kafka_shop.api.express.ExpressMiddleware",  # what stands below it is left out on the short way
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]
EXPRESS = {("POST", "order-list"): "orders.placing.place", ("GET", "order-list"): "orders.paging.page"}  # short ways by method and route
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", ("en", "ru"))
LANGUAGES = [("en", "English"), ("ru", "Русский")]
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # kafka_shop/api/bodies.py limits every body

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "kafka_shop.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["kafka_shop.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["kafka_shop.api.renderers.ProblemAwareRenderer", "kafka_shop.api.renderers.BrowsableRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "kafka_shop.api.negotiation.Negotiation",
    "DEFAULT_PAGINATION_CLASS": "kafka_shop.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "kafka_shop.api.problems.handle",
    "DEFAULT_SCHEMA_CLASS": "kafka_shop.api.schema.ShopSchema",
    "NON_FIELD_ERRORS_KEY": "\0\ud800",  # no name in a body or a query can be this one
    "COERCE_DECIMAL_TO_STRING": True,
    "LIST_SERIALIZER_ERRORS_AS_DICT": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "kafka_shop",
    "DESCRIPTION": "A customer orders, billing takes the money, the customer gets a letter. Every refusal is a problem (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "kafka_shop.api.schema_parts.with_problems"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
UNFOLD = {
    "SITE_TITLE": "kafka_shop",
    "SITE_HEADER": "kafka_shop",
    "SITE_SUBHEADER": "Console",
    "SITE_SYMBOL": "local_shipping",
    "STYLES": ["consumers.console.look.styles"],
    "SIDEBAR": {"show_search": True, "navigation": "consumers.console.look.navigation"},
}
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=env.integer("TOKEN_TTL_DAYS", 30)),
    "AUTH_HEADER_PREFIX": "Bearer",
    "EXPIRY_DATETIME_FORMAT": None,
}
DJANGO_STRUCTLOG_USER_ID_FIELD = ""  # it would read the session's user before each view, with the database away, too

# --- safety: secure unless DEBUG ---
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", not DEBUG)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_TLS_PROXY", False) else None
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, least=0, most=100)
SECURE_REDIRECT_EXEMPT = [r"^(live|ready|metrics)$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {"default-src": [NONE]}
    | {f"{kind}-src": [SELF] for kind in ("script", "style", "font", "connect")}
    | {"img-src": [SELF, "data:"], "form-action": [SELF], "base-uri": [NONE], "frame-ancestors": [NONE]}
}

# --- logs and metrics ---
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # an address is personal; the proxy's log has it
METRICS_PORT = env.integer("METRICS_PORT", 0, least=0, most=65535)
METRICS_TOKEN = env.text("METRICS_TOKEN")
LOG_FORMAT = env.choice("LOG_FORMAT", "text" if sys.stderr.isatty() else "json", ("text", "json"))
LOGGING = logging_config(level=env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")), form=LOG_FORMAT)

SETTINGS_PROBLEMS = tuple(env.problems)
