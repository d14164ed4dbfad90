//! The commands beside upgrade and downgrade, end to end on both databases.

use std::{fs, process::Command};

use crate::common::{Backend, Env, Running, Session, on_terminal};

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
    assert_eq!(
        all.lines().count(),
        migrator::internals::report::codes::CODES.len()
            + migrator::internals::lint::rules::ALL.len()
    );
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

#[test]
fn redo_reverts_and_applies_again() {
    on_both("redo", |env| {
        three(env);
        env.run("redo");
        env.run("-q upgrade 20260101000002");
        env.sql("INSERT INTO users VALUES (1, 'Ada')");
        let (schema, before) = (env.schema(), env.fingerprint());
        env.run("redo --dry-run");
        env.run("-v redo base --dry-run");
        env.run("--format json redo --dry-run");
        assert_eq!(env.fingerprint(), before);
        env.run("redo");
        env.run("-q upgrade");
        env.run("redo -2");
        env.run("redo create_users --transaction all");
        env.run("--format json redo");
        env.run("redo base");
        env.run("redo head");
        env.run("redo -9");
        env.run("redo +1");
        env.run("redo --dry-run nothing");
        env.run("downgrade 20260101000002");
        assert_eq!(env.schema(), schema);
        assert_eq!(env.sql("SELECT count(*) FROM users").trim(), "0");
        env.run("current");
        env.run("downgrade base");
        env.run("redo base");
        env.run("redo");
    });
}

#[test]
fn redo_that_can_not_go_both_ways_does_nothing() {
    on_both("redo_refused", |env| {
        three(env);
        env.run("-q upgrade");
        let before = env.fingerprint();
        let up = "migrations/20260101000003_create_posts.up.sql";
        let down = "migrations/20260101000003_create_posts.down.sql";
        env.write(
            up,
            "-- migrator: revises = 20260101000002\nCREATE TABLE posts (x integer);\n",
        );
        env.run("redo");
        env.remove(up);
        env.remove(down);
        env.run("redo");
        env.run("redo create_users");
        assert_eq!(env.fingerprint(), before);
    });
}

/// The loop of development: edit what is applied, run it again. The stored down script fits what was
/// applied, and the file fits what comes.
#[test]
fn redo_takes_edited_scripts_where_it_is_told_to() {
    on_both("redo_edited", |env| {
        three(env);
        env.run("-q upgrade");
        let up = "migrations/20260101000002_index_names.up.sql";
        let down = "migrations/20260101000002_index_names.down.sql";
        let parent = "-- migrator: revises = 20260101000001\n";
        env.write(
            up,
            format!("{parent}CREATE INDEX other_name ON users (name);\n"),
        );
        env.write(down, "DROP INDEX other_name;\n");
        env.run("redo");
        env.run("redo -2");
        let before = env.fingerprint();
        env.run("redo --edited --dry-run");
        env.run("redo --edited -1");
        assert_eq!(env.fingerprint(), before);
        env.run("redo --edited");
        env.run("status");
        env.run("redo --edited");
        env.run("downgrade 20260101000001");
        env.run("-q upgrade");
        // A new script that fails: what was applied is reverted, and told.
        env.write(
            up,
            format!("{parent}CREATE INDEX other_name ON no_such (name);\n"),
        );
        env.run("redo --edited --transaction all");
        env.run("redo --edited");
        env.run("current");
    });
}

#[test]
fn redo_that_fails_says_what_is_applied() {
    on_both("redo_failed", |env| {
        three(env);
        env.run("-q upgrade");
        // What the up of the second needs is gone with the first's down.
        env.write(
            "migrations/20260101000001_create_users.down.sql",
            "ALTER TABLE users RENAME TO people;\n",
        );
        let before = env.fingerprint();
        env.run("redo base --transaction all");
        assert_eq!(env.sql("SELECT count(*) FROM posts").trim(), "0");
        env.write(
            "migrations/20260101000003_create_posts.down.sql",
            "DROP TABLE no_such_table;\n",
        );
        env.run("redo -2");
        env.run("current");
        if env.backend == Backend::Sqlite {
            assert_ne!(env.fingerprint(), before, "failures are logged");
        }
        env.write(
            "migrations/20260101000003_create_posts.down.sql",
            "DROP TABLE posts;\n",
        );
        env.write(
            "migrations/20260101000002_index_names.down.sql",
            "DROP INDEX users_name; CREATE INDEX users_name ON users (id);\n",
        );
        let whole = env.run("redo create_users --transaction all");
        assert_eq!(whole.status.code(), Some(1), "all of it is rolled back");
        env.run("current");
        env.run("redo create_users");
        env.run("current");
        env.sql("DROP INDEX users_name");
        env.run("upgrade");
        env.write(
            "migrations/20260101000002_index_names.down.sql",
            "DROP INDEX no_such_index;\n",
        );
        env.run("--format json redo create_users");
        env.run("history --log");
    });
}

