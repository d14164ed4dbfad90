//! Facts of PostgreSQL: names, privileges, what is left out, and what happens meanwhile.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use migrator::internals::{
    database::{self, Access, Database, DatabaseError, Location},
    schema::{Facts, Kind, Name, ObjectId, Schema, Scope},
};

use crate::common::{PostgresDatabase, Session, settings, wait_until};

async fn connect(url: &str) -> Box<dyn Database> {
    let location = Location::parse(url, Path::new("/")).unwrap();
    let connected = database::connect(&location, Access::Existing, settings()).await;
    connected.unwrap()
}

async fn inspect(url: &str) -> Schema {
    let mut connection = connect(url).await;
    let schema = connection.inspect(&Scope::default()).await.unwrap();
    connection.close().await.unwrap();
    schema
}

/// The objects as they are shown.
fn shown(schema: &Schema) -> Vec<String> {
    schema.objects.iter().map(|it| it.id.to_string()).collect()
}

/// A role that exists as long as the database, which is dropped first.
struct Role {
    name: String,
    database: PostgresDatabase,
}

impl Role {
    fn create(database: PostgresDatabase, name: &str) -> Self {
        let name = format!("{name}_{}", database.name);
        database.query(&format!("CREATE ROLE \"{name}\" LOGIN"));
        Self { name, database }
    }

    fn url(&self) -> String {
        self.database
            .url
            .replacen("postgres@", &format!("{}@", self.name), 1)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        self.database.query(&format!(
            "DROP OWNED BY \"{0}\"; DROP ROLE \"{0}\"",
            self.name
        ));
    }
}

#[tokio::test]
async fn an_empty_database_has_the_schema_public() {
    let database = PostgresDatabase::create();
    let schema = inspect(&database.url).await;
    assert_eq!(shown(&schema), ["schema public"]);
    let public = &schema.objects[0];
    assert_eq!(
        (&public.owner, &public.grants, &public.comment),
        (&None, &None, &None)
    );
    assert_eq!((schema.unmodelled.len(), schema.unreadable.len()), (0, 0));
    if !database.is_since(15, "a schema public that pg_database_owner owns") {
        return;
    }
    database.query(
        "DROP SCHEMA public; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;
         ALTER SCHEMA public OWNER TO pg_database_owner;
         COMMENT ON SCHEMA public IS 'standard public schema'",
    );
    assert_eq!(inspect(&database.url).await.objects, schema.objects);
    database.query("REVOKE USAGE ON SCHEMA public FROM PUBLIC; COMMENT ON SCHEMA public IS 'ours'");
    let schema = inspect(&database.url).await;
    let public = &schema.objects[0];
    assert_eq!(
        (public.grants.is_some(), public.comment.as_deref()),
        (true, Some("ours"))
    );
}

