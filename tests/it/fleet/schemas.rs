//! Schemas of a PostgreSQL database.

use std::collections::BTreeMap;

use super::{outcomes, project, run, upgrade};
use crate::common::{Backend, Env, Running, wait_until};

/// A fleet with a schema a target; `shops.tenants` names them.
fn fleet(keys: &str, schemas: &[&str]) -> Env {
    let env = project(Backend::Postgres, "");
    configure(&env, keys);
    env.sql("CREATE SCHEMA shops; CREATE TABLE shops.tenants (name text)");
    for schema in schemas {
        env.sql(&format!("CREATE SCHEMA {}", quoted(schema)));
        env.sql(&format!(
            "INSERT INTO shops.tenants VALUES ({})",
            literal(schema)
        ));
    }
    env
}

fn configure(env: &Env, keys: &str) {
    let url = env.url();
    let text = format!(
        "[environments.shops]\nurl = \"{url}\"\n[environments.shops.fleet]\n\
         query = \"SELECT name FROM shops.tenants ORDER BY name\"\nschema = \"${{target}}\"\n{keys}\n"
    );
    env.write("migrator.toml", text);
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The tables by schema.
fn tables(env: &Env) -> BTreeMap<String, String> {
    let sql = "SELECT schemaname, string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables \
               WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema' GROUP BY 1";
    let rows = env.sql(sql);
    let rows = rows.lines().filter_map(|line| line.split_once('|'));
    rows.map(|(schema, tables)| (schema.to_owned(), tables.to_owned()))
        .collect()
}

const ALL: &str = "migrator_version migrator_version_log posts users";

#[test]
fn each_schema_has_its_tables_and_its_records() {
    let hostile = "it's \"x\"; DROP SCHEMA a";
    let env = fleet("", &["a", "B", hostile]);
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    let expected = [("a", "done"), ("B", "done"), (hostile, "done")];
    assert_eq!(printed.outcomes(), outcomes(&expected));
    let mut expected: BTreeMap<_, _> = ["a", "B", hostile]
        .map(|it| (it.to_owned(), ALL.to_owned()))
        .into();
    expected.insert("shops".to_owned(), "tenants".to_owned());
    assert_eq!(tables(&env), expected);
    // Nothing is to be done: one look, and not even a lock.
    let count = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables";
    let before = env.sql(count);
    let printed = upgrade(&env, &[]);
    let expected = [("a", "current"), ("B", "current"), (hostile, "current")];
    assert_eq!(printed.outcomes(), outcomes(&expected));
    assert_eq!(env.sql(count), before);
    let json = run(&env, &["--format", "json", "fleet", "status"]).json();
    assert_eq!(json["states"].as_array().unwrap().len(), 1);
    assert_eq!(json["states"][0]["targets"].as_array().unwrap().len(), 3);
    let printed = run(
        &env,
        &[
            "--format",
            "ndjson",
            "fleet",
            "downgrade",
            "base",
            "--only",
            "a",
        ],
    );
    assert_eq!(printed.outcomes(), outcomes(&[("a", "done")]));
    assert_eq!(tables(&env)["a"], "migrator_version migrator_version_log");
    assert_eq!(tables(&env)["B"], ALL);
}

#[test]
fn scripts_find_what_they_name_in_their_schema() {
    let env = fleet("", &["a", "b"]);
    env.sql("CREATE TABLE public.users (x integer)");
    env.revision(
        "20260101000003_rows",
        "INSERT INTO users SELECT 1; CREATE VIEW all_users AS SELECT id FROM users;\n",
        "DROP VIEW all_users; DELETE FROM users;\n",
    );
    assert_eq!(upgrade(&env, &[]).status, 0);
    assert_eq!(env.sql("SELECT count(*) FROM a.all_users"), "1\n");
    assert_eq!(env.sql("SELECT count(*) FROM public.users"), "0\n");
    // What the configuration adds comes after the schema.
    env.sql(
        "CREATE SCHEMA lib; CREATE FUNCTION lib.one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    );
    env.revision(
        "20260101000004_one",
        "INSERT INTO users SELECT one();\n",
        "SELECT 1;\n",
    );
    let printed = upgrade(&env, &[]);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("a", "failed M701"), ("b", "failed M701")])
    );
    configure(
        &env,
        "[environments.shops.postgres.settings]\nsearch_path = \"lib\"",
    );
    let printed = upgrade(&env, &[]);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("a", "done"), ("b", "done")])
    );
}

