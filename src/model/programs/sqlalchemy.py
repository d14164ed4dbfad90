# Prints the DDL of a MetaData of SQLAlchemy. No driver and no server is needed.


def load(source):
    module_name, _, path = source.partition(":")
    try:
        from sqlalchemy import create_mock_engine
    except ImportError as error:
        fail(f"SQLAlchemy 1.4 or later is not installed for {sys.executable}: {error}")
    module = importlib.import_module(module_name)
    if not path:
        fail(f"sqlalchemy = {source!r} names no object; {candidates(module)}")
    found = module
    for name in path.split("."):
        if not hasattr(found, name):
            fail(f"{module_name} has no {path!r}; {candidates(module)}")
        found = getattr(found, name)
    metadatas = metadatas_of(found)
    if metadatas is None and callable(found) and not isinstance(found, type):
        metadatas = metadatas_of(found())
    if metadatas is None:
        fail(f"{source} is no MetaData, declarative base, or function that returns one; {candidates(module)}")
    if not any(metadata.tables for metadata in metadatas):
        fail(f"{source} has no tables; {module_name} must import every module that defines some")
    return metadatas


def metadatas_of(found):
    from sqlalchemy import MetaData

    if isinstance(found, (list, tuple)):
        inner = [metadatas_of(one) for one in found]
        return None if not inner or None in inner else sum(inner, [])
    if not isinstance(found, MetaData):
        found = getattr(found, "metadata", None)
    return [found] if isinstance(found, MetaData) else None


def candidates(module):
    from sqlalchemy import MetaData

    def is_candidate(name, found):
        if name.startswith("_"):
            return False
        if isinstance(found, MetaData):
            return True
        is_base = isinstance(found, type) and isinstance(getattr(found, "metadata", None), MetaData)
        return is_base and not hasattr(found, "__table__")

    names = [f"{module.__name__}:{name}" for name, found in sorted(vars(module).items()) if is_candidate(name, found)]
    return "the module has " + (", ".join(names) if names else "no MetaData and no declarative base")


def leave_out_schemas(metadata):
    """Moves all tables to the one database that a SQLite file is."""
    tables = list(metadata.tables.values())
    names = {}
    for table in tables:
        for key in table.foreign_keys:
            key.column  # found by the schema, so before that is gone
        other = names.setdefault(table.name.lower(), table)
        if other is not table:
            fail(f"a SQLite file has no schemas, so {other.fullname} and {table.fullname} would be one table")
    moved = sorted({table.schema for table in tables if table.schema})
    for table in tables:
        table.schema = None
    if moved:
        sys.stderr.write(f"schemas are left out on SQLite: {', '.join(moved)}\n")


def prepare(metadata, dialect):
    for table in metadata.tables.values():
        for index in table.indexes:
            # New tables need none, and it does not run in a transaction.
            if "postgresql_concurrently" in index.dialect_kwargs:
                index.dialect_options["postgresql"]["concurrently"] = False
        for column in table.columns:
            # Without a word, the form would depend on the version of PostgreSQL.
            if dialect == "postgresql" and column.computed is not None and column.computed.persisted is None:
                column.computed.persisted = True
    if dialect == "sqlite":
        leave_out_schemas(metadata)


def ddl(metadatas, dialect):
    from sqlalchemy import create_mock_engine
    from sqlalchemy.schema import CreateSchema, DDLElement

    statements = []
    schemas = set()

    def text_of(element):
        if isinstance(element, str):
            return element
        if isinstance(element, DDLElement):
            return str(element.compile(dialect=engine.dialect))
        return str(element.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))

    def execute(element, *_, **__):
        schema = getattr(getattr(element, "element", None), "schema", None)
        if schema is not None and dialect == "postgresql" and schema not in schemas:
            schemas.add(schema)
            name = engine.dialect.identifier_preparer.quote_schema(schema)
            statements.append(f"CREATE SCHEMA IF NOT EXISTS {name}")
        statements.append(text_of(element))

    # Other styles of parameters double `%`.
    engine = create_mock_engine(f"{dialect}://", execute, paramstyle="named")
    for metadata in metadatas:
        prepare(metadata, dialect)
        metadata.create_all(engine, checkfirst=False)
    return statements


write(ddl(load(source), dialect))
