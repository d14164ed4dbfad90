//! Placeholders in scripts end to end on both databases.

use crate::common::{Backend, Env};

fn on_both(name: &str, scenario: impl Fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        scenario(&mut env);
        snapshot!(env, name);
    }
}

const ON: &str = "-- migrator: vars = on\n";

fn configure(env: &Env, more: &str) {
    let before = std::fs::read_to_string(env.path("migrator.toml")).unwrap();
    env.write("migrator.toml", format!("{before}\n{more}"));
}

/// What scripts have made.
fn tables(env: &mut Env) {
    let names = env.sql(match env.backend {
        Backend::Postgres => {
            "SELECT table_name, column_name, column_default FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name NOT LIKE 'migrator%' ORDER BY 1, 2"
        }
        Backend::Sqlite => {
            "SELECT m.name, c.name, c.dflt_value FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
             WHERE m.name NOT LIKE 'migrator%' ORDER BY 1, 2"
        }
    });
    env.note(&format!("tables: {}\n", names.trim_end()));
}

#[test]
fn values_come_from_file_environment_and_flag() {
    on_both("vars", |env| {
        env.revision(
            "1_t",
            &format!("{ON}CREATE TABLE :{{table}} (x integer DEFAULT :{{number}}, note text DEFAULT ':{{table}}');\n"),
            &format!("{ON}DROP VIEW IF EXISTS v;\nDROP TABLE :{{table}};\n"),
        );
        env.write(
            "migrations/R_view.sql",
            format!("{ON}DROP VIEW IF EXISTS v;\nCREATE VIEW v AS SELECT x FROM :{{table}};\n"),
        );
        let url = env.url();
        configure(
            env,
            &format!(
                "[vars]\ntable = \"in_file\"\nnumber = 7\n\n[environments.test]\nurl = \"{url}\"\n\n\
                 [environments.test.vars]\ntable = \"in_environment\"\n"
            ),
        );
        for line in ["", "-n test ", "-n test --var table=by_flag "] {
            env.run(&format!("-v upgrade --dry-run {line}"));
            env.run(&format!("-q upgrade {line}"));
            tables(env);
            env.run(&format!("-q downgrade base {line}"));
        }
    });
}

#[test]
fn records_hold_the_script_as_it_is_written() {
    // The record has the script as it is written, and a downgrade the values of its own time.
    on_both("vars_stored", |env| {
        env.revision(
            "1_t",
            &format!("{ON}CREATE TABLE :{{name}} (x integer);\n"),
            &format!("{ON}DROP TABLE :{{name}};\n"),
        );
        env.run("-q upgrade --var name=t");
        let rows = env.sql("SELECT up_checksum, up_script, down_script FROM migrator_version");
        env.note(rows.trim_end());
        env.run("upgrade --var name=another");
        env.run("upgrade");
        env.remove("migrations/1_t.down.sql");
        env.run("downgrade base");
        env.run("downgrade base --var name=t");
        tables(env);
    });
}

#[test]
fn without_the_header_nothing_is_replaced() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision("1_t", "CREATE TABLE t (x integer);\nINSERT INTO t VALUES (1) -- :{x}\n;\nCREATE TABLE \":{x}\" (x integer);\n", "");
        env.run("upgrade --var x=y");
        assert_eq!(env.sql("SELECT count(*) FROM \":{x}\"").trim(), "0");
    }
}

#[test]
fn what_has_no_value_stops_everything() {
    on_both("vars_undefined", |env| {
        env.revision(
            "1_first",
            "CREATE TABLE first (x integer);\n",
            "DROP TABLE first;\n",
        );
        env.revision(
            "2_second",
            &format!("{ON}CREATE TABLE :{{tabel}} (x integer);\nSELECT :{{secret}}, :{{unheard}}, ':{{quoted}}';\n"),
            "",
        );
        env.revision(
            "3_third",
            &format!("{ON}SELECT 1;\nSELECT 1 :{{ x }};\n"),
            "",
        );
        configure(env, "[vars]\ntable = \"t\"\nsecret = \"${APP_SECRET}\"\n");
        env.run("upgrade");
        env.run("status");
        tables(env);
        env.run_with(
            "upgrade 2 --var tabel=t --var unheard=2",
            &[("APP_SECRET", "1")],
        );
        env.run("explain M243");
        env.run("explain M244");
        env.run("explain M245");
    });
}

