# Prints the DDL of the models of a Django project. No server is needed.

ENGINES = {"postgresql": "django.db.backends.postgresql", "sqlite": "django.db.backends.sqlite3"}


def set_up(dialect, settings_module):
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    try:
        import django
    except ImportError as error:
        fail(f"Django is not installed for {sys.executable}: {error}")
    from django.conf import settings

    # The project's own engine may add types, as PostGIS does. Its server is not asked.
    own = dict((settings.DATABASES or {}).get("default") or {})
    engine = own.get("ENGINE", "")
    if vendor_of(engine) != dialect:
        engine = ENGINES[dialect]
    settings.DATABASES = {"default": {"ENGINE": engine, "NAME": ":memory:"}}
    django.setup()


def vendor_of(engine):
    try:
        return importlib.import_module(f"{engine}.base").DatabaseWrapper.vendor
    except Exception:
        # The driver of another database may be missing.
        return None


def models_of(labels):
    from django.apps import apps
    from django.db import router

    known = {config.label for config in apps.get_app_configs()}
    for label in labels:
        if label not in known:
            fail(f"no app has the label {label!r}; the apps are {', '.join(sorted(known))}")

    def is_declared(model):
        meta = model._meta
        is_own = meta.managed and not meta.proxy and not meta.swapped
        is_chosen = not labels or meta.app_label in labels
        return is_own and is_chosen and router.allow_migrate_model("default", model)

    models = [model for model in apps.get_models() if is_declared(model)]
    if not models:
        fail("no app has models")
    return models


def answer_offline(connection):
    """Answers what Django asks the server."""
    if connection.vendor != "postgresql":
        return
    # What the models do not use is not written, so the newest version suits all.
    connection.__dict__["pg_version"] = 999999

    def compose_sql(sql, params):
        quote = connection.schema_editor().quote_value
        try:
            return sql % tuple(map(quote, params))
        except (TypeError, ValueError):
            # A single `%` in a comment.
            return sql

    connection.ops.compose_sql = compose_sql


def ddl(models):
    from django.db import connection

    answer_offline(connection)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for model in models:
            editor.create_model(model)
    return editor.collected_sql


settings_module, _, labels = source.partition(":")
set_up(dialect, settings_module)
write(ddl(models_of([label.strip() for label in labels.split(",") if label.strip()])))
