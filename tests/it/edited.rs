//! Scripts that were edited after they were applied: what is stored of up scripts, and what is shown
//! of their changes.

use crate::{
    common::{Backend, Env},
    progress::to_layout_1,
};

const UP: &str = "migrations/1_accounts.up.sql";
const DOWN: &str = "migrations/1_accounts.down.sql";

const APPLIED: &str = "\
-- Accounts
CREATE TABLE accounts (
    id integer PRIMARY KEY,
    name text NOT NULL
);
";

/// A project that has applied a revision.
fn applied(backend: Backend) -> Env {
    let mut env = Env::new(backend);
    env.revision("1_accounts", APPLIED, "DROP TABLE accounts;\n");
    ok(&mut env, "-q upgrade");
    env
}

fn ok(env: &mut Env, line: &str) -> String {
    let output = env.run(line);
    assert!(output.status.success(), "{}", env.transcript());
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that is refused prints as its errors.
fn refused(env: &mut Env, line: &str) -> String {
    let output = env.run(line);
    assert!(!output.status.success(), "{}", env.transcript());
    String::from_utf8(output.stderr).unwrap()
}

/// The stored up scripts by the names of their rows, one a line; a NULL is a minus.
fn stored(env: &Env) -> String {
    env.sql("SELECT revision, coalesce(up_script, '-') FROM migrator_version ORDER BY sequence")
}

#[test]
fn what_was_changed_is_shown() {
    for backend in Backend::ALL {
        let mut env = applied(backend);
        env.forget();
        let edited = APPLIED.replace("name text NOT NULL", "email text NOT NULL -- \u{1b}[2J");
        env.write(UP, edited.replace('\n', "\r\n"));
        env.write(DOWN, "DROP TABLE IF EXISTS accounts;\n");
        env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
        let before = env.fingerprint();
        for line in [
            "upgrade",
            "upgrade --dry-run",
            "upgrade --sql",
            "--format json upgrade",
            "downgrade base",
            "redo",
            "check --pending-ok",
            "--format json check --pending-ok",
            "--format github check --pending-ok",
            "show 1",
            "--format json show 1",
            "--color always show 1",
            "repair --dry-run",
            "--format json repair --dry-run",
            "repair",
        ] {
            env.run(line);
        }
        assert!(env.fingerprint() == before, "something was changed");
        env.run("repair --yes");
        env.run("show 1 --diff");
        env.run("upgrade");
        snapshot!(env, "edited");
    }
}

#[test]
fn comments_are_no_change_but_are_among_the_differences() {
    for backend in Backend::ALL {
        let mut env = applied(backend);
        env.write(UP, APPLIED.replace("-- Accounts", "-- Customers"));
        assert!(ok(&mut env, "show 1").contains("Scripts     unchanged since\n"));
        let shown = ok(&mut env, "show 1 --diff");
        let expected = "Scripts     unchanged since, apart from comments and white space\n";
        assert!(shown.contains(expected), "{shown}");
        assert!(
            shown.contains("\n  --- Accounts\n  +-- Customers\n"),
            "{shown}"
        );
        // A down script that is not stored is all new.
        let deleted = "UPDATE migrator_version SET down_script = NULL, down_checksum = NULL";
        env.sql(deleted);
        let shown = ok(&mut env, "show 1 --diff");
        assert!(
            shown.contains("@@ -0,0 +1 @@\n  +DROP TABLE accounts;\n"),
            "{shown}"
        );
    }
}

#[test]
fn long_differences_are_shown_in_part() {
    for backend in Backend::ALL {
        let mut env = applied(backend);
        let more: String = (0..100)
            .map(|x| format!("INSERT INTO accounts VALUES ({x}, '');\n"))
            .collect();
        env.write(UP, APPLIED.to_owned() + &more);
        let text = refused(&mut env, "upgrade");
        let rest = "\n  … 66 lines more; `migrator show 1 --diff` prints all\n";
        assert!(text.ends_with(rest), "{text}");
        assert!(ok(&mut env, "repair --dry-run").ends_with(rest));
        assert!(ok(&mut env, "show 1").ends_with(rest));
        let all = ok(&mut env, "show 1 --diff");
        assert!(
            all.ends_with("\n  +INSERT INTO accounts VALUES (99, '');\n"),
            "{all}"
        );
        let json = env.run("--format json upgrade").stdout;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let diff = json["errors"][0]["diff"].as_str().unwrap();
        assert!(
            diff.ends_with("\n+INSERT INTO accounts VALUES (99, '');\n"),
            "{diff}"
        );
    }
}

#[test]
fn few_of_many_differences_are_shown() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        for id in 1..=7 {
            env.revision(&format!("{id}_a"), "SELECT 1;\n", "SELECT 1;\n");
        }
        ok(&mut env, "upgrade");
        for id in 1..=7 {
            env.write(&format!("migrations/{id}_a.up.sql"), "SELECT 2;\n");
        }
        let text = refused(&mut env, "upgrade");
        assert_eq!(text.matches("\n  +SELECT 2;\n").count(), 5, "{text}");
        let counted = "\n\n  … 5 lines of changes; `migrator show 6 --diff` prints them\n\nerror";
        assert!(text.contains(counted), "{text}");
    }
}

