//! The commands beside upgrade and downgrade, end to end on both databases.

mod common;

use common::{Backend, Env};

/// Three revisions that both databases understand.
fn three(env: &Env) {
    env.revision(
        "20260101000001_create_users",
        "-- Create users\n-- migrator: revises = base\nCREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);\n",
        "DROP TABLE users;\n",
    );
    env.revision(
        "20260101000002_index_names",
        "-- migrator: revises = 20260101000001\nCREATE INDEX users_name ON users (name);\n",
        "DROP INDEX users_name;\n",
    );
    env.revision(
        "20260101000003_create_posts",
        "-- migrator: revises = 20260101000002\nCREATE TABLE posts (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id));\n",
        "DROP TABLE posts;\n",
    );
}

fn on_both(name: &str, scenario: impl Fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        scenario(&mut env);
        snapshot!(env, format!("commands_{name}"));
    }
}

#[test]
fn history_of_the_directory_and_of_the_database() {
    on_both("history", |env| {
        three(env);
        env.run("history -r 20260101000002:");
        env.run("history -r :index_names");
        env.run("history -r -1:");
        env.run("history --range create_users:+1");
        env.run("history -r create_posts:create_users");
        assert!(!env.files().contains(&"app.db".to_owned()));
        env.run("history -i");
        env.run("upgrade 20260101000002");
        let before = env.fingerprint();
        env.run("history -i");
        env.run("history -r current:");
        env.run("history -i -r -1:current");
        env.run("--format json history -i -r current:+1");
        assert_eq!(env.fingerprint(), before);
        env.remove("migrations/20260101000002_index_names.up.sql");
        env.remove("migrations/20260101000002_index_names.down.sql");
        env.remove("migrations/20260101000003_create_posts.up.sql");
        env.remove("migrations/20260101000003_create_posts.down.sql");
        env.run("history -i");
        env.run("history -r current:");
        for wrong in ["head", ":", "x:", "current-9:", "a:b:c", "create_users:-9"] {
            env.run(&format!("history -r {wrong}"));
        }
        env.run("history --log -i");
    });
}

#[test]
fn the_log_is_printed() {
    on_both("log", |env| {
        three(env);
        env.run("history --log");
        env.run("ensure-version");
        env.run("upgrade 20260101000002");
        env.run("downgrade -1");
        env.run("stamp head");
        env.run("downgrade create_users");
        env.run("history --log");
        env.run("-v history --log");
        env.run("--format json history --log");
        // The directory does not matter.
        env.write("migrations/30_x.sql", "");
        env.run("-q history --log");
    });
}

#[test]
fn a_revision_is_shown_with_what_changed_since() {
    on_both("show", |env| {
        three(env);
        env.run("upgrade");
        env.run("show index_names");
        env.write(
            "migrations/20260101000002_index_names.down.sql",
            "DROP INDEX IF EXISTS users_name;\n",
        );
        env.run("show index_names");
        env.write(
            "migrations/20260101000002_index_names.up.sql",
            "-- migrator: revises = 20260101000001\nCREATE INDEX users_name ON users (id);\n",
        );
        env.run("show index_names");
        env.run("--format json show index_names");
    });
}

#[test]
fn the_version_table_is_made_and_nothing_else() {
    on_both("ensure_version", |env| {
        three(env);
        env.run("ensure-version");
        let before = env.fingerprint();
        env.run("ensure-version");
        env.run("-q ensure-version");
        assert_eq!(env.fingerprint(), before);
        env.run("status");
        env.sql("DROP TABLE migrator_version_log");
        env.sql("DROP TABLE migrator_version");
        env.sql("CREATE TABLE migrator_version (x integer)");
        env.run("ensure-version");
    });
}