#[test]
fn protected_databases_are_asked_for() {
    on_both("protected", |env| {
        three(env);
        let url = env.url();
        env.write(
            "migrator.toml",
            format!(
                "[migrator]\nurl = \"{url}\"\n[environments.production]\nurl = \"{url}\"\nprotected = true\n"
            ),
        );
        env.run("upgrade");
        let before = env.fingerprint();
        for line in [
            "redo",
            "downgrade base",
            "stamp base",
            "db drop",
            "-n production redo",
        ] {
            env.run(line);
        }
        assert_eq!(env.fingerprint(), before);
        env.run("redo --dry-run");
        env.run("--yes redo");
        env.run("redo --yes");
        env.run("db drop --yes");
        env.run("current");
        env.run("db create");
    });
}

/// The question is preceded by what it is about; a wrong answer changes nothing.
#[cfg(unix)]
#[test]
fn the_plan_is_shown_before_a_protected_database_is_changed() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        let url = env.url();
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\nprotected = true\n"),
        );
        env.revision(
            "1_create_users",
            "CREATE TABLE users (id int);\nCREATE INDEX users_id ON users (id);\n",
            "DROP INDEX users_id;\nDROP TABLE users;\n",
        );
        env.revision(
            "2_add_email",
            "ALTER TABLE users ADD email text;\n",
            "ALTER TABLE users DROP COLUMN email;\n",
        );
        assert!(env.run("upgrade").status.success());
        let name = match backend {
            Backend::Sqlite => "app.db".to_owned(),
            Backend::Postgres => url.rsplit('/').next().unwrap().to_owned(),
        };
        let name = name.split('?').next().unwrap().to_owned();
        let ask = |line: &str, answer: &str| {
            let words: Vec<_> = line.split(' ').collect();
            let prompt = "Type the database's name";
            let mut command = env.command();
            command.args(words).env("NO_COLOR", "1");
            on_terminal(&mut command, prompt, &format!("{answer}\n"))
        };
        let reverts = "  revert  2  add email\n          drops column users.email\n  \
                       revert  1  create users\n          drops index users_id, table users\n";
        let (status, shown) = ask("downgrade base", "other");
        assert_eq!(status, Some(1), "{shown}");
        let (before, after) = shown.split_once(" is protected. Type").unwrap();
        assert!(
            before.contains("From 2 (head), this reverts 2 revisions:\n"),
            "{shown}"
        );
        assert!(before.contains(reverts), "{shown}");
        assert!(after.contains("error[M112]"), "{shown}");
        let (status, shown) = ask("redo", &name);
        assert_eq!(status, Some(0), "{shown}");
        let head = "From 2 (head), this reverts 1 revision, then applies 1 revision:\n";
        assert!(shown.contains(head), "{shown}");
        assert!(shown.contains("  apply   2  add email\n"), "{shown}");
        let (status, shown) = ask("stamp 1", &name);
        assert_eq!(status, Some(0), "{shown}");
        let stamp = "stamp goes from 2 (head) to 1: 0 records written, 1 removed; no script runs.";
        assert!(shown.contains(stamp), "{shown}");
        let words = ["downgrade", "nonsense"];
        let (status, shown) = on_terminal(env.command().args(words), "", "");
        assert_ne!(status, Some(0), "{shown}");
        assert!(!shown.contains("Type the"), "{shown}");
    }
}

