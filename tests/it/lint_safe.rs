//! The safe forms of rules about what others wait for do not make them wait.

use std::fs;

use migrator::internals::{
    lint::{Class, Example, Rule, rules},
    sql::Dialect,
};
use serde_json::Value;

use crate::common::{Backend, Env, PostgresDatabase};

/// What takes a lock under which no other can write.
const STRONG: [&str; 4] = [
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

/// What the example before needs, and then revision by revision the safe form.
fn lint(rule: &Rule, parts: &[String]) -> Value {
    let env = Env::new(Backend::Postgres);
    let config = format!(
        "[migrator]\nurl = \"{}\"\ndowns = \"optional\"\n",
        env.url()
    );
    env.write("migrator.toml", config);
    fs::create_dir_all(env.path("migrations")).unwrap();
    for (number, part) in (1..).zip([rule.bad.before.to_owned()].iter().chain(parts)) {
        env.write(&format!("migrations/{number:02}_step.up.sql"), part);
    }
    let command = ["--format", "json", "lint", "--facts"];
    let output = env.command().args(command).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text).unwrap_or_else(|_| {
        panic!(
            "{}: {parts:#?} {}",
            rule.name,
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// The revisions of a safe form: comments say where another begins.
fn parts(safe: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in safe.lines() {
        let header = match line {
            "-- in a later revision" | "-- in one more" => Some(""),
            "-- in a revision with transaction = off" => Some("-- migrator: transaction = off\n"),
            _ => None,
        };
        match header {
            Some(header) => parts.push(header.to_owned()),
            None => {
                let last = parts.last_mut().unwrap();
                last.push_str(line);
                last.push('\n');
            }
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The work under a lock that keeps others from writing, and the errors.
fn hazards(json: &Value) -> Vec<String> {
    let mut hazards = Vec::new();
    let revisions = json["revisions"].as_array().unwrap().iter().skip(1);
    for revision in revisions {
        let mut add = |what: &Value| hazards.push(format!("{}: {what}", revision["file"]));
        if !revision["not_measured"].is_null() {
            add(&revision["not_measured"]);
        }
        revision["problems"]
            .as_array()
            .unwrap()
            .iter()
            .for_each(&mut add);
        for statement in revision["statements"].as_array().unwrap() {
            if !statement["error"].is_null() {
                add(&statement["error"]);
            }
            let locks = statement["locks"].as_array().unwrap();
            for work in statement["works"].as_array().unwrap() {
                let is_under = |lock: &&Value| {
                    lock["relation"] == work["relation"]
                        && STRONG.contains(&lock["mode"].as_str().unwrap())
                };
                // A refresh that lets reads go on: nobody else writes a materialized view.
                let is_refresh = work["relation"] == "public.totals";
                if locks.iter().any(|lock| is_under(&lock)) && !is_refresh {
                    add(&Value::from(format!("{work} under {locks:?}")));
                }
            }
        }
    }
    hazards
}

/// Whether a safe form is SQL that runs as it is.
fn is_sql(safe: &str) -> bool {
    let is_told = |line: &str| line.starts_with("-- for each") || line.starts_with("-- with");
    let has_statement = safe.lines().any(|line| line.ends_with(';'));
    has_statement && !safe.contains('…') && !safe.lines().any(is_told)
}

/// The safe forms of a rule: that of its own example, and what lint prints for it.
fn forms(rule: &Rule) -> Vec<Vec<String>> {
    let Example { sql, .. } = rule.bad;
    let found = lint(rule, &[sql.to_owned()]);
    let mut forms = Vec::new();
    if is_sql(rule.safe) {
        forms.push(parts(rule.safe));
    }
    for finding in found["revisions"][1]["findings"].as_array().unwrap() {
        for cause in finding["causes"].as_array().unwrap() {
            let Some(safe) = cause["safe"].as_str().filter(|safe| is_sql(safe)) else {
                continue;
            };
            if cause["rule"] != rule.name {
                continue;
            }
            // The other statements of the example stay; each is a line.
            let line = finding["line"].as_u64().unwrap() as usize;
            let others: Vec<&str> = sql.lines().take(line - 1).collect();
            let mut parts = parts(safe);
            if !others.is_empty() {
                parts.insert(0, others.join("\n"));
            }
            forms.push(parts);
        }
    }
    forms
}

/// The first version that knows the safe form of a rule.
const SINCE: &[(&str, u32, &str)] = &[
    ("volatile-default", 13, "gen_random_uuid()"),
    ("detach-partition", 14, "DETACH PARTITION … CONCURRENTLY"),
];

#[test]
fn safe_forms_are_safe() {
    let mut tried = 0;
    let mut faults = Vec::new();
    let server = PostgresDatabase::create();
    for rule in rules::ALL {
        let is_postgres = rule.dialects.contains(&Dialect::Postgres)
            && rule
                .example_dialect
                .is_none_or(|it| it == Dialect::Postgres);
        if rule.class != Class::Blocks || !is_postgres {
            continue;
        }
        let since = SINCE.iter().find(|(name, ..)| *name == rule.name);
        if since.is_some_and(|(name, major, what)| {
            !server.is_since(*major, &format!("{what}, for {name}"))
        }) {
            continue;
        }
        for form in forms(rule) {
            tried += 1;
            let found = hazards(&lint(rule, &form));
            if !found.is_empty() {
                faults.push(format!("{}: {form:#?}\n{found:#?}", rule.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(tried > 20, "{tried}");
}

/// The example itself shows what the test looks for.
#[test]
fn unsafe_forms_are_not() {
    let rule = rules::find("set-not-null").unwrap();
    let found = hazards(&lint(rule, &[rule.bad.sql.to_owned()]));
    assert!(found[0].contains("scan"), "{found:?}");
}
