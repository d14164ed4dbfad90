//! `scratch`: databases for other programs, end to end on both databases.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    thread,
};

use crate::common::{Backend, Env, Running, Session, wait_until};

const MIGRATOR: &str = env!("CARGO_BIN_EXE_migrator");

/// A project of two revisions and a repeatable script, with a directory for temporary files of its
/// own.
fn project(backend: Backend) -> Env {
    let env = Env::new(backend);
    env.revision(
        "1_users",
        "CREATE TABLE users (id integer PRIMARY KEY, name text);\nINSERT INTO users VALUES (1, 'ada');\n",
        "DROP TABLE users;\n",
    );
    env.revision(
        "2_posts",
        "CREATE TABLE posts (id integer PRIMARY KEY);\n",
        "DROP TABLE posts;\n",
    );
    env.write(
        "migrations/R_names.sql",
        "DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT name FROM users;\n",
    );
    fs::create_dir(env.path("tmp")).unwrap();
    env
}

/// `migrator OPTIONS scratch …`, where `migrator` is on the PATH of what it runs.
fn migrator(env: &Env) -> Command {
    let mut command = env.command();
    let path = std::env::var("PATH").unwrap_or_default();
    let directory = Path::new(MIGRATOR).parent().unwrap();
    command
        .env("TMPDIR", env.path("tmp"))
        .env("PATH", format!("{}:{path}", directory.display()));
    command
}

/// `migrator scratch ARGUMENTS -- sh -c SCRIPT`.
fn scratch(env: &Env, arguments: &[&str], script: &str) -> Command {
    let mut command = migrator(env);
    command
        .arg("scratch")
        .args(arguments)
        .args(["--", "sh", "-c", script]);
    command
}

fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// What runs successfully prints.
#[track_caller]
fn printed(command: &mut Command) -> String {
    let (status, stdout, stderr) = output(command);
    assert_eq!(status, Some(0), "{stdout}\n{stderr}");
    stdout
}

/// The scratch databases that there are: names of databases, or of directories.
fn databases(env: &Env, purpose: &str) -> Vec<String> {
    if env.backend == Backend::Sqlite {
        let entries = fs::read_dir(env.path("tmp")).unwrap();
        return entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
    }
    let found = env.sql(&format!(
        "SELECT datname FROM pg_database WHERE starts_with(datname, current_database() || '_{purpose}_') ORDER BY oid"
    ));
    found.lines().map(str::to_owned).collect()
}

#[track_caller]
fn nothing_is_left(env: &Env) {
    assert_eq!(databases(env, "scratch"), Vec::<String>::new());
}

/// Drops the templates.
fn clean(env: &Env) {
    let mut command = migrator(env);
    command.args(["scratch", "drop"]);
    printed(&mut command);
    nothing_is_left(env);
    if env.backend == Backend::Postgres {
        assert_eq!(databases(env, "template"), Vec::<String>::new());
    }
}

#[test]
fn a_command_has_a_database_at_the_revision() {
    let current = "migrator current | cut -d ' ' -f 1";
    let cases: &[(&[&str], &str, &str)] = &[
        (&[], current, "2\n"),
        (&["--at", "head"], current, "2\n"),
        (&["--at", "1"], current, "1\n"),
        (&["--at", "head-1"], current, "1\n"),
        (&["--at", "+1"], current, "1\n"),
        (&["--at", "posts"], current, "2\n"),
        (
            &["--at", "base"],
            "migrator current",
            "base (nothing is applied)\n",
        ),
        // It can be migrated like any other.
        (
            &["--at", "1"],
            "migrator upgrade -q && migrator current --check-heads -q >&2",
            "",
        ),
        (
            &[],
            "migrator downgrade 1 -q && migrator status --format json | grep -c '\"pending\"'",
            "1\n",
        ),
        // An environment does not lead anywhere else.
        (&[], "migrator -n other current | cut -d ' ' -f 1", "2\n"),
        (
            &[],
            "MIGRATOR_ENV=other migrator current | cut -d ' ' -f 1",
            "2\n",
        ),
        (
            &[],
            "test \"$DATABASE_URL\" = \"$MIGRATOR_URL\" && echo same",
            "same\n",
        ),
    ];
    for backend in Backend::ALL {
        let env = project(backend);
        let config = fs::read_to_string(env.path("migrator.toml")).unwrap();
        let other = "[environments.other]\nurl = \"sqlite:other.db\"\n";
        env.write("migrator.toml", format!("{config}{other}"));
        for (arguments, script, expected) in cases {
            let found = printed(&mut scratch(&env, arguments, script));
            assert_eq!(found, *expected, "{backend:?} {arguments:?} {script}");
            nothing_is_left(&env);
        }
        // Nothing happened to the database itself.
        assert!(!env.path("other.db").exists() && !env.path("app.db").exists());
        if backend == Backend::Postgres {
            let nothing = "base (nothing is applied)\n";
            assert_eq!(printed_line(&env, "current"), nothing);
        }
        clean(&env);
    }
}

