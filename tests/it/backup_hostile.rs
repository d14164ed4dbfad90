//! Backups among other programs' files, other machines' backups, and people who mean harm.

use std::{
    fs::{self, File},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::{
    backup::{Project, database, fill, quietly},
    common::{Backend, Env, Running, Session, wait_until},
};

const LOCK: &str = "backups/.migrator-backups.lock";

fn run(env: &Env, line: &str) -> Output {
    let output = env.command().args(line.split_whitespace()).output();
    output.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(env: &Env, line: &str) -> Value {
    let output = run(env, &format!("--format json {line}"));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

/// Changes one field of a manifest.
fn edit(env: &Project, file: &str, change: impl FnOnce(&mut Value)) {
    let path = env.manifest(file);
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(&path, manifest.to_string()).unwrap();
}

#[test]
fn what_others_have_in_the_directory_stays_and_what_was_moved_comes_back() {
    for backend in Backend::ALL {
        let env = Project::new(backend, "");
        env.write("backups/webpack.manifest.json", "{}");
        let file = env.backup("");
        let away = env.path("away");
        fs::rename(env.path(&file), &away).unwrap();
        env.backup("");
        assert_eq!(
            fs::read(env.path("backups/webpack.manifest.json")).unwrap(),
            b"{}"
        );
        assert!(env.manifest(&file).exists());
        fs::rename(&away, env.path(&file)).unwrap();
        env.sql("DELETE FROM users");
        assert!(quietly(&env, &format!("--yes restore {file}")));
        assert_eq!(env.sql("SELECT count(*) FROM users"), "2\n");
        env.nothing_is_left();
    }
}

#[test]
fn keep_never_removes_what_it_must_not() {
    for backend in Backend::ALL {
        let env = Project::new(backend, "");
        // Of another machine, with the same path or address.
        let theirs = env.backup("");
        edit(&env, &theirs, |it| {
            it["origin"]["host"] = "elsewhere".into();
            it["origin"]["cluster"] = Value::Null;
        });
        // Of a clock that was ahead.
        let future = env.backup("");
        edit(&env, &future, |it| {
            it["made_at"] = "2999-01-01T00:00:00Z".into()
        });
        let damaged = env.backup("");
        fs::write(env.path(&damaged), "x").unwrap();
        let made = json(&env, "backup --keep 1");
        assert_eq!(made["removed"], serde_json::json!([future]));
        assert_eq!(made["not_counted"], serde_json::json!([theirs]));
        let mine = made["backup"]["file"].as_str().unwrap().to_owned();
        assert_eq!(
            env.backups(),
            [theirs.clone(), damaged.clone(), mine.clone()]
        );
        // Two within a second, and said to people as well.
        let output = run(&env, "backup --keep 1");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("  removed {mine}\n")), "{text}");
        assert!(
            text.contains("1 backup from another or an unknown machine or server"),
            "{text}"
        );
        assert_eq!(env.backups().len(), 3);
        assert!(!env.backups().contains(&mine));
    }
}

#[test]
fn a_lock_that_a_reader_holds_is_waited_for_with_a_deadline() {
    let env = Project::new(Backend::Sqlite, "");
    env.backup("");
    let before = env.backups();
    let held = File::open(env.path(LOCK)).unwrap();
    held.lock_shared().unwrap();
    let mut command = env.command();
    command.arg("backup").env("MIGRATOR_LOCK_WAIT", "100ms");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let text = said(&output);
    let waiting = "waiting up to 100 ms for backups/.migrator-backups.lock";
    assert!(
        text.contains(waiting) && text.contains("error[M829]"),
        "{text}"
    );

    for signal in ["TERM", "INT"] {
        let mut running = Running::start(&env, "backup");
        running.wait_for("waiting up to 1 min");
        running.signal(signal);
        let finished = running.finish().expect(130);
        assert!(finished.stderr.contains("M706"), "{finished:?}");
    }
    assert_eq!(env.backups(), before);

    let mut running = Running::start(&env, "backup");
    running.wait_for("waiting");
    drop(held);
    running.finish().expect(0);
    assert_eq!(env.backups().len(), 2);
    env.nothing_is_left();
}

#[test]
fn fifos_and_links_hang_and_make_nothing() {
    let env = Project::new(Backend::Sqlite, "");
    let file = env.backup("");
    for name in ["a.sqlite", "b.sqlite.manifest.json"] {
        fifo(&env.path("backups").join(name));
    }
    env.write("backups/a.sqlite.manifest.json", "{}");
    env.write("backups/b.sqlite", "");
    fifo(&env.path("backups/.migrator-0123456789abcdef.part"));
    let listed = json(&env, "backup list");
    assert_eq!(listed["backups"].as_array().unwrap().len(), 1);
    assert!(quietly(&env, "backup"));
    for name in ["a.sqlite", "b.sqlite"] {
        for line in ["backup verify", "--yes restore"] {
            let output = run(&env, &format!("{line} backups/{name}"));
            assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
            assert!(said(&output).contains("regular file"), "{output:?}");
        }
    }
    assert!(quietly(&env, &format!("backup verify {file}")));

    fs::remove_file(env.path(LOCK)).unwrap();
    fifo(&env.path(LOCK));
    let output = run(&env, "backup");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains("error[M820]"), "{output:?}");

    fs::remove_file(env.path(LOCK)).unwrap();
    symlink(env.path("target"), env.path(LOCK)).unwrap();
    let output = run(&env, "backup");
    assert!(said(&output).contains("symbolic link"), "{output:?}");
    assert!(!env.path("target").exists());
}

