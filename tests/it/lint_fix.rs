//! `lint --fix`: safe forms are written into scripts.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::common::{Backend, Env};

const TABLE: &str =
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint, total int, note text);\n";
const DROP: &str = "DROP TABLE orders;\n";

/// A project with these up and down scripts, numbered from 1.
fn project(backend: Backend, scripts: &[(&str, &str)]) -> Env {
    let env = Env::new(backend);
    let config = format!("[migrator]\nurl = \"{}\"\n", env.url());
    env.write("migrator.toml", config);
    fs::create_dir_all(env.path("migrations")).unwrap();
    for (number, (up, down)) in (1..).zip(scripts) {
        env.write(&format!("migrations/{number}_step.up.sql"), up);
        env.write(&format!("migrations/{number}_step.down.sql"), down);
    }
    env
}

fn run(env: &Env, arguments: &[&str]) -> (i32, String) {
    let output = env.command().args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap(), text)
}

fn done(env: &Env, arguments: &[&str]) -> String {
    let (status, text) = run(env, arguments);
    assert_eq!(status, 0, "{arguments:?}: {text}\n{:#?}", files(env));
    text
}

fn json(env: &Env, arguments: &[&str]) -> Value {
    let (_, text) = run(env, &[&["--format", "json"], arguments].concat());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

/// The scripts by name.
fn files(env: &Env) -> BTreeMap<String, String> {
    let entries = fs::read_dir(env.path("migrations")).unwrap();
    let files = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    files.collect()
}

/// The up script of the revision that follows.
fn following(env: &Env) -> Option<String> {
    let files = files(env);
    let mut new = files
        .iter()
        .filter(|(name, _)| !name[1..].starts_with("_step") && name.contains(".up."));
    let first = new.next().map(|(_, text)| text.clone());
    assert_eq!(new.next(), None);
    first
}

/// Fixes the second of two revisions and tries the result. Returns its project.
fn fixed(backend: Backend, before: (&str, &str), script: (&str, &str)) -> Env {
    let plain = project(backend, &[before, script]);
    let env = project(backend, &[before, script]);
    done(&env, &["upgrade", "1"]);
    let (status, text) = run(&env, &["lint", "2"]);
    assert!(
        text.contains("error[L1") || text.contains("warning[L1"),
        "{status} {text}"
    );
    done(&env, &["lint", "--fix", "2"]);
    let after = json(&env, &["lint"]).to_string();
    assert!(
        !after.contains("\"code\":\"L1"),
        "{after} {:#?}",
        files(&env)
    );
    // What both scripts lack, such as a way back for rows, is not the fix's.
    let (plain_verified, _) = run(&plain, &["verify"]);
    let (verified, text) = run(&env, &["verify"]);
    assert_eq!(verified, plain_verified, "{text}");
    done(&env, &["upgrade"]);
    done(&env, &["downgrade", "1", "--yes"]);
    done(&env, &["upgrade"]);
    done(&plain, &["upgrade"]);
    assert_eq!(
        done(&env, &["schema", "dump"]),
        done(&plain, &["schema", "dump"])
    );
    env
}

fn fixed_postgres(script: (&str, &str)) -> Env {
    fixed(Backend::Postgres, (TABLE, DROP), script)
}

fn up(env: &Env) -> String {
    files(env)["2_step.up.sql"].clone()
}

#[test]
fn an_index_is_built_concurrently() {
    let env = fixed_postgres((
        "-- by customer\n\nCREATE INDEX orders_customer\n  ON orders (customer);  -- fast\n",
        "DROP INDEX orders_customer;\n",
    ));
    let expected = "-- by customer\n-- migrator: transaction = off\n\n\
        CREATE INDEX CONCURRENTLY orders_customer\n  ON orders (customer);  -- fast\n";
    assert_eq!(up(&env), expected);
    assert_eq!(following(&env), None);
}

/// What takes effect together stays together.
#[test]
fn an_index_leaves_the_transaction_of_other_statements() {
    let env = fixed_postgres((
        "ALTER TABLE orders ADD COLUMN a int;\n\nCREATE INDEX orders_a ON orders (a);\n\nCOMMENT ON TABLE orders IS 'x';\n",
        "COMMENT ON TABLE orders IS NULL;\nDROP INDEX orders_a;\nALTER TABLE orders DROP COLUMN a;\n",
    ));
    assert_eq!(
        up(&env),
        "ALTER TABLE orders ADD COLUMN a int;\n\nCOMMENT ON TABLE orders IS 'x';\n"
    );
    assert_eq!(
        files(&env)["2_step.down.sql"],
        "COMMENT ON TABLE orders IS NULL;\nALTER TABLE orders DROP COLUMN a;\n"
    );
    let new = following(&env).unwrap();
    assert!(
        new.contains("transaction = off") && new.contains("revises = 2"),
        "{new}"
    );
    assert!(
        new.ends_with("\nCREATE INDEX CONCURRENTLY orders_a ON orders (a);\n"),
        "{new}"
    );
}

#[test]
fn a_unique_constraint_takes_an_index() {
    let env = fixed_postgres((
        "ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE (note);\n",
        "ALTER TABLE orders DROP CONSTRAINT orders_note_key;\n",
    ));
    let expected = "-- migrator: transaction = off\n\
        CREATE UNIQUE INDEX CONCURRENTLY orders_note_key ON orders (note);\n\
        ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE USING INDEX orders_note_key;\n";
    assert_eq!(up(&env), expected);
}

/// An index does not have all that a key may have, so these get no other form.
#[test]
fn a_unique_constraint_with_options_stays() {
    for options in [
        "UNIQUE (note) INCLUDE (total)",
        "UNIQUE (note) DEFERRABLE INITIALLY DEFERRED",
        "UNIQUE (note) WITH (fillfactor = 70)",
    ] {
        let add = format!("ALTER TABLE orders ADD CONSTRAINT orders_note_key {options};\n");
        let drop = "ALTER TABLE orders DROP CONSTRAINT orders_note_key;\n";
        let env = project(Backend::Postgres, &[(TABLE, DROP), (&add, drop)]);
        let before = files(&env);
        let (_, found) = run(&env, &["lint", "2"]);
        assert!(found.contains("L102"), "{found}");
        let (status, fixed) = run(&env, &["lint", "--fix", "2"]);
        assert_eq!(status, 3, "{fixed}");
        assert!(fixed.contains("Nothing was fixed"), "{fixed}");
        assert_eq!(files(&env), before);
    }
}

#[test]
fn constraints_are_validated_later() {
    let customers = format!("CREATE TABLE customers (id bigint PRIMARY KEY);\n{TABLE}");
    let before = (
        customers.as_str(),
        "DROP TABLE orders;\nDROP TABLE customers;\n",
    );
    let key = "ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers";
    let script = format!("{key};\n");
    let down = "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey;\n";
    let env = fixed(Backend::Postgres, before, (&script, down));
    assert_eq!(up(&env), format!("{key} NOT VALID;\n"));
    let new = following(&env).unwrap();
    let validate = "ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_fkey;\n";
    assert!(
        new.starts_with("-- validate constraints of step\n") && new.ends_with(validate),
        "{new}"
    );

    let check = "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0)";
    let script = format!("{check};\n");
    let env = fixed_postgres((&script, "ALTER TABLE orders DROP CONSTRAINT positive;\n"));
    assert_eq!(up(&env), format!("{check} NOT VALID;\n"));
    let new = following(&env).unwrap();
    assert!(
        new.ends_with("ALTER TABLE orders VALIDATE CONSTRAINT positive;\n"),
        "{new}"
    );
}

#[test]
fn not_null_takes_four_steps() {
    let env = fixed_postgres((
        "ALTER TABLE orders ALTER COLUMN total SET NOT NULL;\n",
        "ALTER TABLE orders ALTER COLUMN total DROP NOT NULL;\n",
    ));
    let add = "ALTER TABLE orders ADD CONSTRAINT orders_total_not_null_check CHECK (total IS NOT NULL) NOT VALID;\n";
    assert_eq!(up(&env), add);
    let steps = "ALTER TABLE orders VALIDATE CONSTRAINT orders_total_not_null_check;\n\
        ALTER TABLE orders ALTER COLUMN total SET NOT NULL;\n\
        ALTER TABLE orders DROP CONSTRAINT orders_total_not_null_check;\n";
    assert!(following(&env).unwrap().ends_with(steps));
    assert_eq!(
        files(&env)["2_step.down.sql"],
        "ALTER TABLE orders DROP CONSTRAINT orders_total_not_null_check;\n"
    );

    // Two columns of one table: each validation has its own locks.
    let env = fixed_postgres((
        "ALTER TABLE orders ALTER COLUMN total SET NOT NULL;\nALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n",
        "ALTER TABLE orders ALTER COLUMN total DROP NOT NULL;\nALTER TABLE orders ALTER COLUMN note DROP NOT NULL;\n",
    ));
    assert!(following(&env).unwrap().contains("transaction = off"));
}

#[test]
fn validation_leaves_the_transaction_that_adds_the_constraint() {
    let add = "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;\n";
    let script = format!("{add}ALTER TABLE orders VALIDATE CONSTRAINT positive;\n");
    let env = fixed_postgres((&script, "ALTER TABLE orders DROP CONSTRAINT positive;\n"));
    assert_eq!(up(&env), add);
    assert!(
        following(&env)
            .unwrap()
            .ends_with("VALIDATE CONSTRAINT positive;\n")
    );
}

#[test]
fn rows_are_changed_in_batches() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let env = fixed(
            backend,
            (TABLE, DROP),
            (
                "UPDATE orders SET total = 0 WHERE total IS NULL;\n",
                "SELECT 1;\n",
            ),
        );
        let expected = "-- migrator: transaction = off\n-- migrator: batch\nUPDATE orders SET total = 0 \
            WHERE id IN (SELECT id FROM orders WHERE total IS NULL LIMIT 1000);\n";
        assert_eq!(up(&env), expected);
    }
}

