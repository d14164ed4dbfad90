//! Directories of other tools end to end on both databases: read, applied, converted, and refused
//! where they cannot be read.

use std::fs;

use crate::common::{Backend, Env};

/// A directory as its tool has it, and what comes of it.
struct Directory {
    /// In the configuration, where it is not found by looking.
    layout: Option<&'static str>,
    /// What it is found to be.
    found: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// IDs in the order in which the tool runs them.
    order: &'static str,
}

const ITEMS: &str = "CREATE TABLE items (id integer);\n";

/// Every one of them makes `items`, adds two columns, and has a script that only runs outside a
/// transaction.
const DIRECTORIES: &[Directory] = &[
    Directory {
        layout: None,
        found: "sqlx",
        files: &[
            ("9_items.sql", ITEMS),
            ("10_name.sql", "ALTER TABLE items ADD COLUMN name text"),
            ("11_vacuum.sql", "-- no-transaction\nVACUUM;\n"),
            ("12_size.sql", "ALTER TABLE items ADD COLUMN size integer;"),
        ],
        order: "9 10 11 12",
    },
    Directory {
        layout: Some("sqlx"),
        found: "sqlx",
        files: &[
            ("1_items.up.sql", ITEMS),
            ("1_items.down.sql", "DROP TABLE items;"),
            ("2_name.up.sql", "ALTER TABLE items ADD COLUMN name text;"),
            ("2_name.down.sql", "ALTER TABLE items DROP COLUMN name;"),
            ("3_vacuum.sql", "-- no-transaction\r\nVACUUM;\r\n"),
            ("4_size.sql", "ALTER TABLE items ADD COLUMN size integer;"),
        ],
        order: "1 2 3 4",
    },
    Directory {
        layout: Some("golang-migrate"),
        found: "golang-migrate",
        files: &[
            ("000009_items.up.sql", ITEMS),
            ("000009_items.down.sql", "DROP TABLE items;"),
            (
                "000010_name..up.sql",
                "ALTER TABLE items ADD COLUMN name text;",
            ),
            (
                "000010_names.down.sql",
                "ALTER TABLE items DROP COLUMN name;",
            ),
            ("000011_vacuum.up.sql", "VACUUM"),
            (
                "000012_size.up.sql",
                "ALTER TABLE items ADD COLUMN size integer;",
            ),
        ],
        order: "000009 000010 000011 000012",
    },
    Directory {
        layout: None,
        found: "diesel",
        files: &[
            ("00000000000000_items/up.sql", ITEMS),
            ("00000000000000_items/down.sql", "DROP TABLE items;"),
            (
                "2024-01-01-000000-0000_name/up.sql",
                "ALTER TABLE items ADD COLUMN name text;",
            ),
            (
                "2024-01-01-000000-0000_name/down.sql",
                "ALTER TABLE items DROP COLUMN name;",
            ),
            ("2024-01-02-000000_vacuum/up.sql", "VACUUM;"),
            ("2024-01-02-000000_vacuum/down.sql", "VACUUM;"),
            (
                "2024-01-02-000000_vacuum/metadata.toml",
                "run_in_transaction = false\n",
            ),
            (
                "2024-01-02-000000-0001_size/up.sql",
                "ALTER TABLE items ADD COLUMN size integer;",
            ),
        ],
        order: "00000000000000 20240101000000.0000 20240102000000 20240102000000.0001",
    },
    Directory {
        layout: None,
        found: "dbmate",
        files: &[
            (
                "20240101000000_items.sql",
                "-- migrate:up\nCREATE TABLE items (id integer);\n\n-- migrate:down\nDROP TABLE items;\n",
            ),
            (
                "20240102000000_name.sql",
                "-- migrate:up\nALTER TABLE items ADD COLUMN name text;\n-- migrate:down\nALTER TABLE items DROP COLUMN name;",
            ),
            (
                "20240103000000_vacuum.sql",
                "-- migrate:up transaction:false\nVACUUM;\n-- migrate:down\n",
            ),
            (
                "20240104000000_size.sql",
                "-- migrate:up\nALTER TABLE items ADD COLUMN size integer;\n",
            ),
        ],
        order: "20240101000000 20240102000000 20240103000000 20240104000000",
    },
    Directory {
        layout: None,
        found: "goose",
        files: &[
            (
                "00009_items.sql",
                "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE items (id integer);\n-- +goose StatementEnd\n\n-- +goose Down\nDROP TABLE items;\n",
            ),
            (
                "00010_name.sql",
                "-- +goose Up\r\nALTER TABLE items ADD COLUMN name text;\r\n-- +goose Down\r\nALTER TABLE items DROP COLUMN name;\r\n",
            ),
            (
                "00011_vacuum.sql",
                "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n-- +goose Down\nVACUUM;\n",
            ),
            (
                "00012_size.sql",
                "-- +goose Up\nALTER TABLE items ADD COLUMN size integer;\n",
            ),
        ],
        order: "00009 00010 00011 00012",
    },
    Directory {
        layout: None,
        found: "flyway",
        files: &[
            ("V1__items.sql", ITEMS),
            ("U1__items.sql", "DROP TABLE items;"),
            ("V1.2__name.sql", "ALTER TABLE items ADD COLUMN name text;"),
            ("later/V1.10__vacuum.sql", "VACUUM;"),
            (
                "later/V1.10__vacuum.sql.conf",
                "executeInTransaction=false\n",
            ),
            (
                "later/V2_0__size.sql",
                "ALTER TABLE items ADD COLUMN size integer;",
            ),
        ],
        order: "1 1.2 1.10 2.0",
    },
    Directory {
        layout: Some("refinery"),
        found: "refinery",
        files: &[
            ("V9__items.sql", ITEMS),
            ("V10__name.sql", "ALTER TABLE items ADD COLUMN name text;"),
            ("U11__vacuum.sql", "-- migrator: transaction = off\nVACUUM;"),
            (
                "V12__size.sql",
                "ALTER TABLE items ADD COLUMN size integer;",
            ),
        ],
        order: "9 10 11 12",
    },
    Directory {
        layout: None,
        found: "sql-migrate",
        files: &[
            (
                "2024-01-20.0-items.sql",
                "-- +migrate Up\nCREATE TABLE items (id integer);\n-- +migrate Down\nDROP TABLE items;\n",
            ),
            (
                "2024-01-20.1-name.sql",
                "-- +migrate Up\nALTER TABLE items ADD COLUMN name text;\n-- +migrate Down\nALTER TABLE items DROP COLUMN name;\n",
            ),
            (
                "2024-01-21.0-vacuum.sql",
                "-- +migrate Up notransaction\nVACUUM;\n-- +migrate Down\n",
            ),
            (
                "2024-02-01.0-size.sql",
                "-- +migrate Up\nALTER TABLE items ADD COLUMN size integer;\n",
            ),
        ],
        order: "2024.01.20.0 2024.01.20.1 2024.01.21.0 2024.02.01.0",
    },
    Directory {
        layout: None,
        found: "pop",
        files: &[
            (
                "20240101000000000000_items.up.sql",
                "SELECT nothing FROM here;",
            ),
            ("20240101000000000000_items.sqlite3.up.sql", ITEMS),
            ("20240101000000000000_items.postgres.up.sql", ITEMS),
            (
                "20240101000000000000_items.mysql.up.sql",
                "SELECT nothing FROM here;",
            ),
            ("20240101000000000000_items.down.sql", "DROP TABLE items;"),
            (
                "20240102000000000000_name.up.sql",
                "ALTER TABLE items ADD COLUMN name text;",
            ),
            (
                "20240102000000000000_name.down.sql",
                "ALTER TABLE items DROP COLUMN name;",
            ),
            ("20240103000000000000_vacuum.autocommit.up.sql", "VACUUM;"),
            (
                "20240104000000000000_size.up.sql",
                "ALTER TABLE items ADD COLUMN size integer;",
            ),
        ],
        order: "20240101000000000000 20240102000000000000 20240103000000000000 20240104000000000000",
    },
    Directory {
        layout: None,
        found: "authelia",
        files: &[
            ("V0009.Items.up.sql", ITEMS),
            ("V0009.Items.down.sql", "DROP TABLE items;"),
            (
                "V0010.Name.up.sql",
                "ALTER TABLE items ADD COLUMN name text;",
            ),
            ("V0010.Name.down.sql", "ALTER TABLE items DROP COLUMN name;"),
            (
                "V0011.Vacuum.up.sql",
                "-- migrator: transaction = off\nVACUUM;",
            ),
            (
                "V0012.Size.up.sql",
                "ALTER TABLE items ADD COLUMN size integer;",
            ),
        ],
        order: "0009 0010 0011 0012",
    },
];

