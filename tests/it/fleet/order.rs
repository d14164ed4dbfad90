//! Canaries, groups, limits, and ends of runs.

use super::{applied, configure, files, outcomes, project, run, upgrade};
use crate::common::{Backend, Env, Gate, Running, sqlite, wait_until};

const FILES: &str = "files = \"t/*.db\"\njobs = 1";

/// Targets of which `bad` fail.
fn fleet(keys: &str, names: &[&str], bad: &[&str]) -> Env {
    let env = project(Backend::Sqlite, &format!("{FILES}\n{keys}"));
    files(&env, names);
    for name in bad {
        assert!(env.run_quietly(&format!("--url sqlite:t/{name}.db upgrade +1")));
        sqlite(&env.path(&format!("t/{name}.db")), "CREATE TABLE posts (x)");
    }
    env
}

#[test]
fn nothing_starts_after_a_canary_that_has_failed() {
    let env = fleet("canary = [\"c\", \"d\"]", &["a", "b", "c", "d"], &["c"]);
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 4, "{}", printed.stderr);
    let expected = [
        ("a", "not_started"),
        ("b", "not_started"),
        ("c", "failed M701"),
        ("d", "done"),
    ];
    assert_eq!(printed.outcomes(), outcomes(&expected));
    let (lines, result) = printed.lines();
    assert_eq!(result["ended"], "canary");
    let first: Vec<_> = lines
        .iter()
        .take(2)
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    assert_eq!(first, ["c", "d"]);
    assert_eq!(applied(&env, "a"), "");
    // A canary that is not there anymore is no failure of the scripts.
    sqlite(&env.path("t/c.db"), "DROP TABLE posts");
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0);
    assert_eq!(applied(&env, "a"), "12\n");
}

#[test]
fn a_run_ends_when_too_many_targets_have_failed() {
    let names = ["a", "b", "c", "d", "e"];
    let bad = ["a", "b", "c", "d"];
    let env = fleet("max-failures = 2", &names, &bad);
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 1, "{}", printed.stderr);
    let (_, result) = printed.lines();
    let numbers = ["failed", "not_started", "done"].map(|field| result[field].as_u64());
    assert_eq!(
        (numbers, result["ended"].as_str()),
        ([2, 3, 0].map(Some), Some("max_failures"))
    );
    configure(&env, "", &format!("{FILES}\nmax-failures = \"60%\""));
    let (_, result) = upgrade(&env, &[]).lines();
    assert_eq!(result["failed"], 3);
    configure(&env, "", FILES);
    let (_, result) = upgrade(&env, &[]).lines();
    assert_eq!(
        (result["failed"].as_u64(), result["done"].as_u64()),
        (Some(4), Some(1))
    );
}

#[test]
fn outside_of_the_window_nothing_is_started() {
    // A minute of the window cannot be both before and after now.
    let window =
        |from: u32, to: u32| format!("deadline = \"{:02}:00-{:02}:00\"", from % 24, to % 24);
    let env = fleet("", &["a"], &[]);
    let hour: u32 = {
        let output = std::process::Command::new("date")
            .arg("+%H")
            .output()
            .unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    };
    configure(
        &env,
        "",
        &format!("{FILES}\n{}", window(hour + 6, hour + 8)),
    );
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 1);
    assert!(printed.stdout.contains("M925"), "{}", printed.stdout);
    assert_eq!(applied(&env, "a"), "");
    assert_eq!(run(&env, &["fleet", "upgrade", "--dry-run"]).status, 0);
    configure(
        &env,
        "",
        &format!("{FILES}\n{}", window(hour + 22, hour + 5)),
    );
    let printed = upgrade(&env, &["--only", "a"]);
    assert_eq!(printed.status, 0, "{}", printed.stdout);
    configure(
        &env,
        "",
        &format!("{FILES}\n{}", window(hour + 6, hour + 8)),
    );
    assert_eq!(upgrade(&env, &["--any-time"]).status, 0);
}

/// A fleet whose second revision waits at a gate in each target.
fn gated(names: &[&str]) -> Env {
    let env = fleet("", names, &[]);
    env.revision(
        "20260101000002_posts",
        &format!(
            "CREATE TABLE posts (id integer);\n{}",
            Gate::pass(Backend::Sqlite)
        ),
        "DROP TABLE posts;\n",
    );
    configure(&env, "connect-timeout = \"5min\"", FILES);
    env
}

#[test]
fn the_first_signal_lets_running_targets_finish() {
    let env = gated(&["a", "b", "c"]);
    let gate = Gate::close(&env);
    let mut running = Running::start(&env, "-n shops fleet upgrade");
    let journal = env.path("t/a.db-journal");
    wait_until("the first target waits", || {
        journal.exists() && applied(&env, "a") == "1\n"
    });
    running.signal("TERM");
    running.wait_for("finishing the running targets");
    gate.open();
    let finished = running.finish();
    assert_eq!(finished.status, Some(130), "{finished:?}");
    assert_eq!(applied(&env, "a"), "12\n");
    assert_eq!(applied(&env, "b"), "");
    assert!(
        finished.stdout.contains("the run was stopped"),
        "{finished:?}"
    );
    // Running it again goes on.
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    let expected = [("a", "current"), ("b", "done"), ("c", "done")];
    assert_eq!(printed.outcomes(), outcomes(&expected));
}

#[test]
fn the_second_signal_cancels_what_runs() {
    let env = gated(&["a", "b"]);
    let gate = Gate::close(&env);
    let mut running = Running::start(&env, "-n shops fleet upgrade");
    let journal = env.path("t/a.db-journal");
    wait_until("the first target waits", || {
        journal.exists() && applied(&env, "a") == "1\n"
    });
    running.signal("INT");
    running.wait_for("finishing the running targets");
    running.signal("INT");
    let finished = running.finish();
    assert_eq!(finished.status, Some(130), "{finished:?}");
    gate.open();
    assert_eq!(applied(&env, "a"), "1\n");
    assert_eq!(applied(&env, "b"), "");
    assert_eq!(upgrade(&env, &[]).status, 0);
    assert_eq!(applied(&env, "b"), "12\n");
}

#[test]
fn limits_take_the_first_ones() {
    let env = fleet("", &["a", "b", "c"], &[]);
    let printed = upgrade(&env, &["--limit", "2"]);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("a", "done"), ("b", "done")])
    );
    let printed = upgrade(&env, &["--except", "[ab]"]);
    assert_eq!(printed.status, 2);
    let printed = upgrade(&env, &["--except", "a", "--except", "b"]);
    assert_eq!(printed.outcomes(), outcomes(&[("c", "done")]));
}