/// A fleet that is at its head, with a table `runs` in which scripts leave the numbers of their sessions.
fn at_head(schemas: &[&str]) -> Env {
    let env = fleet("jobs = 4\njobs-per-server = 2", schemas);
    assert_eq!(upgrade(&env, &[]).status, 0);
    env.sql("CREATE TABLE shops.runs (schema text, pid integer)");
    env
}

/// It must not have a word that makes a session of its own necessary.
const NOTE: &str = "INSERT INTO shops.runs SELECT c.relnamespace::regnamespace::text, pg_backend_pid() \
                    FROM pg_class AS c WHERE c.oid = 'users'::regclass;\n";

/// The number of sessions, and that of schemas, in which scripts have run.
fn runs(env: &Env) -> String {
    env.sql("SELECT count(DISTINCT pid), count(DISTINCT schema), count(*) FROM shops.runs")
}

#[test]
fn one_connection_serves_several_schemas() {
    let names: Vec<String> = (0..12).map(|number| format!("t{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let env = at_head(&names);
    let left = "SET work_mem TO '5MB'; CREATE TEMP TABLE left_over (x integer); LISTEN x;\n\
                SELECT pg_advisory_lock(7);\n";
    let next = format!("CREATE TABLE next (id integer);\n{left}{NOTE}");
    env.revision("20260101000003_next", &next, "DROP TABLE next;\n");
    // Nothing of a target is left to the next one.
    let clean = "SELECT 1 / (CASE WHEN current_setting('work_mem') = '4MB' AND to_regclass('left_over') IS NULL \
                 AND NOT EXISTS (SELECT FROM pg_listening_channels()) THEN 1 ELSE 0 END);\n";
    let (clean, then) = (
        format!("{clean}ALTER TABLE next ADD y text;\n"),
        "ALTER TABLE next DROP y;\n",
    );
    env.revision("20260101000004_clean", &clean, then);
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}{}", printed.stdout, printed.stderr);
    let (lines, _) = printed.lines();
    for line in &lines {
        assert_eq!(line["outcome"], "done");
        assert_eq!(line["from"], "20260101000002", "{line}");
        assert_eq!(line["to"], "20260101000004 (head)", "{line}");
    }
    let found = runs(&env);
    let sessions: usize = found.split('|').next().unwrap().parse().unwrap();
    assert!(sessions <= 2, "{found}");
    assert!(found.ends_with("|12|12\n"), "{found}");
    let all = tables(&env);
    for name in names {
        assert_eq!(
            all[name],
            "migrator_version migrator_version_log next posts users"
        );
    }
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(env.sql(locks), "0\n");
}

#[test]
fn a_killed_run_over_shared_connections_is_resumed() {
    let names: Vec<String> = (0..40).map(|number| format!("t{number:02}")).collect();
    let env = at_head(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for number in 3..=4 {
        env.revision(
            &format!("2026010100000{number}_run"),
            &format!("INSERT INTO users VALUES ({number});\nSELECT pg_sleep(0.01);\n{NOTE}"),
            &format!("DELETE FROM users WHERE id = {number};\n"),
        );
    }
    let done = "SELECT count(DISTINCT schema) FROM shops.runs";
    for kill in 1..=3 {
        let running = Running::start(&env, "-n shops fleet upgrade");
        wait_until(&format!("run {kill} has upgraded some"), || {
            let done: usize = env.sql(done).trim().parse().unwrap();
            done >= 8 * kill
        });
        running.signal("KILL");
        assert_eq!(running.finish().status, None);
    }
    let before: usize = env.sql(done).trim().parse().unwrap();
    assert!(
        before < names.len(),
        "all were upgraded before the last kill"
    );
    // What the last one ran ends by itself.
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}{}", printed.stdout, printed.stderr);
    for name in names {
        let rows = format!(
            "SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM {name}.users), \
             (SELECT string_agg(revision, ' ' ORDER BY sequence) FROM {name}.migrator_version), \
             (SELECT count(*) FROM {name}.migrator_version_log WHERE event = 'upgrade' AND outcome = 'ok')"
        );
        let all = "20260101000001 20260101000002 20260101000003 20260101000004";
        assert_eq!(env.sql(&rows), format!("3 4|{all}|4\n"), "{name}");
    }
}

#[test]
fn a_script_that_leaves_its_schema_has_a_session_of_its_own() {
    for leave in [
        "RESET search_path;",
        "SET search_path TO DEFAULT;",
        "DISCARD TEMP;",
    ] {
        let env = at_head(&["a", "b", "c", "d"]);
        env.revision(
            "20260101000003_next",
            &format!("{leave}\nCREATE TABLE next (id integer);\n{NOTE}"),
            "DROP TABLE next;\n",
        );
        assert_eq!(upgrade(&env, &[]).status, 0, "{leave}");
        assert_eq!(runs(&env), "4|4|4\n", "{leave}");
        assert!(tables(&env)["c"].contains("next"), "{leave}");
    }
}

#[test]
fn stored_code_that_leaves_the_schema_fails_instead_of_writing_elsewhere() {
    let env = at_head(&["a", "b"]);
    for schema in ["a", "b"] {
        env.sql(&format!(
            "CREATE PROCEDURE {schema}.leave() LANGUAGE plpgsql AS 'BEGIN RESET search_path; END'"
        ));
    }
    env.sql("CREATE TABLE public.users (x integer)");
    env.revision(
        "20260101000003_next",
        "CALL leave();\nINSERT INTO users VALUES (1);\n",
        "DELETE FROM users;\n",
    );
    let printed = upgrade(&env, &[]);
    let expected = [("a", "failed M701"), ("b", "failed M701")];
    assert_eq!(printed.outcomes(), outcomes(&expected));
    assert_eq!(env.sql("SELECT count(*) FROM public.users"), "0\n");
}

#[test]
fn code_that_schemas_share_finds_the_types_of_each() {
    let env = at_head(&["a", "b", "c"]);
    env.sql(
        "ALTER TABLE b.users ADD name text DEFAULT 'x'; \
         SET check_function_bodies = off; CREATE FUNCTION shops.last() RETURNS text LANGUAGE plpgsql AS \
         'DECLARE one users; BEGIN SELECT * INTO one FROM users; RETURN one::text; END'",
    );
    env.revision(
        "20260101000003_next",
        &format!(
            "INSERT INTO users VALUES (7);\nCREATE TABLE found AS SELECT shops.last();\n{NOTE}"
        ),
        "DROP TABLE found;\n",
    );
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}{}", printed.stdout, printed.stderr);
    let found =
        "SELECT (SELECT last FROM a.found), (SELECT last FROM b.found), (SELECT last FROM c.found)";
    assert_eq!(env.sql(found), "(7)|(7,x)|(7)\n");
    assert_eq!(runs(&env), "3|3|3\n");
}

