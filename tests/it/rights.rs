//! docs/security.md: the rights that each command needs on PostgreSQL. Each row of its table is tried
//! with a role that has exactly these, and with roles that lack one of them.

use std::{collections::BTreeSet, fs, path::Path};

use crate::common::{Backend, Env};

/// A row of the table.
struct Row {
    /// Commands of its first column, as they are named there.
    named: &'static str,
    /// What is run with these rights; `[MADE]` is the name of a database that is not there.
    lines: &'static [&'static str],
    /// Rights: SQL that gives one, with `[ROLE]` for whom, and the word that the error has in it when
    /// it is missing.
    rights: &'static [(&'static str, &'static str)],
    /// Whether the version table is there before.
    prepared: bool,
}

const CONNECT: (&str, &str) = ("GRANT CONNECT ON DATABASE [NAME] TO [ROLE]", "CONNECT");
const SELECT_TABLE: (&str, &str) = ("GRANT SELECT ON app.migrator_version TO [ROLE]", "SELECT");
const SELECT_LOG: (&str, &str) = (
    "GRANT SELECT ON app.migrator_version_log TO [ROLE]",
    "SELECT",
);
const USAGE: (&str, &str) = ("GRANT USAGE ON SCHEMA app TO [ROLE]", "USAGE");

const ROWS: &[Row] = &[
    Row {
        named: "`db wait`",
        lines: &["db wait --timeout 0s"],
        rights: &[CONNECT],
        prepared: true,
    },
    Row {
        named: "`current`, `status`, `history -i`, `history --log`, `check`, `--dry-run`, `--sql`",
        lines: &[
            "current",
            "status",
            "history -i",
            "history --log",
            "check --pending-ok",
            "upgrade --dry-run",
            "upgrade --sql",
        ],
        rights: &[CONNECT, USAGE, SELECT_TABLE, SELECT_LOG],
        prepared: true,
    },
    Row {
        named: "the first command that writes, `ensure-version`",
        lines: &["ensure-version"],
        rights: &[
            CONNECT,
            ("GRANT CREATE ON SCHEMA app TO [ROLE]", "CREATE"),
            USAGE,
        ],
        prepared: false,
    },
    Row {
        named: "`upgrade`, `downgrade`, `redo`, `stamp`, `repair`, `squash` and `rebase`",
        lines: &[
            "ensure-version",
            "upgrade",
            "redo",
            "downgrade base",
            "stamp head",
            "repair --yes",
        ],
        rights: &[
            CONNECT,
            USAGE,
            SELECT_TABLE,
            ("GRANT INSERT ON app.migrator_version TO [ROLE]", "INSERT"),
            ("GRANT UPDATE ON app.migrator_version TO [ROLE]", "UPDATE"),
            ("GRANT DELETE ON app.migrator_version TO [ROLE]", "DELETE"),
            SELECT_LOG,
            (
                "GRANT INSERT ON app.migrator_version_log TO [ROLE]",
                "INSERT",
            ),
        ],
        prepared: true,
    },
    Row {
        named: "`adopt`",
        lines: &["adopt --from golang-migrate --yes"],
        rights: &[
            CONNECT,
            (
                "GRANT USAGE ON SCHEMA app TO [ROLE]; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON app.migrator_version TO [ROLE]; \
                 GRANT SELECT, INSERT ON app.migrator_version_log TO [ROLE]",
                "USAGE",
            ),
            (
                "GRANT SELECT ON public.schema_migrations TO [ROLE]",
                "GRANT SELECT",
            ),
        ],
        prepared: true,
    },
    Row {
        named: "`backup`",
        lines: &["backup"],
        rights: &[
            CONNECT,
            USAGE,
            SELECT_TABLE,
            (
                "GRANT SELECT ON app.migrator_version_log, app.migrator_version_log_sequence_seq TO [ROLE]",
                "SELECT",
            ),
            (
                "GRANT SELECT ON public.schema_migrations TO [ROLE]",
                "SELECT",
            ),
        ],
        prepared: true,
    },
    Row {
        named: "`backup verify`",
        lines: &["backup verify [FILE]"],
        rights: &[("ALTER ROLE [ROLE] CREATEDB", "CREATEDB")],
        prepared: true,
    },
    Row {
        named: "`scratch`, `verify`",
        lines: &["scratch -- true", "verify --no-rows"],
        rights: &[
            CONNECT,
            USAGE,
            SELECT_TABLE,
            SELECT_LOG,
            ("ALTER ROLE [ROLE] CREATEDB", "CREATEDB"),
        ],
        prepared: true,
    },
    Row {
        named: "`restore`",
        lines: &["restore [FILE] --yes --no-owner"],
        rights: &[
            USAGE,
            (
                "GRANT SELECT ON app.migrator_version, app.migrator_version_log TO [ROLE]",
                "SELECT",
            ),
            ("ALTER ROLE [ROLE] CREATEDB", "CREATEDB"),
            (
                "ALTER DATABASE [NAME] OWNER TO [ROLE]; GRANT CONNECT ON DATABASE [NAME] TO [ROLE]",
                "CONNECT",
            ),
        ],
        prepared: true,
    },
    Row {
        named: "`db create`",
        lines: &["db create --url [MADE]"],
        rights: &[("ALTER ROLE [ROLE] CREATEDB", "CREATEDB")],
        prepared: true,
    },
    Row {
        named: "`db drop`",
        lines: &["db drop --yes"],
        rights: &[("ALTER DATABASE [NAME] OWNER TO [ROLE]", "owner")],
        prepared: true,
    },
];

