//! A fleet with everything that goes wrong, killed again and again: every healthy target is at the head
//! exactly once, and the report names the others with their reasons.

use std::fs;

use super::{configure, files, project, upgrade};
use crate::common::{Backend, Env, Running, sqlite, wait_until};

/// Targets, unless MIGRATOR_FLEET_TARGETS says otherwise.
const TARGETS: usize = 60;

/// Kills in one run after another.
const KILLS: usize = 5;

/// The targets that cannot be upgraded, with what is done to them and the code that tells of it.
const BROKEN: &[(&str, &str, &str)] = &[
    ("x1", "CREATE TABLE runs (x)", "M701"),
    (
        "x2",
        "CREATE VIEW migrator_version AS SELECT 1 AS x",
        "M517",
    ),
    ("x3", "CREATE TABLE migrator_version_log (x)", "M506"),
    ("x4", "CREATE TABLE other (x)", "M518"),
    (
        "x5",
        "UPDATE migrator_version SET up_checksum = 'v1:' || substr(up_checksum, 5) || '0'",
        "M501",
    ),
    ("x6", "UPDATE migrator_version SET state = 'odd'", "M506"),
];

/// A revision that counts how often it runs, and records that it did.
fn fleet(targets: usize) -> Env {
    let env = project(Backend::Sqlite, "files = \"t/*.db\"");
    for name in ["20260101000001_users", "20260101000002_posts"] {
        env.remove(&format!("migrations/{name}.up.sql"));
        env.remove(&format!("migrations/{name}.down.sql"));
    }
    env.revision(
        "1_runs",
        "CREATE TABLE runs (number integer);\n",
        "DROP TABLE runs;\n",
    );
    for number in 2..=4 {
        env.revision(
            &format!("{number}_run"),
            &format!("INSERT INTO runs VALUES ({number});\n"),
            &format!("DELETE FROM runs WHERE number = {number};\n"),
        );
    }
    let names: Vec<String> = (0..targets).map(|number| format!("t{number:04}")).collect();
    files(&env, &names.iter().map(String::as_str).collect::<Vec<_>>());
    env
}

/// Breaks seven targets, each in another way.
fn break_some(env: &Env) {
    files(env, &["x1", "x2", "x3", "x4", "x5", "x6"]);
    assert!(env.run_quietly("--url sqlite:t/x1.db ensure-version"));
    for name in ["x5", "x6"] {
        assert!(env.run_quietly(&format!("--url sqlite:t/{name}.db upgrade +1")));
    }
    for (name, sql, _) in BROKEN {
        // The version table checks its values.
        let sql = format!("PRAGMA ignore_check_constraints = on; {sql}");
        sqlite(&env.path(&format!("t/{name}.db")), &sql);
    }
    fs::write(
        env.path("t/x7.db"),
        "no database at all, and more than a hundred bytes of it: ".repeat(4),
    )
    .unwrap();
}

/// The lines of the journal that tell of a target that was run.
fn ran(env: &Env) -> usize {
    let text = fs::read_to_string(env.path(".migrator/fleet-shops.ndjson")).unwrap_or_default();
    text.matches("\"outcome\":\"done\"").count()
}

#[test]
fn every_healthy_target_is_at_the_head_exactly_once() {
    let given = std::env::var("MIGRATOR_FLEET_TARGETS").ok();
    let targets: usize = given.map_or(TARGETS, |text| text.parse().unwrap());
    let env = fleet(targets);
    break_some(&env);
    // Two targets are locked by others, and three are in the list only.
    let mut names: Vec<String> = (0..targets).map(|number| format!("t{number:04}")).collect();
    names.extend((1..=7).map(|number| format!("x{number}")));
    names.extend((1..=3).map(|number| format!("gone{number}")));
    files(&env, &["locked1", "locked2"]);
    names.extend(["locked1", "locked2"].map(str::to_owned));
    let locks = ["locked1", "locked2"].map(|name| locked(&env, name));
    let fleet = format!("list = {names:?}\nurl = \"sqlite:t/${{target}}.db\"\njobs = 2");
    configure(&env, "lock-wait = \"0\"\nconnect-timeout = \"1s\"", &fleet);
    let mut before = 0;
    for kill in 1..=KILLS {
        let running = Running::start(&env, "-n shops fleet upgrade");
        let enough = (targets / (KILLS + 2)).max(1);
        wait_until(&format!("run {kill} has upgraded some"), || {
            ran(&env) >= enough
        });
        running.signal("KILL");
        assert_eq!(running.finish().status, None);
        let now = at_head(&env, targets);
        assert!(now >= before, "{now} after {before}");
        before = now;
    }
    assert!(before < targets, "all were upgraded before the last kill");
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 4, "{}", printed.stderr);
    let outcomes = printed.outcomes();
    for number in 0..targets {
        let name = format!("t{number:04}");
        assert!(
            ["done", "current"].contains(&outcomes[&name].as_str()),
            "{name}: {}",
            outcomes[&name]
        );
        let runs = sqlite(
            &env.path(&format!("t/{name}.db")),
            "SELECT group_concat(number) FROM runs",
        );
        assert_eq!(runs, "2,3,4\n", "{name}");
        let rows = "SELECT group_concat(revision) FROM migrator_version";
        assert_eq!(
            sqlite(&env.path(&format!("t/{name}.db")), rows),
            "1,2,3,4\n",
            "{name}"
        );
        let log = "SELECT group_concat(revision) FROM migrator_version_log WHERE event = 'upgrade' AND outcome = 'ok'";
        assert_eq!(
            sqlite(&env.path(&format!("t/{name}.db")), log),
            "1,2,3,4\n",
            "{name}"
        );
    }
    for (name, _, code) in BROKEN {
        assert_eq!(outcomes[*name], format!("failed {code}"), "{name}");
    }
    assert_eq!(outcomes["x7"], "failed M604");
    for number in 1..=3 {
        assert_eq!(outcomes[&format!("gone{number}")], "skipped M602");
    }
    for name in ["locked1", "locked2"] {
        assert_eq!(outcomes[name], "failed M705");
    }
    let (_, result) = printed.lines();
    let named: usize = result["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| cause["targets"].as_array().unwrap().len())
        .sum();
    assert_eq!(named, 12);
    drop(locks);
    let printed = upgrade(&env, &["--failed", "--only", "locked*"]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
}

/// The number of healthy targets that are at the head.
fn at_head(env: &Env, targets: usize) -> usize {
    let json = super::run(
        env,
        &["--format", "json", "fleet", "status", "--only", "t*"],
    )
    .json();
    let states = json["states"].as_array().unwrap().iter();
    let done =
        states.filter(|state| state["pending"] == 0 && state["partial"] == serde_json::json!([]));
    let count = done
        .map(|state| state["targets"].as_array().unwrap().len())
        .sum();
    assert!(count <= targets);
    count
}

/// A process that holds the lock of a target.
fn locked(env: &Env, name: &str) -> Running {
    let gate = format!("lock-{name}");
    env.write(
        &format!("{gate}/migrations/1_wait.up.sql"),
        "CREATE TABLE w (x);\nINSERT INTO w WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
         SELECT x FROM n WHERE x < 0;\n",
    );
    env.write(
        &format!("{gate}/migrator.toml"),
        format!("[migrator]\nurl = \"sqlite:../t/{name}.db\"\n"),
    );
    let running = Running::start(env, &format!("-c {gate}/migrator.toml upgrade"));
    let journal = env.path(&format!("t/{name}.db-journal"));
    wait_until("it holds the lock", || journal.exists());
    running
}