const INDEX: (&str, &str) = (
    "CREATE INDEX orders_customer ON orders (customer);\n",
    "DROP INDEX orders_customer;\n",
);

#[test]
fn applied_revisions_stay() {
    let other = (
        "CREATE INDEX orders_note ON orders (note);\n",
        "DROP INDEX orders_note;\n",
    );
    let env = project(Backend::Postgres, &[(TABLE, DROP), INDEX, other]);
    done(&env, &["upgrade", "2"]);
    let before = files(&env);
    let (status, text) = run(&env, &["lint", "--fix", "2"]);
    assert_eq!(status, 1, "{text}");
    assert!(
        text.contains("M902") && text.contains("revision 2 is applied"),
        "{text}"
    );
    assert_eq!(files(&env), before);
    let (status, text) = run(&env, &["lint", "--fix"]);
    assert_eq!(status, 3, "{text}");
    assert!(text.contains("the revision is applied"), "{text}");
    assert_eq!(up(&env), INDEX.0);
    assert!(files(&env)["3_step.up.sql"].contains("CONCURRENTLY"));
}

/// Without the database it is unknown what is applied.
#[test]
fn the_database_is_needed() {
    let env = project(Backend::Postgres, &[(TABLE, DROP), INDEX]);
    let before = files(&env);
    let url = "postgres://nobody@127.0.0.1:1/nowhere";
    let (status, text) = run(&env, &["--url", url, "lint", "--fix", "2"]);
    assert_ne!(status, 0, "{text}");
    assert_eq!(files(&env), before);
    let (status, text) = run(&env, &["lint", "--fix", "--text", "2"]);
    assert_eq!(status, 2, "{text}");
}