#[test]
fn up_scripts_of_up_to_64_kib_are_stored() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        let start = "SELECT 1; -- ż";
        let script = |length: usize| start.to_owned() + &"x".repeat(length - start.len());
        for (id, length) in [(1, 65_536), (2, 65_537)] {
            let up = script(length);
            env.revision(&format!("{id}_a"), &up, "SELECT 1;\n");
        }
        ok(&mut env, "upgrade");
        let length = match backend {
            Backend::Sqlite => "length(CAST(up_script AS blob))",
            Backend::Postgres => "octet_length(up_script)",
        };
        let sql = format!("SELECT coalesce({length}, -1) FROM migrator_version ORDER BY sequence");
        assert_eq!(env.sql(&sql), "65536\n-1\n");
        for id in 1..=2 {
            env.write(&format!("migrations/{id}_a.up.sql"), "SELECT 2;\n");
        }
        let text = refused(&mut env, "upgrade");
        assert_eq!(text.matches("--- applied").count(), 1, "{text}");
        let unknown =
            "The text that was applied is not stored; compare the file with your version control.";
        let repaired = ok(&mut env, "repair --yes");
        assert_eq!(repaired.matches("--- applied").count(), 1, "{repaired}");
        assert_eq!(repaired.matches(unknown).count(), 1, "{repaired}");
        assert_eq!(
            stored(&env),
            shown(&[("1", "SELECT 2;\n"), ("2", "SELECT 2;\n")])
        );
    }
}

/// Rows as [`stored`] has them.
fn shown(rows: &[(&str, &str)]) -> String {
    let rows = rows.iter().map(|(id, up)| format!("{id}|{up}\n"));
    rows.collect()
}

