//! What leaves the program: nothing from outside is obeyed by a terminal or a CI service, and a
//! result that does not arrive is an error.

use std::{
    fs::{self, File},
    process::{Output, Stdio},
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::common::{Backend, Env};

/// Colours of our own.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let inside = &rest[at + 2..];
        let end = inside.find(|c: char| !c.is_ascii_digit() && c != ';');
        let Some(end) = end.filter(|end| inside[*end..].starts_with('m')) else {
            break;
        };
        plain.push_str(&rest[..at]);
        rest = &inside[end + 1..];
    }
    plain + rest
}

/// What no terminal may be sent, and no CI service may read; written down here once more, so that
/// it is not the program's own idea of it.
fn is_forbidden(c: char) -> bool {
    let code = u32::from(c);
    let is_control = code < 0x20 && c != '\n' && c != '\t' || (0x7f..0xa0).contains(&code);
    let is_reordering = [0x61c, 0x200e, 0x200f].contains(&code)
        || (0x202a..=0x202e).contains(&code)
        || (0x2066..=0x2069).contains(&code);
    is_control || is_reordering || code == 0x2028 || code == 0x2029
}

/// What is wrong with a text; `has_commands` when annotations of our own are in it.
fn wrong(text: &str, has_commands: bool) -> Option<String> {
    let plain = without_colours(text);
    if let Some(found) = plain.chars().find(|c| is_forbidden(*c)) {
        return Some(format!("{found:?} in {plain}"));
    }
    for line in plain.lines() {
        let start = line.trim_start();
        let is_ours = has_commands && line.starts_with("::error ") && !line.contains("FORGED\n");
        let obeyed = start.starts_with("::") && !is_ours
            || ["##[", "##vso[", "##teamcity["]
                .iter()
                .any(|command| line.contains(command));
        // A line of our own has something of ours before what comes from outside.
        if obeyed || line.starts_with("FORGED") {
            return Some(format!("`{line}` in {plain}"));
        }
    }
    None
}

fn all(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8(output.stdout.clone()).unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap()
    )
}

/// Text that would act on whoever prints it.
const HOSTILE: &str = "x\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{85}\u{7f}\u{202e}\u{2066}\u{2028}\
                       \r##[error]a ##vso[task.x] ##teamcity[x]\nFORGED\n::error::FORGED\n\
                       \u{ad}::stop-commands::x\n  ::error::FORGED";