#[test]
fn a_target_that_fails_or_has_changed_leaves_the_others_alone() {
    let env = at_head(&["a", "b", "c", "d", "e"]);
    env.revision(
        "20260101000003_next",
        &format!("ALTER TABLE users ADD name text;\n{NOTE}"),
        "ALTER TABLE users DROP name;\n",
    );
    env.sql("ALTER TABLE b.users ADD name text");
    env.sql("CREATE FUNCTION c.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
    env.sql(
        "CREATE TRIGGER t BEFORE INSERT ON c.migrator_version FOR EACH ROW EXECUTE FUNCTION c.f()",
    );
    env.sql("UPDATE d.migrator_version SET message = 'others'");
    // The separator in the text of which a look makes a digest.
    env.sql("UPDATE e.migrator_version SET message = E'a\\x1eb' WHERE sequence = 1");
    let printed = upgrade(&env, &[]);
    let mut found = printed.outcomes();
    assert_eq!(found.remove("b").unwrap(), "failed M701");
    assert_eq!(
        found,
        outcomes(&[("a", "done"), ("c", "done"), ("d", "done"), ("e", "done")])
    );
    assert_eq!(env.sql("SELECT count(*) FROM b.migrator_version"), "2\n");
    let again = upgrade(&env, &["--only", "a"]);
    assert_eq!(again.outcomes(), outcomes(&[("a", "current")]));
}

#[test]
fn schemas_that_are_missing_or_not_trusted_are_told() {
    let env = fleet("", &["a", "gone", "half", "view"]);
    env.sql("DROP SCHEMA gone");
    env.sql("CREATE VIEW view.migrator_version AS SELECT 1 AS x");
    env.sql("CREATE TABLE half.migrator_version_log (x integer)");
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 4, "{}", printed.stderr);
    let outcomes = printed.outcomes();
    assert_eq!(outcomes["a"], "done");
    assert_eq!(outcomes["gone"], "skipped M519");
    assert!(outcomes["half"].starts_with("failed M5"), "{outcomes:?}");
    assert!(outcomes["view"].starts_with("failed M5"), "{outcomes:?}");
    let printed = run(&env, &["--format", "json", "fleet", "status"]);
    assert_eq!(printed.status, 1);
    let json = printed.json();
    let numbers = ["missing", "unreadable"].map(|field| json[field].as_u64());
    assert_eq!(numbers, [1, 2].map(Some));
}