#[test]
fn whatever_records_a_script_stores_it() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        let off = "-- migrator: transaction = off\nCREATE TABLE a (x integer);\n";
        let view = "CREATE VIEW v AS SELECT 1 AS x;\n";
        env.revision(
            "1_a",
            &format!("{off}SELECT * FROM nowhere;\n"),
            "DROP TABLE a;\n",
        );
        env.write(
            "migrations/R_v.sql",
            format!("DROP VIEW IF EXISTS v;\n{view}"),
        );
        // A script that is resumed is stored as it is by then.
        refused(&mut env, "upgrade");
        let fixed = format!("{off}SELECT 1;\n");
        env.write("migrations/1_a.up.sql", &fixed);
        ok(&mut env, "upgrade");
        let of_view = format!("DROP VIEW IF EXISTS v;\n{view}");
        assert_eq!(stored(&env), shown(&[("1", &fixed), ("R_v", &of_view)]));
        let of_view = format!("DROP VIEW v;\n{view}");
        env.write("migrations/R_v.sql", &of_view);
        ok(&mut env, "upgrade");
        assert_eq!(stored(&env), shown(&[("1", &fixed), ("R_v", &of_view)]));
        // So is one that is applied again, or only recorded.
        let edited = format!("{off}SELECT 2;\n");
        env.write("migrations/1_a.up.sql", &edited);
        ok(&mut env, "redo --edited");
        env.revision("2_b", "SELECT 2;\n", "SELECT 2;\n");
        ok(&mut env, "stamp head");
        let of_2 = ("2", "SELECT 2;\n");
        assert!(stored(&env).contains(&shown(&[("1", &edited)])));
        assert!(stored(&env).contains(&shown(&[of_2])));
    }
}

#[test]
fn baselines_and_adopted_revisions_are_stored() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.load(
            "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
             INSERT INTO schema_migrations VALUES (2, false)",
        );
        let up = |table: &str| format!("CREATE TABLE {table} (x integer);\n");
        env.revision("1_a", &up("a"), "DROP TABLE a;\n");
        env.revision("2_b", &up("b"), "DROP TABLE b;\n");
        ok(&mut env, "adopt --from golang-migrate --yes");
        assert_eq!(stored(&env), shown(&[("1", &up("a")), ("2", &up("b"))]));
        ok(&mut env, "squash --to 2 -m both");
        let baseline = std::fs::read_to_string(env.path("migrations/2_both.up.sql")).unwrap();
        // The text that is stored is still that of the script that was replaced.
        assert!(!ok(&mut env, "show 2 --diff").contains("---"));
        ok(&mut env, "upgrade");
        assert_eq!(stored(&env), shown(&[("2", &baseline)]));
    }
}

#[test]
fn without_the_texts_only_the_scripts_are_named() {
    for backend in Backend::ALL {
        let mut env = applied(backend);
        to_layout_1(&env, 0);
        env.write(UP, APPLIED.replace("name", "email"));
        env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
        env.forget();
        let before = env.fingerprint();
        for line in [
            "status",
            "current",
            "history -i",
            "history --log",
            "check --pending-ok",
            "upgrade --dry-run",
            "upgrade",
            "downgrade base",
            "show 1",
            "show 1 --diff",
            "show 2 --diff",
            "repair --dry-run",
            "--format json show 1",
        ] {
            env.run(line);
        }
        assert!(env.fingerprint() == before, "something was changed");
        env.run("repair --yes");
        // From here on they are known.
        env.write(UP, APPLIED);
        env.run("repair --dry-run");
        env.run("repair -q --yes");
        env.run("upgrade");
        assert_eq!(
            stored(&env),
            shown(&[("1", APPLIED), ("2", "CREATE TABLE b (x integer);\n")])
        );
        snapshot!(env, "edited_unknown");
    }
}

/// The layout in the log, one entry a line.
fn logged(env: &Env) -> String {
    env.sql("SELECT detail FROM migrator_version_log WHERE event = 'layout' ORDER BY sequence")
}