/// The same for what may have one line only.
fn hostile_line() -> String {
    HOSTILE.replace(['\n', '\r'], " ")
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A project whose scripts, names and records are hostile.
fn hostile_project(backend: Backend, text: &str) -> Env {
    let line = text.replace(['\n', '\r'], " ");
    let env = Env::new(backend);
    let name = "20260101000001_a";
    env.revision(
        name,
        &format!(
            "-- M {line}\n-- migrator: label = one\n/*\n{}\n*/\nCREATE TABLE a (x integer);\n",
            text.replace('\r', " ").replace("*/", "").replace("/*", "")
        ),
        &format!("-- {line}\nDROP TABLE a;\n"),
    );
    env.revision(
        "20260101000002_b",
        &format!("-- {line}\nCREATE TABLE b (x integer);\n"),
        "DROP TABLE b;\n",
    );
    env.write(
        "templates/t.up.sql.jinja",
        format!("{{# {line} #}}\nSELECT 1;\n"),
    );
    assert!(
        env.command()
            .arg("upgrade")
            .output()
            .unwrap()
            .status
            .success()
    );
    let text = literal(&text.replace('\0', ""));
    env.sql(&format!(
        "UPDATE migrator_version SET message = {text}, applied_by = {text};
         UPDATE migrator_version_log SET message = {text}, actor = {text}, detail = {text},
             error = {text}, tool_version = {text} WHERE event <> 'layout'"
    ));
    // One is known to the database alone, one is changed, one is new.
    env.remove("migrations/20260101000002_b.up.sql");
    env.remove("migrations/20260101000002_b.down.sql");
    env.write(
        &format!("migrations/{name}.down.sql"),
        format!("-- {line}\nDROP TABLE a; -- {line}\n"),
    );
    env
}

/// Commands that show what they find.
const COMMANDS: &[&[&str]] = &[
    &["status", "-v"],
    &["current", "-v"],
    &["history", "-v"],
    &["history", "-i", "-v"],
    &["history", "--log"],
    &["history", "--log", "-v"],
    &["heads"],
    &["branches", "-v"],
    &["show", "20260101000001", "-v"],
    &["show", "20260101000002", "-v"],
    &["check"],
    &["check", "--format", "github"],
    &["list-templates"],
    &["repair", "--dry-run"],
    &["stamp", "base", "--dry-run"],
    &["upgrade", "--dry-run", "-v"],
    &["downgrade", "base", "--dry-run", "-v"],
    &["redo", "--dry-run", "-v"],
];

fn expect_harmless(env: &Env, arguments: &[&str]) {
    for more in [
        &["--color", "never"][..],
        &["--color", "always"],
        &["--format", "json"],
    ] {
        if arguments.contains(&"--format") && more.contains(&"--format") {
            continue;
        }
        let output = env.command().args(arguments).args(more).output().unwrap();
        let text = all(&output);
        assert!(!text.is_empty(), "{arguments:?}");
        if more[1] == "never" {
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
        let has_commands = arguments.contains(&"github");
        assert_eq!(wrong(&text, has_commands), None, "{arguments:?} {more:?}");
        if more[1] == "json" {
            let stdout = String::from_utf8(output.stdout).unwrap();
            let read: serde_json::Value = serde_json::from_str(&stdout).unwrap();
            assert_eq!(read["version"], 1);
        }
    }
}

#[test]
fn no_command_lets_text_from_outside_out_of_its_line() {
    for backend in Backend::ALL {
        let env = hostile_project(backend, HOSTILE);
        for arguments in COMMANDS {
            expect_harmless(&env, arguments);
        }
    }
}

#[test]
fn whatever_the_text_is_it_does_no_harm() {
    let text = prop::collection::vec(
        prop_oneof![
            Just("::error::FORGED".to_owned()),
            Just("##[".to_owned()),
            Just("##vso[".to_owned()),
            Just("\nFORGED".to_owned()),
            Just("\r".to_owned()),
            Just("\u{1b}[".to_owned()),
            Just("  \t".to_owned()),
            "[\\x01-\\x1f\u{7f}-\u{9f}]",
            "[\u{200b}-\u{2070}\u{ad}\u{feff}\u{61c}]",
            "\\PC",
        ],
        0..12,
    );
    let mut runner = TestRunner::new(Config::with_cases(12));
    let commands = [
        &["status", "-v"][..],
        &["history", "--log", "-v"],
        &["show", "20260101000001", "-v"],
        &["show", "20260101000002"],
        &["repair", "--dry-run"],
    ];
    runner
        .run(&text, |parts| {
            let env = hostile_project(Backend::Sqlite, &parts.concat());
            for arguments in commands {
                expect_harmless(&env, arguments);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn errors_and_notices_do_no_harm() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        let text = literal(&HOSTILE.replace('\r', " "));
        let statement = match backend {
            Backend::Sqlite => format!("SELECT nosuch({text}), \"{}\"", hostile_line()),
            Backend::Postgres => format!(
                "DO $do$ BEGIN RAISE NOTICE '%', {text};
                 RAISE EXCEPTION '%', {text} USING DETAIL = {text}, HINT = {text}; END $do$"
            ),
        };
        env.revision("1_a", &format!("SELECT 1;\n{statement};\n"), "SELECT 1;\n");
        for arguments in [
            &["upgrade"][..],
            &["upgrade", "-v", "--color", "always"],
            &["upgrade", "--format", "json"],
        ] {
            let output = env.command().args(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let text = all(&output);
            assert!(text.contains("M701"), "{text}");
            assert_eq!(wrong(&text, false), None, "{arguments:?}");
        }
        assert_eq!(
            wrong(
                &all(&env.command().args(["history", "--log"]).output().unwrap()),
                false
            ),
            None
        );
    }
}

#[test]
fn arguments_names_and_urls_do_no_harm() {
    let env = Env::new(Backend::Sqlite);
    env.write(
        &format!("migrations/1_{}.sql", hostile_line()),
        "SELECT 1;\n",
    );
    env.write("migrations/2_a\n::error::FORGED.up.sql", "SELECT 1;\n");
    let url = format!("sqlite:{}", HOSTILE.replace('\0', ""));
    let odd = format!("postgres://u@h/{HOSTILE}?{HOSTILE}=1");
    let tries: &[&[&str]] = &[
        &["status"],
        &["check", "--format", "github"],
        &[HOSTILE],
        &["upgrade", HOSTILE, "--nosuch"],
        &["upgrade", HOSTILE],
        &["show", HOSTILE],
        &["explain", HOSTILE],
        &["--url", &url, "current"],
        &["--url", &odd, "current"],
        &["--url", HOSTILE, "current"],
        &["--config", HOSTILE, "status"],
        &["--env", HOSTILE, "status"],
        &["--format", HOSTILE, "status"],
        &["revision", "-m", "x", "--template", HOSTILE],
        &["check", "--base", HOSTILE],
        &["upgrade", "--var", HOSTILE],
    ];
    for arguments in tries {
        let output = env.command().args(*arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        let text = all(&output);
        let has_commands = arguments.contains(&"github");
        assert_eq!(wrong(&text, has_commands), None, "{arguments:?}");
    }
    let variables = [
        "MIGRATOR_CONFIG",
        "MIGRATOR_ENV",
        "MIGRATOR_URL",
        "MIGRATOR_LAYOUT",
        "MIGRATOR_LOCK_WAIT",
    ];
    for name in variables {
        let output = env.command().arg("status").env(name, HOSTILE).output();
        assert_eq!(wrong(&all(&output.unwrap()), false), None, "{name}");
    }
}

#[test]
fn a_lock_file_says_who_holds_it_on_one_line() {
    let env = Env::new(Backend::Sqlite);
    env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\nlock-wait = \"100ms\"\n"),
    );
    let lock = File::create(env.path("app.db.migrator-lock")).unwrap();
    lock.try_lock().unwrap();
    fs::write(env.path("app.db.migrator-lock"), hostile_line()).unwrap();
    let output = env.command().arg("upgrade").output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", all(&output));
    assert!(all(&output).contains("\\u{1b}[2J"), "{}", all(&output));
    assert_eq!(wrong(&all(&output), false), None);
}

#[test]
fn a_log_file_has_lines_of_harmless_json() {
    let env = Env::new(Backend::Sqlite);
    let script = format!(
        "-- {}\nSELECT {};\n",
        hostile_line(),
        literal(&HOSTILE.replace('\r', " "))
    );
    env.revision("1_a", &script, "SELECT 1;\n");
    let output = env
        .command()
        .args(["upgrade", "--log-file", "log.jsonl"])
        .output();
    assert!(output.unwrap().status.success());
    let text = fs::read_to_string(env.path("log.jsonl")).unwrap();
    assert_eq!(wrong(&text, false), None);
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut statements = lines.filter(|it| it["event"] == "statement");
    let statement = statements.next().unwrap();
    let sql = statement["sql"].as_str().unwrap();
    assert!(sql.starts_with("SELECT 'x\u{1b}[2J"), "{sql:?}");
}

#[test]
fn comments_of_a_script_end_where_they_should() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        let hostile = hostile_line();
        env.revision(
            "1_a",
            &format!(
                "-- {hostile}\nCREATE TABLE a (x varchar(99) DEFAULT {});\n",
                literal("a\u{1b}")
            ),
            "DROP TABLE a;\n",
        );
        let script = String::from_utf8(env.run("upgrade :1 --sql").stdout).unwrap();
        // The script's own text is as it was.
        assert!(script.contains("DEFAULT 'a\u{1b}'"), "{script}");
        assert!(
            script.ends_with("\n-- end of script: 1 revision\n"),
            "{script}"
        );
        let output = env.shell(&script);
        assert!(output.status.success(), "{}", all(&output));
    }
}

#[test]
fn a_script_says_at_its_end_how_much_it_does() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
        env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
        env.write("migrations/R_c.sql", "CREATE VIEW c AS SELECT 1 AS x;\n");
        fn end(env: &mut Env, line: &str) -> String {
            let output = env.run(line);
            assert!(output.status.success(), "{}", env.transcript());
            let script = String::from_utf8(output.stdout).unwrap();
            script.lines().last().unwrap().to_owned()
        }
        let both = "-- end of script: 2 revisions and 1 repeatable script";
        assert_eq!(end(&mut env, "upgrade --sql"), both);
        let downs = "-- end of script: 2 revisions";
        assert_eq!(end(&mut env, "downgrade 2:base --sql"), downs);
        assert!(env.run("upgrade").status.success());
        assert_eq!(
            end(&mut env, "upgrade --sql"),
            "-- end of script: 0 revisions"
        );
    }
}

