//! `status --format prometheus`.

use std::collections::BTreeMap;

use regex::Regex;

use crate::common::{Backend, Env};

/// The metrics of `status` that succeeds.
fn metrics(env: &Env, options: &[&str]) -> BTreeMap<String, f64> {
    let mut command = env.command();
    let command = command
        .args(["status", "--format", "prometheus"])
        .args(options);
    let output = command.output().unwrap();
    assert!(output.status.success());
    read(output.stdout)
}

/// The metrics by name and labels other than the first one, in the format that Prometheus reads.
fn read(stdout: Vec<u8>) -> BTreeMap<String, f64> {
    let said = String::from_utf8(stdout).unwrap();
    assert!(said.ends_with('\n'), "{said}");
    let label = r#"[a-z_]+="(?:[^"\\\n]|\\["\\n])*""#;
    let sample = format!(
        r#"^([a-z_]+)\{{(?:database|environment)="[^"\\\n]+"(?:,({label}(?:,{label})*))?\}} (\d+)$"#
    );
    let sample = Regex::new(&sample).unwrap();
    let mut found = BTreeMap::new();
    let mut declared = String::new();
    for line in said.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            assert!(help.ends_with('.'), "{line}");
            declared = help.split(' ').next().unwrap().to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{declared} gauge"));
        } else {
            let parts = sample.captures(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(parts[1], declared, "{line}");
            let labels = parts.get(2).map_or("", |it| it.as_str());
            let key = format!("{declared} {labels}").trim_end().to_owned();
            let value = parts[3].parse().unwrap();
            assert!(found.insert(key, value).is_none(), "{line}");
        }
    }
    found
}

#[test]
fn a_monitor_reads_the_state() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
        env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
        let url = env.url();
        assert!(env.run_quietly("upgrade 1"));
        env.write("migrations/1_a.up.sql", "CREATE TABLE a (x text);\n");
        env.write("migrations/R_v.sql", "SELECT 1;\n");
        let before = metrics(&env, &[]);
        let value = |name: &str| before.get(name).copied();
        assert_eq!(value("migrator_revisions"), Some(2.0), "{url}: {before:?}");
        assert_eq!(value("migrator_applied_revisions"), Some(1.0));
        assert_eq!(value("migrator_pending_revisions"), Some(1.0));
        assert_eq!(value("migrator_partial_revisions"), Some(0.0));
        assert_eq!(value("migrator_due_repeatable_scripts"), Some(1.0));
        assert_eq!(
            value("migrator_drift_revisions kind=\"edited_up\""),
            Some(1.0)
        );
        assert_eq!(
            value("migrator_drift_revisions kind=\"unknown\""),
            Some(0.0)
        );
        assert_eq!(value("migrator_ahead"), Some(0.0));
        assert_eq!(value("migrator_schema_drift_objects"), None);
        let info = before.keys().find(|key| key.starts_with("migrator_info "));
        let info = info.expect("migrator_info");
        assert!(info.contains("current=\"1\",heads=\"2\""), "{info}");
    }
}

#[test]
fn objects_that_were_changed_by_hand_are_counted() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
        assert!(env.run_quietly("upgrade"));
        let clean = metrics(&env, &["--schema"]);
        assert_eq!(clean["migrator_schema_drift_objects"], 0.0);
        env.sql("CREATE TABLE by_hand (x integer)");
        let changed = metrics(&env, &["--schema"]);
        assert!(changed["migrator_schema_drift_objects"] >= 1.0);
    }
}

#[test]
fn nothing_is_printed_of_a_state_that_cannot_be_read() {
    let env = Env::new(Backend::Sqlite);
    env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
    env.write("migrations/broken.sql", "SELECT 1;\n");
    for words in [
        ["status", "--format", "prometheus"],
        ["heads", "--format", "prometheus"],
    ] {
        let output = env.command().args(words).output().unwrap();
        assert!(!output.status.success());
        assert!(output.stdout.is_empty(), "{words:?}");
        assert!(!output.stderr.is_empty(), "{words:?}");
    }
}

/// With a target that cannot be read, which is a number as well.
#[cfg(unix)]
#[test]
fn a_monitor_reads_a_fleet() {
    let env = Env::new(Backend::Sqlite);
    env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
    env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
    env.write(
        "migrator.toml",
        "[environments.shops.fleet]\nfiles = \"t/*.db\"\n",
    );
    for name in ["acme", "globex", "initech"] {
        env.write(&format!("t/{name}.db"), "");
    }
    assert!(env.run_quietly("-n shops fleet upgrade --yes"));
    let status = |expected| {
        let words = ["-n", "shops", "fleet", "status", "--format", "prometheus"];
        let output = env.command().args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(expected));
        read(output.stdout)
    };
    let found = status(0);
    assert_eq!(found["migrator_fleet_targets"], 3.0, "{found:?}");
    assert_eq!(found["migrator_fleet_pending_targets"], 0.0);
    assert_eq!(found["migrator_fleet_targets_at current=\"2\""], 3.0);

    let url = format!("sqlite:{}", env.path("t/globex.db").display());
    assert!(env.run_quietly(&format!("--url {url} downgrade -1")));
    env.write("t/initech.db", "this is no database, whatever its name is");
    let found = status(1);
    assert_eq!(found["migrator_fleet_pending_targets"], 1.0, "{found:?}");
    assert_eq!(found["migrator_fleet_most_pending_revisions"], 1.0);
    assert_eq!(found["migrator_fleet_unreadable_targets"], 1.0);
    assert_eq!(found["migrator_fleet_targets_at current=\"1\""], 1.0);
    assert_eq!(found["migrator_fleet_targets_at current=\"2\""], 1.0);
}
