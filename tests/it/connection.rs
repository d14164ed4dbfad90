//! PostgreSQL: what is asked of a connection is in force, or an error that names it.
#![cfg(unix)]

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::common::{Backend, Env, Finished, Pooler, Running, Session};

fn project(up: &str) -> Env {
    let env = Env::new(Backend::Postgres);
    env.revision("1_a", up, "");
    env
}

fn run(env: &Env, line: &str) -> Finished {
    Running::start(env, line).finish()
}

/// Runs with variables; what it printed to stderr, and its exit status.
fn run_with(env: &Env, line: &str, variables: &[(&str, &str)]) -> (String, Option<i32>) {
    let mut command = env.command();
    command
        .args(line.split(' '))
        .envs(variables.iter().copied());
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (stderr, output.status.code())
}

/// Sets something for the database: `ALTER DATABASE … SET what`.
fn alter_database(env: &Env, what: &str) {
    let what = what.replace('\'', "''");
    env.sql(&format!(
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET {what}'; END $$"
    ));
}

/// Host and port of the server.
fn address(env: &Env) -> String {
    let url = env.url();
    let (_, rest) = url.rsplit_once('@').unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    address.to_owned()
}

const NOTE: &str = "CREATE TABLE seen AS SELECT current_setting('timezone') AS zone, \
     current_setting('datestyle') AS style, current_setting('search_path') AS path, \
     timestamptz '2024-07-01 12:00' AS at;\n";

#[test]
fn settings_of_database_and_role_hold_as_in_psql() {
    for line in ["upgrade", "upgrade --transaction all"] {
        let env = project(NOTE);
        env.revision("2_b", "SET timezone TO 'Europe/Berlin';\n", "");
        env.revision(
            "3_c",
            "INSERT INTO seen SELECT current_setting('timezone'), '', '', now();\n",
            "",
        );
        alter_database(&env, "timezone TO 'America/New_York'");
        alter_database(&env, "datestyle TO 'SQL, DMY'");
        run(&env, line).expect(0);
        let sql = "SELECT zone, style FROM seen WHERE style <> ''";
        assert_eq!(env.sql(sql), "America/New_York|SQL, DMY\n");
        let sql = "SELECT at AT TIME ZONE 'UTC' = timestamp '2024-07-01 16:00' FROM seen WHERE style <> ''";
        assert_eq!(env.sql(sql), "t\n");
        // Also where a script before it has set something else.
        let sql = "SELECT zone FROM seen WHERE style = ''";
        assert_eq!(env.sql(sql), "America/New_York\n", "{line}");
    }
}

#[test]
fn a_script_for_psql_leaves_them_as_they_are() {
    let env = project(NOTE);
    let sql = String::from_utf8(
        env.command()
            .args(["upgrade", "--sql"])
            .output()
            .unwrap()
            .stdout,
    );
    let sql = sql.unwrap().to_lowercase();
    assert!(
        !sql.contains("timezone to") && !sql.contains("datestyle to"),
        "{sql}"
    );
    let url = env.url();
    let settings =
        format!("[migrator]\nurl = \"{url}\"\n[postgres.settings]\ntimezone = \"Asia/Tokyo\"\n");
    env.write("migrator.toml", settings);
    let sql = String::from_utf8(
        env.command()
            .args(["upgrade", "--sql"])
            .output()
            .unwrap()
            .stdout,
    );
    assert!(
        sql.unwrap()
            .contains("set_config(E'timezone', E'Asia/Tokyo', false)")
    );
}

#[test]
fn what_the_url_asks_for_comes_before_the_configuration() {
    let env = project(NOTE);
    alter_database(&env, "timezone TO 'America/New_York'");
    let url = env.url();
    env.sql("CREATE SCHEMA app");
    env.write(
        "migrator.toml",
        format!(
            "[migrator]\nurl = \"{url}?options=-ctimezone%3DAsia/Tokyo%20-cdatestyle%3DDMY\"\n\
             [postgres.settings]\nsearch_path = \"app\"\ntimezone = \"UTC\"\n"
        ),
    );
    run(&env, "upgrade").expect(0);
    assert_eq!(
        env.sql("SELECT zone, style, path FROM app.seen"),
        "Asia/Tokyo|ISO, DMY|app\n"
    );
    assert_eq!(env.sql("SELECT count(*) FROM app.migrator_version"), "1\n");
}