/// What `migrator LINE` prints, if anything.
fn printed_line(env: &Env, line: &str) -> String {
    let mut command = migrator(env);
    command.args(line.split(' '));
    output(&mut command).1
}

#[test]
fn the_exit_status_is_that_of_the_command() {
    for backend in Backend::ALL {
        let env = project(backend);
        env.write("plain", "echo hello\n");
        env.write("lost", "#!/nonexistent/interpreter\n");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(env.path("lost"), mode).unwrap();
        let cases: &[(&[&str], i32, &str)] = &[
            (&["true"], 0, ""),
            (&["false"], 1, ""),
            (&["sh", "-c", "exit 42"], 42, ""),
            (&["sh", "-c", "kill -TERM $$"], 143, ""),
            (&["sh", "-c", "kill -KILL $$"], 137, ""),
            (
                &["no-such-command-anywhere", "x"],
                127,
                "error[M877]: no-such-command-anywhere: command not found",
            ),
            (&["./lost"], 127, "error[M877]"),
            (&["./plain"], 126, "error[M878]: ./plain: "),
        ];
        for (words, status, said) in cases {
            let mut command = migrator(&env);
            command.args(["scratch", "--"]).args(*words);
            let (found, stdout, stderr) = output(&mut command);
            assert_eq!(
                (found, stdout.as_str()),
                (Some(*status), ""),
                "{words:?} {stderr}"
            );
            match *said {
                "" => assert_eq!(stderr, "", "{words:?}"),
                said => assert!(stderr.contains(said), "{stderr}"),
            }
            nothing_is_left(&env);
        }
        clean(&env);
    }
}

#[test]
fn input_and_output_are_those_of_the_command() {
    let env = project(Backend::Sqlite);
    env.write("input", "words\n");
    let mut command = scratch(&env, &[], "cat; echo warning >&2");
    command.stdin(fs::File::open(env.path("input")).unwrap());
    let (status, stdout, stderr) = output(&mut command);
    assert_eq!(status, Some(0));
    assert_eq!((stdout.as_str(), stderr.as_str()), ("words\n", "warning\n"));
}

#[test]
fn a_file_is_only_for_its_user() {
    let env = project(Backend::Sqlite);
    let found = printed(&mut scratch(
        &env,
        &[],
        "stat -c %a tmp tmp/*; echo \"$DATABASE_URL\"",
    ));
    let lines: Vec<_> = found.lines().collect();
    assert_eq!(lines[1], "700", "{found}");
    let prefix = format!("sqlite:///{}/", env.path("tmp").display());
    assert!(lines[2].starts_with(&prefix), "{found}");
    // Journals are removed with it.
    printed(&mut scratch(
        &env,
        &[],
        "for d in tmp/*; do touch $d/scratch.db-wal $d/scratch.db-shm; done",
    ));
    nothing_is_left(&env);
}