#[test]
fn scripts_are_opened_in_the_editor() {
    on_both("edit", |env| {
        three(env);
        let cat: &[(&str, &str)] = &[("EDITOR", "cat")];
        env.run("edit create_users");
        env.run_with("edit create_users", &[("EDITOR", "'cat")]);
        env.run_with("edit head --both", cat);
        env.run_with(
            "-q edit 20260101000002 --down",
            &[("VISUAL", "cat"), ("EDITOR", "false")],
        );
        env.run_with("edit create_users", &[("EDITOR", "false")]);
        env.run_with("edit create_users", &[("EDITOR", "no-such-editor --wait")]);
        env.run_with("edit crate_users", cat);
        env.run_with("edit base", cat);
        env.run_with("--format json edit create_users", &[("EDITOR", "true")]);
        assert!(!env.files().contains(&"app.db".to_owned()));
        env.run("-q upgrade");
        env.run_with("edit current", &[("EDITOR", "true")]);
        env.run_with("edit --down current", &[("EDITOR", "true")]);
        env.remove("migrations/20260101000003_create_posts.down.sql");
        env.run_with("edit --down create_posts", cat);
        env.remove("migrations/20260101000003_create_posts.up.sql");
        env.run_with("edit current", cat);
    });
}

#[test]
fn new_scripts_are_opened_at_once() {
    on_both("revision_edit", |env| {
        let before = env.files();
        env.run("revision -m a --rev-id 1 --edit");
        assert_eq!(env.files(), before, "without an editor nothing is made");
        env.run_with("revision -m a --rev-id 1 --edit", &[("EDITOR", "cat")]);
        env.run_with(
            "--format json revision -m b --rev-id 2 --edit",
            &[("EDITOR", "false")],
        );
        env.run("history");
    });
}

#[test]
fn templates_are_listed() {
    on_both("templates", |env| {
        env.run("list-templates");
        env.write(
            "templates/up.sql.jinja",
            "{#- A table,\n   with our columns -#}\n{{ headers }}\n",
        );
        env.write("templates/plain.up.sql.jinja", "{{ headers }}\n");
        env.write("templates/merge.up.sql.jinja", "{{ headers }}\n");
        env.run("list-templates");
        env.run("--format json list-templates");
        env.remove("migrator.toml");
        env.run_with("list-templates", &[("MIGRATOR_TEMPLATES", "migrator")]);
    });
}

#[test]
fn codes_are_explained() {
    let mut env = Env::new(Backend::Sqlite);
    env.write("migrator.toml", "this is no TOML");
    env.run("explain M203");
    env.run("explain m509");
    env.run("--format json explain 705");
    env.run("explain M230");
    env.run("explain something");
    let all = env.run("explain").stdout;
    let all = String::from_utf8(all).unwrap();
    assert_eq!(all.lines().count(), migrator::cli::CODES.len());
    let json = env.run("--format json explain").stdout;
    assert!(String::from_utf8(json).unwrap().contains("\"M706\""));
    let mut shown = Env::new(Backend::Sqlite);
    let transcript = env.transcript();
    shown.append(&transcript[..transcript.find("$ migrator explain\n").unwrap()]);
    snapshot!(shown, "commands_explain");
}

#[test]
fn completions_and_pages_know_every_command() {
    let mut env = Env::new(Backend::Sqlite);
    env.remove("migrator.toml");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = env.run(&format!("completions {shell}"));
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        for word in ["list-templates", "ensure-version", "check-heads"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = String::from_utf8(env.run("man").stdout).unwrap();
    assert!(page.contains(".TH migrator 1") && page.contains("ensure\\-version"));
    for _ in 0..2 {
        assert!(env.run("man pages/of/ours").status.success());
    }
    for page in [
        "migrator.1",
        "migrator-upgrade.1",
        "migrator-list-templates.1",
    ] {
        assert!(env.path("pages/of/ours").join(page).exists(), "{page}");
    }
    env.write("file", "");
    env.forget();
    env.run("man file");
    env.run("completions tcsh");
    snapshot!(env, "commands_man");
}