#[test]
fn timeouts_of_the_url_are_those_of_scripts() {
    let env = project(
        "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS l, current_setting('statement_timeout') AS s;\n",
    );
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}?options=-c%20lock_timeout%3D7s%20-c%20statement_timeout%3D1min\"\n"),
    );
    run(&env, "upgrade").expect(0);
    assert_eq!(env.sql("SELECT l, s FROM seen"), "7s|1min\n");
}

#[test]
fn settings_that_the_server_refuses_are_named() {
    let env = project(NOTE);
    let url = env.url();
    for (name, value) in [
        ("no_such_setting", "1"),
        ("work_mem", "much"),
        ("timezone", "Mars"),
    ] {
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\n[postgres.settings]\n{name} = \"{value}\"\n"),
        );
        let text = run(&env, "upgrade").expect(1).stderr;
        assert!(text.to_lowercase().contains(name), "{text}");
    }
    for name in ["lock_timeout", "client_encoding", "\"a b\""] {
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\n[postgres.settings]\n{name} = \"1\"\n"),
        );
        let text = run(&env, "upgrade").expect(2).stderr;
        assert!(
            text.contains("error[M104]") && text.contains("migrator.toml:4:"),
            "{text}"
        );
    }
}

#[test]
fn a_pooler_that_drops_settings_is_no_way_to_them() {
    let env = project("CREATE TABLE t (x integer);\n");
    env.sql("CREATE SCHEMA app");
    let before = env.fingerprint();
    let ignored = "pool_mode = session\nignore_startup_parameters = options,extra_float_digits";
    let pooler = Pooler::start(&env, ignored);
    let url = pooler.url();
    for (line, asked) in [
        ("upgrade", "options[search_path]=app"),
        ("current", "options=-csearch_path%3Dapp"),
        ("upgrade", "schema=app"),
    ] {
        let text = run(&env, &format!("--url {url}&{asked} {line}"))
            .expect(1)
            .stderr;
        assert!(
            text.contains("error[M616]") && text.contains("search_path"),
            "{text}"
        );
    }
    assert_eq!(env.fingerprint(), before);
}

#[test]
fn another_kind_of_server_than_asked_for_is_refused() {
    let env = project("CREATE TABLE t (x integer);\n");
    let url = env.url();
    let ask = |attrs: &str| {
        run(
            &env,
            &format!("--url {url}?target_session_attrs={attrs} current"),
        )
    };
    for attrs in ["any", "read-write", "primary", "prefer-standby"] {
        ask(attrs).expect(0);
    }
    for attrs in ["read-only", "standby"] {
        let text = ask(attrs).expect(1).stderr;
        assert!(
            text.contains("error[M616]") && text.contains(attrs),
            "{text}"
        );
    }
    alter_database(&env, "default_transaction_read_only TO on");
    ask("read-only").expect(0);
    ask("read-write").expect(1);
}

#[test]
fn a_database_that_takes_no_changes_is_named_before_anything_runs() {
    let env = project("CREATE TABLE t (x integer);\n");
    alter_database(&env, "default_transaction_read_only TO on");
    run(&env, "status").expect(0);
    let text = run(&env, "upgrade").expect(1).stderr;
    assert!(text.contains("error[M605]"), "{text}");
    assert!(text.contains("default_transaction_read_only"), "{text}");
    assert!(!text.contains("fix the script"), "{text}");
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n[postgres.settings]\ndefault_transaction_read_only = false\n"),
    );
    run(&env, "upgrade").expect(0);
}