fn fill(env: &Env, directory: &Directory) {
    for (name, text) in directory.files {
        env.write(&format!("migrations/{name}"), text);
    }
    configure(env, directory.layout.map(|layout| ("migrations", layout)));
}

fn configure(env: &Env, to: Option<(&str, &str)>) {
    let url = env.url();
    let rest = to.map_or(String::new(), |(directory, layout)| {
        format!("migrations = \"{directory}\"\nlayout = \"{layout}\"\n")
    });
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n{rest}"),
    );
}

/// Runs it, and shows what it printed when it does not end so.
fn run(env: &mut Env, line: &str, status: i32) {
    let output = env.run(line);
    assert_eq!(output.status.code(), Some(status), "{}", env.transcript());
}

fn applied(env: &Env) -> String {
    let rows = env.sql("SELECT revision FROM migrator_version ORDER BY sequence");
    rows.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn texts_below(env: &Env, directory: &str) -> String {
    let files = env.files();
    let below = files.iter().filter(|file| file.starts_with(directory));
    below
        .map(|file| format!("== {file}\n{}", fs::read_to_string(env.path(file)).unwrap()))
        .collect()
}

#[test]
fn every_layout_is_read_applied_converted_and_reverted() {
    for directory in DIRECTORIES {
        for backend in Backend::ALL {
            let mut env = Env::new(backend);
            fill(&env, directory);
            run(&mut env, "upgrade", 0);
            assert_eq!(applied(&env), directory.order, "{}", env.transcript());
            let schema = env.schema();
            assert!(schema.contains("size"), "{schema}");

            // Converted, it is the same to this database.
            let before = texts_below(&env, "migrations/");
            run(&mut env, "convert --to native", 0);
            let said = format!("Converted 4 revisions ({})", directory.found);
            assert!(env.transcript().contains(&said), "{}", env.transcript());
            assert_eq!(texts_below(&env, "migrations/"), before);
            configure(&env, Some(("native", "native")));
            env.forget();
            run(&mut env, "status", 0);
            let words: Vec<_> = env.transcript().split_whitespace().collect();
            assert!(words.join(" ").contains("Drift none"), "{words:?}");
            run(&mut env, "upgrade", 0);
            assert_eq!(applied(&env), directory.order);
            assert!(
                !env.transcript().contains("warning"),
                "{}",
                env.transcript()
            );

            // And to one that is empty.
            let mut other = Env::new(backend);
            for file in env
                .files()
                .iter()
                .filter(|file| file.starts_with("native/"))
            {
                other.write(file, fs::read(env.path(file)).unwrap());
            }
            configure(&other, Some(("native", "native")));
            run(&mut other, "upgrade", 0);
            assert_eq!(applied(&other), directory.order);
            assert_eq!(other.schema(), schema);

            // Converting once more changes nothing but what it is called.
            run(&mut env, "convert --to again", 0);
            let again = texts_below(&env, "again/").replace("== again/", "== native/");
            assert_eq!(again, texts_below(&env, "native/"));
        }
    }
}

#[test]
fn downs_of_other_layouts_run_from_their_files_and_from_the_records() {
    let downs: Vec<_> = DIRECTORIES
        .iter()
        .filter(|directory| {
            directory
                .files
                .iter()
                .any(|(_, text)| text.contains("DROP COLUMN"))
        })
        .collect();
    assert_eq!(downs.len(), 8);
    for directory in downs {
        for backend in Backend::ALL {
            let mut env = Env::new(backend);
            fill(&env, directory);
            run(&mut env, "upgrade +2", 0);
            assert!(env.schema().contains("name"));
            run(&mut env, "downgrade -1", 0);
            run(&mut env, "upgrade +1", 0);
            // What is stored is a script of its own, whatever file it came from.
            fs::remove_dir_all(env.path("migrations")).unwrap();
            fs::create_dir(env.path("migrations")).unwrap();
            configure(&env, None);
            run(&mut env, "downgrade base", 0);
            assert_eq!(applied(&env), "");
            assert!(!env.schema().contains("items"), "{}", env.schema());
        }
    }
}

#[test]
fn a_stored_down_outside_of_a_transaction_stays_outside() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        let up = "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n-- +goose Down\nVACUUM;\n";
        env.write("migrations/1_a.sql", up);
        run(&mut env, "upgrade", 0);
        env.remove("migrations/1_a.sql");
        run(&mut env, "downgrade base", 0);
        let stored = env.sql("SELECT count(*) FROM migrator_version");
        assert_eq!(stored.trim(), "0");
    }
}