#[test]
fn errors_come_before_the_command() {
    for backend in Backend::ALL {
        let env = project(backend);
        env.revision(
            "3_broken",
            "CREATE TABLE x (id integer);\nDROP TABLE nosuch;\n",
            "SELECT 1;\n",
        );
        let outside = match backend {
            Backend::Sqlite => "ATTACH 'other.db' AS other;\n",
            Backend::Postgres => "CREATE ROLE nobody_else;\n",
        };
        env.revision("4_outside", outside, "SELECT 1;\n");
        let check = |arguments: &[&str], status: i32, said: &str| {
            let (found, stdout, stderr) = output(&mut scratch(&env, arguments, "echo ran"));
            assert_eq!((found, stdout.as_str()), (Some(status), ""), "{stderr}");
            assert!(stderr.contains(said), "{stderr}");
            nothing_is_left(&env);
        };
        check(&["--at", "nosuch"], 2, "error[M401]");
        check(&["--at", "1"], 1, "error[M874]");
        fs::remove_file(env.path("migrations/4_outside.up.sql")).unwrap();
        fs::remove_file(env.path("migrations/4_outside.down.sql")).unwrap();
        check(&[], 1, "error[M701]");
        check(&[], 1, "this happened in a scratch database");
        let (status, _, stderr) = output(&mut scratch(&env, &["--at"], "echo ran"));
        assert_eq!(status, Some(2), "{stderr}");
        let mut command = migrator(&env);
        command.arg("scratch");
        assert_eq!(output(&mut command).0, Some(2));
        if backend == Backend::Postgres {
            // What failed is no template.
            assert_eq!(databases(&env, "template"), Vec::<String>::new());
        }
    }
}

#[test]
fn the_second_database_is_a_copy() {
    let env = project(Backend::Postgres);
    let slow = "SELECT pg_sleep(0.1);\n";
    env.revision("3_slow", slow, "SELECT 1;\n");
    let oid = "psql -qAt \"$DATABASE_URL\" -c \"SELECT string_agg(name, ',') FROM names\"";
    let templates = || databases(&env, "template");
    for _ in 0..3 {
        assert_eq!(printed(&mut scratch(&env, &[], oid)), "ada\n");
        assert_eq!(templates().len(), 1);
    }
    let first = templates();
    // Whatever changes the content makes another template.
    env.write("migrations/3_slow.down.sql", "SELECT 2;\n");
    printed(&mut scratch(&env, &[], "true"));
    assert_eq!(templates().len(), 2);
    printed(&mut scratch(&env, &["--at", "2"], "true"));
    assert_eq!(templates().len(), 3);
    // Scripts above the revision do not.
    env.write("migrations/3_slow.down.sql", "SELECT 3;\n");
    printed(&mut scratch(&env, &["--at", "2"], "true"));
    assert_eq!(templates().len(), 3);
    // The oldest are dropped.
    printed(&mut scratch(&env, &[], "true"));
    let found = templates();
    assert_eq!(found.len(), 3);
    assert!(!found.contains(&first[0]));
    env.sql(
        "ALTER DATABASE [NAME] SET work_mem = '5MB'"
            .replace("[NAME]", &name(&env))
            .as_str(),
    );
    let setting = "psql -qAt \"$DATABASE_URL\" -c 'SHOW work_mem'";
    for _ in 0..2 {
        assert_eq!(printed(&mut scratch(&env, &[], setting)), "5MB\n");
    }
    assert_eq!(templates().len(), 3);
    clean(&env);
}

fn name(env: &Env) -> String {
    env.sql("SELECT current_database()").trim().to_owned()
}

#[test]
fn a_copy_has_what_scripts_set_for_the_database() {
    let env = project(Backend::Postgres);
    env.revision(
        "3_settings",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO app, public', current_database());\n\
         EXECUTE format('ALTER DATABASE %I SET app.words TO %L', current_database(), 'a ''b'' \\c'); END $$;\n",
        "SELECT 1;\n",
    );
    let show = "psql -qAt \"$DATABASE_URL\" -c 'SHOW search_path' -c 'SHOW app.words'";
    for _ in 0..2 {
        let found = printed(&mut scratch(&env, &[], show));
        assert_eq!(found, "app, public\na 'b' \\c\n");
    }
    clean(&env);
}