#[tokio::test]
async fn all_names_are_read() {
    let names = [
        "it's",
        "with \"quotes\"",
        "two\nlines",
        "żółć 表",
        "select",
        "a.b",
        "back\\slash",
        "{a,b}",
        " WHEN (x) DO ",
        &"ż".repeat(31),
        &"n".repeat(63),
        "=x/y",
    ];
    let database = PostgresDatabase::create();
    for name in names {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let literal = format!("'{}'", name.replace('\'', "''"));
        let role = format!("\"{}{}\"", name.replace('"', "\"\""), database.name);
        let role = if name.len() > 20 {
            "pg_monitor".to_owned()
        } else {
            role
        };
        if role != "pg_monitor" {
            database.query(&format!("CREATE ROLE {role}"));
        }
        database.query(&format!(
            "CREATE SCHEMA {quoted}; SET search_path TO {quoted};
             CREATE TYPE {quoted} AS ENUM ({literal});
             CREATE FUNCTION {quoted}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TABLE {quoted}.\"t{short}\" ({quoted} {quoted} DEFAULT {literal},
                CONSTRAINT {quoted} CHECK ({quoted} = {literal}));
             CREATE INDEX \"i{short}\" ON \"t{short}\" ({quoted}) WHERE {quoted} <> {literal};
             CREATE TRIGGER {quoted} BEFORE UPDATE ON \"t{short}\" FOR EACH ROW WHEN (OLD.{quoted} = {literal})
                EXECUTE FUNCTION {quoted}({literal}, '', ')');
             CREATE RULE {quoted} AS ON DELETE TO \"t{short}\" WHERE OLD.{quoted} = {literal} DO INSTEAD NOTHING;
             GRANT SELECT ({quoted}) ON \"t{short}\" TO {role};
             COMMENT ON TABLE \"t{short}\" IS {literal}",
            short = name.chars().take(20).collect::<String>().replace('"', "\"\""),
        ));
    }
    let schema = inspect(&database.url).await;
    for name in names {
        let table = Name::new(
            name,
            format!("t{}", name.chars().take(20).collect::<String>()),
        );
        let get = |kind, of: &str| {
            let id = ObjectId::part(kind, &table, of);
            schema
                .get(&id)
                .unwrap_or_else(|| panic!("{id} is missing: {:#?}", shown(&schema)))
        };
        let index = format!("i{}", name.chars().take(20).collect::<String>());
        let constants = format!("'{}'", name.replace('\'', "''"));
        let Facts::Column(column) = &get(Kind::Column, name).facts else {
            panic!("a column")
        };
        let default = column.default.as_deref().unwrap();
        assert!(
            default.contains(&constants) || default.starts_with("E'"),
            "{default}"
        );
        let grants = get(Kind::Column, name).grants.as_ref().unwrap();
        let grantee = grants[0].grantee.as_deref().unwrap();
        assert!(grantee == "pg_monitor" || grantee == format!("{name}{}", database.name));
        let Facts::Trigger(trigger) = &get(Kind::Trigger, name).facts else {
            panic!("a trigger")
        };
        assert_eq!(trigger.arguments, [name, "", ")"]);
        assert!(trigger.condition.as_deref().unwrap().starts_with("old."));
        let Facts::Rule(rule) = &get(Kind::Rule, name).facts else {
            panic!("a rule")
        };
        assert!(
            rule.definition.ends_with(" DO NOTHING"),
            "{}",
            rule.definition
        );
        get(Kind::Check, name);
        get(Kind::Index, &index);
        let id = ObjectId::new(Kind::Table, name, table.name.clone());
        assert_eq!(schema.get(&id).unwrap().comment.as_deref(), Some(name));
        let Facts::Enum(of) = &schema
            .get(&ObjectId::new(Kind::Enum, name, name))
            .unwrap()
            .facts
        else {
            panic!("an enum")
        };
        assert_eq!(of.labels, [name]);
    }
    database.query(&format!(
        "DO 'DECLARE r name; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE rolname LIKE ''%{0}'' LOOP
         EXECUTE format(''DROP OWNED BY %1$I; DROP ROLE %1$I'', r); END LOOP; END'",
        database.name
    ));
}

#[tokio::test]
async fn what_a_role_may_not_read_is_named() {
    let role = Role::create(PostgresDatabase::create(), "reader");
    let (database, name) = (&role.database, &role.name);
    database.query(&format!(
        "CREATE SCHEMA closed; CREATE TABLE closed.secrets (id integer DEFAULT 1);
         CREATE FOREIGN DATA WRAPPER remote; CREATE SERVER far FOREIGN DATA WRAPPER remote;
         CREATE SERVER near FOREIGN DATA WRAPPER remote; GRANT USAGE ON FOREIGN SERVER near TO \"{name}\";
         CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'a', password 'b');
         CREATE USER MAPPING FOR \"{name}\" SERVER near OPTIONS (user 'a', password 'b')"
    ));
    let schema = inspect(&role.url()).await;
    let mapping =
        |server: &str, name: &str| ObjectId::part(Kind::UserMapping, &Name::new("", server), name);
    let unreadable: Vec<_> = schema
        .unreadable
        .iter()
        .map(|it| (&it.id, it.what.as_str()))
        .collect();
    assert_eq!(unreadable, [(&mapping("far", "PUBLIC"), "options")]);
    let table = ObjectId::part(Kind::Column, &Name::new("closed", "secrets"), "id");
    assert!(
        schema.get(&table).is_some(),
        "the catalogs are for everyone"
    );
    // The role is the home role of its session.
    let Facts::UserMapping(own) = &schema.get(&mapping("near", "CURRENT_USER")).unwrap().facts
    else {
        panic!("a user mapping")
    };
    assert_eq!(own.options.get("user").map(String::as_str), Some("a"));
    assert_eq!(own.secrets, ["password"]);
    assert!(!format!("{schema:?}").contains("\"b\""), "no password");
}