#[test]
fn values_are_completed_from_the_project() {
    let env = Env::new(Backend::Sqlite);
    let toml = "[migrator]\nurl = \"sqlite:app.db\"\n[environments.production]\nurl = \"sqlite:p.db\"\n\
                [environments.staging]\nurl = \"postgres://nowhere.invalid/x\"\n";
    env.write("migrator.toml", toml);
    three(&env);
    let offered = |words: &[&str]| {
        let output = env
            .command()
            .arg("__complete")
            .args(words)
            .output()
            .unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        offered(&["upgrade", "2026"]),
        "20260101000003\tcreate posts\n20260101000002\tindex names\n20260101000001\tCreate users\n"
    );
    // No database is asked.
    assert_eq!(
        offered(&["-n", "staging", "down", "ba"]),
        "base\tbefore the first revision\n"
    );
    assert_eq!(
        offered(&["show", "create_p"]),
        "create_posts\t20260101000003 create posts\n"
    );
    assert_eq!(offered(&["status", "-n", ""]), "production\t\nstaging\t\n");
    assert_eq!(
        offered(&["explain", "M802"]),
        "M802\tcheck: no down script\n"
    );
    assert_eq!(
        offered(&["revision", "--template", "merg"])
            .split('\t')
            .next(),
        Some("merge")
    );
    for nothing in [
        &["upgrade", "--"][..],
        &["init", ""],
        &["upgr"],
        &["-n", "nonsense", "up", ""],
        &[],
    ] {
        assert_eq!(offered(nothing), "", "{nothing:?}");
    }
    // A message is shown as text, and no value can be anything but a word to a shell.
    env.revision(
        "20260101000005_x",
        "-- a\u{1b}[31m`b`\nSELECT 1;\n",
        "SELECT 1;\n",
    );
    assert_eq!(
        offered(&["show", "20260101000005"]),
        "20260101000005\ta\\u{1b}[31m`b`\n"
    );
    env.write("migrations/broken.sql", "SELECT 1;\n");
    assert_eq!(offered(&["upgrade", ""]), "");
}

#[cfg(unix)]
#[test]
fn bash_completes_values_and_options() {
    let env = Env::new(Backend::Sqlite);
    three(&env);
    let script = env
        .command()
        .args(["completions", "bash"])
        .output()
        .unwrap();
    env.write("complete.bash", script.stdout);
    let migrator = env!("CARGO_BIN_EXE_migrator");
    let complete = |words: &str, at: usize| {
        let code = format!(
            "source ./complete.bash\nCOMP_WORDS=({migrator} {words})\nCOMP_CWORD={at}\n\
             _migrator_or_values {migrator} \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{}]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\ncomplete -p migrator\n",
            at - 1
        );
        let mut command = Command::new("bash");
        command.args(["-c", &code]).current_dir(env.path("."));
        let output = command.output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let (found, registered) = text.trim_end().rsplit_once('\n').unwrap();
        assert!(
            registered.contains("-F _migrator_or_values"),
            "{registered}"
        );
        found.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        complete("upgrade 2026", 2),
        ["20260101000003", "20260101000002", "20260101000001"]
    );
    assert_eq!(complete("upgrade --dry", 2), ["--dry-run"]);
    assert_eq!(complete("stat", 1), ["status"]);
    assert_eq!(complete("upgrade --transaction ''", 3), ["revision", "all"]);
}

/// Long output on a terminal goes through the pager, and through nothing else.
#[cfg(unix)]
#[test]
fn long_output_is_paged_on_a_terminal() {
    let env = Env::new(Backend::Sqlite);
    for number in 1..=30 {
        env.revision(&format!("{number}_step"), "SELECT 1;\n", "SELECT 1;\n");
    }
    let show = |line: &str, pager: &[(&str, &str)]| {
        let mut command = env.command();
        command.args(line.split(' ')).env("TERM", "xterm");
        command.env("NO_COLOR", "1").envs(pager.iter().copied());
        let (status, shown) = on_terminal(&mut command, "", "");
        assert_eq!(status, Some(0), "{shown}");
        shown
    };
    let sed = "sed 's/^/paged /'";
    let all = show("history --no-pager", &[("PAGER", sed)]);
    assert_eq!(all.lines().count(), 30, "{all}");
    assert!(!all.contains("paged"), "{all}");
    let paged: String = all.lines().map(|line| format!("paged {line}\n")).collect();
    assert_eq!(show("history", &[("PAGER", sed)]), paged);
    assert_eq!(
        show("history", &[("PAGER", "false"), ("MIGRATOR_PAGER", sed)]),
        paged
    );
    for broken in ["/nonexistent/pager", "false", "cat", "", "'"] {
        assert_eq!(show("history", &[("PAGER", broken)]), all, "{broken}");
    }
    assert_eq!(show("history", &[("PAGER", sed), ("TERM", "dumb")]), all);
    let short = show("history -N 2", &[("PAGER", sed)]);
    assert_eq!(short, "30  step  (head)\n29  step  <- 28\n");
    let json = show("history --format json", &[("PAGER", sed)]);
    assert!(json.starts_with("{\n"), "{json}");
    let piped = env
        .command()
        .arg("history")
        .env("PAGER", sed)
        .env("TERM", "xterm")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), all);
}

#[test]
fn the_newest_revisions_and_operations_can_be_listed_alone() {
    on_both("limit", |env| {
        three(env);
        env.run("upgrade");
        env.run("history -N 2");
        env.run("history -i --limit 1");
        env.run("history -r :20260101000002 -N 1");
        env.run("history -N 9");
        env.run("history --log -N 1");
        env.run("history -N 0");
    });
}