#[test]
fn placeholders_are_a_part_of_the_content() {
    let env = project(Backend::Postgres);
    env.revision(
        "3_vars",
        "-- migrator: vars = on\nCREATE TABLE t_:{suffix} (x integer);\n",
        "SELECT 1;\n",
    );
    let config = fs::read_to_string(env.path("migrator.toml")).unwrap();
    for (suffix, unused) in [("a", "1"), ("a", "2"), ("b", "2")] {
        let vars = format!("[vars]\nsuffix = \"{suffix}\"\nunused = \"{unused}\"\n");
        env.write("migrator.toml", format!("{config}{vars}"));
        let tables = "psql -qAt \"$DATABASE_URL\" -c \"SELECT relname FROM pg_class WHERE relname LIKE 't\\_%' AND relkind = 'r'\"";
        assert_eq!(
            printed(&mut scratch(&env, &[], tables)),
            format!("t_{suffix}\n")
        );
    }
    assert_eq!(databases(&env, "template").len(), 2);
    clean(&env);
}

#[test]
fn tables_can_have_rows() {
    for backend in Backend::ALL {
        let env = project(backend);
        env.revision(
            "3_refuses",
            "CREATE TABLE refuses (x integer CHECK (x < 1 AND x > 2 AND x IS NOT NULL));\n",
            "DROP TABLE refuses;\n",
        );
        env.write(
            "seed.sql",
            "INSERT INTO nosuch VALUES (1);\nINSERT INTO posts VALUES (77);\n",
        );
        let config = fs::read_to_string(env.path("migrator.toml")).unwrap();
        env.write(
            "migrator.toml",
            format!("{config}[verify]\nseed = \"seed.sql\"\n"),
        );
        let count = match backend {
            Backend::Sqlite => {
                "f=${DATABASE_URL#sqlite:///}; sqlite3 \"$f\" 'SELECT count(*) FROM users; SELECT id FROM posts'"
            }
            Backend::Postgres => {
                "psql -qAt \"$DATABASE_URL\" -c 'SELECT count(*) FROM users' -c 'SELECT id FROM posts'"
            }
        };
        let mut first = None;
        for options in [&["--seed"][..], &["--seed"], &["--seed=2"], &[]] {
            let (status, stdout, stderr) = output(&mut scratch(&env, options, count));
            assert_eq!(status, Some(0), "{stderr}");
            let is_first = first.is_none() || options == ["--seed=2"];
            // A script makes one row, so that its table is left alone.
            let rows = if options.is_empty() { "1\n" } else { "1\n77\n" };
            assert_eq!(stdout, rows, "{options:?}");
            if !options.is_empty() && (is_first || backend == Backend::Sqlite) {
                assert!(
                    stderr.contains("no rows could be made in ") && stderr.contains("refuses"),
                    "{stderr}"
                );
                assert!(
                    stderr.contains("seed.sql:1:1: the statement failed: "),
                    "{stderr}"
                );
            } else {
                assert_eq!(stderr, "", "{options:?}");
            }
            first.get_or_insert(stdout);
        }
        if backend == Backend::Postgres {
            assert_eq!(databases(&env, "template").len(), 3);
            assert!(printed_line(&env, "scratch list").contains("head, seed 2"));
        }
        clean(&env);
    }
}