#[test]
fn a_lock_file_that_is_a_link_has_nothing_made_behind_it() {
    let env = Project::new(Backend::Sqlite, "");
    let lock = env.path("app.db.migrator-lock");
    symlink(env.path("target"), &lock).unwrap();
    let output = run(&env, "upgrade");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        said(&output).contains("it is a symbolic link"),
        "{output:?}"
    );
    assert!(!env.path("target").exists());

    fs::remove_file(&lock).unwrap();
    fifo(&lock);
    let output = run(&env, "upgrade");
    assert!(said(&output).contains("not a regular file"), "{output:?}");
}

#[test]
fn a_restored_file_is_no_more_readable_than_it_was() {
    for (compress, wanted) in [("zstd", 0o600), ("none", 0o640)] {
        let env = Project::new(Backend::Sqlite, "");
        let db = env.path("app.db");
        fs::set_permissions(&db, fs::Permissions::from_mode(wanted)).unwrap();
        let owner = fs::metadata(&db).unwrap();
        let file = env.backup(&format!("--compress {compress}"));
        assert_eq!(mode(&env.path(&file)), 0o600);
        assert_eq!(mode(&env.manifest(&file)), 0o600);
        fs::remove_file(&db).unwrap();
        assert!(quietly(&env, &format!("restore {file}")));
        let found = fs::metadata(&db).unwrap();
        assert_eq!(mode(&db), wanted, "{compress}");
        assert_eq!((found.uid(), found.gid()), (owner.uid(), owner.gid()));
        // The one that is kept, too.
        env.sql("DELETE FROM users");
        assert!(quietly(&env, &format!("--yes restore {file}")));
        let kept = env.beside().pop().unwrap();
        assert_eq!(mode(&env.path(&kept)), wanted);
        // Where the manifest does not tell, or numbers of users are another machine's.
        fs::remove_file(&db).unwrap();
        edit(&env, &file, |it| it["origin"]["host"] = "elsewhere".into());
        assert!(quietly(&env, &format!("restore {file}")));
        assert_eq!(mode(&db), 0o600);
        fs::remove_file(&db).unwrap();
        edit(&env, &file, |it| it["properties"] = serde_json::json!({}));
        assert!(quietly(&env, &format!("restore {file}")));
        assert_eq!(mode(&db), 0o600);
    }
}

/// A role that goes with the value.
struct Role<'a> {
    env: &'a Project,
    name: String,
}

impl<'a> Role<'a> {
    fn create(env: &'a Project, suffix: &str, options: &str) -> Self {
        let name = format!("{}_{suffix}", database(env));
        env.sql(&format!("CREATE ROLE {name} LOGIN {options}"));
        Self { env, name }
    }

    fn url(&self) -> String {
        let url = self.env.url();
        let (_, address) = url.split_once('@').unwrap();
        format!("postgres://{}@{address}", self.name)
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let name = &self.name;
        self.env
            .sql(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}"));
    }
}

#[test]
fn a_role_with_an_encoding_of_its_own_loses_nothing() {
    let env = Project::new(Backend::Postgres, "");
    let role = Role::create(&env, "latin", "SUPERUSER");
    let name = &role.name;
    env.sql(&format!(
        "ALTER ROLE {name} SET client_encoding TO 'LATIN1'"
    ));
    env.sql("INSERT INTO users VALUES (3, '€ żółć')");
    for compress in ["none", "zstd"] {
        let made = json(
            &env,
            &format!("--url {} backup --compress {compress}", role.url()),
        );
        let file = made["backup"]["file"]
            .as_str()
            .unwrap_or_else(|| panic!("{made}"));
        env.sql("DELETE FROM users");
        let restore = format!("--url {} --yes restore --discard-old {file}", role.url());
        assert!(quietly(&env, &restore));
        assert_eq!(env.sql("SELECT name FROM users WHERE id = 3"), "€ żółć\n");
    }
}