#[tokio::test]
async fn the_home_role_is_the_owner_of_the_version_table() {
    let role = Role::create(PostgresDatabase::create(), "home");
    let (database, name) = (&role.database, &role.name);
    // The table of a superuser is trusted by everyone.
    database.query(&format!(
        "CREATE TABLE public.migrator_version (a integer); CREATE TABLE public.mine (a integer);
         GRANT ALL ON SCHEMA public TO \"{name}\";
         GRANT SELECT ON public.migrator_version TO \"{name}\"; SET ROLE \"{name}\";
         CREATE TABLE public.theirs (a integer); GRANT SELECT ON public.theirs TO postgres"
    ));
    let schema = inspect(&role.url()).await;
    let get = |table: &str| {
        let id = ObjectId::new(Kind::Table, "public", table);
        schema.get(&id).unwrap()
    };
    assert_eq!(get("mine").owner, None);
    let theirs = get("theirs");
    assert_eq!(theirs.owner.as_ref(), Some(name));
    let grants = theirs.grants.as_ref().unwrap();
    assert_eq!(grants[0].grantee.as_deref(), Some("CURRENT_USER"));
}

#[tokio::test]
async fn tables_of_migration_tools_are_left_out() {
    let database = PostgresDatabase::create();
    database.query(
        "CREATE TABLE migrator_version (a serial, b integer); CREATE TABLE migrator_version_log (a serial);
         CREATE INDEX migrator_version_b ON migrator_version (b);
         CREATE STATISTICS of_version ON a, b FROM migrator_version;
         CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, installed_on timestamptz,
            success boolean, checksum bytea, execution_time bigint);
         CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text, created_at bigint);
         CREATE TABLE alembic_version (remark text);
         CREATE VIEW on_it AS SELECT a FROM migrator_version;
         CREATE TEMPORARY TABLE gone (a integer)",
    );
    let schema = inspect(&database.url).await;
    // A table without the columns of a tool is one like any other.
    let expected = [
        "schema public",
        "table public.alembic_version",
        "view public.on_it",
        "column public.alembic_version.remark",
    ];
    assert_eq!(shown(&schema), expected);
    let view = schema
        .get(&ObjectId::new(Kind::View, "public", "on_it"))
        .unwrap();
    assert_eq!(view.depends_on, []);
}

