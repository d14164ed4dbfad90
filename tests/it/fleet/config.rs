//! What is refused before anything runs: each with its code and place.

use super::{configure, files, project, run};
use crate::common::Backend;

/// Runs `fleet upgrade` with a fleet, and compares the status, the code, and a part of the message.
fn check(fleet: &str, status: i32, code: &str, part: &str) {
    let env = project(Backend::Sqlite, fleet);
    files(&env, &["a", "b"]);
    let before = env.files();
    let printed = run(&env, &["fleet", "upgrade"]);
    let text = format!("{fleet}\n{}{}", printed.stdout, printed.stderr);
    assert_eq!(printed.status, status, "{text}");
    assert!(printed.stderr.contains(&format!("error[{code}]")), "{text}");
    assert!(printed.stderr.contains(part), "{text}");
    assert_eq!(env.files(), before, "{text}");
}

#[test]
fn wrong_combinations_of_keys_are_refused() {
    let file = "files = \"t/*.db\"\n";
    let more = |keys: &str| format!("{file}{keys}");
    check("", 2, "M920", "has no fleet");
    check("jobs = 2", 2, "M104", "has none");
    check(&more("list = [\"a\"]"), 2, "M104", "files and list");
    check(
        &more("url = \"sqlite:${target}.db\""),
        2,
        "M104",
        "`url` cannot be used",
    );
    check(
        &more("schema = \"${target}\""),
        2,
        "M104",
        "have no schemas",
    );
    check(
        &more("at = \"sqlite:a.db\""),
        2,
        "M104",
        "`at` cannot be used",
    );
    check(
        &more("timeout = \"1s\""),
        2,
        "M104",
        "the limit of `command`",
    );
    check(&more("groups = [\"eu\"]"), 2, "M104", "tell the group");
    check(
        "query = \"SELECT 1\"",
        2,
        "M104",
        "name the database to ask",
    );
    check(
        "list = [\"a\"]\nurl = \"sqlite:a.db\"",
        2,
        "M104",
        "all targets would be one database",
    );
    check(&more("jbos = 2"), 2, "M103", "did you mean `jobs`?");
    check(&more("files = 2"), 2, "M102", "migrator.toml");
    check("files = 2", 2, "M104", "migrator.toml:4");
    for (key, value) in [
        ("jobs", "0"),
        ("jobs-per-server", "1001"),
        ("canary", "\"0%\""),
        ("max-failures", "0"),
        ("max-failures", "\"101%\""),
        ("deadline", "\"2:00-4:00\""),
        ("exists", "\"maybe\""),
        ("server-wait", "\"soon\""),
    ] {
        check(
            &more(&format!("{key} = {value}")),
            2,
            "M104",
            &format!("for `{key}`"),
        );
    }
}