#[test]
fn a_dry_run_prints_the_changes() {
    let check = (
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0);\n",
        "ALTER TABLE orders DROP CONSTRAINT positive;\n",
    );
    let env = project(Backend::Postgres, &[(TABLE, DROP), check]);
    let before = files(&env);
    let text = done(&env, &["lint", "--fix", "--dry-run", "2"]);
    let parts = [
        "--- migrations/2_step.up.sql\n+++ migrations/2_step.up.sql\n@@",
        "\n-ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0);\n",
        "\n+ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;\n",
        "--- /dev/null\n+++ migrations/2",
        "Would fix 1 finding; 1 warning left.",
    ];
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(files(&env), before);
    let result = json(&env, &["lint", "--fix", "--dry-run", "2"]);
    assert_eq!(result["written"], false, "{result:#}");
    assert_eq!(result["files"].as_array().unwrap().len(), 3, "{result:#}");
    assert_eq!(result["fixed"][0]["rules"][0], "add-check", "{result:#}");
}

/// What depends on a statement that would move makes the fixed scripts fail.
#[test]
fn what_does_not_hold_is_not_written() {
    let needs = (
        "CREATE INDEX orders_note ON orders (note);\nCOMMENT ON INDEX orders_note IS 'x';\n",
        "COMMENT ON INDEX orders_note IS NULL;\nDROP INDEX orders_note;\n",
    );
    let env = project(Backend::Postgres, &[(TABLE, DROP), needs]);
    let before = files(&env);
    let (status, text) = run(&env, &["lint", "--fix", "2"]);
    assert_eq!(status, 1, "{text}");
    assert!(
        text.contains("M903") && text.contains("does not exist"),
        "{text}"
    );
    assert_eq!(files(&env), before);
}

