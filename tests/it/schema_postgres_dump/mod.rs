//! Dumps of PostgreSQL schemas: loading one into an empty database makes the same schema again.

use std::path::Path;

use migrator::internals::{
    database::{self, Access, Location},
    generate,
    schema::{Schema, Scope, compare},
};

use crate::common::{PostgresDatabase, settings};

const OWNER: &str = "migrator_test_dump_owner";
const READER: &str = "migrator_test_dump_reader";
const WRITER: &str = "migrator_test_dump_writer";

/// The schema of the database at `url`.
pub async fn inspect(url: &str) -> Schema {
    let location = Location::parse(url, Path::new("/")).unwrap();
    let connected = database::connect(&location, Access::Existing, settings()).await;
    let mut database = connected.unwrap();
    let schema = database.inspect(&Scope::default()).await.unwrap();
    database.close().await.unwrap();
    schema
}

/// Creates roles, unless they exist. They stay: other databases of the server may use them.
pub fn create_roles(database: &PostgresDatabase, roles: &[&str]) {
    for role in roles {
        database.query(&format!(
            "DO 'BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END'"
        ));
    }
}

fn script(schema: &Schema) -> String {
    generate::script(&generate::dump(schema).unwrap())
}

fn create(sql: &str) -> PostgresDatabase {
    let database = PostgresDatabase::create();
    create_roles(&database, &[OWNER, READER, WRITER]);
    let home = database.value("SELECT quote_ident(current_user)").unwrap();
    let sql = database
        .supported(sql)
        .replace("{owner}", OWNER)
        .replace("{reader}", READER)
        .replace("{writer}", WRITER)
        .replace("{super}", &home);
    database.query(&sql);
    database
}

/// Dumps the schema that `sql` makes, loads it in one transaction after `settings`, and compares.
async fn check(sql: &str, settings: &str) -> String {
    let original = create(sql);
    let schema = inspect(&original.url).await;
    let dump = script(&schema);
    let copy = PostgresDatabase::create();
    copy.query(&format!("{settings}\nBEGIN;\n{dump}\nCOMMIT;"));
    let loaded = inspect(&copy.url).await;
    let difference = compare(&schema, &loaded);
    assert!(difference.is_empty(), "{:#?}", difference.changes);
    assert_eq!(difference.notes, []);
    assert_eq!(changed_lines(&dump, &script(&loaded)), "");
    // That setting gets into what the server keeps of text search dictionaries and functions.
    if !settings.contains("quote_all_identifiers") && original.knows_pg_dump() {
        let lines = changed_lines(&original.whole_schema(), &copy.whole_schema());
        assert_eq!(lines, "");
    }
    dump
}

/// The lines that only one of two texts has.
fn changed_lines(from: &str, to: &str) -> String {
    let lines = similar::TextDiff::from_lines(from, to);
    let changed = lines
        .iter_all_changes()
        .filter(|it| it.tag() != similar::ChangeTag::Equal);
    changed.map(|it| format!("{}{it}", it.tag())).collect()
}

#[tokio::test]
async fn every_kind_of_object_is_recreated() {
    check(include_str!("rich.sql"), "").await;
}

#[tokio::test]
async fn the_session_that_loads_a_dump_does_not_matter() {
    let settings = "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; \
         SET IntervalStyle = sql_standard; SET bytea_output = escape; \
         SET extra_float_digits = -5; SET transform_null_equals = on; \
         SET search_path = shop, public, pg_catalog;";
    check(include_str!("rich.sql"), settings).await;
    let settings = "SET quote_all_identifiers = on;";
    check(include_str!("rich.sql"), settings).await;
}

