//! SQLite files.

use std::fs;

use super::{applied, configure, files, outcomes, project, run, upgrade};
use crate::common::{Backend, Gate, Running, on_terminal, sqlite};

const FILES: &str = "files = \"t/*.db\"";

#[test]
fn pending_targets_are_upgraded_and_the_others_left_alone() {
    let env = project(Backend::Sqlite, FILES);
    files(&env, &["a", "b", "c"]);
    assert!(env.run_quietly("--url sqlite:t/b.db upgrade"));
    assert!(env.run_quietly("--url sqlite:t/c.db upgrade +1"));
    let before = fs::read(env.path("t/b.db")).unwrap();
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("a", "done"), ("b", "current"), ("c", "done")])
    );
    assert_eq!(fs::read(env.path("t/b.db")).unwrap(), before);
    for name in ["a", "b", "c"] {
        assert_eq!(applied(&env, name), "12\n", "{name}");
    }
    let (lines, result) = printed.lines();
    let c = lines.iter().find(|line| line["name"] == "c").unwrap();
    assert_eq!(c["from"], "20260101000001");
    assert_eq!(c["to"], "20260101000002 (head)");
    let numbers =
        ["targets", "done", "current", "failed", "steps"].map(|field| result[field].as_u64());
    assert_eq!(numbers, [3, 2, 1, 0, 3].map(Some));
    // Again there is nothing to do, and nothing is written.
    let before = ["a", "c"].map(|name| fs::read(env.path(&format!("t/{name}.db"))).unwrap());
    let printed = upgrade(&env, &[]);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("a", "current"), ("b", "current"), ("c", "current")])
    );
    let after = ["a", "c"].map(|name| fs::read(env.path(&format!("t/{name}.db"))).unwrap());
    assert_eq!(after, before);
}

#[test]
fn failures_are_grouped_by_code_and_place_and_stop_nobody() {
    let env = project(Backend::Sqlite, FILES);
    files(&env, &["a", "b", "c", "d", "e"]);
    for name in ["b", "d"] {
        assert!(env.run_quietly(&format!("--url sqlite:t/{name}.db upgrade +1")));
        sqlite(&env.path(&format!("t/{name}.db")), "CREATE TABLE posts (x)");
    }
    fs::write(env.path("t/e.db"), "this is no database, and longer than its header would be: 0123456789012345678901234567890123456789").unwrap();
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 4, "{}", printed.stderr);
    let expected = [
        ("a", "done"),
        ("b", "failed M701"),
        ("c", "done"),
        ("d", "failed M701"),
        ("e", "failed M604"),
    ];
    assert_eq!(printed.outcomes(), outcomes(&expected));
    let (_, result) = printed.lines();
    let causes = result["causes"].as_array().unwrap();
    let shown: Vec<_> = causes
        .iter()
        .map(|it| format!("{} {} {}", it["code"], it["place"], it["targets"]))
        .collect();
    assert_eq!(
        shown,
        [
            "\"M604\" null [\"e\"]",
            "\"M701\" \"migrations/20260101000002_posts.up.sql:1:14\" [\"b\",\"d\"]",
        ]
    );
    let text = run(&env, &["fleet", "upgrade"]);
    assert_eq!(text.status, 1, "{}", text.stderr);
    assert!(
        text.stderr.contains("in 2 targets: b, d"),
        "{}",
        text.stderr
    );
    assert!(
        text.stderr
            .contains("of 5 targets, 3 failed and 0 were not started"),
        "{}",
        text.stderr
    );
    // The failed ones alone.
    sqlite(&env.path("t/b.db"), "DROP TABLE posts");
    let printed = upgrade(&env, &["--failed"]);
    let expected = [("b", "done"), ("d", "failed M701"), ("e", "failed M604")];
    assert_eq!(printed.outcomes(), outcomes(&expected));
    let printed = upgrade(&env, &["--failed", "--only", "d"]);
    assert_eq!(printed.outcomes(), outcomes(&[("d", "failed M701")]));
    // It is still known of the one that was not selected.
    let printed = upgrade(&env, &["--failed"]);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("d", "failed M701"), ("e", "failed M604")])
    );
}