#[test]
fn what_an_edit_cannot_do_is_left() {
    let left = |script: &str, reason: &str| {
        let env = project(Backend::Postgres, &[(TABLE, DROP), (script, "SELECT 1;\n")]);
        let before = files(&env);
        let (status, text) = run(&env, &["lint", "--fix", "2"]);
        assert!(status == 0 || status == 3, "{text}");
        assert!(text.contains(reason), "{text}");
        assert_eq!(files(&env), before);
    };
    left(
        "UPDATE orders SET total = 0 WHERE total IS NULL;\nSELECT 1;\n",
        "later statements of the transaction may need its rows",
    );
    left(
        "CREATE INDEX ON orders (note);\nSELECT 1;\n",
        "the way back is not known",
    );
    let only_down = project(
        Backend::Postgres,
        &[
            (TABLE, DROP),
            (
                "SELECT 1;\nCREATE INDEX orders_customer ON orders (customer);\n",
                INDEX.1,
            ),
        ],
    );
    let (_, text) = run(&only_down, &["lint", "--fix", "2"]);
    assert!(
        text.contains("nothing would be left of the down script"),
        "{text}"
    );
}

/// Every revision that needs one gets its own that follows, one after another.
#[test]
fn several_revisions_are_fixed_at_once() {
    let check = "-- checks\r\n-- migrator: lock-timeout = 2s\r\n\
        ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0);\r\n";
    let scripts = [
        (TABLE, DROP),
        (check, "ALTER TABLE orders DROP CONSTRAINT positive;\n"),
        (
            "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n",
            "ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;\n",
        ),
        INDEX,
    ];
    let env = project(Backend::Postgres, &scripts);
    done(&env, &["lint", "--fix"]);
    assert_eq!(up(&env), check.replace(");", ") NOT VALID;"));
    let files = files(&env);
    let new: Vec<_> = files
        .iter()
        .filter(|(name, _)| !name[1..].starts_with("_step"))
        .collect();
    let ups: Vec<_> = new
        .iter()
        .filter(|(name, _)| name.contains(".up."))
        .collect();
    assert_eq!((new.len(), ups.len()), (4, 2), "{files:#?}");
    assert!(
        ups[0]
            .1
            .contains("revises = 4\n-- migrator: lock-timeout = 2s\n"),
        "{files:#?}"
    );
    let (first, _) = ups[0].0.split_once('_').unwrap();
    assert!(
        ups[1].1.contains(&format!("revises = {first}\n")),
        "{files:#?}"
    );
    done(&env, &["upgrade"]);
    done(&env, &["downgrade", "base", "--yes"]);
    done(&env, &["verify"]);
}

#[test]
fn other_layouts_are_refused() {
    let env = Env::new(Backend::Sqlite);
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{}\"\nlayout = \"flyway\"\n", env.url()),
    );
    fs::create_dir_all(env.path("migrations")).unwrap();
    env.write("migrations/V1__a.sql", TABLE);
    let (status, text) = run(&env, &["lint", "--fix"]);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("M228"), "{text}");
}