/// Functions and operators that the names in expressions would mean with another search path.
#[tokio::test]
async fn names_do_not_depend_on_the_search_path() {
    let sql = "CREATE TABLE public.x (a varchar(20), b integer[], c timestamptz DEFAULT now(), \
             CHECK (lower(a) <> 'x'), CHECK (array_length(b, 1) = 3), CHECK (b @> ARRAY[1])); \
         CREATE VIEW public.v AS SELECT length(a) AS l, array_append(b, 1) AS m, b && b AS n FROM public.x; \
         CREATE EXTENSION intarray WITH SCHEMA public; \
         CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'; \
         CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT 1::text'; \
         CREATE FUNCTION public.array_append(integer[], integer) RETURNS integer[] LANGUAGE sql AS 'SELECT $1'; \
         CREATE FUNCTION public.array_length(integer[], integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';";
    let dump = check(sql, "SET search_path = public, pg_catalog;").await;
    assert!(dump.starts_with("SET check_function_bodies = off;\nSET search_path = '';\n"));
    let types = "CREATE DOMAIN public.text AS pg_catalog.text; CREATE TABLE public.date (a pg_catalog.date, b pg_catalog.text, c public.text);";
    check(types, "SET search_path = public, pg_catalog;").await;
}

#[tokio::test]
async fn a_plain_schema_needs_no_settings() {
    let sql = "CREATE SCHEMA shop; CREATE TABLE shop.x (a serial PRIMARY KEY, b text NOT NULL DEFAULT 'x'); \
         CREATE INDEX x_b ON shop.x (lower(b));";
    let dump = check(sql, "").await;
    let expected = "\
CREATE SCHEMA shop;

CREATE TABLE shop.x (
    a serial,
    b text DEFAULT 'x'::text NOT NULL,
    CONSTRAINT x_pkey PRIMARY KEY (a)
);

CREATE INDEX x_b ON shop.x (lower(b));
";
    assert_eq!(dump, expected);
}

/// The server runs functions in SQL when it builds an index, and their bodies can hold names
/// without schema.
#[tokio::test]
async fn indexes_on_functions_in_sql_are_built_with_the_search_path_of_the_session() {
    // From version 17 on the server itself uses another search path.
    let schema = match PostgresDatabase::create().major() {
        ..17 => "",
        _ => "public.",
    };
    let sql = format!(
        "CREATE FUNCTION public.one(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'; \
         CREATE FUNCTION public.two(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT {schema}one($1)'; \
         CREATE TABLE public.a (a text); CREATE INDEX a_two ON public.a (two(a)); \
         CREATE FUNCTION public.three() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM {schema}a'; \
         CREATE MATERIALIZED VIEW public.m AS SELECT three() AS n;"
    );
    let dump = check(&sql, "").await;
    let (_, late) = dump.split_once("RESET search_path;\n").unwrap();
    let expected = "
CREATE INDEX a_two ON public.a (public.two(a));

REFRESH MATERIALIZED VIEW public.m;
";
    assert_eq!(late, expected);
}

#[tokio::test]
async fn what_cannot_be_recreated_is_noted() {
    let database = create(
        "CREATE TABLE public.x (a integer); INSERT INTO public.x VALUES (1), (1); \
         CREATE EXTENSION postgres_fdw; \
         CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x'); \
         CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (\"user\" 'me', password 'tip-top-secret');",
    );
    // It fails, and leaves an invalid index.
    let mut session = database.connect().await;
    let failed = sqlx::raw_sql("CREATE UNIQUE INDEX CONCURRENTLY x_a ON public.x (a)")
        .execute(&mut session)
        .await;
    assert!(failed.is_err());
    let dump = script(&inspect(&database.url).await);
    assert!(!dump.contains("tip-top"), "{dump}");
    for note in [
        "-- The index public.x_a is invalid, so it is not created:\n-- CREATE UNIQUE INDEX x_a ON public.x (a)\n",
        "-- The user mapping of PUBLIC on s has secret options that are not shown: password\n",
    ] {
        assert!(dump.contains(note), "{dump}");
    }
    let copy = PostgresDatabase::create();
    copy.query(&dump);
}