#[test]
fn placeholders_and_repeatable_scripts_come_along() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        let config = format!(
            "[migrator]\nurl = \"{}\"\nlayout = \"LAYOUT\"\n[vars]\nname = \"size\"\n",
            env.url()
        );
        env.write("migrator.toml", config.replace("LAYOUT", "flyway"));
        env.write(
            "migrations/V1__items.sql",
            "CREATE TABLE items (id integer, ${name} integer);",
        );
        env.write("migrations/R__sizes.sql", "DROP VIEW IF EXISTS sizes;\nCREATE VIEW sizes AS SELECT '${name}' AS name, ${name} FROM items;");
        run(&mut env, "upgrade", 0);
        let schema = env.schema();
        assert!(schema.contains("sizes"), "{schema}");
        run(&mut env, "convert --to native", 0);
        let converted = config.replace("layout = \"LAYOUT\"", "migrations = \"native\"");
        env.write("migrator.toml", &converted);
        env.forget();
        run(&mut env, "status", 0);
        run(&mut env, "upgrade", 0);
        assert!(!env.transcript().contains('✓'), "{}", env.transcript());
        assert_eq!(env.schema(), schema);
        // Places are those of the file, below the headers that it does not have.
        env.write("migrator.toml", config.replace("LAYOUT", "flyway"));
        env.write(
            "migrations/R__more.sql",
            "SELECT '${name}';\nSELECT '${nam}';",
        );
        run(&mut env, "upgrade", 1);
        assert!(
            env.transcript().contains("migrations/R__more.sql:2:9"),
            "{}",
            env.transcript()
        );
    }
    let mut env = Env::new(Backend::Sqlite);
    env.write(
        "migrations/1_items.sql",
        "-- +goose Up\n-- +goose ENVSUB ON\nCREATE TABLE items (${NAME} integer);\n-- +goose ENVSUB OFF\n",
    );
    run(&mut env, "upgrade", 1);
    assert!(
        env.transcript().contains("migrations/1_items.sql:3:21"),
        "{}",
        env.transcript()
    );
    run(&mut env, "upgrade --var NAME=size", 0);
    assert!(env.schema().contains("size"));
}

