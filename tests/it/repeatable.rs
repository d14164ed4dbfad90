//! Repeatable scripts end to end on both databases.

use crate::common::{Backend, Env};

/// A table, and a view on it that names `columns`.
fn project(env: &Env, columns: &str) {
    env.revision(
        "1_users",
        "CREATE TABLE users (id integer, name text);\n",
        "DROP VIEW IF EXISTS names;\nDROP TABLE users;\n",
    );
    view(env, columns);
}

fn view(env: &Env, columns: &str) {
    let text = format!(
        "-- Names of users\nDROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT {columns} FROM users;\n"
    );
    env.write("migrations/R_names.sql", text);
}

fn on_both(name: &str, scenario: impl Fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        scenario(&mut env);
        snapshot!(env, name);
    }
}

fn rows(env: &mut Env) {
    let rows =
        env.sql("SELECT sequence, revision, kind, parents FROM migrator_version ORDER BY sequence");
    env.note(rows.trim_end());
    env.note("");
}

#[test]
fn they_run_after_the_revisions_and_when_they_change() {
    on_both("repeatable", |env| {
        project(env, "id, name");
        env.run("status");
        env.run("upgrade --dry-run");
        env.run("upgrade --dry-run --format json");
        env.run("upgrade");
        rows(env);
        env.run("upgrade");
        view(env, "id,\n    name /* the same */");
        env.run("upgrade");
        view(env, "name");
        env.write("migrations/R_a_first.sql", "SELECT 1;\n");
        env.run("status");
        env.run("check");
        env.run("check --pending-ok");
        env.run("upgrade");
        rows(env);
        env.run("status -v");
        env.run("current");
        env.run("history -i");
        env.run("check");
        env.run("history --log --format json -q");
    });
}

#[test]
fn they_wait_until_nothing_is_pending() {
    on_both("repeatable_waits", |env| {
        project(env, "id, colour");
        env.revision(
            "2_colour",
            "ALTER TABLE users ADD COLUMN colour text;\n",
            "DROP VIEW names;\nALTER TABLE users DROP COLUMN colour;\n",
        );
        env.run("upgrade 1");
        env.run("upgrade");
        env.run("downgrade 1");
        env.run("status");
        env.run("upgrade");
        env.run("redo");
        env.run("status");
        rows(env);
        env.run("downgrade base");
        env.run("stamp head");
        env.run("status");
    });
}

#[test]
fn a_file_that_is_gone_is_told_and_forgotten() {
    on_both("repeatable_gone", |env| {
        project(env, "id");
        env.run("-q upgrade");
        env.remove("migrations/R_names.sql");
        env.run("status");
        env.run("status --format json");
        env.run("check");
        env.run("upgrade");
        env.run("repair --dry-run");
        env.run("repair --yes");
        env.run("repair --yes --format json");
        env.run("status");
        let view = env.sql("SELECT count(*) FROM names");
        env.note(&format!("the view is there: {view}"));
        view_again(env);
    });
}

fn view_again(env: &mut Env) {
    view(env, "id");
    env.run("upgrade");
}

#[test]
fn what_fails_is_rolled_back_and_named() {
    on_both("repeatable_fails", |env| {
        project(env, "id");
        env.write(
            "migrations/R_zoo.sql",
            "SELECT 1;\nSELECT nonsense FROM users;\n",
        );
        env.run("upgrade");
        env.run("upgrade --format json -q");
        rows(env);
        env.run("status");
        env.run("upgrade --transaction all");
        env.write("migrations/R_zoo.sql", "SELECT 2;\n");
        env.run("upgrade --transaction all");
        rows(env);
    });
}

#[test]
fn what_they_can_not_hold_is_refused() {
    on_both("repeatable_refused", |env| {
        project(env, "id");
        env.write(
            "migrations/R_headers.sql",
            "-- migrator: revises = 1\n-- migrator: transaction = off\nSELECT 1;\n",
        );
        env.write("migrations/R_names.up.sql", "SELECT 1;\n");
        env.run("upgrade");
        env.remove("migrations/R_headers.sql");
        env.remove("migrations/R_names.up.sql");
        env.write("migrations/R_vacuum.sql", "SELECT 1;\n\nVACUUM;\n");
        env.write("migrations/R_commit.sql", "SELECT 1;\nCOMMIT;\n");
        env.run("upgrade");
        env.run("explain M240");
        env.run("explain M241");
        env.run("explain M242");
    });
}

#[test]
fn one_is_made() {
    on_both("repeatable_made", |env| {
        env.write("migrations/.keep", "");
        env.run("revision -m \"Reporting views\" --repeatable");
        env.run("revision -m \"Reporting views\" --repeatable");
        env.run("revision -m other --repeatable --label x");
        let text = std::fs::read_to_string(env.path("migrations/R_reporting_views.sql")).unwrap();
        env.note(&text);
        env.run("upgrade");
        env.run("status");
    });
}

#[test]
fn a_script_for_the_shell_runs_them() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        project(&env, "id, name");
        env.run("-q upgrade");
        view(&env, "name");
        env.write("migrations/R_more.sql", "SELECT 1;\n");
        let output = env.command().args(["upgrade", "--sql"]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(
            script.contains("CREATE VIEW names AS SELECT name FROM users"),
            "{script}"
        );
        let ran = env.shell(&script);
        assert!(ran.status.success(), "{ran:?}");
        let again = env.shell(&script);
        assert!(!again.status.success(), "a second run stops: {again:?}");
        env.forget();
        env.run("upgrade");
        rows(&mut env);
        snapshot!(env, "repeatable_sql");
    }
}