#[test]
fn errors_are_shown_in_the_script_as_it_is_written() {
    on_both("vars_error", |env| {
        configure(
            env,
            "[vars]\nlong = \"a_name_that_is_quite_long\"\nexpression = \"(SELECT hush FROM nothing)\"\n",
        );
        env.revision(
            "1_t",
            &format!("{ON}CREATE TABLE :{{long}} (x integer);\nINSERT INTO :{{long}} VALUES (1); SELECT :{{long}}.x, nonsense FROM :{{long}};\n"),
            "",
        );
        env.run("upgrade");
        env.revision(
            "1_t",
            &format!("{ON}SELECT 1;\n  SELECT 2 + :{{expression}};\n"),
            "",
        );
        env.run("upgrade");
        env.revision(
            "1_t",
            &format!("{ON}SELECT ':{{long}}', :{{long}} 'never;\n"),
            "",
        );
        env.run("upgrade");
        env.revision("1_t", &format!("{ON}SELECT :{{long}} AS x;\nVACUUM;\n"), "");
        env.run("upgrade");
    });
}

#[test]
fn a_script_goes_on_with_other_values() {
    on_both("vars_resume", |env| {
        env.revision(
            "1_t",
            &format!(
                "-- migrator: transaction = off\n{ON}CREATE TABLE :{{table}} (x integer);\nINSERT INTO t VALUES (:{{value}});\n"
            ),
            "",
        );
        env.run("upgrade --var table=t --var value=nonsense");
        env.run("upgrade --var table=else --var value=3");
        let rows = env.sql("SELECT x FROM t");
        env.note(rows.trim_end());
    });
}

#[test]
fn values_and_names_are_checked() {
    on_both("vars_bad", |env| {
        env.run("upgrade --var novalue");
        env.run("upgrade --var 1x=hush");
        env.run("upgrade --var =hush");
        configure(
            env,
            "[vars]\n\"a b\" = \"x\"\nlist = [1]\nopen = \"${\"\n\n[varz]\nx = 1\n",
        );
        env.run("upgrade");
    });
}

#[test]
fn a_script_for_the_shell_has_the_values() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision(
            "1_t",
            &format!("{ON}CREATE TABLE :{{table}} (x integer);\n"),
            "",
        );
        let output = env
            .command()
            .args(["upgrade", "--sql", "--var", "table=t"])
            .output()
            .unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("CREATE TABLE t (x integer)"), "{script}");
        let ran = env.shell(&script);
        assert!(ran.status.success(), "{ran:?}");
        env.forget();
        env.run("upgrade");
        assert!(
            env.transcript().contains("Nothing to do"),
            "{}",
            env.transcript()
        );
    }
}

#[test]
fn a_batch_may_have_placeholders() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        let up = "-- migrator: transaction = off\n-- migrator: vars = on\n\
                  CREATE TABLE :{table} (x integer);\nINSERT INTO :{table} VALUES (1), (2), (3);\n\
                  -- migrator: batch\n\
                  DELETE FROM :{table} WHERE x IN (SELECT x FROM :{table} LIMIT 2);\n";
        env.revision("1_t", up, "");
        let table = "table=a_name_that_moves_everything_after_it";
        env.run(&format!("upgrade --var {table}"));
        let left = env.sql("SELECT count(*) FROM a_name_that_moves_everything_after_it");
        assert_eq!(left.trim(), "0", "{}", env.transcript());
    }
}

#[test]
fn the_log_of_statements_has_no_values() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision(
            "1_t",
            &format!("{ON}\nCREATE TABLE :{{hush}} (x integer);\n\nSELECT  1;\n"),
            "",
        );
        env.run("upgrade --var hush=very_quiet --log-file run.jsonl");
        let log = std::fs::read_to_string(env.path("run.jsonl")).unwrap();
        assert!(log.contains("CREATE TABLE :{hush} (x integer)"), "{log}");
        assert!(log.contains("\"SELECT  1\""), "{log}");
        assert!(log.contains("\"line\":5"), "{log}");
        assert!(!log.contains("very_quiet"), "{log}");
    }
}