#[test]
fn timeouts_for_the_idle_do_not_end_a_run() {
    let env = project("-- migrator: transaction = off\nSELECT 1;\nSELECT pg_sleep(0.3);\n");
    if !env.is_since(14, "idle_session_timeout") {
        return;
    }
    alter_database(&env, "idle_session_timeout TO '150ms'");
    alter_database(&env, "idle_in_transaction_session_timeout TO '150ms'");
    let text = run(&env, "-v upgrade").expect(0).stderr;
    for name in [
        "idle_session_timeout",
        "idle_in_transaction_session_timeout",
    ] {
        assert!(
            text.contains(&format!("{name} = 150ms is disabled")),
            "{text}"
        );
    }
    let text = run(&env, "current").expect(0).stderr;
    assert_eq!(text, "");
    // While it waits for a lock, the session has nothing to do.
    env.revision("2_b", "CREATE TABLE t (x integer);\nSELECT current_setting('idle_session_timeout')::interval / (CASE current_setting('idle_session_timeout') WHEN '0' THEN 1 ELSE 0 END);\n", "");
    run(&env, "upgrade").expect(0);
}

#[test]
fn variables_are_not_passed_over() {
    let env = project("");
    for (name, value) in [
        ("PGSSLMODE", "verify_full"),
        ("PGSSLMODE", "required"),
        ("PGCHANNELBINDING", "require"),
        ("PGTARGETSESSIONATTRS", "readwrite"),
        ("PGGSSENCMODE", "require"),
        ("PGREQUIREPEER", "postgres"),
        ("PGSERVICE", "nowhere"),
    ] {
        let (text, status) = run_with(&env, "current", &[(name, value)]);
        assert_eq!(status, Some(2), "{name}: {text}");
        assert!(
            text.contains("error[M108]") && text.contains(value),
            "{name}: {text}"
        );
    }
    let zone = "CREATE TABLE seen AS SELECT current_setting('timezone') AS zone;\n";
    env.revision("2_b", zone, "");
    let (text, status) = run_with(&env, "upgrade", &[("PGTZ", "Asia/Tokyo")]);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(env.sql("SELECT zone FROM seen"), "Asia/Tokyo\n");
}

#[test]
fn a_service_a_keyword_string_and_a_password_file_lead_to_the_database() {
    let env = project("");
    let url = env.url();
    let (server, database) = url.rsplit_once('/').unwrap();
    let (login, place) = server
        .trim_start_matches("postgres://")
        .rsplit_once('@')
        .unwrap();
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "5432"));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let given =
        format!("host={host}\nport={port}\nuser={user}\npassword={password}\ndbname={database}\n");
    env.write("services", format!("[shop]\n{given}"));
    let file = env.path("services").display().to_string();
    let variables = [("PGSERVICEFILE", file.as_str())];
    let (text, status) = run_with(&env, "--url postgres://?service=shop current", &variables);
    assert_eq!((text.as_str(), status), ("", Some(0)));
    let keywords =
        format!("host={host} port={port} user={user} password='{password}' dbname={database}");
    let mut command = env.command();
    let output = command
        .args(["--url", &keywords, "current"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // One that others can read is no password file, and is not passed over either.
    env.write("passwords", format!("{host}:*:*:{user}:x\n"));
    let passwords = env.path("passwords");
    fs::set_permissions(&passwords, fs::Permissions::from_mode(0o644)).unwrap();
    let bare = format!("--url postgres://{user}@{place}/{database} current");
    let passwords = passwords.display().to_string();
    let (text, status) = run_with(&env, &bare, &[("PGPASSFILE", &passwords)]);
    assert_eq!(status, Some(2), "{text}");
    assert!(
        text.contains("error[M113]") && text.contains("chmod 600"),
        "{text}"
    );
}

#[test]
fn no_database_is_taken_for_granted() {
    let env = project("");
    let url = env.url();
    let (server, _) = url.rsplit_once('/').unwrap();
    let text = run(&env, &format!("--url {server} upgrade"))
        .expect(2)
        .stderr;
    assert!(text.contains("the URL names no database"), "{text}");
}

#[test]
fn it_is_said_where_the_url_is_from() {
    let env = project("");
    let url = env.url();
    let (text, status) = run_with(&env, "-v status", &[("DATABASE_URL", &url)]);
    assert_eq!(status, Some(0), "{text}");
    let expected = "URL from DATABASE_URL, which overrides migrator.toml:2:7";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_deadlock_is_tried_again() {
    let env = project("CREATE TABLE a (x integer);\nCREATE TABLE b (x integer);\n");
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n[postgres]\nlock-timeout = \"20s\"\n[postgres.settings]\ndeadlock_timeout = \"100ms\"\n"),
    );
    run(&env, "upgrade").expect(0);
    env.revision(
        "2_b",
        "LOCK TABLE a;\nSELECT pg_sleep(0.5);\nLOCK TABLE b;\nCREATE TABLE done (x integer);\n",
        "",
    );
    let mut other = Session::open(&env);
    other.run("SET deadlock_timeout TO '1min'");
    other.run("BEGIN; LOCK TABLE b");
    let mut running = Running::start(&env, "upgrade");
    crate::common::wait_until("the script waits", || {
        env.sql("SELECT count(*) FROM pg_locks WHERE relation = 'a'::regclass AND granted") == "1\n"
    });
    other.run("LOCK TABLE a");
    running.wait_for("2: conflict with another transaction (attempt 1 of 10); retrying in");
    other.run("COMMIT");
    running.finish().expect(0);
    assert_eq!(env.sql("SELECT count(*) FROM done"), "0\n");
}

