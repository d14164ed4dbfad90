//! Bad input of every kind: each with its code, place and hint in a snapshot, the exit status
//! right, and the database unchanged to the byte.

use crate::common::{Backend, Env};

/// What is wrong, how it is made, and what is run. A `$ …` line in `command` sets variables first.
struct Case {
    name: &'static str,
    only: Option<Backend>,
    make: fn(&Env),
    command: &'static str,
    status: i32,
}

const UP: &str = "upgrade";

const fn case(name: &'static str, status: i32, command: &'static str, make: fn(&Env)) -> Case {
    Case {
        name,
        only: None,
        make,
        command,
        status,
    }
}

const fn sqlite(name: &'static str, status: i32, command: &'static str, make: fn(&Env)) -> Case {
    Case {
        name,
        only: Some(Backend::Sqlite),
        make,
        command,
        status,
    }
}

const fn postgres(name: &'static str, status: i32, command: &'static str, make: fn(&Env)) -> Case {
    Case {
        name,
        only: Some(Backend::Postgres),
        make,
        command,
        status,
    }
}

fn up(env: &Env, name: &str, text: impl AsRef<[u8]>) {
    env.write(&format!("migrations/{name}.up.sql"), text);
}

fn config(env: &Env, text: &str) {
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n{text}"),
    );
}

/// Names of files.
const NAMES: &[Case] = &[
    case("two dots", 1, UP, |env| {
        env.write("migrations/30_x.up..sql", "SELECT 1;")
    }),
    case("no direction", 1, UP, |env| {
        // Alone it would be of sqlx.
        up(env, "29_w", "SELECT 1;");
        env.write("migrations/30_x.sql", "SELECT 1;")
    }),
    case("no id", 1, UP, |env| {
        env.write("migrations/create_x.up.sql", "SELECT 1;")
    }),
    case("no slug", 1, UP, |env| {
        env.write("migrations/30.up.sql", "SELECT 1;")
    }),
    case("upper case", 1, UP, |env| {
        env.write("migrations/30_x.UP.SQL", "SELECT 1;")
    }),
    case("a repeatable script of one direction", 1, UP, |env| {
        env.write("migrations/R_views.up.sql", "SELECT 1;")
    }),
    case("a directory with a script's name", 1, UP, |env| {
        env.write("migrations/30_x.up.sql/keep", "")
    }),
    #[cfg(unix)]
    case("a link that leads nowhere", 1, UP, |env| {
        std::os::unix::fs::symlink("nowhere.sql", env.path("migrations/30_x.up.sql")).unwrap();
    }),
    case("two revisions with one id", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;");
        up(env, "30_y", "SELECT 1;");
    }),
    case("two ids of one value", 1, UP, |env| {
        up(env, "030_x", "SELECT 1;");
        up(env, "30_y", "SELECT 1;");
    }),
    case("a down without its up", 1, UP, |env| {
        env.write("migrations/30_x.down.sql", "SELECT 1;")
    }),
    case("a down with another name", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;");
        env.write("migrations/30_y.down.sql", "SELECT 1;");
    }),
    case("many at once", 1, UP, |env| {
        env.write("migrations/30_x.sql", "");
        env.write("migrations/31_y.down.sql", "");
        up(env, "32_z", "-- migrator: colour = red\n");
        up(env, "33_z", b"\xff\xfe");
    }),
];