/// Commands with a result on stdout, and the exit status when that cannot be written.
#[cfg(target_os = "linux")]
const RESULTS: &[(&[&str], i32)] = &[
    (&["status"], 1),
    (&["status", "--format", "json"], 1),
    (&["current"], 1),
    (&["history"], 1),
    (&["history", "--log"], 1),
    (&["heads"], 1),
    (&["branches"], 1),
    (&["show", "1"], 1),
    (&["check", "--pending-ok"], 1),
    (&["check", "--pending-ok", "--format", "github"], 1),
    (&["list-templates"], 1),
    (&["explain"], 1),
    (&["explain", "M203"], 1),
    (&["completions", "bash"], 1),
    (&["man"], 1),
    (&["--help"], 1),
    (&["--version"], 1),
    (&["help", "upgrade"], 1),
    (&["upgrade", "--dry-run"], 1),
    (&["upgrade", "--sql"], 1),
    (&["upgrade", "--sql", "--format", "json"], 1),
    (&["repair", "--dry-run"], 1),
    (&["stamp", "2", "--dry-run"], 1),
    // What changes something has changed it.
    (&["upgrade", "2"], 4),
    (&["upgrade", "--format", "json"], 4),
    (&["redo"], 4),
    (&["downgrade", "-1"], 4),
    (&["stamp", "3"], 4),
    (&["revision", "-m", "new"], 4),
    (&["init", "other"], 4),
    (&["backup"], 4),
    (&["convert", "--to", "converted"], 4),
];

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_written_is_an_error() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
        assert!(
            env.command()
                .arg("upgrade")
                .output()
                .unwrap()
                .status
                .success()
        );
        env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
        env.revision("3_c", "CREATE TABLE c (x integer);\n", "DROP TABLE c;\n");
        for (arguments, status) in RESULTS {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let mut command = env.command();
            let output = command.args(*arguments).stdout(full).output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                output.status.code(),
                Some(*status),
                "{arguments:?}: {stderr}"
            );
            assert!(
                stderr.contains("error[M003]: cannot write to standard output: No space left"),
                "{arguments:?}: {stderr}"
            );
        }
        assert_eq!(env.sql("SELECT count(*) FROM migrator_version").trim(), "3");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_reader_that_went_away_is_no_error() {
    let env = Env::new(Backend::Sqlite);
    env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
    for arguments in [
        &["upgrade", "--sql"][..],
        &["upgrade"],
        &["status"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = env.command();
        let output = command
            .args(arguments)
            .stdout(Stdio::from(writer))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "",
            "{arguments:?}"
        );
    }
}
