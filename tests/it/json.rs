//! docs/json.md is true: its examples are run, in order, in one project, and its tables have every field.
//!
//! A block that begins with `$ migrator …` holds what that prints, with what differs from run to run
//! made the same. Comments on lines of their own prepare it:
//!
//! - `<!-- run: LINE -->` runs `migrator LINE`
//! - `<!-- write: FILE: TEXT -->` writes a file, `\n` being a line break
//! - `<!-- set: NAME=VALUE -->` sets a variable from there on
//!
//! `UPDATE_DOCS=1 tests/run --test it -- json::` writes the outputs again.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common::{Backend, Env, does_something, listed_commands};
use serde_json::{Value, json};

/// These print no JSON.
const WITHOUT_JSON: &[&str] = &["completions", "man"];

/// Fields of every object, which have a section of their own.
const COMMON: &[&str] = &["version", "command", "ok", "errors"];

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")
}

fn page() -> String {
    fs::read_to_string(file()).unwrap()
}

/// What differs from run to run becomes the same.
fn same(value: &mut Value, key: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| same(item, key)),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                same(value, key);
            }
        }
        Value::String(text) => match key {
            "at" | "applied_at" => *text = "2026-11-23T09:31:05.204Z".to_owned(),
            "actor" | "applied_by" => *text = "ada@engine".to_owned(),
            "tool_version" => *text = "0.1.0".to_owned(),
            "host" => *text = "engine".to_owned(),
            "made_at" => *text = "2026-11-23T09:31:05Z".to_owned(),
            "sha256" | "schema" => *text = "0f7c2e…".to_owned(),
            "name" if text.contains("/migrator-sqlite-") => {
                *text = "/tmp/migrator-sqlite-51a0b8e2fd6ce3a9/scratch.db".to_owned();
            }
            "database" if text.starts_with("sqlite:/") => *text = "sqlite:/srv/app.db".to_owned(),
            "file" | "kept" | "drop_command" => *text = with_given_stamps(text),
            // IDs from the clock: those of examples are of one day.
            _ => *text = with_given_ids(text),
        },
        Value::Number(_)
            if matches!(
                key,
                "duration_ms" | "ms" | "copy_ms" | "writes_wait_ms" | "until_ms"
            ) =>
        {
            *value = json!(4);
        }
        Value::Number(_) if key == "size" => *value = json!(1843),
        _ => {}
    }
}

/// `text` with an ID that no example gives, the clock's, as 20261124080000.
fn with_given_ids(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_given = || page().contains(&format!("--rev-id {}", &text[..digits]));
    let of_the_clock = digits == 14 && !is_given();
    let from_file = text.strip_prefix("migrations/").map(with_given_ids);
    match from_file {
        Some(rest) => format!("migrations/{rest}"),
        None if of_the_clock => format!("20261124080000{}", &text[digits..]),
        None => text.to_owned(),
    }
}

/// As names of files have a time, and when that is in examples.
const STAMP: &str = "20261123T093105Z";

/// Where a text has such a time.
fn stamp_in(text: &str) -> Option<usize> {
    let is_stamp = |part: &str| {
        let (digits, marks) = (part.bytes().filter(u8::is_ascii_digit).count(), "TZ");
        digits == STAMP.len() - marks.len() && part.find('T') == Some(8) && part.ends_with('Z')
    };
    let starts = 0..text.len().saturating_sub(STAMP.len() - 1);
    let mut starts = starts.filter(|at| text.is_char_boundary(*at));
    starts.find(|at| text.get(*at..at + STAMP.len()).is_some_and(is_stamp))
}

/// `text` with the times of the clock as [`STAMP`].
fn with_given_stamps(text: &str) -> String {
    match stamp_in(text) {
        None => with_given_ids(text),
        Some(at) => {
            let rest = with_given_stamps(&text[at + STAMP.len()..]);
            format!("{}{STAMP}{rest}", &text[..at])
        }
    }
}

/// `line` with the name that the backup really has.
fn with_real_backup(env: &Env, line: &str) -> String {
    let files = env.files();
    let real = files
        .iter()
        .find_map(|file| Some(&file[stamp_in(file)?..][..STAMP.len()]));
    real.map_or(line.to_owned(), |real| line.replace(STAMP, real))
}