#[test]
fn converted_scripts() {
    let mut env = Env::new(Backend::Sqlite);
    env.write(
        "migrations/00001_items.sql",
        "-- Kept out\n-- +goose Up\n-- Items for sale\nCREATE TABLE items (id integer);\n\n\
         -- +goose StatementBegin\nCREATE TRIGGER t AFTER INSERT ON items BEGIN SELECT 1; END;\n\
         -- +goose StatementEnd\n\n-- +goose Down\nDROP TABLE items;\n",
    );
    env.write(
        "migrations/00002_tidy up.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n",
    );
    run(&mut env, "history", 0);
    run(&mut env, "show 1 -v", 0);
    run(&mut env, "convert --to sql/native", 1);
    run(&mut env, "convert --to migrations/native", 2);
    run(&mut env, "convert --to .", 2);
    run(&mut env, "convert --to native", 0);
    run(&mut env, "convert --to native", 2);
    run(&mut env, "convert --to other --format json", 0);
    env.note(&texts_below(&env, "native/"));
    snapshot!(env, "layouts_converted");
}

#[test]
fn what_another_tools_directory_is_to_other_commands() {
    let mut env = Env::new(Backend::Sqlite);
    let url = env.url();
    env.write(
        "migrations/1_items.sql",
        "-- migrate:up\nCREATE TABLE items (id integer);\n\n-- migrate:down\nDROP TABLES items;\n",
    );
    env.write(
        "migrations/2_name.sql",
        "-- migrate:up\n\nALTER TABLE item\n  ADD COLUMN name text;\n-- migrate:down\nSELECT 1;\n",
    );
    env.write("migrations/step.go", "");
    run(&mut env, "upgrade 1", 0);
    run(&mut env, "status", 0);
    // Places are those of the file.
    run(&mut env, "upgrade", 1);
    run(&mut env, "downgrade base", 1);
    run(&mut env, "revision -m more", 1);
    run(&mut env, "merge 1 -m more", 1);
    run(&mut env, "rebase 2", 1);
    env.write(
        "migrations/1_items.sql",
        "-- migrate:up\nCREATE TABLE items (id text);\n-- migrate:down\nDROP TABLE items;\n",
    );
    run(&mut env, "upgrade", 1);
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\nlayout = \"dbmat\"\n"),
    );
    run(&mut env, "status", 2);
    snapshot!(env, "layouts_other_commands");
}