#[test]
fn the_columns_tell_the_layout_where_the_log_was_pruned() {
    for backend in Backend::ALL {
        let mut env = applied(backend);
        env.sql("DELETE FROM migrator_version_log");
        env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
        ok(&mut env, "upgrade");
        assert_eq!(logged(&env), "", "it was up to date");
        env.sql("INSERT INTO migrator_version_log (at, event, outcome, duration_ms, actor, tool_version, detail)
            VALUES ('2026-11-23T17:46:47.488Z', 'layout', 'ok', 0, 'someone', '0', '1')");
        to_layout_1(&env, 0);
        env.sql("DELETE FROM migrator_version_log");
        env.revision("3_c", "CREATE TABLE c (x integer);\n", "DROP TABLE c;\n");
        let before = env.fingerprint();
        ok(&mut env, "status");
        ok(&mut env, "show 1 --diff");
        assert!(env.fingerprint() == before, "reading has written");
        ok(&mut env, "upgrade");
        assert_eq!(logged(&env), "2\n");
        assert_eq!(
            stored(&env),
            shown(&[
                ("1", "-"),
                ("2", "-"),
                ("3", "CREATE TABLE c (x integer);\n")
            ])
        );
        ok(&mut env, "downgrade base");
        assert_eq!(logged(&env), "2\n");
    }
}

#[test]
fn an_upgrade_of_the_layout_is_made_as_a_whole() {
    for backend in Backend::ALL {
        let mut env = applied(backend);
        to_layout_1(&env, 0);
        env.sql(match backend {
            Backend::Sqlite => {
                "CREATE TRIGGER t BEFORE INSERT ON migrator_version_log
                 BEGIN SELECT RAISE(ABORT, 'no entry'); END"
            }
            Backend::Postgres => {
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION ''no entry''; END';
                 CREATE TRIGGER t BEFORE INSERT ON migrator_version_log
                 FOR EACH ROW EXECUTE FUNCTION f()"
            }
        });
        // PostgreSQL does not roll back the numbers of the log.
        let content = |env: &Env| {
            let text = String::from_utf8_lossy(&env.fingerprint()).into_owned();
            let lines = text.split('\n').filter(|line| !line.contains("setval"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let before = content(&env);
        assert!(refused(&mut env, "ensure-version").contains("no entry"));
        assert!(content(&env) == before, "a part of it was made");
        env.sql(match backend {
            Backend::Sqlite => "DROP TRIGGER t",
            Backend::Postgres => "DROP FUNCTION f CASCADE",
        });
        ok(&mut env, "ensure-version");
        assert_eq!(logged(&env), "1\n2\n");
        ok(&mut env, "downgrade base");
    }
}

#[test]
fn only_the_owner_upgrades_the_layout_on_postgresql() {
    let mut env = applied(Backend::Postgres);
    to_layout_1(&env, 0);
    let name = env.sql("SELECT current_database()").trim().to_owned();
    let role = format!("app_{name}");
    env.sql(&format!(
        "CREATE ROLE {role} LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON migrator_version TO {role};
         GRANT SELECT, INSERT ON migrator_version_log TO {role}"
    ));
    env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
    let config = std::fs::read_to_string(env.path("migrator.toml")).unwrap();
    let url = env.url().replacen("postgres@", &format!("{role}@"), 1);
    env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
    env.forget();
    for line in ["status", "check --pending-ok", "upgrade --dry-run"] {
        ok(&mut env, line);
    }
    env.forget();
    let before = env.fingerprint();
    for line in ["ensure-version", "upgrade", "stamp head", "downgrade base"] {
        refused(&mut env, line);
    }
    snapshot!(env, "edited_not_the_owner");
    let script = ok(&mut env, "upgrade --sql");
    let ran = env.shell(&format!("SET ROLE {role};\n{script}"));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(
        said.contains("must be owner of table migrator_version"),
        "{said}"
    );
    assert!(env.fingerprint() == before, "something was changed");
    // A member of the owner is enough.
    env.sql(&format!(
        "CREATE ROLE {role}_owner; GRANT {role}_owner TO {role};
        GRANT CREATE, USAGE ON SCHEMA public TO {role}_owner;
        ALTER TABLE migrator_version OWNER TO {role}_owner"
    ));
    ok(&mut env, "upgrade");
    assert_eq!(logged(&env), "1\n2\n");
    env.write("migrator.toml", config);
    env.sql(&format!(
        "DROP OWNED BY {role}, {role}_owner CASCADE; DROP ROLE {role}, {role}_owner"
    ));
}
