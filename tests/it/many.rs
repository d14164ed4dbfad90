//! Mistakes that are made thousands of times: how much is said of them.

use serde_json::Value;

use crate::common::{Backend, Env};

const FILE: &str = "migrations/1_a.up.sql";

/// A project that asks no database.
fn project(url: &str) -> Env {
    let env = Env::new(Backend::Sqlite);
    env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
    env
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|number| line(number) + "\n").collect()
}

/// Checks what `line` says of `count` problems of `code` and, where `other` is, of one of that.
fn check(env: &mut Env, line: &str, code: &str, count: usize, other: Option<&str>) {
    let output = env.run(line);
    assert!(!output.status.success(), "{line}");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    let told = said.matches(&format!("[{code}]")).count();
    assert_eq!(told, 50, "{line}: {said}");
    let rest = format!("\n… and {} more like this\n", count - 50);
    assert_eq!(said.matches(&rest).count(), 1, "{line}: {said}");
    if let Some(other) = other {
        assert_eq!(said.matches(&format!("[{other}]")).count(), 1, "{said}");
    }
}

#[test]
fn of_many_problems_of_a_kind_50_are_shown_and_the_rest_is_counted() {
    let mut env = project("sqlite:app.db");
    env.write(
        FILE,
        lines(1_000, |n| format!("-- migrator: colour{n} = red")),
    );
    env.write("migrations/x.y..sql", "");
    check(&mut env, "upgrade --dry-run", "M207", 1_000, Some("M202"));
    check(&mut env, "check", "M207", 1_000, Some("M202"));

    let mut env = project("sqlite:app.db");
    let holes = lines(1_000, |n| format!("SELECT {n} :{{"));
    env.write(FILE, format!("-- migrator: vars = on\n{holes}"));
    check(&mut env, "upgrade :head --sql", "M244", 1_000, None);

    let mut env = project("postgres://localhost/x");
    env.write(FILE, lines(1_000, |n| format!("\\d t{n}\nSELECT 1;")));
    check(&mut env, "upgrade :head --sql", "M302", 1_000, None);

    let mut env = project("sqlite:app.db");
    for n in 0..120 {
        let name = format!("migrations/{}_a.up.sql", 1_000 + n);
        env.write(&name, format!("-- migrator: revises = 9{n}\nSELECT 1;\n"));
    }
    check(&mut env, "heads", "M208", 120, None);

    let mut env = project("sqlite:app.db");
    let keys = lines(1_000, |n| format!("colour{n} = 1"));
    env.write("migrator.toml", format!("[migrator]\n{keys}"));
    check(&mut env, "heads", "M103", 1_000, None);
}

#[test]
fn findings_of_check_are_counted_likewise() {
    let mut env = project("sqlite:app.db");
    for n in 0..60 {
        let name = format!("migrations/{}_a.up.sql", 1_000 + n);
        env.write(&name, "SELECT 1;\n");
    }
    check(&mut env, "check --no-database", "M802", 60, None);
    let output = env.run("--format json check --no-database");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(50));
    assert_eq!(json["omitted"], serde_json::json!({"M802": 10}));
}

#[test]
fn programs_get_the_number_that_is_left_out() {
    let env = &mut project("sqlite:app.db");
    env.write(
        FILE,
        lines(1_000, |n| format!("-- migrator: colour{n} = red")),
    );
    let output = env.run("--format json heads");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors = json["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 50);
    assert_eq!(
        (&errors[49]["line"], &errors[49]["column"]),
        (&50.into(), &14.into())
    );
    assert_eq!(json["omitted"], serde_json::json!({"M207": 950}));
    let output = env.run("--format github check");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("::error ").count(), 50);
    assert!(text.ends_with("… and 950 more of M207\n"), "{text}");
}

/// Each guard of a script names where it leads from and to.
#[test]
fn a_script_of_many_roots_names_few_of_them() {
    for url in ["sqlite:app.db", "postgres://localhost/x"] {
        let written = |count: usize| {
            let mut env = project(url);
            for n in 0..count {
                let name = format!("migrations/{}_a.up.sql", 1_000 + n);
                env.write(&name, "-- migrator: revises = base\nSELECT 1;\n");
            }
            let output = env.run("upgrade :heads --sql");
            String::from_utf8(output.stdout).unwrap()
        };
        let [less, some, more] = [50, 100, 200].map(written);
        let (first, second) = (some.len() - less.len(), more.len() - some.len());
        assert!(second * 100 < first * 2 * 102, "{first} and {second}");
        let named = "to 1000 (head) and 1001 (head)";
        assert!(more.contains(named) && more.contains(" and 192 others\n"));
    }
}