#[tokio::test]
async fn members_of_extensions_are_left_out_and_depended_on() {
    let database = PostgresDatabase::create();
    database.query(
        "CREATE EXTENSION citext; CREATE TABLE words (word citext, CHECK (word <> 'a'));
         CREATE EXTENSION pg_trgm; ALTER TABLE words ADD text text;
         CREATE INDEX by_text ON words USING gin (text gin_trgm_ops);
         CREATE TABLE owned (id serial PRIMARY KEY); ALTER EXTENSION citext ADD TABLE owned;
         CREATE TABLE of_owned (id integer REFERENCES owned)",
    );
    let schema = inspect(&database.url).await;
    let expected = [
        "schema public",
        "extension citext",
        "extension pg_trgm",
        "sequence public.owned_id_seq",
        "table public.of_owned",
        "table public.words",
        "column public.of_owned.id",
        "foreign key public.of_owned.of_owned_id_fkey",
        "column public.words.text",
        "column public.words.word",
        "check constraint public.words.words_word_check",
        "index public.words.by_text",
    ];
    assert_eq!(shown(&schema), expected);
    let citext = ObjectId::new(Kind::Extension, "", "citext");
    let part =
        |kind, table: &str, name: &str| ObjectId::part(kind, &Name::new("public", table), name);
    for id in [
        part(Kind::Column, "words", "word"),
        part(Kind::Check, "words", "words_word_check"),
        part(Kind::ForeignKey, "of_owned", "of_owned_id_fkey"),
    ] {
        assert_eq!(
            schema.get(&id).unwrap().depends_on,
            std::slice::from_ref(&citext),
            "{id}"
        );
    }
    let index = schema.get(&part(Kind::Index, "words", "by_text")).unwrap();
    assert_eq!(
        index.depends_on,
        [ObjectId::new(Kind::Extension, "", "pg_trgm")]
    );
}

#[tokio::test]
async fn objects_depend_on_what_must_be_there_before() {
    let database = PostgresDatabase::create();
    database.query(
        "CREATE TYPE kind AS ENUM ('a'); CREATE DOMAIN kinds AS kind[];
         CREATE TABLE owners (id integer PRIMARY KEY, kind kind);
         CREATE FUNCTION fits(o owners) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
         CREATE TABLE things (id serial PRIMARY KEY, owner integer REFERENCES owners, kinds kinds, many owners[],
            CHECK (id > 0));
         CREATE VIEW named AS SELECT o.id, o.kind FROM owners AS o WHERE fits(o);
         CREATE VIEW second AS SELECT id FROM named;
         CREATE MATERIALIZED VIEW third AS SELECT id FROM second;
         CREATE INDEX third_idx ON third (id);
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER touched BEFORE UPDATE OF owner ON things FOR EACH ROW WHEN (NEW.id > 1) EXECUTE FUNCTION touch();
         CREATE TABLE parts (id integer, PRIMARY KEY (id)) PARTITION BY LIST (id);
         CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
         CREATE POLICY by_kind ON things USING (owner IN (SELECT o.id FROM owners AS o));
         CREATE PUBLICATION pub FOR TABLE owners",
    );
    let schema = inspect(&database.url).await;
    let check = |object: &str, expected: &[&str]| {
        let mut objects = schema.objects.iter();
        let object = objects.find(|it| it.id.to_string() == object);
        let object = object.unwrap_or_else(|| panic!("{object:?} is missing"));
        let found: Vec<String> = object.depends_on.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{}", object.id);
    };
    check("domain public.kinds", &["enum public.kind"]);
    check("column public.owners.kind", &["enum public.kind"]);
    check(
        "function public.fits(public.owners)",
        &["table public.owners"],
    );
    check(
        "column public.things.id",
        &["sequence public.things_id_seq"],
    );
    check("sequence public.things_id_seq", &[]);
    check("column public.things.kinds", &["domain public.kinds"]);
    check("column public.things.many", &["table public.owners"]);
    check("check constraint public.things.things_id_check", &[]);
    check(
        "foreign key public.things.things_owner_fkey",
        &[
            "table public.owners",
            "primary key public.owners.owners_pkey",
        ],
    );
    check(
        "view public.named",
        &[
            "enum public.kind",
            "function public.fits(public.owners)",
            "table public.owners",
            "column public.owners.id",
            "column public.owners.kind",
        ],
    );
    check("view public.second", &["view public.named"]);
    check("materialized view public.third", &["view public.second"]);
    check("index public.third.third_idx", &[]);
    check(
        "trigger public.things.touched",
        &["function public.touch()"],
    );
    check("table public.part", &["table public.parts"]);
    check(
        "primary key public.part.part_pkey",
        &["primary key public.parts.parts_pkey"],
    );
    check(
        "policy public.things.by_kind",
        &["table public.owners", "column public.owners.id"],
    );
    check("publication pub", &["table public.owners"]);
}