/// What `migrator LINE` prints, the same every time.
fn printed(env: &Env, line: &str, variables: &[(String, String)]) -> String {
    let words = shell_words(&with_real_backup(env, line));
    let mut command = env.command();
    let own = Path::new(env!("CARGO_BIN_EXE_migrator")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = command
        .env("PATH", format!("{}:{path}", own.display()))
        .args(words)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut value: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{line}: {error}: {text}{output:?}"));
    same(&mut value, "");
    format!("{value:#}\n")
}

/// Words with double quotes.
fn shell_words(line: &str) -> Vec<String> {
    let mut quoted = false;
    let parts = line.split(|c| {
        quoted ^= c == '"';
        c == ' ' && !quoted
    });
    parts.map(|word| word.replace('"', "")).collect()
}

fn prepare(env: &Env, comment: &str, variables: &mut Vec<(String, String)>) {
    let (verb, rest) = comment.split_once(": ").unwrap();
    match verb {
        "run" => {
            let mut command = env.command();
            let output = command.args(shell_words(rest)).output().unwrap();
            assert!(output.status.success(), "{rest}: {output:?}");
        }
        "write" => {
            let (file, text) = rest.split_once(": ").unwrap();
            env.write(file, text.replace("\\n", "\n"));
        }
        "set" => {
            let (name, value) = rest.split_once('=').unwrap();
            variables.push((name.to_owned(), value.to_owned()));
        }
        other => panic!("{other}: no such preparation"),
    }
}

/// The page with its outputs as they are.
fn written(page: &str) -> String {
    let env = Env::new(Backend::Sqlite);
    let mut variables = Vec::new();
    let mut text = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        if let Some(comment) = line
            .strip_prefix("<!-- ")
            .and_then(|it| it.strip_suffix(" -->"))
        {
            prepare(&env, comment, &mut variables);
        } else if let Some(command) = line.strip_prefix("$ migrator ") {
            text.push_str(&printed(&env, command, &variables));
            // What was there instead.
            assert!(lines.any(|line| line == "```"), "{command}: no end");
            text.push_str("```\n");
        }
    }
    text
}

#[test]
fn examples_are_what_comes_out() {
    let mut page = page();
    let written = written(&page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(file(), &written).unwrap();
        page.clone_from(&written);
    }
    for (documented, real) in page.lines().zip(written.lines()) {
        assert_eq!(
            documented, real,
            "UPDATE_DOCS=1 tests/run --test it -- json::"
        );
    }
    assert_eq!(
        page.len(),
        written.len(),
        "UPDATE_DOCS=1 tests/run --test it -- json::"
    );
}

/// The sections by the command that their heading names.
fn sections(page: &str) -> Vec<(String, &str)> {
    let parts = page.split("\n## ").skip(1);
    let named = parts.filter_map(|part| {
        let (heading, text) = part.split_once('\n')?;
        let name = heading.strip_prefix("migrator ")?;
        Some((name.to_owned(), text))
    });
    named.collect()
}

/// Names of commands as help lists them, those of `db` as `db create`.
fn commands(of: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_migrator"))
        .arg("help")
        .args(of)
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let names = listed_commands(&help);
    if names.is_empty() {
        return BTreeSet::from([of.join(" ")]);
    }
    let own = of.join(" ");
    let own = does_something(&help, &own).then_some(own);
    names
        .into_iter()
        .flat_map(|name| commands(&[of, &[name]].concat()))
        .chain(own)
        .collect()
}

#[test]
fn every_command_has_a_section() {
    let page = page();
    let documented: BTreeSet<_> = sections(&page).into_iter().map(|(name, _)| name).collect();
    let mut expected = commands(&[]);
    expected.retain(|name| !WITHOUT_JSON.contains(&name.as_str()));
    assert_eq!(documented, expected);
}

/// The objects of a section's examples.
fn examples(section: &str) -> Vec<Value> {
    let blocks = section.split("\n$ migrator ").skip(1);
    blocks
        .map(|block| {
            let (_, text) = block.split_once('\n').unwrap();
            serde_json::from_str(text.split("```").next().unwrap()).unwrap()
        })
        .collect()
}

#[test]
fn every_field_is_in_its_table() {
    for (name, section) in sections(&page()) {
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let table: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
        let examples = examples(section);
        assert!(!examples.is_empty(), "{name}: no example");
        let keys = examples.iter().filter_map(Value::as_object).flatten();
        let fields: BTreeSet<&str> = keys
            .map(|(key, _)| key.as_str())
            .filter(|key| !COMMON.contains(key))
            .collect();
        let top: BTreeSet<&str> = table
            .iter()
            .copied()
            .filter(|field| !field.contains('.'))
            .collect();
        assert_eq!(top, fields, "{name}");
        // Fields of fields that a table names are there as well.
        for nested in table.iter().filter(|field| field.contains('.')) {
            let pointer = nested.split('.').collect::<Vec<_>>();
            assert!(
                examples.iter().any(|it| has(it, &pointer)),
                "{name}: {nested}"
            );
        }
        for example in &examples {
            assert!(
                name.starts_with(example["command"].as_str().unwrap()),
                "{name}"
            );
        }
    }
}

/// Whether the value has that field, in any item of lists on the way.
fn has(value: &Value, path: &[&str]) -> bool {
    match (value, path) {
        (_, []) => true,
        (Value::Array(items), path) => items.iter().any(|item| has(item, path)),
        (value, [first, rest @ ..]) => value.get(first).is_some_and(|found| has(found, rest)),
    }
}