/// A directory that cannot be read.
struct Refused {
    title: &'static str,
    config: &'static str,
    files: &'static [(&'static str, &'static str)],
    status: i32,
}

const REFUSED: &[Refused] = &[
    Refused {
        title: "of two tools",
        config: "",
        files: &[("V1__a.sql", "SELECT 1;")],
        status: 2,
    },
    Refused {
        title: "names that the tool does not have",
        config: "layout = \"goose\"",
        files: &[
            ("1_a.sql", "-- +goose Up\n"),
            ("seed.sql", ""),
            ("README.md", ""),
        ],
        status: 1,
    },
    Refused {
        title: "steps in other languages",
        config: "",
        files: &[
            ("1_a.sql", "-- +goose Up\n"),
            ("2_b.go", "package b"),
            ("2_b_test.go", ""),
        ],
        status: 1,
    },
    Refused {
        title: "which are left out",
        config: "leave-out = \"*.go, seed.sql\"",
        files: &[
            ("1_a.sql", "-- +goose Up\n"),
            ("2_b.go", "package b"),
            ("seed.sql", ""),
        ],
        status: 0,
    },
    Refused {
        title: "or not",
        config: "leave-out = \"2_c.go\"",
        files: &[("1_a.sql", "-- +goose Up\n"), ("2_b.go", "package b")],
        status: 2,
    },
    Refused {
        title: "markers",
        config: "",
        files: &[
            (
                "1_a.sql",
                "-- +goose Up\nSELECT 1;\n-- +goose Dwon\nSELECT 2;\n",
            ),
            ("2_b.sql", "SELECT 1;\n-- +goose Up\n"),
            ("3_c.sql", "-- migrate:up\nSELECT 1;\n"),
            (
                "4_d.sql",
                "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n",
            ),
        ],
        status: 1,
    },
    Refused {
        title: "features",
        config: "layout = \"flyway\"",
        files: &[
            ("V1__a.sql", "SELECT 1;"),
            ("afterMigrate.sql", "SELECT 1;"),
            ("B2__b.sql", "SELECT 1;"),
            ("R__views.sql", "SELECT 1;"),
            ("R__views.sql.conf", "executeInTransaction=false"),
        ],
        status: 1,
    },
    Refused {
        title: "templates",
        config: "layout = \"pop\"",
        files: &[("1_a.up.sql", "SELECT 1;\n{{ if .IsSQLite }}\n")],
        status: 1,
    },
    Refused {
        title: "settings",
        config: "",
        files: &[
            ("1_a/up.sql", "SELECT 1;"),
            ("1_a/metadata.toml", "run_in_transactions = false\n"),
        ],
        status: 1,
    },
    Refused {
        title: "downs without ups",
        config: "layout = \"golang-migrate\"",
        files: &[("1_a.down.sql", "SELECT 1;")],
        status: 1,
    },
    Refused {
        title: "headers of ours that are wrong",
        config: "",
        files: &[(
            "1_a.sql",
            "-- +goose Up\n-- migrator: transactions = off\nSELECT 1;\n",
        )],
        status: 1,
    },
    Refused {
        title: "one id twice",
        config: "",
        files: &[
            ("1_a.sql", "-- migrate:up\n"),
            ("01_b.sql", "-- migrate:up\n-- migrate:down\n"),
        ],
        status: 1,
    },
];

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let mut all = Env::new(Backend::Sqlite);
    for case in REFUSED {
        let mut env = Env::new(Backend::Sqlite);
        for (name, text) in case.files {
            env.write(&format!("migrations/{name}"), text);
        }
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"sqlite:app.db\"\n{}\n", case.config),
        );
        env.note(&format!("# {}", case.title));
        run(&mut env, "history", case.status);
        all.append(env.transcript());
    }
    snapshot!(all, "layouts_refused");
}