#[tokio::test]
async fn what_has_no_facts_is_listed() {
    let database = PostgresDatabase::create();
    database.query(
        "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
         CREATE OPERATOR FAMILY family USING btree;
         CREATE OPERATOR CLASS class FOR TYPE integer USING btree AS FUNCTION 1 btint4cmp(integer, integer);
         CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
         CREATE TEXT SEARCH TEMPLATE template (LEXIZE = dsimple_lexize);
         CREATE TEXT SEARCH PARSER parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
         CREATE TYPE shell;
         CREATE FUNCTION base_in(cstring) RETURNS shell LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
         CREATE FUNCTION base_out(shell) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
         CREATE TYPE shell (INPUT = base_in, OUTPUT = base_out, LIKE = integer);
         SELECT lo_create(4711);
         CREATE EXTENSION citext; CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         ALTER FUNCTION f() DEPENDS ON EXTENSION citext",
    );
    database.query(&format!(
        "ALTER DATABASE {} SET work_mem TO '5MB'",
        database.name
    ));
    let schema = inspect(&database.url).await;
    let found: Vec<_> = schema
        .unmodelled
        .iter()
        .map(|it| format!("{} {}", it.kind, it.name))
        .collect();
    let expected = [
        "access method heap_too",
        "base type public.shell",
        "conversion public.conv",
        "database setting work_mem",
        "dependency on an extension function public.f() on citext",
        "large object \"4711\"",
        "operator class public.class",
        "operator family public.class",
        "operator family public.family",
        "text search parser public.parser",
        "text search template public.template",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_scope_limits_what_is_read() {
    let database = PostgresDatabase::create();
    database.query(
        "CREATE SCHEMA app; CREATE TABLE app.a (id integer PRIMARY KEY); CREATE TABLE app.b (id integer);
         CREATE TABLE public.a (id integer)",
    );
    let scope = Scope {
        include: vec!["app.*".parse().unwrap()],
        exclude: vec!["app.b".parse().unwrap()],
    };
    let mut connection = connect(&database.url).await;
    let schema = connection.inspect(&scope).await.unwrap();
    connection.close().await.unwrap();
    let expected = [
        "schema app",
        "table app.a",
        "column app.a.id",
        "primary key app.a.a_pkey",
    ];
    assert_eq!(shown(&schema), expected);
}

#[tokio::test]
async fn settings_of_the_session_change_nothing() {
    let sql = "CREATE SCHEMA app; SET search_path TO app; SET TimeZone TO 'UTC';
        CREATE TYPE kind AS ENUM ('a');
        CREATE TABLE times (a timestamptz DEFAULT '2026-01-02 03:04:05+00', b interval DEFAULT '1 day 2:03',
            c date DEFAULT '2026-01-02', d double precision DEFAULT 0.1, e bytea DEFAULT '\\x00ff', f money DEFAULT 1.5,
            g text DEFAULT E'a\\\\b', \"select\" kind DEFAULT 'a', h xml);
        CREATE TABLE parted (a timestamptz) PARTITION BY RANGE (a);
        CREATE TABLE part PARTITION OF parted FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00');
        CREATE VIEW v AS SELECT a, b FROM times WHERE a > '2026-01-02 03:04:05+00' AND b < '1 day 2:03'";
    let database = PostgresDatabase::create();
    database.query(sql);
    let plain = inspect(&database.url).await;
    for setting in [
        "search_path TO app",
        "TimeZone TO 'Asia/Tokyo'",
        "DateStyle TO 'German'",
        "IntervalStyle TO 'iso_8601'",
        "extra_float_digits TO -5",
        "bytea_output TO 'escape'",
        "xmlbinary TO 'hex'",
        "quote_all_identifiers TO on",
        "standard_conforming_strings TO off",
        "backslash_quote TO on",
        "default_transaction_isolation TO 'serializable'",
        "row_security TO off",
        "enable_hashjoin TO off",
        "plan_cache_mode TO force_generic_plan",
        "default_transaction_read_only TO on",
    ] {
        database.query(&format!("ALTER DATABASE {} SET {setting}", database.name));
    }
    let mut other = inspect(&database.url).await;
    other.unmodelled.clear();
    assert_eq!(plain.objects, other.objects);
}

#[tokio::test]
async fn no_function_of_others_is_called() {
    let database = PostgresDatabase::create();
    let planted = [
        "name",
        "oid",
        "text",
        "\"char\"",
        "integer",
        "smallint",
        "boolean",
        "oidvector",
        "int2vector",
    ];
    let planted: Vec<String> = planted
        .iter()
        .map(|data_type| {
            format!(
                "CREATE FUNCTION planted({data_type}, {data_type}) RETURNS boolean LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION ''called''; END';
                 CREATE OPERATOR = (FUNCTION = planted, LEFTARG = {data_type}, RIGHTARG = {data_type});
                 CREATE OPERATOR <> (FUNCTION = planted, LEFTARG = {data_type}, RIGHTARG = {data_type});
                 CREATE OPERATOR >= (FUNCTION = planted, LEFTARG = {data_type}, RIGHTARG = {data_type});"
            )
        })
        .collect();
    database.query(&format!(
        "{} CREATE FUNCTION format_type(oid, integer) RETURNS text LANGUAGE sql AS 'SELECT (1 / 0)::text';
         CREATE FUNCTION pg_get_expr(pg_node_tree, oid) RETURNS text LANGUAGE sql AS 'SELECT (1 / 0)::text';
         CREATE TABLE pg_class (a integer DEFAULT 1); CREATE TABLE pg_depend (a integer)",
        planted.concat()
    ));
    database.query(&format!(
        "ALTER DATABASE {} SET search_path TO public, pg_catalog",
        database.name
    ));
    let schema = inspect(&database.url).await;
    let table = ObjectId::new(Kind::Table, "public", "pg_class");
    assert!(schema.get(&table).is_some());
}

/// Creates and drops objects whose texts the server takes from the present state.
fn disturb(url: &str, ends: &AtomicBool) {
    let mut session = Session::open_url(url);
    while !ends.load(Ordering::Relaxed) {
        let _ = session.try_run(
            "CREATE TABLE moving (id serial PRIMARY KEY, name text DEFAULT lower('A'), CHECK (id > 0), total integer
                GENERATED ALWAYS AS (length(name)) STORED);
             CREATE INDEX moving_idx ON moving (lower(name)) WHERE id > 1;
             CREATE VIEW moving_view AS SELECT id, name FROM moving;
             CREATE FUNCTION moving() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER moving BEFORE UPDATE ON moving FOR EACH ROW WHEN (NEW.id > 1) EXECUTE FUNCTION moving();
             CREATE RULE moving AS ON DELETE TO moving DO INSTEAD NOTHING;
             CREATE POLICY moving ON moving USING (id > 1);
             CREATE TYPE moving_kind AS (a integer)",
        );
        let _ = session.try_run(
            "DROP VIEW moving_view; DROP TABLE moving CASCADE; DROP FUNCTION moving; DROP TYPE moving_kind",
        );
    }
}

#[test]
fn objects_may_be_dropped_meanwhile() {
    let database = PostgresDatabase::create();
    database.query("CREATE TABLE stays (id integer PRIMARY KEY)");
    let ends = AtomicBool::new(false);
    let stays = ObjectId::new(Kind::Table, "public", "stays");
    thread::scope(|scope| {
        for _ in 0..2 {
            // The second one gets errors, which its session survives.
            scope.spawn(|| disturb(&database.url, &ends));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let found = runtime.block_on(async {
            let mut connection = connect(&database.url).await;
            let mut found = Vec::new();
            for _ in 0..100 {
                found.push(connection.inspect(&Scope::default()).await);
            }
            found
        });
        ends.store(true, Ordering::Relaxed);
        let (good, bad): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_ok);
        for schema in good.into_iter().flatten() {
            assert!(schema.get(&stays).is_some());
        }
        for error in bad.into_iter().filter_map(Result::err) {
            let message = error.to_string();
            assert!(
                message.contains("the schema changed while it was read"),
                "{message}"
            );
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_until_the_timeout_or_a_cancel() {
    let database = PostgresDatabase::create();
    database.query("CREATE TABLE locked (id integer); CREATE VIEW on_it AS SELECT id FROM locked");
    let mut settings = settings();
    settings.lock_timeout = Duration::from_millis(200);
    let location = Location::parse(&database.url, Path::new("/")).unwrap();
    let connected = database::connect(&location, Access::Existing, settings).await;
    let mut impatient = connected.unwrap();
    let mut patient = connect(&database.url).await;
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        .execute(&mut holder)
        .await
        .unwrap();
    let error = impatient.inspect(&Scope::default()).await.unwrap_err();
    assert!(
        matches!(error, DatabaseError::LockTimeout { .. }),
        "{error:?}"
    );

    let canceller = patient.canceller();
    let url = database.url.clone();
    let waits = tokio::task::spawn_blocking(move || {
        wait_until("the inspection waits", || {
            let mut session = Session::open_url(&url);
            let sql = "SELECT count(*)::text FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
            session.run(sql).as_deref() == Some("1")
        });
    });
    let (cancelled, inspected) = tokio::join!(
        async {
            waits.await.unwrap();
            canceller.cancel().await;
        },
        async { patient.inspect(&Scope::default()).await }
    );
    let () = cancelled;
    assert_eq!(inspected.unwrap_err(), DatabaseError::Interrupted);

    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .unwrap();
    for connection in [&mut impatient, &mut patient] {
        let schema = connection.inspect(&Scope::default()).await.unwrap();
        let view = ObjectId::new(Kind::View, "public", "on_it");
        assert!(schema.get(&view).is_some());
    }
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND state LIKE 'idle in transaction%'";
    assert_eq!(database.text(left), "0\n");
}

#[tokio::test]
async fn a_database_is_bare_until_anything_is_made_in_it() {
    let database = PostgresDatabase::create();
    let mut connection = connect(&database.url).await;
    assert!(connection.is_bare().await.unwrap());
    connection.prepare().await.unwrap();
    assert!(connection.is_bare().await.unwrap(), "the version table");
    // The last three are not among the facts.
    for (make, drop) in [
        ("CREATE TABLE a (id serial)", "DROP TABLE a"),
        ("CREATE VIEW a AS SELECT 1", "DROP VIEW a"),
        ("CREATE SEQUENCE a", "DROP SEQUENCE a"),
        ("CREATE TYPE a AS (x integer)", "DROP TYPE a"),
        ("CREATE TYPE a AS ENUM ('x')", "DROP TYPE a"),
        ("CREATE DOMAIN a AS text", "DROP DOMAIN a"),
        ("CREATE SCHEMA a", "DROP SCHEMA a"),
        (
            "CREATE FUNCTION a() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "DROP FUNCTION a()",
        ),
        (
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
            "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC",
        ),
        (
            "CREATE TABLE alembic_version (version_num text)",
            "DROP TABLE alembic_version",
        ),
        ("SELECT lo_create(4711)", "SELECT lo_unlink(4711)"),
        (
            "DO 'BEGIN EXECUTE format(''ALTER DATABASE %I SET work_mem TO 1024'', current_database()); END'",
            "DO 'BEGIN EXECUTE format(''ALTER DATABASE %I RESET ALL'', current_database()); END'",
        ),
    ] {
        database.query(make);
        assert!(!connection.is_bare().await.unwrap(), "{make}");
        database.query(drop);
        assert!(connection.is_bare().await.unwrap(), "{drop}");
    }
    connection.close().await.unwrap();
}