#[test]
fn missing_targets_are_skipped_unless_they_are_required() {
    let list = "list = [\"a\", \"gone\"]\nurl = \"sqlite:t/${target}.db\"";
    let env = project(Backend::Sqlite, list);
    files(&env, &["a"]);
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("a", "done"), ("gone", "skipped M602")])
    );
    assert!(!env.path("t/gone.db").exists());
    let text = run(&env, &["fleet", "upgrade"]);
    assert!(text.stdout.contains("gone"), "{}", text.stdout);
    configure(&env, "", &format!("{list}\nexists = \"require\""));
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 1);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("a", "current"), ("gone", "failed M602")])
    );
}

#[test]
fn names_with_quotes_and_percent_signs_are_names() {
    let script = r#"{"name":"it's \"a\" 100%"}"#;
    let fleet = format!(
        "command = [\"printf\", \"%s\", '''{script}''']\nurl = \"sqlite:t/${{target}}.db\""
    );
    let env = project(Backend::Sqlite, &fleet);
    files(&env, &["it's \"a\" 100%"]);
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    assert_eq!(applied(&env, "it's \"a\" 100%"), "12\n");
    assert_eq!(fs::read_dir(env.path("t")).unwrap().count(), 1);
}

#[test]
fn a_query_tells_names_groups_and_urls() {
    let fleet = "query = \"SELECT name, region AS 'group', 'sqlite:t/' || name || '.db' AS url FROM tenants ORDER BY name\"\n\
                 at = \"sqlite:control.db\"\ngroups = [\"us\", \"eu\"]";
    let env = project(Backend::Sqlite, fleet);
    env.write("control.db", "");
    let rows = "CREATE TABLE tenants (name, region); INSERT INTO tenants VALUES ('a', 'eu'), ('b', 'us'), ('c', 'eu')";
    for statement in rows.split("; ") {
        sqlite(&env.path("control.db"), statement);
    }
    files(&env, &["a", "b", "c"]);
    let printed = run(&env, &["--format", "json", "fleet", "list"]);
    let json = printed.json();
    let listed = json["targets"].as_array().unwrap().iter();
    let listed: Vec<_> = listed
        .map(|it| format!("{} {}", it["name"], it["stage"]))
        .collect();
    assert_eq!(
        listed,
        [
            "\"b\" \"group us\"",
            "\"a\" \"group eu\"",
            "\"c\" \"group eu\""
        ]
    );
    let (lines, _) = upgrade(&env, &[]).lines();
    assert_eq!(lines[0]["name"], "b");
    assert_eq!(lines[0]["group"], "us");
    assert!(lines.iter().all(|line| line["outcome"] == "done"));
}