/// Contents of files.
const TEXTS: &[Case] = &[
    case("NUL byte", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\nSELECT\0 2;")
    }),
    case("UTF-16", 1, UP, |env| up(env, "30_x", b"\xff\xfeS\0E\0L\0")),
    case("latin-1", 1, UP, |env| {
        up(env, "30_x", b"SELECT 1;\n-- caf\xe9\n")
    }),
    case("a lone carriage return", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\rSELECT 2;")
    }),
    case("unterminated string", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\nSELECT 'abc;\n")
    }),
    case("unterminated comment", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\n/* abc;\n")
    }),
    case("unterminated name", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\nSELECT \"abc;\n")
    }),
    postgres("unterminated dollar quote", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\nSELECT $a$abc;\n")
    }),
    postgres("COPY without its end", 1, UP, |env| {
        up(env, "30_x", "COPY t FROM stdin;\n1\t2\n")
    }),
    postgres("COPY to stdout", 1, UP, |env| {
        up(env, "30_x", "COPY t TO STDOUT;\n")
    }),
    postgres("a command of psql", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\n\\i other.sql\n")
    }),
    postgres("\\gset within a line", 1, UP, |env| {
        up(env, "30_x", "SELECT 1 AS one \\gset\n")
    }),
    postgres("unterminated body", 1, UP, |env| {
        up(
            env,
            "30_x",
            "CREATE FUNCTION f() RETURNS integer BEGIN ATOMIC\n  SELECT 1;\n",
        );
    }),
    sqlite("a dot-command", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\n.schema\n")
    }),
    sqlite("bind parameters", 1, UP, |env| {
        up(
            env,
            "1_a",
            "CREATE TABLE a (x);\nINSERT INTO a VALUES (?), (:n), (@x), ($y), ('?');\n",
        );
    }),
    sqlite("settings of a file that has its tables", 1, UP, |env| {
        let pragmas = "PRAGMA encoding = 'UTF-8';\nPRAGMA encoding = 'UTF-16';\n\
                       PRAGMA auto_vacuum = FULL;\nVACUUM;\nPRAGMA page_size(1024);\n";
        up(
            env,
            "1_a",
            format!("-- migrator: transaction = off\n{pragmas}"),
        );
    }),
    sqlite("unterminated trigger", 1, UP, |env| {
        up(
            env,
            "30_x",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  SELECT 1;\n",
        );
    }),
    case("COMMIT in the middle", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\nCOMMIT;\nSELECT 2;")
    }),
    case("ROLLBACK at the end", 1, UP, |env| {
        up(env, "30_x", "BEGIN;\nSELECT 1;\nROLLBACK;\n")
    }),
    case("two transactions", 1, UP, |env| {
        up(
            env,
            "30_x",
            "BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 1;\nCOMMIT;\n",
        )
    }),
    case("BEGIN without COMMIT", 1, UP, |env| {
        up(env, "30_x", "BEGIN;\nSELECT 1;\n")
    }),
    case("an open savepoint", 1, UP, |env| {
        up(env, "30_x", "SAVEPOINT a;\nSELECT 1;\n")
    }),
    case("an unknown savepoint", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\nRELEASE a;\n")
    }),
    case("VACUUM in a transaction", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\nVACUUM;\n")
    }),
    postgres("CREATE INDEX CONCURRENTLY in a transaction", 1, UP, |env| {
        up(
            env,
            "30_x",
            "CREATE TABLE t (x integer);\nCREATE INDEX CONCURRENTLY t_x ON t (x);\n",
        );
    }),
    case("a temporary table in a resumable script", 1, UP, |env| {
        up(
            env,
            "30_x",
            "-- migrator: transaction = off\nCREATE TEMP TABLE t (x integer);\n",
        );
    }),
    case("an open transaction in a resumable script", 1, UP, |env| {
        up(
            env,
            "30_x",
            "-- migrator: transaction = off\nBEGIN;\nSELECT 1;\n",
        );
    }),
    sqlite("foreign_keys in the middle", 1, UP, |env| {
        up(
            env,
            "30_x",
            "CREATE TABLE t (x);\nPRAGMA foreign_keys = ON;\nDELETE FROM t;\n",
        );
    }),
    sqlite(
        "foreign_keys in a resumable script's transaction",
        1,
        UP,
        |env| {
            up(
                env,
                "30_x",
                "-- migrator: transaction = off\nPRAGMA foreign_keys = ON;\nBEGIN;\nPRAGMA foreign_keys = OFF;\nDROP TABLE t;\nCOMMIT;\n",
            );
        },
    ),
    case(
        "a later script is checked before the first one runs",
        1,
        UP,
        |env| {
            up(env, "30_x", "CREATE TABLE t (x integer);\n");
            up(env, "31_y", "SELECT 'abc;\n");
        },
    ),
];

/// Headers and graph.
const HEADERS: &[Case] = &[
    case("unknown header", 1, UP, |env| {
        up(
            env,
            "30_x",
            "-- Title\n-- migrator: transactoin = off\nSELECT 1;\n",
        )
    }),
    case("a header twice", 1, UP, |env| {
        up(
            env,
            "30_x",
            "-- migrator: transaction = off\n-- migrator: transaction = off\n",
        )
    }),
    case("a header of the other direction", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;");
        env.write("migrations/30_x.down.sql", "-- migrator: revises = 1\n");
    }),
    case("a wrong value", 1, UP, |env| {
        up(env, "30_x", "-- migrator: transaction = maybe\n")
    }),
    case("a wrong duration", 1, UP, |env| {
        up(env, "30_x", "-- migrator: lock-timeout = soon\n")
    }),
    case("a wrong id", 1, UP, |env| {
        up(env, "30_x", "-- migrator: revises = abc\n")
    }),
    case("no value", 1, UP, |env| {
        up(env, "30_x", "-- migrator: transaction\n")
    }),
    case("a header below the top", 1, UP, |env| {
        up(env, "30_x", "SELECT 1;\n-- migrator: transaction = off\n")
    }),
    case("irreversible with a down", 1, UP, |env| {
        env.revision(
            "30_x",
            "-- migrator: irreversible = data is gone\nSELECT 1;\n",
            "SELECT 1;\n",
        );
    }),
    case("missing parent", 1, UP, |env| {
        up(env, "20260101000001_x", "SELECT 1;");
        up(
            env,
            "20260101000002_y",
            "-- migrator: revises = 20260101000009\n",
        );
    }),
    case("missing dependency", 1, UP, |env| {
        up(env, "30_x", "-- migrator: depends-on = 7\n")
    }),
    case("its own parent", 1, UP, |env| {
        up(env, "30_x", "-- migrator: revises = 30\n")
    }),
    case("a cycle", 1, UP, |env| {
        up(env, "30_x", "-- migrator: revises = 32\n");
        up(env, "31_y", "-- migrator: revises = 30\n");
        up(env, "32_z", "-- migrator: revises = 31\n");
    }),
    case("one label twice", 1, UP, |env| {
        up(env, "30_x", "-- migrator: label = a\n");
        up(env, "31_y", "-- migrator: label = a\n");
    }),
    case("two heads", 1, UP, |env| {
        up(env, "30_x", "-- migrator: revises = base\n");
        up(env, "31_y", "-- migrator: revises = base\n");
    }),
];

/// Configuration, environment and URLs.
const CONFIG: &[Case] = &[
    case("not TOML", 2, UP, |env| {
        env.write("migrator.toml", "[migrator\nurl = 1\n")
    }),
    case("unknown key", 2, UP, |env| {
        config(env, "migratoins = \"db\"\n")
    }),
    case("unknown section", 2, UP, |env| {
        config(env, "[postgrse]\nlock-timeout = \"2s\"\n")
    }),
    case("a key of another section", 2, UP, |env| {
        config(env, "lock-timeout = \"2s\"\n")
    }),
    case("a wrong type", 2, UP, |env| config(env, "migrations = 7\n")),
    case("a wrong value in the configuration", 2, UP, |env| {
        config(env, "out-of-order = \"maybe\"\n")
    }),
    case("a wrong table name", 2, UP, |env| {
        config(env, "version-table = \"a.b.c\"\n")
    }),
    case(
        "no configuration file",
        2,
        "-c nowhere.toml upgrade",
        |_| {},
    ),
    case("no url", 2, UP, |env| {
        env.write("migrator.toml", "[migrator]\n")
    }),
    case("undefined variable", 2, UP, |env| {
        env.write("migrator.toml", "[migrator]\nurl = \"${NOWHERE}\"\n")
    }),
    case("a bad .env", 2, UP, |env| {
        env.write(".env", "A=1\nnot a line\n")
    }),
    case("unknown environment", 2, "-n nowhere upgrade", |_| {}),
    case("no migrations directory", 2, UP, |env| {
        config(env, "migrations = \"nowhere\"\n")
    }),
    case("a file for a migrations directory", 2, UP, |env| {
        config(env, "migrations = \"migrator.toml\"\n")
    }),
    case(
        "unknown scheme",
        2,
        "--url mysql://root:secret@localhost/x upgrade",
        |_| {},
    ),
    case(
        "sqlite3 for sqlite",
        2,
        "--url sqlite3:app.db upgrade",
        |_| {},
    ),
    case("no scheme", 2, "--url app.db upgrade", |_| {}),
    case(
        "a wrong url where no database is needed",
        2,
        "--url mysql://localhost/x heads",
        |_| {},
    ),
    case(
        "no url to say whose rules scripts follow",
        2,
        "squash --to head -m x",
        |env| env.write("migrator.toml", "[migrator]\n"),
    ),
    case(
        "a wrong port",
        2,
        "--url postgres://user:secret@localhost:port/x upgrade",
        |_| {},
    ),
    case(
        "a wrong parameter",
        2,
        "--url postgres://user:secret@localhost/x?sslmod=require upgrade",
        |_| {},
    ),
    case(
        "unreachable server",
        1,
        "--url postgres://user:secret@127.0.0.1:1/x upgrade",
        |_| {},
    ),
    case(
        "unknown host",
        1,
        "--url postgres://user:secret@nowhere.invalid/x upgrade",
        |_| {},
    ),
    postgres(
        "missing database",
        1,
        "--url [SERVER]/nowhere upgrade",
        |_| {},
    ),
    postgres("wrong role", 1, "--url [NOBODY]/nowhere upgrade", |_| {}),
    sqlite("missing file", 1, "current", |_| {}),
    sqlite(
        "missing directory",
        1,
        "--url sqlite:nowhere/app.db upgrade",
        |env| up(env, "1_x", "SELECT 1;"),
    ),
    sqlite(
        "a directory in place of the file",
        1,
        "--url sqlite:migrations upgrade",
        |env| up(env, "1_x", "SELECT 1;"),
    ),
    sqlite(
        "no database",
        1,
        "--url sqlite:migrator.toml upgrade",
        |env| up(env, "1_x", "SELECT 1;"),
    ),
    case("unknown command", 2, "upgrad", |_| {}),
    case("unknown flag", 2, "upgrade --dryrun", |_| {}),
    case("no message", 2, "revision", |_| {}),
    case("an empty message", 2, "revision -m \"!!!\"", |_| {}),
    case(
        "unknown template",
        2,
        "revision -m x --template sqlite-rebild",
        |_| {},
    ),
    case("a taken id", 1, "revision -m x --rev-id 30", |env| {
        up(env, "30_y", "SELECT 1;")
    }),
    case("a broken template", 2, "revision -m x", |env| {
        env.write("templates/up.sql.jinja", "-- {{ mesage }}\n")
    }),
];

/// Targets and state. The database holds revisions 1 to 3, whose slugs are a, b and c.
const STATE: &[Case] = &[
    case("unknown revision", 2, "upgrade 20269999", |_| {}),
    case("unknown slug", 2, "upgrade create_usres", |env| {
        up(env, "4_create_users", "SELECT 1;")
    }),
    case("ambiguous prefix", 2, "upgrade 2026", |env| {
        up(env, "20260101000001_x", "SELECT 1;");
        up(env, "20260101000002_y", "SELECT 1;");
    }),
    case("short prefix", 2, "upgrade 20", |env| {
        up(env, "20260101000001_x", "SELECT 1;")
    }),
    case("a target past the head", 2, "upgrade c+7", |_| {}),
    case("upgrade to base", 2, "upgrade base", |_| {}),
    case("upgrade -1", 2, "upgrade -1", |_| {}),
    case("downgrade +1", 2, "downgrade +1", |_| {}),
    case("downgrade without a target", 2, "downgrade", |_| {}),
    case("downgrade by too many", 1, "downgrade -4", |_| {}),
    case(
        "downgrade to what is not applied",
        1,
        "downgrade 4",
        |env| up(env, "4_d", "SELECT 1;"),
    ),
    case("no down script", 1, "downgrade base", |env| {
        env.remove("migrations/3_c.down.sql");
        env.sql("UPDATE migrator_version SET down_script = NULL, down_checksum = NULL WHERE revision = '3'");
    }),
    case("irreversible", 1, "downgrade base", |env| {
        env.remove("migrations/3_c.down.sql");
        env.write(
            "migrations/3_c.up.sql",
            "-- migrator: irreversible = the rows are gone\nCREATE TABLE c (x integer);",
        );
    }),
    case("an edited script", 1, UP, |env| {
        up(env, "2_b", "CREATE TABLE b (x integer DEFAULT 7);");
        up(env, "4_d", "SELECT 1;");
    }),
    case(
        "an edited script that would be reverted",
        1,
        "downgrade 1",
        |env| up(env, "2_b", "CREATE TABLE b (y integer);"),
    ),
    case("a missing script", 1, UP, |env| {
        env.remove("migrations/2_b.up.sql");
        env.remove("migrations/2_b.down.sql");
    }),
    case("a stamp with a missing script", 1, "stamp head", |env| {
        env.remove("migrations/2_b.up.sql");
        env.remove("migrations/2_b.down.sql");
    }),
    case("another project's database", 1, UP, |env| {
        for name in ["1_a", "2_b", "3_c"] {
            env.remove(&format!("migrations/{name}.up.sql"));
            env.remove(&format!("migrations/{name}.down.sql"));
        }
        up(env, "7_other", "SELECT 1;");
    }),
    case("out of order", 1, UP, |env| up(env, "02_late", "SELECT 1;")),
    case("late without revises", 1, UP, |env| {
        up(env, "0_late", "SELECT 1;");
    }),
    case("a merge of one head", 1, "merge -m join", |_| {}),
    case("a rebase of what is applied", 1, "rebase 3", |env| {
        up(env, "4_d", "-- migrator: revises = 2\nSELECT 1;");
    }),
    case("a rebase below a merge", 1, "rebase 4", |env| {
        up(env, "4_d", "-- migrator: revises = 2\nSELECT 1;");
        up(env, "5_e", "-- migrator: revises = 3, 4\nSELECT 1;");
    }),
    case("a rebase that was interrupted", 1, UP, |env| {
        env.write("migrations/.migrator-rebase.json", "{}");
    }),
    case("a rebase's journal that is damaged", 1, "rebase 3", |env| {
        env.write("migrations/.migrator-rebase.json", "{}");
    }),
    case(
        "a base without a repository",
        1,
        "check --base HEAD",
        |_| {},
    ),
    case("a base that is no commit", 2, "check --base main", |env| {
        let mut git = std::process::Command::new("git");
        let made = git.args(["init", "-q"]).current_dir(env.path(".")).status();
        assert!(made.expect("git is needed").success());
    }),
    case(
        "a check of two heads, one without down",
        3,
        "check",
        |env| {
            up(env, "4_d", "-- migrator: revises = 2\nSELECT 1;");
        },
    ),
    case("a check of edited and missing scripts", 3, "check", |env| {
        up(env, "1_a", "CREATE TABLE a (y integer);");
        env.remove("migrations/3_c.up.sql");
        env.remove("migrations/3_c.down.sql");
        up(env, "0_late", "SELECT 1;");
    }),
    case("a check before an upgrade", 3, "check", |env| {
        env.revision("4_d", "SELECT 1;", "SELECT 2;");
    }),
    case(
        "another command's output for GitHub",
        2,
        "upgrade --format github",
        |_| {},
    ),
    case("a newer layout", 1, UP, |env| {
        env.sql("UPDATE migrator_version_log SET detail = '99' WHERE event = 'layout'");
    }),
    case("a foreign table", 1, UP, |env| {
        env.sql("ALTER TABLE migrator_version RENAME TO gone");
        env.sql("CREATE TABLE migrator_version (version integer)");
    }),
    case("a log that is gone", 1, UP, |env| {
        env.sql("DROP TABLE migrator_version_log");
    }),
    case("a checksum that is none", 1, UP, |env| {
        env.sql("UPDATE migrator_version SET up_checksum = 'v9:abc' WHERE revision = '2'");
    }),
    postgres("two version tables", 1, UP, |env| {
        env.sql("CREATE SCHEMA other; CREATE TABLE other.migrator_version (x integer)");
        let name = env.sql("SELECT current_database()");
        env.sql(&format!(
            "ALTER DATABASE {} SET search_path = other, public",
            name.trim()
        ));
    }),
    postgres("foreign keys that are violated", 1, UP, |env| {
        up(
            env,
            "4_d",
            "CREATE TABLE p (id integer PRIMARY KEY);\nCREATE TABLE q (p integer REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO q VALUES (1);\n",
        );
    }),
    sqlite("foreign keys that are violated", 1, UP, |env| {
        up(
            env,
            "4_d",
            "CREATE TABLE p (id integer PRIMARY KEY);\nCREATE TABLE q (p integer REFERENCES p);\nINSERT INTO q VALUES (1);\n",
        );
    }),
    case("a range without --sql", 2, "upgrade 1:2", |_| {}),
    case("no range at all", 2, "upgrade : --sql", |_| {}),
    case("a range from current", 2, "upgrade current: --sql", |_| {}),
    case("a range from a step", 2, "upgrade +1:3 --sql", |_| {}),
    case(
        "a downgrade range without an end",
        2,
        "downgrade 3: --sql",
        |_| {},
    ),
    case("a range that goes down", 2, "upgrade 3:1 --sql", |_| {}),
    case("a range that goes up", 2, "downgrade 1:3 --sql", |_| {}),
    case("a range from nowhere", 2, "upgrade nowhere: --sql", |_| {}),
    case(
        "a script of a half-done revision",
        1,
        "upgrade --sql",
        |env| {
            up(
                env,
                "3_c",
                "-- migrator: transaction = off\nCREATE TABLE c (x integer);",
            );
            env.sql(
                "UPDATE migrator_version SET state = 'partial', direction = 'up', script = 'x',
                statements_done = 0, statements_total = 1, statement_checksums = ''
             WHERE revision = '3'",
            );
        },
    ),
];

/// What the other commands refuse.
const COMMANDS: &[Case] = &[
    case("no such error code", 2, "explain M230", |_| {}),
    case("no editor", 2, "edit a", |_| {}),
    case(
        "no editor for new scripts",
        2,
        "revision -m x --edit",
        |_| {},
    ),
    case("a range without a colon", 2, "history -r head", |_| {}),
    case(
        "a range that names nothing",
        2,
        "history -r nothing:",
        |_| {},
    ),
    case("redo that goes up", 2, "redo +1", |_| {}),
    case("redo of more than there is", 1, "redo -9", |_| {}),
    case("redo of a changed script", 1, "redo", |env| {
        up(env, "3_c", "CREATE TABLE d (x integer);")
    }),
    case(
        "redo of what the directory does not have",
        1,
        "redo",
        |env| {
            env.remove("migrations/3_c.up.sql");
            env.remove("migrations/3_c.down.sql");
        },
    ),
    case("drop that is not confirmed", 1, "db drop", |_| {}),
    case(
        "a database in memory",
        2,
        "db create --url sqlite::memory:",
        |_| {},
    ),
    case(
        "a database that does not come",
        1,
        "db wait --timeout 0 --url sqlite:no/such.db",
        |_| {},
    ),
    case(
        "a directory that is not there",
        1,
        "db create --url sqlite:no/such.db",
        |_| {},
    ),
    case("a time without a unit", 2, "db wait --timeout 5", |_| {}),
    case(
        "no server",
        1,
        "db create --url postgres://x@127.0.0.1:1/x",
        |_| {},
    ),
    sqlite(
        "a drop of what is not a database",
        1,
        "db drop --yes --url sqlite:migrator.toml",
        |_| {},
    ),
    postgres(
        "a maintenance database that is not there",
        1,
        "db create --maintenance-db no_such",
        |_| {},
    ),
];

fn applicable(cases: &'static [Case], backend: Backend) -> impl Iterator<Item = &'static Case> {
    cases
        .iter()
        .filter(move |case| case.only.is_none_or(|only| only == backend))
}

/// Runs one case; the log may describe a failure of the database, and nothing else may differ.
fn check(env: &mut Env, case: &Case) {
    (case.make)(env);
    let before = env.fingerprint();
    let command = env.fill(case.command);
    env.note(&format!("## {}", case.name));
    let output = env.run(&command);
    assert_eq!(
        output.status.code(),
        Some(case.status),
        "{}: {output:?}",
        case.name
    );
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(text.contains("error[M"), "{}: no code in {text}", case.name);
    assert!(
        !text.contains("secret"),
        "{}: a password in {text}",
        case.name
    );
    let logged = text.contains("error[M70");
    assert!(
        logged || env.fingerprint() == before,
        "{}: the database was changed",
        case.name
    );
}

fn on_both(name: &str, cases: &'static [Case], prepare: fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut all = Env::new(backend);
        for case in applicable(cases, backend) {
            let mut env = Env::new(backend);
            prepare(&mut env);
            env.forget();
            check(&mut env, case);
            all.append(env.transcript());
        }
        snapshot!(all, name);
    }
}

fn apply_three(env: &mut Env) {
    for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
        env.revision(
            &format!("{id}_{name}"),
            &format!("CREATE TABLE {name} (x integer);"),
            &format!("DROP TABLE {name};"),
        );
    }
    assert!(env.run(UP).status.success(), "{}", env.transcript());
}

#[test]
fn names_of_files() {
    on_both("bad_names", NAMES, |_| {});
}

#[test]
fn contents_of_files() {
    on_both("bad_texts", TEXTS, |_| {});
}

#[test]
fn headers_and_graph() {
    on_both("bad_headers", HEADERS, |_| {});
}

#[test]
fn configuration() {
    on_both("bad_config", CONFIG, |_| {});
}

#[test]
fn targets_and_state() {
    on_both("bad_state", STATE, apply_three);
}

#[test]
fn other_commands() {
    on_both("bad_commands", COMMANDS, apply_three);
}

#[test]
fn files_without_permission() {
    let mut env = Env::new(Backend::Sqlite);
    apply_three(&mut env);
    env.forget();
    env.sql("PRAGMA user_version = 1");
    up(&env, "4_d", "CREATE TABLE d (x integer);");
    let path = env.path("app.db");
    let before = env.fingerprint();
    let writable = std::fs::metadata(&path).unwrap().permissions();
    let mut read_only = writable.clone();
    read_only.set_readonly(true);
    std::fs::set_permissions(&path, read_only).unwrap();
    // Root may write what is read-only: then there is nothing to refuse.
    let refused = std::fs::OpenOptions::new().write(true).open(&path).is_err();
    env.run("current");
    if refused {
        let output = env.run("upgrade");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(env.fingerprint(), before);
    }
    std::fs::set_permissions(&path, writable).unwrap();
    assert!(env.transcript().contains('3'), "{}", env.transcript());
}

#[test]
fn there_are_many_cases() {
    let tables = [NAMES, TEXTS, HEADERS, CONFIG, STATE, COMMANDS];
    let mut names: Vec<_> = tables
        .iter()
        .flat_map(|cases| cases.iter().map(|c| (c.name, c.only)))
        .collect();
    let count = names.len();
    names.sort_by_key(|(name, only)| (*name, only.map(Backend::name)));
    names.dedup();
    assert_eq!(names.len(), count, "a name stands twice");
    assert!(count >= 60, "{count}");
}