#[test]
fn states_of_many_schemas_are_judged_by_one_query_each() {
    let names: Vec<String> = (0..25).map(|number| format!("t{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let env = fleet("jobs = 3\njobs-per-server = 2", &names);
    assert_eq!(upgrade(&env, &["--limit", "20"]).status, 0);
    env.sql("UPDATE t03.migrator_version SET up_checksum = 'v1:00' || substr(up_checksum, 6) WHERE sequence = 1");
    env.sql(
        "UPDATE t04.migrator_version SET applied_at = now(), applied_by = 'x' WHERE sequence = 1",
    );
    let json = run(&env, &["--format", "json", "fleet", "status"]).json();
    let states = json["states"].as_array().unwrap().iter();
    let states: Vec<_> = states
        .map(|it| {
            (
                it["pending"].as_u64().unwrap(),
                it["targets"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(states, [(2, 5), (0, 19), (0, 1)]);
    assert_eq!(json["drifted"], 1);
    let printed = upgrade(&env, &[]);
    let (_, result) = printed.lines();
    let numbers = ["done", "current", "failed"].map(|field| result[field].as_u64());
    assert_eq!(numbers, [5, 19, 1].map(Some));
    assert_eq!(printed.outcomes()["t03"], "failed M501");
}

#[test]
fn a_version_table_with_a_schema_is_refused() {
    let env = fleet("", &["a"]);
    let url = env.url();
    env.write(
        "migrator.toml",
        format!(
            "[environments.shops]\nurl = \"{url}\"\nversion-table = \"shops.v\"\n[environments.shops.fleet]\n\
             list = [\"a\"]\nschema = \"${{target}}\"\n"
        ),
    );
    let printed = run(&env, &["fleet", "upgrade"]);
    assert_eq!(printed.status, 2);
    assert!(printed.stderr.contains("error[M928]"), "{}", printed.stderr);
}

#[test]
fn the_schema_of_a_target_is_compared_and_no_other() {
    let env = fleet("", &["a", "b"]);
    assert_eq!(upgrade(&env, &[]).status, 0);
    let printed = run(&env, &["fleet", "verify"]);
    assert_eq!(printed.status, 0, "{}{}", printed.stdout, printed.stderr);
    env.sql("CREATE INDEX by_hand ON b.users (id); CREATE TABLE public.other (x integer)");
    let printed = run(&env, &["--format", "json", "fleet", "verify"]);
    assert_eq!(printed.status, 3, "{}", printed.stderr);
    let json = printed.json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    assert_eq!(json["findings"][0]["targets"], serde_json::json!(["b"]));
}

#[test]
fn single_runs_name_the_schema() {
    let env = fleet("", &["a"]);
    let url = format!("{}?schema=a", env.url());
    let run = |words: &[&str]| {
        let output = env
            .command()
            .args(["--url", &url])
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let json: serde_json::Value =
        serde_json::from_str(&run(&["--format", "json", "upgrade", "+1"])).unwrap();
    assert_eq!(json["schema"], "a");
    let text = run(&["upgrade"]);
    assert!(
        text.contains(", schema a, from 20260101000001 to "),
        "{text}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&run(&["--format", "json", "status"])).unwrap();
    assert_eq!(json["schema"], "a");
    assert!(run(&["upgrade", "--dry-run"]).contains(", schema a, is at "));
}