#[test]
fn what_needs_no_transaction_is_told_how_to_have_none() {
    let env = project(
        "CREATE TABLE t (x integer) PARTITION BY RANGE (x);\n\
         CREATE TABLE t1 PARTITION OF t DEFAULT;\nCREATE INDEX i ON t (x);\n",
    );
    if !env.is_since(14, "REINDEX of a partitioned table") {
        return;
    }
    run(&env, "upgrade").expect(0);
    for (statement, code) in [
        ("REINDEX TABLE t;\n", "25001"),
        ("REINDEX INDEX i;\n", "25001"),
        (
            "DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$;\n",
            "2D000",
        ),
    ] {
        env.revision("2_b", statement, "");
        let text = run(&env, "upgrade").expect(1).stderr;
        assert!(
            text.contains(code) && text.contains("-- migrator: transaction = off"),
            "{text}"
        );
        env.revision(
            "2_b",
            &format!("-- migrator: transaction = off\n{statement}"),
            "",
        );
        run(&env, "upgrade").expect(0);
        assert_eq!(
            env.sql("SELECT count(*) FROM migrator_version WHERE state = 'applied'"),
            "2\n"
        );
        run(&env, "stamp 1 --yes").expect(0);
    }
}

#[test]
fn another_protocol_is_named() {
    let env = project("");
    for (greeting, url) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "?sslmode=prefer"),
        (b"J\0\0\0\x0a8.0.36\0", ""),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(greeting).unwrap();
            let _ = stream.read(&mut [0; 64]);
            thread::sleep(Duration::from_millis(200));
        });
        let text = run(
            &env,
            &format!("--url postgres://u:p@127.0.0.1:{port}/x{url} current"),
        )
        .expect(1)
        .stderr;
        assert!(text.contains("error[M618]"), "{text}");
        server.join().unwrap();
    }
}

#[test]
fn a_connection_that_is_frozen_is_noticed() {
    let env = project("SELECT pg_sleep(200);\n");
    let (port, frozen) = proxy(address(&env));
    let url = env
        .url()
        .replace(&address(&env), &format!("127.0.0.1:{port}"));
    let mut running = Running::start(&env, &format!("--url {url} upgrade"));
    crate::common::wait_until("it runs", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(200)%' AND query NOT LIKE '%pg_stat%'";
        env.sql(sql) != "0\n"
    });
    let since = Instant::now();
    frozen.store(true, Ordering::SeqCst);
    // It may have been committed, for all that could be seen.
    while !running.stderr().contains("error[M608]") && running.is_running() {
        assert!(
            since.elapsed() < Duration::from_secs(60),
            "{}",
            running.stderr()
        );
        thread::sleep(Duration::from_millis(100));
    }
    let text = running.finish().stderr;
    assert!(text.contains("the server has not answered"), "{text}");
    env.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

/// A way to the server at `address` that passes nothing on any more once the switch is set.
fn proxy(address: String) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let frozen = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&frozen);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&address).unwrap());
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            for (from, to) in [(client, server), back] {
                let switch = Arc::clone(&switch);
                thread::spawn(move || pass(from, to, &switch));
            }
        }
    });
    (port, frozen)
}

fn pass(mut from: TcpStream, mut to: TcpStream, frozen: &AtomicBool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        while frozen.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(100));
        }
        if to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}