struct Project {
    env: Env,
    name: String,
    role: String,
    made: String,
    /// A backup that a superuser has made.
    backup: String,
}

impl Project {
    fn new(row: &Row) -> Self {
        let mut env = Env::new(Backend::Postgres);
        let name = env.sql("SELECT current_database()").trim().to_owned();
        let role = format!("some_{name}");
        env.sql(&format!(
            "CREATE SCHEMA app; CREATE ROLE {role} LOGIN; REVOKE CONNECT ON DATABASE {name} FROM PUBLIC;
             REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        ));
        // Records of others are in the way of what does not adopt them.
        if row
            .rights
            .iter()
            .any(|(grant, _)| grant.contains("schema_migrations"))
        {
            env.sql(
                "CREATE TABLE public.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
                 INSERT INTO public.schema_migrations VALUES (1, false)",
            );
        }
        let config = |url: &str| {
            format!(
                "[migrator]\nurl = \"{url}\"\nversion-table = \"app.migrator_version\"\n[backup]\ndirectory = \"backups\"\n"
            )
        };
        env.revision("1_a", "SELECT 1;\n", "SELECT 1;\n");
        env.write("migrator.toml", config(&env.url()));
        if row.prepared {
            assert!(env.run("ensure-version").status.success());
        }
        let mut backup = String::new();
        if row.lines.iter().any(|line| line.contains("[FILE]")) {
            assert!(env.run("backup").status.success());
            let files = env.files().into_iter();
            let mut files = files.filter(|file| file.contains(".dump") && !file.ends_with(".json"));
            backup = files.next().unwrap();
        }
        let url = env.url().replacen("postgres@", &format!("{role}@"), 1);
        env.write("migrator.toml", config(&url));
        let made = format!("{url}_made");
        Self {
            env,
            name,
            role,
            made,
            backup,
        }
    }

    fn give(&self, right: &str) {
        let sql = right.replace("[NAME]", &self.name);
        self.env.sql(&sql.replace("[ROLE]", &self.role));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let server = self.env.url().rsplit_once('/').unwrap().0.to_owned();
        let mut session = crate::common::Session::open_url(&format!("{server}/postgres"));
        let beside = format!(
            "SELECT string_agg(quote_ident(datname), ',') FROM pg_database WHERE starts_with(datname, '{}_')",
            self.name
        );
        for name in session
            .run(&beside)
            .iter()
            .flat_map(|names| names.split(','))
        {
            session.run(&format!("DROP DATABASE {name}"));
        }
        // The database may have been dropped, and is dropped once more after this.
        if session
            .run(&format!(
                "SELECT 'x' FROM pg_database WHERE datname = '{}'",
                self.name
            ))
            .is_none()
        {
            session.run(&format!("CREATE DATABASE {}", self.name));
        }
        session.run(&format!(
            "ALTER DATABASE {} OWNER TO CURRENT_USER",
            self.name
        ));
        self.env.sql(&format!("DROP OWNED BY {}", self.role));
        session.run(&format!("DROP ROLE {}", self.role));
    }
}

#[test]
fn each_command_needs_exactly_the_rights_that_are_documented() {
    for row in ROWS {
        for left_out in 0..=row.rights.len() {
            let mut project = Project::new(row);
            for (index, (right, _)) in row.rights.iter().enumerate() {
                if index != left_out {
                    project.give(right);
                }
            }
            let missing = row.rights.get(left_out);
            for line in row.lines {
                project.env.forget();
                let line = line
                    .replace("[MADE]", &project.made)
                    .replace("[FILE]", &project.backup);
                let output = project.env.run(&line);
                let transcript = project.env.transcript();
                match missing {
                    None => assert!(output.status.success(), "{}: {transcript}", row.named),
                    // What only writes when there is something to write says so then.
                    Some((_, word)) => {
                        let said = String::from_utf8_lossy(&output.stderr).into_owned();
                        let writes = ["INSERT", "UPDATE", "DELETE"].contains(word);
                        let idle =
                            writes && matches!(&*line, "redo" | "downgrade base" | "repair --yes");
                        if idle && output.status.success() {
                            continue;
                        }
                        assert!(
                            !output.status.success(),
                            "{} without {word}: {transcript}",
                            row.named
                        );
                        if !idle {
                            assert!(
                                said.contains(word),
                                "{} without {word}: {transcript}",
                                row.named
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_table_of_the_page_is_the_one_that_is_tried() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page
        .lines()
        .skip_while(|line| *line != "| command on PostgreSQL | privileges |");
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let documented: BTreeSet<_> = rows
        .map(|line| {
            line.trim_start_matches("| ")
                .split(" | ")
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    let tried: BTreeSet<_> = ROWS.iter().map(|row| row.named.to_owned()).collect();
    assert_eq!(documented, tried);
}
