//! Restores whose connection is lost while one database takes the place of another, and commands
//! that wait meanwhile.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::Value;

use crate::{
    backup::{Project, database, fill, quietly},
    common::{Backend, Env, Running, Session, wait_until},
};

/// What is done to the session that renames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Its COMMIT arrives, the answer does not.
    Answer,
    /// The same, and nobody gets through any more.
    AnswerForGood,
    /// Its COMMIT does not arrive.
    Commit,
    /// The renaming itself arrives, the answer does not.
    Rename,
}

/// A way to the server that does it. Returns the URL that leads through it.
fn through(url: &str, how: Cut) -> String {
    let (user, address) = url.split_once('@').unwrap();
    let (server, path) = address.split_once('/').unwrap();
    let server = server.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = format!("{user}@{}/{path}", listener.local_addr().unwrap());
    let closed = Arc::new(AtomicBool::new(false));
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            if closed.load(Ordering::SeqCst) {
                continue;
            }
            let server = TcpStream::connect(&server).unwrap();
            let pair = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let closed = Arc::clone(&closed);
            let deaf = Arc::new(AtomicBool::new(false));
            let hears = Arc::clone(&deaf);
            thread::spawn(move || listen(pair.0, pair.1, how, &closed, &deaf));
            thread::spawn(move || answer(server, client, &hears));
        }
    });
    here
}

/// From the client to the server.
fn listen(
    mut from: TcpStream,
    mut to: TcpStream,
    how: Cut,
    closed: &AtomicBool,
    deaf: &AtomicBool,
) {
    let contains = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|it| it == part);
    let mut buffer = vec![0; 1 << 16];
    let mut renames = false;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let text = &buffer[..length];
        renames |= contains(text, b"RENAME TO");
        let last: &[u8] = match how {
            Cut::Rename => b"RENAME TO",
            _ => b"COMMIT",
        };
        if renames && contains(text, last) {
            deaf.store(true, Ordering::SeqCst);
            closed.store(how == Cut::AnswerForGood, Ordering::SeqCst);
            if how == Cut::Commit {
                let _ = from.shutdown(Shutdown::Both);
                // The server does not know yet that nobody is there.
                thread::park();
            }
        }
        if to.write_all(text).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// From the server to the client.
fn answer(mut from: TcpStream, mut to: TcpStream, deaf: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if deaf.load(Ordering::SeqCst) {
            let _ = to.shutdown(Shutdown::Both);
            thread::park();
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn restore(env: &Env, url: &str, rest: &str) -> (Option<i32>, Value) {
    let mut command = env.command();
    command
        .args(["--format", "json", "--yes", "--url", url, "restore"])
        .args(rest.split_whitespace())
        .env("MIGRATOR_CONNECT_TIMEOUT", "2s");
    let output = command.output().unwrap();
    let result = serde_json::from_slice(&output.stdout);
    (
        output.status.code(),
        result.unwrap_or_else(|_| panic!("{output:?}")),
    )
}

#[test]
fn a_commit_whose_answer_is_lost_is_settled_by_looking() {
    let env = Project::new(Backend::Postgres, "");
    let file = env.backup("");
    let rows = || env.sql("SELECT count(*) FROM users");
    for discard in [false, true] {
        env.sql("DELETE FROM users");
        let options = if discard { "--discard-old " } else { "" };
        let (status, result) = restore(
            &env,
            &through(&env.url(), Cut::Answer),
            &format!("{options}{file}"),
        );
        assert_eq!(status, Some(0), "{result}");
        assert_eq!(rows(), "2\n");
        let kept = result["kept"].as_str();
        assert_eq!(kept.is_none(), discard, "{result}");
        // That of the first time.
        assert_eq!(env.beside().len(), 1);
        env.nothing_is_left();
    }
}

#[test]
fn a_commit_that_never_arrived_has_replaced_nothing() {
    let env = Project::new(Backend::Postgres, "");
    let file = env.backup("");
    env.sql("DELETE FROM users");
    let (status, result) = restore(&env, &through(&env.url(), Cut::Commit), &file);
    assert_eq!(status, Some(1), "{result}");
    assert_eq!(result["errors"][0]["code"], "M607", "{result}");
    assert_eq!(env.sql("SELECT count(*) FROM users"), "0\n");
    assert_eq!(env.beside(), [""; 0]);
}

#[test]
fn an_outcome_that_nobody_can_know_is_said_to_be_unknown() {
    let env = Project::new(Backend::Postgres, "");
    let file = env.backup("");
    env.sql("DELETE FROM users");
    let (status, result) = restore(&env, &through(&env.url(), Cut::AnswerForGood), &file);
    assert_eq!(status, Some(4), "{result}");
    let error = &result["errors"][0];
    assert_eq!(error["code"], "M608", "{result}");
    // It is as it says: the old one is there under the name that it tells.
    let kept = env.beside().pop().unwrap();
    let note = error["notes"][0].as_str().unwrap();
    assert!(note.contains(&kept), "{result}");
    assert_eq!(env.sql("SELECT count(*) FROM users"), "2\n");
}

#[test]
fn a_missing_database_that_was_restored_is_not_called_missing() {
    let env = Project::new(Backend::Postgres, "");
    let file = env.backup("");
    let other = format!("{}_other", database(&env));
    let url = env.url().replace(&database(&env), &other);
    let url = through(&url, Cut::Rename);
    let (status, result) = restore(&env, &url, &file);
    assert_eq!((status, &result["before"]), (Some(0), &"missing".into()));
    assert_eq!(env.beside(), [other]);
}

#[test]
fn those_who_wait_for_the_lock_go_on_in_the_new_database() {
    let env = Project::new(Backend::Postgres, "");
    fill(&env, 10_000);
    let file = env.backup("--compress none");
    env.revision(
        "20260101000002_more",
        "CREATE TABLE more (x integer);\n",
        "DROP TABLE more;\n",
    );
    env.sql("DELETE FROM users");
    // Holds the lock of all runs until the restore waits for it.
    let mut holder = Session::open(&env);
    holder.run(&format!(
        "SELECT pg_advisory_lock({})",
        4_269_383_724_586_612_489_i64
    ));
    let mut restore = Running::start(&env, &format!("--yes restore {file}"));
    restore.wait_for("waiting");
    holder.run("SELECT pg_advisory_unlock_all()");
    wait_until("the restore has the lock", || {
        let held = env.sql(
            "SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid \
             WHERE l.locktype = 'advisory' AND a.application_name = 'migrator restore' \
             AND a.datname = current_database()",
        );
        held != "0\n"
    });
    let mut waiting = Running::start(&env, "upgrade");
    waiting.wait_for("waiting");
    restore.finish().expect(0);
    waiting.finish().expect(0);
    assert_eq!(env.sql("SELECT count(*) FROM users"), "2\n");
    assert_eq!(env.sql("SELECT count(*) FROM more"), "0\n");
    assert!(quietly(&env, "status"));
    let _ = holder.try_run("SELECT 1");
    std::mem::forget(holder);
    env.nothing_is_left();
}