/// As `.cargo/config.toml` says.
#[test]
fn sqlite_is_built_with_math_functions() {
    let mut env = Env::new(Backend::Sqlite);
    env.revision(
        "1_math",
        "CREATE TABLE t (x);\nINSERT INTO t VALUES (sqrt(16.0) + cos(0));\n",
        "DROP TABLE t;\n",
    );
    assert!(env.run("upgrade").status.success(), "{}", env.transcript());
    assert_eq!(env.sql("SELECT x FROM t").trim(), "5.0");
}

/// A project that only goes forward needs no down scripts, but may have some.
#[test]
fn down_scripts_are_optional_where_the_project_says_so() {
    on_both("optional_downs", |env| {
        let url = env.url();
        let config = |downs: &str| format!("[migrator]\nurl = \"{url}\"\n{downs}");
        env.write("migrations/1_a.up.sql", "CREATE TABLE a (x integer);\n");
        env.run("-q upgrade");
        env.run("check");
        env.write("migrator.toml", config("downs = \"never\"\n"));
        env.run("check");
        env.write("migrator.toml", config("downs = \"optional\"\n"));
        env.run("check");
        env.run("revision -m forward --rev-id 2");
        env.run("revision -m both --rev-id 3 --down");
        env.run("revision -m neither --rev-id 4 --down --no-down x");
        env.run("merge -m join");
        env.run("-q upgrade");
        env.run("downgrade base");
        env.run_with(
            "revision -m back --rev-id 4",
            &[("MIGRATOR_DOWNS", "required")],
        );
    });
}

#[test]
fn databases_are_made_dropped_and_awaited() {
    on_both("db", |env| {
        three(env);
        if env.backend == Backend::Postgres {
            env.run("db drop --yes");
        }
        env.run("db wait --timeout 0");
        env.run("db create");
        env.run("db create");
        env.run("-q db create");
        env.run("--format json db create");
        env.run("db wait");
        env.run("--format json db wait --timeout 5s");
        env.run("upgrade");
        env.run("db drop");
        env.run("db drop --yes");
        let files = env.files().join("\n");
        env.note(&files);
        env.run("db drop --yes");
        env.run("--format json db drop --yes");
        env.run("db wait --timeout soon");
        env.run("db wait --timeout 100ms --url sqlite:no/such/directory.db");
        env.run("db create --url sqlite:no/such/directory.db");
        env.run("db drop --yes --url sqlite:no/such/directory.db");
        env.run("db");
        // The test's database is dropped with the test.
        env.run("db create");
    });
}

#[test]
fn several_make_one_database_at_once() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.run("db drop --yes");
        let all: Vec<_> = (0..6).map(|_| Running::start(&env, "db create")).collect();
        let said: String = all
            .into_iter()
            .map(|it| it.finish().expect(0).stdout)
            .collect();
        assert!(said.contains("Created "), "{said}");
        assert_eq!(said.lines().count(), 6, "{said}");
        assert!(env.run("current").status.success());
    }
}

#[test]
fn a_database_in_use_is_not_dropped() {
    let mut env = Env::new(Backend::Postgres);
    let mut other = Session::open(&env);
    let refused = env.run("db drop --yes");
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("error[M611]") && said.contains("someone else"),
        "{said}"
    );
    assert_eq!(other.run("SELECT 'alive'").as_deref(), Some("alive"));
    assert!(env.run("db drop --yes --force").status.success());
    assert!(other.try_run("SELECT 1").is_err());
    assert!(env.run("db create").status.success());

    let mut env = Env::new(Backend::Sqlite);
    three(&env);
    env.run("upgrade");
    // Another migrator.
    let lock = fs::File::create(env.path("app.db.migrator-lock")).unwrap();
    lock.lock().unwrap();
    let before = env.fingerprint();
    let refused = env.run("db drop --yes");
    assert_eq!(refused.status.code(), Some(1));
    drop(lock);
    fs::remove_file(env.path("app.db.migrator-lock")).unwrap();
    // Another program, in either journal mode.
    for mode in ["delete", "wal"] {
        env.sql(&format!("PRAGMA journal_mode = {mode}"));
        let command = format!(
            "{} db drop --yes; test $? = 1 || touch dropped",
            env!("CARGO_BIN_EXE_migrator")
        );
        let output = Command::new("sqlite3")
            .current_dir(env.path(""))
            .arg("app.db")
            .args([
                "BEGIN IMMEDIATE",
                "CREATE TABLE x (y)",
                &format!(".shell {command}"),
                "ROLLBACK",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("error[M611]"), "{mode}: {said}");
        assert!(!env.path("dropped").exists(), "{mode}");
    }
    assert_eq!(env.sql("SELECT count(*) FROM migrator_version").trim(), "3");
    env.sql("PRAGMA journal_mode = delete");
    assert!(!before.is_empty());
    assert!(env.run("db drop --yes").status.success());
}