#[test]
fn several_run_at_once() {
    for backend in Backend::ALL {
        let env = project(backend);
        let script = "migrator current -q; echo \"$DATABASE_URL\"";
        let urls: Vec<String> = thread::scope(|scope| {
            let runs: Vec<_> = (0..6)
                .map(|_| {
                    let mut command = scratch(&env, &[], script);
                    scope.spawn(move || printed(&mut command))
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        let mut distinct = urls.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), urls.len(), "{urls:#?}");
        if backend == Backend::Postgres {
            assert_eq!(databases(&env, "template").len(), 1);
        }
        clean(&env);
    }
}

/// Starts a command that says `ready` and waits.
fn waiting(env: &Env, script: &str) -> Running {
    let mut running = Running::spawn(&mut scratch(env, &[], script));
    running.wait_for("ready");
    running
}

#[test]
fn signals_reach_the_command() {
    for backend in Backend::ALL {
        let env = project(backend);
        for (signal, number) in [("TERM", 15), ("HUP", 1), ("INT", 2), ("QUIT", 3)] {
            let script = format!(
                "trap 'echo caught; exit $((100 + {number}))' {signal}; echo ready >&2; while :; do sleep 0.05; done"
            );
            let running = waiting(&env, &script);
            assert_eq!(databases(&env, "scratch").len(), 1);
            running.signal(signal);
            let finished = running.finish().expect(100 + number);
            assert_eq!(finished.stdout, "caught\n");
            nothing_is_left(&env);
        }
        // One that does not care.
        let mut running = waiting(
            &env,
            "trap '' TERM; echo ready >&2; while ! test -e go; do sleep 0.05; done",
        );
        running.signal("TERM");
        assert!(running.is_running());
        env.write("go", "");
        running.finish().expect(0);
        clean(&env);
    }
}

#[test]
fn a_signal_ends_the_preparation() {
    let env = project(Backend::Postgres);
    env.revision("3_slow", "SELECT pg_sleep(600);\n", "SELECT 1;\n");
    let (role, url) = role(&env, "root", "SUPERUSER");
    let sessions = |which: &str| {
        let sql =
            format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}' AND {which}");
        env.sql(&sql).trim().parse::<u32>().unwrap()
    };
    let start = || {
        let mut command = scratch(&env, &[], "echo ran");
        Running::spawn(command.env("MIGRATOR_URL", &url))
    };
    let first = start();
    wait_until("the script runs", || {
        sessions("wait_event = 'PgSleep'") == 1
    });
    // The second one waits for the template of the first.
    let second = start();
    wait_until("the second one waits", || {
        sessions("datname = 'postgres'") == 2
    });
    for running in [second, first] {
        running.signal("TERM");
        let finished = running.finish().expect(130);
        assert_eq!(finished.stdout, "");
        assert!(finished.stderr.contains("M706"), "{finished:?}");
    }
    assert_eq!(databases(&env, "template"), Vec::<String>::new());
    drop_role(&env, &role);
}

#[test]
fn what_a_killed_process_leaves_is_removed_by_the_next() {
    for backend in Backend::ALL {
        let env = project(backend);
        let role = own_role(&env);
        // The command outlives its parent, and ends with the file.
        let script = "echo ready >&2; while ! test -e go; do sleep 0.05; done";
        let mut killed = waiting(&env, script);
        let left = databases(&env, "scratch");
        let alive = waiting(&env, script);
        let both = databases(&env, "scratch");
        assert_eq!((left.len(), both.len()), (1, 2));
        killed.kill();
        assert_eq!(databases(&env, "scratch").len(), 2);
        printed(&mut scratch(&env, &[], "true"));
        let kept = databases(&env, "scratch");
        assert_eq!(kept.len(), 1);
        assert!(!kept.contains(&left[0]), "{kept:?} {left:?}");
        let mut command = migrator(&env);
        command.args(["scratch", "drop", "--all"]);
        printed(&mut command);
        assert_eq!(
            databases(&env, "scratch"),
            kept,
            "that of a living process was touched"
        );
        if backend == Backend::Postgres {
            assert_eq!(
                databases(&env, "template").len(),
                1,
                "a template in use was touched"
            );
        }
        env.write("go", "");
        alive.finish().expect(0);
        clean(&env);
        role.iter().for_each(|role| drop_role(&env, role));
    }
}

/// Kills at many moments; what is left is removed, and a living process keeps its database.
#[test]
fn a_kill_at_any_moment_leaves_nothing_for_long() {
    for (backend, step) in [(Backend::Sqlite, 2), (Backend::Postgres, 12)] {
        let env = project(backend);
        let alive = waiting(
            &env,
            "echo ready >&2; while ! test -e go; do sleep 0.05; done",
        );
        for number in 0..12 {
            // Every other run has to make a template.
            env.write(
                "migrations/2_posts.down.sql",
                format!("DROP TABLE posts; -- {}\n", number / 2),
            );
            let mut running = Running::spawn(&mut scratch(&env, &[], "sleep 0.01"));
            thread::sleep(std::time::Duration::from_millis(number * step));
            running.kill();
        }
        wait_until("the server has noticed", || {
            printed(&mut scratch(&env, &[], "true"));
            databases(&env, "scratch").len() == 1
        });
        env.write("go", "");
        alive.finish().expect(0);
        let complete = "migrator current -q | cut -d ' ' -f 1";
        assert_eq!(printed(&mut scratch(&env, &[], complete)), "2\n");
        clean(&env);
    }
}

#[test]
fn lists_show_what_there_is() {
    for backend in Backend::ALL {
        let env = project(backend);
        let list = |options: &[&str]| {
            let mut command = migrator(&env);
            command.args(["scratch", "list"]).args(options);
            printed(&mut command)
        };
        assert_eq!(list(&[]), "No scratch databases.\n");
        let alive = waiting(
            &env,
            "echo ready >&2; while ! test -e go; do sleep 0.05; done",
        );
        let text = list(&[]);
        let is_line = |line: &str, words: &[&str]| words.iter().all(|word| line.contains(word));
        assert!(
            text.lines()
                .any(|line| is_line(line, &["scratch", "B", "in use"])),
            "{text}"
        );
        if backend == Backend::Postgres {
            assert!(
                text.lines()
                    .any(|line| is_line(line, &["template", "head", "in use"])),
                "{text}"
            );
        }
        let json: serde_json::Value = serde_json::from_str(&list(&["--format", "json"])).unwrap();
        let found = json["databases"].as_array().unwrap();
        let scratch = found.iter().find(|it| it["kind"] == "scratch").unwrap();
        assert_eq!(scratch["in_use"], true);
        assert!(scratch["size"].as_u64().unwrap() > 0 && scratch["made_at"].is_string());
        env.write("go", "");
        alive.finish().expect(0);
        if backend == Backend::Postgres {
            let text = list(&["--all"]);
            assert!(
                text.lines()
                    .any(|line| is_line(line, &[&name(&env), "template", "kept"])),
                "{text}"
            );
            let mut command = migrator(&env);
            command.args(["scratch", "drop"]);
            let text = printed(&mut command);
            assert!(
                text.starts_with("Dropped template ") && text.lines().count() == 1,
                "{text}"
            );
        }
        let mut command = migrator(&env);
        command.args(["scratch", "drop"]);
        assert_eq!(printed(&mut command), "Nothing to drop.\n");
    }
}

#[test]
fn a_database_of_someone_else_is_no_template() {
    let env = project(Backend::Postgres);
    let role = own_role(&env);
    printed(&mut scratch(&env, &[], "true"));
    let template = databases(&env, "template").remove(0);
    clean(&env);
    // Anybody may create a database of that name.
    let postgres = format!("{}/postgres", env.url().rsplit_once('/').unwrap().0);
    let mut beside = Session::open_url(&postgres);
    beside.run(&format!("CREATE DATABASE {template}"));
    let current = "migrator current -q | cut -d ' ' -f 1";
    for _ in 0..2 {
        assert_eq!(printed(&mut scratch(&env, &[], current)), "2\n");
    }
    let mut command = migrator(&env);
    command.args(["scratch", "drop", "--all"]);
    printed(&mut command);
    assert_eq!(databases(&env, "template"), [template.as_str()]);
    beside.run(&format!("DROP DATABASE {template}"));
    role.iter().for_each(|role| drop_role(&env, role));
}

/// A role that may read and create databases, and nothing else.
#[test]
fn the_database_itself_is_only_read() {
    let env = project(Backend::Postgres);
    printed_line(&env, "upgrade");
    let (role, url) = role(&env, "reader", "CREATEDB");
    env.sql(&format!(
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;
         GRANT USAGE ON SCHEMA public TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
    ));
    let before = env.fingerprint();
    for at in ["head", "current-1", "head"] {
        let script = "psql -qAt \"$DATABASE_URL\" -c 'SELECT current_user'";
        let mut command = scratch(&env, &["--at", at], script);
        let found = printed(command.env("MIGRATOR_URL", &url));
        assert_eq!(found, format!("{role}\n"));
    }
    assert!(before == env.fingerprint());
    drop_role(&env, &role);
}

#[test]
fn another_server_has_the_databases() {
    let cluster = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster");
    let run = |arguments: &[&str]| {
        let output = Command::new(&cluster).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let started = run(&["start", &std::process::id().to_string()]);
    let (directory, other) = started.trim().split_once(' ').unwrap();
    let env = project(Backend::Postgres);
    // Its role can do nothing but read.
    let (role, url) = role(&env, "plain", "");
    let count = "SELECT count(*) FROM pg_database WHERE starts_with(datname, current_database())";
    for _ in 0..2 {
        let script = "migrator current | cut -d ' ' -f 1; echo \"$DATABASE_URL\"";
        let mut command = scratch(&env, &[], script);
        command
            .env("MIGRATOR_URL", &url)
            .env("MIGRATOR_SCRATCH_URL", other);
        let found = printed(&mut command);
        let (current, scratch) = found.trim().split_once('\n').unwrap();
        assert_eq!(current, "2");
        assert!(
            scratch.starts_with(&format!("{other}_scratch_")),
            "{scratch}"
        );
    }
    assert_eq!(env.sql(count), "1\n");
    let mut there = Session::open_url(other);
    let names =
        "SELECT string_agg(datname, ',') FROM pg_database WHERE datname LIKE 'postgres\\_%'";
    let template = there.run(names).unwrap();
    assert!(
        template.starts_with("postgres_template_") && !template.contains(','),
        "{template}"
    );
    drop(there);
    env.sql(&format!("DROP ROLE {role}"));
    run(&["stop", directory]);
}

/// The schema of the version table exists before the first script, as in the database itself.
#[test]
fn the_schema_of_the_version_table_exists() {
    let env = project(Backend::Postgres);
    let name = name(&env);
    env.sql(&format!(
        "CREATE SCHEMA app; ALTER DATABASE {name} SET search_path TO app"
    ));
    for _ in 0..2 {
        let script = "psql -qAt \"$DATABASE_URL\" -c \"SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'users'\"";
        assert_eq!(printed(&mut scratch(&env, &[], script)), "app\n");
    }
    assert_eq!(databases(&env, "template").len(), 1);
    clean(&env);
}

#[test]
fn a_lost_connection_does_not_end_the_command() {
    let env = project(Backend::Postgres);
    let (role, url) = role(&env, "root", "SUPERUSER");
    let script = "echo ready >&2; while ! test -e go; do sleep 0.05; done";
    let mut command = scratch(&env, &[], script);
    let mut running = Running::spawn(command.env("MIGRATOR_URL", &url));
    running.wait_for("ready");
    let ended = env.sql(&format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{role}'"
    ));
    assert_eq!(ended, "1\n");
    env.write("go", "");
    running.finish().expect(0);
    nothing_is_left(&env);
    drop_role(&env, &role);
}

/// A role of its own, and the URL with it.
fn role(env: &Env, suffix: &str, options: &str) -> (String, String) {
    let role = format!("{}_{suffix}", name(env));
    env.sql(&format!("CREATE ROLE {role} LOGIN {options}"));
    let url = env.url().replacen("postgres@", &format!("{role}@"), 1);
    (role, url)
}

/// Configures a role of its own, so that `--all` is nothing to other tests.
fn own_role(env: &Env) -> Option<String> {
    (env.backend == Backend::Postgres).then(|| {
        let (role, url) = role(env, "root", "SUPERUSER");
        env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
        role
    })
}

/// Drops the role and the templates that it owns.
fn drop_role(env: &Env, role: &str) {
    let mut command = migrator(env);
    let url = env.url().replacen("postgres@", &format!("{role}@"), 1);
    printed(command.args(["scratch", "drop"]).env("MIGRATOR_URL", url));
    nothing_is_left(env);
    env.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}
