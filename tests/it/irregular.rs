//! Names that lead to a pipe, a socket, a device or a directory where a file is read: refused at
//! once, by their type.
#![cfg(unix)]

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    process::{Command, Output, Stdio},
};

use crate::common::{Backend, Env, Running};

/// Makes something of that name that is not a file.
type Take = fn(&Env, &str);

/// How a file's place is taken, and what that is called.
const TYPES: [(&str, Take); 4] = [
    ("named pipe (FIFO)", |env, name| {
        let made = Command::new("mkfifo").arg(env.path(name)).status();
        assert!(made.unwrap().success());
    }),
    ("socket", |env, name| {
        // Names of sockets are short, so it is made elsewhere.
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        drop(UnixListener::bind(dir.path().join("s")).unwrap());
        fs::rename(dir.path().join("s"), env.path(name)).unwrap();
    }),
    ("character device", |env, name| {
        symlink("/dev/zero", env.path(name)).unwrap();
    }),
    ("directory", |env, name| {
        fs::create_dir(env.path(name)).unwrap()
    }),
];

/// Who opens the file, and with which code it is refused.
struct Case {
    name: &'static str,
    file: &'static str,
    arguments: &'static [&'static str],
    variable: Option<(&'static str, &'static str)>,
    code: &'static str,
    /// A directory of that name is something else.
    directories: bool,
}

const fn case(
    name: &'static str,
    file: &'static str,
    code: &'static str,
    arguments: &'static [&'static str],
) -> Case {
    Case {
        name,
        file,
        arguments,
        variable: None,
        code,
        directories: true,
    }
}

const CASES: &[Case] = &[
    case(
        "a configuration",
        "other.toml",
        "M101",
        &["--config", "other.toml", "status"],
    ),
    Case {
        variable: Some(("MIGRATOR_CONFIG", "other.toml")),
        ..case(
            "a configuration of a variable",
            "other.toml",
            "M101",
            &["status"],
        )
    },
    Case {
        directories: false,
        ..case("variables", ".env", "M109", &["status"])
    },
    case(
        "an up script",
        "migrations/2_b.up.sql",
        "M206",
        &["upgrade"],
    ),
    case(
        "a down script",
        "migrations/1_a.down.sql",
        "M206",
        &["downgrade", "base"],
    ),
    case(
        "a repeatable script",
        "migrations/R_r.sql",
        "M206",
        &["upgrade"],
    ),
    case(
        "a template",
        "templates/t.up.sql.jinja",
        "M110",
        &["revision", "-m", "x", "--template", "t"],
    ),
    case(
        "a log file",
        "run.jsonl",
        "M850",
        &["upgrade", "--log-file", "run.jsonl"],
    ),
    case(
        "a manual page",
        "pages/migrator.1",
        "M002",
        &["man", "pages"],
    ),
    case(
        "a journal of a rebase",
        "migrations/.migrator-rebase.json",
        "M002",
        &["rebase", "1"],
    ),
];

const LOCK: &str = "app.db.migrator-lock";

const ON_SQLITE: &[Case] = &[
    case(
        "a database",
        "test.db",
        "M604",
        &["--url", "sqlite:test.db", "upgrade"],
    ),
    case(
        "a journal",
        "test.db-journal",
        "M601",
        &["--url", "sqlite:test.db", "upgrade"],
    ),
    case("a write-ahead log", "app.db-wal", "M601", &["status"]),
    case("its index", "app.db-shm", "M601", &["status"]),
    case("a lock file", "app.db.migrator-lock", "M601", &["upgrade"]),
];

const ON_POSTGRES: &[Case] = &[
    Case {
        variable: Some(("PGPASSFILE", "secrets")),
        ..case("a password file", "secrets", "M113", &["status"])
    },
    case("the usual password file", ".pgpass", "M113", &["status"]),
    Case {
        variable: Some(("PGSSLROOTCERT", "root.crt")),
        ..case("a root certificate", "root.crt", "M113", &["status"])
    },
    Case {
        variable: Some(("PGSSLCERT", "own.crt")),
        ..case("a certificate", "own.crt", "M113", &["status"])
    },
    Case {
        variable: Some(("PGSSLKEY", "own.key")),
        ..case("a key", "own.key", "M113", &["status"])
    },
];

fn project(backend: Backend) -> Env {
    let env = Env::new(backend);
    for directory in ["templates", "pages"] {
        fs::create_dir(env.path(directory)).unwrap();
    }
    env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
    assert!(
        env.command()
            .arg("upgrade")
            .output()
            .unwrap()
            .status
            .success()
    );
    // Otherwise nobody would look for one.
    if backend == Backend::Postgres {
        let url = env.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (login, address) = rest.split_once('@').unwrap();
        let user = login.split(':').next().unwrap();
        let url = format!("{scheme}://{user}@{address}");
        env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
    }
    env
}

/// Runs it; a command that waits is ended after a while and has no status.
fn run(env: &Env, case: &Case) -> Output {
    let mut command = Command::new("timeout");
    let ready = env.command();
    command
        .args(["-s", "KILL", "20"])
        .arg(ready.get_program())
        .args(case.arguments)
        .stdin(Stdio::null())
        .env_clear()
        .current_dir(env.path(""));
    for (name, value) in ready.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.envs(case.variable);
    command.output().unwrap()
}

#[test]
fn what_is_no_file_is_refused_by_its_type() {
    for backend in Backend::ALL {
        let special = match backend {
            Backend::Sqlite => ON_SQLITE,
            Backend::Postgres => ON_POSTGRES,
        };
        let env = project(backend);
        let before = env.fingerprint();
        for case in CASES.iter().chain(special) {
            for (kind, take) in TYPES {
                if kind == "directory" && !case.directories {
                    continue;
                }
                let path = env.path(case.file);
                let kept = fs::read(&path).ok();
                if kept.is_some() {
                    fs::remove_file(&path).unwrap();
                }
                take(&env, case.file);
                let output = run(&env, case);
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                let what = format!("{} as a {kind}: {:?} {text}", case.name, output.status);
                assert!(matches!(output.status.code(), Some(1 | 2)), "{what}");
                assert!(text.contains(&format!("error[{}]", case.code)), "{what}");
                // The device is behind a link, which a file of our own is never reached by.
                let is_link = case.file == LOCK && text.contains("it is a symbolic link");
                let is_named = text.contains(&format!("it is a {kind}"));
                assert!(is_named || kind == "character device" && is_link, "{what}");
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
                if let Some(kept) = kept {
                    fs::write(&path, kept).unwrap();
                }
            }
        }
        assert!(env.fingerprint() == before, "something was changed");
    }
}

#[test]
fn null_stands_for_no_password_file() {
    let env = project(Backend::Postgres);
    let output = env
        .command()
        .arg("status")
        .env("PGPASSFILE", "/dev/null")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("M113"), "{text}");
}

#[test]
fn a_pipe_among_unfinished_backups_is_passed_over() {
    let env = project(Backend::Sqlite);
    fs::create_dir(env.path("backups")).unwrap();
    TYPES[0].1(&env, "backups/.migrator-0123456789abcdef.part");
    let running = Running::start(&env, "backup");
    running.finish().expect(0);
    assert!(fs::symlink_metadata(env.path("backups/.migrator-0123456789abcdef.part")).is_ok());
}