#[test]
fn a_fleet_belongs_to_an_environment() {
    let env = project(Backend::Sqlite, "files = \"t/*.db\"");
    env.write("migrator.toml", "[fleet]\nfiles = \"*.db\"\n");
    let output = env.command().args(["fleet", "list"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("error[M103]") && text.contains("migrator.toml:1:2"),
        "{text}"
    );
    configure(&env, "", "files = \"t/*.db\"");
    let output = env.command().args(["fleet", "list"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("error[M920]") && text.contains("none is chosen"),
        "{text}"
    );
    let printed = run(&env, &["--url", "sqlite:x.db", "fleet", "list"]);
    assert!(printed.stderr.contains("error[M928]"), "{}", printed.stderr);
    assert_eq!(printed.status, 2);
}

#[test]
fn targets_that_cannot_be_used_are_refused() {
    check("files = \"u/*.db\"", 1, "M922", "no file matches u/*.db");
    check("files = \"**/*.db\"", 1, "M922", "has `**`");
    check(
        "list = [\"a\", \"a\"]\nurl = \"sqlite:t/${target}.db\"",
        1,
        "M921",
        "name 2 of the list",
    );
    for name in ["../a", "..", "x/y", "."] {
        let fleet = format!("list = [\"{name}\"]\nurl = \"sqlite:t/${{target}}/x.db\"");
        check(&fleet, 1, "M921", "another directory");
    }
    check(
        "list = [\"a\\u001b[2J\"]\nurl = \"sqlite:t/${target}.db\"",
        1,
        "M921",
        "control character",
    );
    check(
        "list = [\"a\"]\nurl = \"sqlit:${target}\"",
        1,
        "M921",
        "did you mean",
    );
    check(
        "list = [\"a\", \"b\"]\nurl = \"sqlite::memory:?${target}\"",
        1,
        "M921",
        "name 1 of the list",
    );
    check(
        "list = [\"a\"]\nurl = \"sqlite:${target}.db\"\nschema = \"${target}\"",
        1,
        "M921",
        "has a schema",
    );
    let long = "x".repeat(64);
    let fleet = format!("list = [\"{long}\"]\nurl = \"postgres://h/db\"\nschema = \"${{target}}\"");
    check(&fleet, 1, "M921", "longer than 63 bytes");
    let fleet = "list = [\"a\"]\nurl = \"postgres://h/db?schema=x\"\nschema = \"${target}\"";
    check(fleet, 1, "M921", "sets search_path");
    check(
        "files = \"t/*.db\"\ncanary = \"zzz\"",
        1,
        "M924",
        "the canary `zzz`",
    );
}

#[test]
fn programs_that_print_targets_are_not_believed() {
    let command = |script: &str| format!("command = [\"printf\", '''{script}''']");
    check(
        &command("{\"name\":\"a\"}\\n{\"nmae\":\"b\"}"),
        1,
        "M921",
        "line 2 of the command",
    );
    check(&command("a"), 1, "M921", "not a JSON object");
    check(&command("{\"name\":\"a\"}"), 1, "M921", "has no URL");
    check(
        &command("{\"name\":\"a\",\"url\":\"postgres://u:hunter2@h#/x\"}"),
        1,
        "M921",
        "line 1",
    );
    check("command = \"exit 3\"", 1, "M922", "exit status: 3");
    check(
        "command = \"sleep 600\"\ntimeout = \"100ms\"",
        1,
        "M922",
        "did not end",
    );
    let mixed =
        "{\"name\":\"a\",\"url\":\"sqlite:t/a.db\"}\\n{\"name\":\"b\",\"url\":\"postgres://h/b\"}";
    check(&command(mixed), 1, "M921", "one kind of database");
    let groups = "{\"name\":\"a\",\"url\":\"sqlite:t/a.db\",\"group\":\"asia\"}";
    check(
        &format!("{}\ngroups = [\"eu\"]", command(groups)),
        1,
        "M924",
        "`asia`",
    );
}

#[test]
fn a_password_is_never_shown() {
    let script = "{\"name\":\"a\",\"url\":\"postgres://u:hunter2@h:port/x\"}";
    let fleet = format!("command = [\"printf\", '''{script}''']");
    let env = project(Backend::Sqlite, &fleet);
    for words in [
        &["fleet", "list"][..],
        &["--format", "json", "fleet", "upgrade"],
    ] {
        let printed = run(&env, words);
        assert!(printed.status != 0);
        let text = format!("{}{}", printed.stdout, printed.stderr);
        assert!(text.contains("M921") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn misspelt_selections_are_refused() {
    let env = project(Backend::Sqlite, "files = \"t/*.db\"");
    files(&env, &["acme", "beta"]);
    for (words, part) in [
        (&["--only", "acmee"][..], "did you mean `acme`?"),
        (&["--except", "z*"], "no target is named `z*`"),
        (&["--failed"], "there is no journal"),
    ] {
        let printed = run(&env, &[&["fleet", "upgrade"], words].concat());
        assert_eq!(printed.status, 2, "{}", printed.stderr);
        assert!(printed.stderr.contains("error[M923]"), "{}", printed.stderr);
        assert!(printed.stderr.contains(part), "{}", printed.stderr);
    }
}