/// Bytes that are no UTF-8, in a database that takes any.
#[test]
fn a_database_without_an_encoding_keeps_its_bytes() {
    let env = Project::new(Backend::Postgres, "");
    let ascii = format!("{}_ascii", database(&env));
    env.sql(&format!(
        "CREATE DATABASE {ascii} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    let url = env.url().replace(&database(&env), &ascii);
    let mut session = Session::open_url(&url);
    session.run(
        "CREATE TABLE t (x text); INSERT INTO t VALUES (pg_read_binary_file('PG_VERSION')::text)",
    );
    session.run("UPDATE t SET x = convert_from('\\xe9'::bytea, 'SQL_ASCII')");
    drop(session);
    let made = json(&env, &format!("--url {url} backup"));
    let file = made["backup"]["file"]
        .as_str()
        .unwrap_or_else(|| panic!("{made}"));
    assert!(quietly(&env, &format!("--url {url} backup verify {file}")));
    let restore = format!("--url {url} --yes restore --discard-old {file}");
    assert!(quietly(&env, &restore));
    let mut session = Session::open_url(&url);
    let bytes = session.run("SELECT encode(convert_to(x, 'SQL_ASCII'), 'hex') FROM t");
    assert_eq!(bytes.as_deref(), Some("e9"));
}

/// A table whose owner tries to become a superuser by its index, and one by a CHECK constraint.
fn hostile_table(env: &Project, owner: &str, constraint: &str) {
    let index = if constraint.is_empty() {
        format!("CREATE INDEX ON {owner}.t ({owner}.h(x));")
    } else {
        String::new()
    };
    env.sql(&format!(
        "CREATE SCHEMA AUTHORIZATION {owner}; SET ROLE {owner};
         CREATE FUNCTION {owner}.evil() RETURNS void LANGUAGE plpgsql AS $$
           BEGIN EXECUTE 'ALTER ROLE {owner} SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END $$;
         CREATE FUNCTION {owner}.h(x integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
           BEGIN PERFORM {owner}.evil(); RETURN x; END $$;
         CREATE TABLE {owner}.t (x integer {constraint}); INSERT INTO {owner}.t VALUES (1);
         {index}"
    ));
}

#[test]
fn an_index_gets_no_rights_of_the_superuser_who_verifies() {
    let env = Project::new(Backend::Postgres, "");
    let owner = Role::create(&env, "owner", "");
    let name = &owner.name;
    hostile_table(&env, name, "");
    let file = env.backup("");
    let is_superuser = format!("SELECT rolsuper FROM pg_roles WHERE rolname = '{name}'");
    assert_eq!(env.sql(&is_superuser), "f\n");
    assert!(quietly(&env, &format!("backup verify {file}")));
    assert_eq!(env.sql(&is_superuser), "f\n");
    assert!(quietly(
        &env,
        &format!("--yes restore --discard-old {file}")
    ));
    assert_eq!(env.sql(&is_superuser), "f\n");
    env.nothing_is_left();
}

#[test]
fn code_that_runs_with_the_rights_of_a_superuser_is_told_before_it_runs() {
    let env = Project::new(Backend::Postgres, "");
    let file = env.backup("");
    let verified = json(&env, &format!("backup verify {file}"));
    assert_eq!(
        verified["owners_code"],
        Value::Null,
        "all is the superuser's own"
    );

    let owner = Role::create(&env, "owner", "");
    let name = &owner.name;
    hostile_table(&env, name, &format!("CHECK ({name}.h(x) = x)"));
    let file = env.backup("");
    let expected = serde_json::json!({
        "role": "postgres",
        "superuser": true,
        "owners": [name],
    });
    // The constraint does what it can: whoever may load the rows for it.
    let harmless = format!("ALTER ROLE {name} NOSUPERUSER");
    for line in ["backup verify", "--yes restore --discard-old"] {
        env.sql(&harmless);
        let result = json(&env, &format!("{line} {file}"));
        assert_eq!(result["owners_code"], expected, "{result}");
        env.sql(&harmless);
        let output = run(&env, &format!("{line} {file}"));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = said(&output);
        let told = "warning: code in the backup runs with the rights of the superuser postgres";
        assert!(text.contains(told) && text.contains(name), "{text}");
    }
    // As before there was a list of owners.
    edit(&env, &file, |it| {
        it["properties"].as_object_mut().unwrap().remove("owners");
    });
    let result = json(&env, &format!("backup verify {file}"));
    assert_eq!(result["owners_code"]["owners"], Value::Null, "{result}");
    assert_eq!(result["owners_code"]["role"], "postgres");
}

#[test]
fn a_scratch_database_is_dropped_though_its_session_was_ended() {
    let env = Project::new(Backend::Postgres, "");
    fill(&env, 30_000);
    let file = env.backup("--compress none");
    // So that no other test's session is ended.
    let role = Role::create(&env, "verifier", "SUPERUSER");
    let running = Running::start(&env, &format!("--url {} backup verify {file}", role.url()));
    wait_until("the scratch database is being filled", || {
        let begun = env.sql(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE starts_with(datname, '{}_verify_')",
            database(&env)
        ));
        begun != "0\n"
    });
    let ended = env.sql(&format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE datname IN ('postgres', 'template1') AND usename = '{}'",
        role.name
    ));
    assert_eq!(ended, "1\n");
    running.finish().expect(0);
    env.nothing_is_left();
}

#[test]
fn a_deadline_of_none_is_one_attempt() {
    let env = Project::new(Backend::Sqlite, "");
    env.backup("");
    let held = File::open(env.path(LOCK)).unwrap();
    held.lock().unwrap();
    let mut command = env.command();
    command.arg("backup").env("MIGRATOR_LOCK_WAIT", "0s");
    assert_eq!(command.output().unwrap().status.code(), Some(5));
}