#[test]
fn nothing_of_a_dropped_file_reaches_a_later_one() {
    let mut env = Env::new(Backend::Sqlite);
    let names = ["app.db", "app.db-wal", "app.db-shm", "app.db-journal"];
    // A process that died in WAL mode has left its data there.
    env.run("db create");
    env.sql("PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    let copy = |env: &Env| {
        let script = "cp app.db copy.db; cp app.db-wal copy.db-wal";
        let output = Command::new("sqlite3")
            .current_dir(env.path(""))
            .arg("app.db")
            .args(["INSERT INTO t VALUES (2)", &format!(".shell {script}")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    copy(&env);
    for (from, to) in [("copy.db", "app.db"), ("copy.db-wal", "app.db-wal")] {
        fs::rename(env.path(from), env.path(to)).unwrap();
    }
    env.write("app.db-journal", "");
    assert!(env.run("db drop --yes").status.success());
    for name in names {
        assert!(!env.path(name).exists(), "{name}");
    }
    // What an earlier crash has left goes as well, though there is no database any more.
    env.write("app.db-wal", "x");
    assert!(env.run("db drop --yes").status.success());
    assert!(!env.path("app.db-wal").exists());
    env.write(
        "app.db",
        "This is a text and no database, which is long enough to have a header of one.",
    );
    assert_eq!(env.run("db drop --yes").status.code(), Some(1));
    assert!(
        env.path("app.db").exists(),
        "it is not a database of ours to drop"
    );
}

#[cfg(unix)]
#[test]
fn a_database_is_waited_for() {
    let env = Env::new(Backend::Sqlite);
    let line = "db wait --timeout 10min --url sqlite:later/app.db";
    let mut waiting = Running::start(&env, line);
    waiting.wait_for("waiting up to 10 min 0 s: cannot connect to sqlite:later/app.db");
    fs::create_dir(env.path("later")).unwrap();
    let said = waiting.finish().expect(0).stdout;
    assert!(
        said.starts_with("Ready: sqlite:later/app.db, after "),
        "{said}"
    );
    fs::remove_dir(env.path("later")).unwrap();
    for signal in ["INT", "TERM"] {
        let mut waiting = Running::start(&env, line);
        waiting.wait_for("waiting");
        waiting.signal(signal);
        let ended = waiting.finish().expect(130);
        assert!(ended.stderr.contains("error[M706]"), "{ended:?}");
    }

    let mut env = Env::new(Backend::Postgres);
    assert!(env.run("db drop --yes").status.success());
    let mut waiting = Running::start(&env, "db wait --timeout 10min");
    waiting.wait_for("does not exist");
    assert!(env.run("db create").status.success());
    waiting.finish().expect(0);
}

#[test]
fn a_new_revision_comes_after_all_that_would_revise_it() {
    let mut env = Env::new(Backend::Sqlite);
    env.write(
        "migrations/20240101000000123_a.up.sql",
        "CREATE TABLE a (x);\n",
    );
    env.write(
        "migrations/20240202000000456_b.up.sql",
        "CREATE TABLE b (x);\n",
    );
    assert!(env.run("upgrade").status.success(), "{}", env.transcript());
    for message in ["next", "Größe ändern", "Добавить таблицу", "ユーザーを追加"]
    {
        let output = env.run(&format!("revision -m \"{message}\""));
        assert!(output.status.success(), "{}", env.transcript());
    }
    assert!(env.run("upgrade").status.success(), "{}", env.transcript());
    let ids = env.sql("SELECT revision FROM migrator_version ORDER BY sequence DESC LIMIT 4");
    let expected: Vec<_> = (457..=460)
        .rev()
        .map(|n| format!("20240202000000{n}\n"))
        .collect();
    assert_eq!(ids, expected.concat());
    let before = env.files();
    for files in [
        "_next.",
        "_grosse_andern.",
        "_dobavit_tablitsu.",
        "_yuzaozhuijia.",
    ] {
        assert!(before.iter().any(|name| name.contains(files)), "{before:?}");
    }
    let output = env.run("revision -m early --rev-id 7");
    assert_eq!(output.status.code(), Some(2), "{}", env.transcript());
    assert_eq!(env.files(), before);
}