#[test]
fn dry_runs_and_reading_change_nothing() {
    let env = project(Backend::Sqlite, FILES);
    files(&env, &["a", "b", "c"]);
    assert!(env.run_quietly("--url sqlite:t/b.db upgrade"));
    assert!(env.run_quietly("--url sqlite:t/c.db upgrade +1"));
    let before = env.files();
    let bytes = ["a", "b", "c"].map(|name| fs::read(env.path(&format!("t/{name}.db"))).unwrap());
    let json = run(&env, &["--format", "json", "fleet", "upgrade", "--dry-run"]).json();
    assert_eq!(json["current"], 1);
    let plans = json["plans"].as_array().unwrap().iter();
    let plans: Vec<_> = plans
        .map(|plan| {
            (
                plan["targets"].to_string(),
                plan["steps"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(
        plans,
        [("[\"a\"]".to_owned(), 2), ("[\"c\"]".to_owned(), 1)]
    );
    let json = run(&env, &["--format", "json", "fleet", "status"]).json();
    assert_eq!(
        (json["pending"].as_u64(), json["oldest"].as_str()),
        (Some(2), Some("a"))
    );
    let checked = run(&env, &["--format", "json", "fleet", "check"]);
    assert_eq!(checked.status, 3);
    let findings = checked.json()["findings"].as_array().unwrap().clone();
    let findings: Vec<_> = findings
        .iter()
        .map(|it| format!("{} {}", it["code"], it["targets"]))
        .collect();
    assert_eq!(findings, ["\"M805\" [\"a\"]", "\"M805\" [\"c\"]"]);
    assert_eq!(run(&env, &["fleet", "check", "--pending-ok"]).status, 0);
    assert_eq!(run(&env, &["fleet", "list"]).status, 0);
    assert_eq!(env.files(), before);
    let after = ["a", "b", "c"].map(|name| fs::read(env.path(&format!("t/{name}.db"))).unwrap());
    assert_eq!(after, bytes);
}

#[test]
fn states_that_are_unusual_are_told() {
    let env = project(Backend::Sqlite, FILES);
    files(&env, &["a", "ahead", "edited", "unknown", "view"]);
    for name in ["a", "edited", "unknown"] {
        assert!(env.run_quietly(&format!("--url sqlite:t/{name}.db upgrade")));
    }
    env.revision("20260101000003_more", "SELECT 1;\n", "SELECT 1;\n");
    assert!(env.run_quietly("--url sqlite:t/ahead.db upgrade"));
    env.remove("migrations/20260101000003_more.up.sql");
    env.remove("migrations/20260101000003_more.down.sql");
    let change = |name: &str, sql: &str| sqlite(&env.path(&format!("t/{name}.db")), sql);
    change(
        "edited",
        "UPDATE migrator_version SET up_checksum = 'v1:00' || substr(up_checksum, 6) WHERE sequence = 1",
    );
    change(
        "unknown",
        "UPDATE migrator_version SET revision = '20260101000009' WHERE sequence = 2",
    );
    change("view", "CREATE VIEW migrator_version AS SELECT 1");
    let printed = run(&env, &["--format", "json", "fleet", "status"]);
    assert_eq!(printed.status, 1);
    let json = printed.json();
    assert_eq!(json["drifted"], 3);
    assert_eq!(json["unreadable"], 1);
    assert_eq!(json["causes"][0]["code"], "M517");
    let printed = upgrade(&env, &[]);
    let expected = [
        ("a", "current"),
        ("ahead", "current"),
        ("edited", "failed M501"),
        ("unknown", "failed M502"),
        ("view", "failed M517"),
    ];
    assert_eq!(printed.outcomes(), outcomes(&expected));
    let (_, result) = printed.lines();
    assert_eq!(
        result["warnings"][0]["targets"],
        serde_json::json!(["ahead"])
    );
}

#[test]
fn downgrades_go_over_all_targets() {
    let env = project(Backend::Sqlite, FILES);
    files(&env, &["a", "b"]);
    assert_eq!(upgrade(&env, &["--only", "a"]).status, 0);
    let printed = run(&env, &["--format", "ndjson", "fleet", "downgrade", "-1"]);
    assert_eq!(applied(&env, "a"), "1\n", "{}", printed.stderr);
    assert_eq!(applied(&env, "b"), "");
    assert_eq!(printed.outcomes()["a"], "done");
    let printed = run(&env, &["--format", "ndjson", "fleet", "downgrade", "base"]);
    assert_eq!(
        printed.outcomes(),
        outcomes(&[("a", "done"), ("b", "current")])
    );
}

#[test]
fn protected_environments_are_asked_for_once() {
    let env = project(Backend::Sqlite, FILES);
    configure(&env, "protected = true", FILES);
    files(&env, &["a", "b", "c"]);
    let printed = run(&env, &["fleet", "upgrade"]);
    assert_eq!(printed.status, 1);
    let expected = "shops is protected, and upgrade of 3 targets was not confirmed";
    assert!(printed.stderr.contains(expected), "{}", printed.stderr);
    assert_eq!(applied(&env, "a"), "");
    assert_eq!(run(&env, &["fleet", "upgrade", "--dry-run"]).status, 0);
    assert_eq!(run(&env, &["--yes", "fleet", "upgrade"]).status, 0);
    assert_eq!(applied(&env, "c"), "12\n");
    // One protected database protects the fleet.
    let other = "[environments.production]\nurl = \"sqlite:t/b.db\"\nprotected = true\n\n[environments.shops.fleet]\n";
    env.write("migrator.toml", format!("{other}{FILES}\n"));
    let printed = run(&env, &["fleet", "downgrade", "base"]);
    assert!(printed.stderr.contains("error[M112]"), "{}", printed.stderr);
}

#[test]
fn the_run_is_shown_after_the_question_as_before_it() {
    let env = project(Backend::Sqlite, FILES);
    configure(&env, "protected = true", &format!("{FILES}\njobs = 1"));
    files(&env, &["a", "b", "c"]);
    env.revision(
        "20260101000003_slow",
        "CREATE TABLE n AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500000) \
         SELECT max(x) FROM n;\n",
        "DROP TABLE n;\n",
    );
    let mut command = env.command();
    command.args(["-n", "shops", "fleet", "upgrade"]);
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    let (status, shown) = on_terminal(&mut command, "to upgrade them: ", "shops\n");
    assert_eq!(status, Some(0), "{shown}");
    let (before, after) = shown.split_once("to upgrade them: ").unwrap();
    assert!(before.contains("In 3 targets: a, b, c"), "{before}");
    assert!(after.contains("2 of 3 targets, "), "{after}");
    assert!(after.contains("Upgraded    3 (9 steps)"), "{after}");
}

#[test]
fn a_target_that_is_locked_is_waited_for_and_named() {
    let env = project(Backend::Sqlite, FILES);
    env.write(
        "gate/migrations/1_wait.up.sql",
        format!("CREATE TABLE w (x);\n{}", Gate::pass(Backend::Sqlite)),
    );
    env.write(
        "gate/migrator.toml",
        format!("[migrator]\nurl = \"sqlite:../t/b.db\"\n{}", Gate::SETTINGS),
    );
    files(&env, &["a", "b", "c"]);
    let gate = Gate::close(&env);
    let holder = Running::start(&env, "-c gate/migrator.toml upgrade");
    wait_for_write_in(&env, "t/b.db");
    configure(
        &env,
        "lock-wait = \"0\"\nconnect-timeout = \"200ms\"",
        FILES,
    );
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 4, "{}", printed.stderr);
    let expected = [("a", "done"), ("b", "failed M705"), ("c", "done")];
    assert_eq!(printed.outcomes(), outcomes(&expected));
    // With patience, it is run when the other one has finished.
    configure(
        &env,
        "lock-wait = \"5min\"\nallow-nonempty = true\nconnect-timeout = \"5min\"",
        FILES,
    );
    env.write("gate.txt", "");
    let waiting = Running::start(&env, "-n shops --format ndjson fleet upgrade --only b");
    gate.open();
    assert_eq!(holder.finish().status, Some(0));
    let finished = waiting.finish();
    assert!(
        finished.stdout.contains("\"failed\":1") || finished.stdout.contains("\"done\":1"),
        "{finished:?}"
    );
    assert!(!finished.stdout.contains("M705"), "{finished:?}");
}

/// Waits until someone has written into a file without having committed.
fn wait_for_write_in(env: &crate::common::Env, file: &str) {
    let journal = env.path(&format!("{file}-journal"));
    crate::common::wait_until("someone writes", || journal.exists());
}

#[test]
fn schemas_that_were_changed_by_hand_are_told_once() {
    let env = project(Backend::Sqlite, FILES);
    files(&env, &["a", "b", "c", "d"]);
    assert_eq!(upgrade(&env, &["--except", "d"]).status, 0);
    assert_eq!(run(&env, &["fleet", "verify"]).status, 0);
    for name in ["a", "c"] {
        sqlite(
            &env.path(&format!("t/{name}.db")),
            "ALTER TABLE users ADD COLUMN note text",
        );
    }
    sqlite(&env.path("t/d.db"), "CREATE TABLE by_hand (x)");
    let before = ["a", "d"].map(|name| fs::read(env.path(&format!("t/{name}.db"))).unwrap());
    let printed = run(&env, &["--format", "json", "fleet", "verify"]);
    assert_eq!(printed.status, 3, "{}", printed.stderr);
    let json = printed.json();
    assert_eq!(json["equal"], 1);
    let findings = json["findings"].as_array().unwrap().iter();
    let findings: Vec<_> = findings
        .map(|it| format!("{} {}", it["code"], it["targets"]))
        .collect();
    assert_eq!(findings, ["\"M815\" [\"a\",\"c\"]", "\"M815\" [\"d\"]"]);
    let after = ["a", "d"].map(|name| fs::read(env.path(&format!("t/{name}.db"))).unwrap());
    assert_eq!(after, before);
}
