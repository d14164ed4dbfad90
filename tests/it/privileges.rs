//! A role that may create objects in a schema of our search path, and roles with fewer rights than
//! they need.
#![cfg(unix)]

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Output,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::common::{Backend, Env, Pooler, Running, Session, wait_until};

/// A superuser's project, in whose search path another role has planted what it could, in the
/// database itself and in the one that is connected to for making databases.
struct Neighbour {
    env: Env,
    /// Our role, a superuser.
    root: String,
    /// The other role.
    eve: String,
    /// The schema that both may use.
    place: String,
    /// Where databases are made from.
    maintenance: Beside,
    /// Commands that have run.
    ran: BTreeSet<String>,
}

/// Of a database that is not ours to drop.
struct Beside(String);

impl Beside {
    fn run(&self, sql: &str) -> Option<String> {
        Session::open_url(&self.0).run(&format!("SET search_path TO pg_catalog;\n{sql}"))
    }
}

/// What the planted objects have noted.
const CALLED: &str = "SELECT pg_catalog.string_agg(pg_catalog.obj_description(c.oid, 'pg_class'), ', ') \
     FROM pg_catalog.pg_sequences AS s JOIN pg_catalog.pg_class AS c ON c.relname = s.sequencename \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = s.schemaname \
     WHERE s.schemaname = '[PLACE]' AND s.sequencename LIKE 'called%' AND s.last_value IS NOT NULL";

impl Neighbour {
    /// `path` has the schema as `[PLACE]`.
    fn new(path: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let env = Env::new(Backend::Postgres);
        let name = env.sql("SELECT current_database()").trim().to_owned();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (root, eve) = (format!("root_{name}"), format!("eve_{name}"));
        let place = format!("shared_{}_{number}", std::process::id());
        let server = env.url().rsplit_once('/').unwrap().0.to_owned();
        let url = env.url().replacen("postgres@", &format!("{root}@"), 1);
        let path = path.replace("[PLACE]", &place);
        let neighbour = Self {
            maintenance: Beside(format!("{server}/postgres")),
            env,
            root,
            eve,
            place,
            ran: BTreeSet::new(),
        };
        let Self {
            root, eve, place, ..
        } = &neighbour;
        neighbour.maintenance.run(&format!(
            "CREATE ROLE {root} SUPERUSER LOGIN; CREATE ROLE {eve};
             ALTER ROLE {root} SET search_path TO {path};
             ALTER DATABASE {name} SET search_path TO {path}"
        ));
        let plant = include_str!("privileges/plant.sql").replace("PLACE", place);
        let plant = format!(
            "CREATE SCHEMA {place}; GRANT USAGE, CREATE ON SCHEMA {place} TO {eve};
             SET SESSION AUTHORIZATION {eve};\n{plant}"
        );
        neighbour.sql(&plant);
        neighbour.maintenance.run(&plant);
        neighbour.env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\n[backup]\ndirectory = \"backups\"\n[postgres]\nlock-timeout = \"300ms\"\nlock-attempts = 2\n"),
        );
        neighbour
    }

    /// Runs SQL that the planted objects do not get into.
    fn sql(&self, sql: &str) -> String {
        self.env
            .sql(&format!("SET search_path TO pg_catalog;\n{sql}"))
    }

    /// Which of the planted objects were called, in either database.
    fn called(&self) -> String {
        // One sequence counts all calls.
        let any = format!("SELECT is_called FROM {}.any_called", self.place);
        let beside = self.maintenance.run(&any).unwrap_or_default();
        if self.sql(&any).trim() == "f" && beside.trim() == "f" {
            return String::new();
        }
        let sql = CALLED.replace("[PLACE]", &self.place);
        let beside = self.maintenance.run(&sql).unwrap_or_default();
        format!("{}{beside}", self.sql(&sql).trim())
    }

    #[track_caller]
    fn nothing_was_called(&self, by: &str) {
        let called = self.called();
        assert_eq!(called, "", "{by} has called these");
    }

    /// Runs a command that must end with `status`.
    #[track_caller]
    fn run(&mut self, status: i32, line: &str) -> Output {
        let mut words = line.split(' ');
        let verb = words.next().unwrap().to_owned();
        self.ran.insert(match verb.as_str() {
            "db" | "schema" | "fleet" => format!("{verb}-{}", words.next().unwrap()),
            "scratch" if line.starts_with("scratch list") => "scratch-list".to_owned(),
            "scratch" if line.starts_with("scratch drop") => "scratch-drop".to_owned(),
            "backup" if line.starts_with("backup list") => "backup-list".to_owned(),
            "backup" if line.starts_with("backup verify") => "backup-verify".to_owned(),
            _ => verb,
        });
        self.env.forget();
        let output = self.env.run(line);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{}",
            self.env.transcript()
        );
        self.nothing_was_called(line);
        output
    }

    /// A script of `--sql` in psql, as the same superuser.
    #[track_caller]
    fn psql(&mut self, line: &str) {
        let script = self.run(0, line);
        let script = String::from_utf8(script.stdout).unwrap();
        let output = self.env.shell_with(&script, &["-U", &self.root]);
        assert!(output.status.success(), "{output:?}\n{script}");
        self.nothing_was_called("psql");
    }

    /// A session of someone else that locks a table.
    fn blocker(&self, table: &str) -> Session {
        let mut session = Session::open(&self.env);
        session.run(&format!("BEGIN; LOCK TABLE {}.{table}", self.place));
        session
    }

    fn revision(&self, name: &str, up: &str, down: &str) {
        let named = |sql: &str| sql.replace("[PLACE]", &self.place);
        self.env.revision(name, &named(up), &named(down));
    }

    /// The server process of a migrator that waits for a lock.
    fn waiting(&self) -> String {
        let mut pid = String::new();
        wait_until("a statement waits", || {
            pid = self.sql(
                "SELECT a.pid FROM pg_stat_activity AS a WHERE a.datname = current_database() \
                 AND a.wait_event_type = 'Lock'",
            );
            !pid.is_empty()
        });
        pid.trim().to_owned()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let Self {
            root, eve, place, ..
        } = &*self;
        let name = self.env.url().rsplit_once('/').unwrap().1.to_owned();
        let mut beside = Session::open_url(&self.maintenance.0);
        // What cannot be dropped after a failure stays until the server of the tests goes.
        let mut run = |sql: &str| beside.try_run(&format!("SET search_path TO pg_catalog;\n{sql}"));
        let kept = run(&format!(
            "SELECT string_agg(format('DROP DATABASE %I', d.datname), ';') FROM pg_database AS d \
             WHERE starts_with(d.datname, '{name}_')"
        ));
        for command in kept.ok().flatten().iter().flat_map(|all| all.split(';')) {
            let _ = run(command);
        }
        let clean = format!(
            "SET search_path TO pg_catalog; DROP SCHEMA {place} CASCADE; \
             REASSIGN OWNED BY {root} TO CURRENT_USER; DROP OWNED BY {eve}, {root}"
        );
        let _ = run(&clean);
        let _ = Session::open(&self.env).try_run(&clean);
        let _ = run(&format!("DROP ROLE {eve}"));
        let _ = run(&format!("DROP ROLE {root}"));
    }
}

/// Commands that never connect to a database.
const FILES_ONLY: &[&str] = &[
    "branches",
    "completions",
    "convert",
    "edit",
    "explain",
    "heads",
    "init",
    "list-templates",
    "man",
    "merge",
    "revision",
];

const OFF: &str = "-- migrator: transaction = off\n";

fn records(n: &mut Neighbour) {
    n.run(0, "db wait");
    n.run(0, "db create");
    n.run(0, "status");
    n.run(0, "ensure-version");
    n.revision(
        "1_a",
        "CREATE TABLE [PLACE].a (x integer);\n",
        "DROP TABLE [PLACE].a;\n",
    );
    n.revision(
        "2_b",
        "CREATE TABLE [PLACE].b (x integer PRIMARY KEY DEFERRABLE);\nINSERT INTO [PLACE].b VALUES (1);\n",
        "DROP TABLE [PLACE].b;\n",
    );
    n.env.write(
        "migrations/R_view.sql",
        format!(
            "CREATE OR REPLACE VIEW {0}.v AS SELECT 1 AS one;\n",
            n.place
        ),
    );
    n.run(0, "upgrade --dry-run");
    n.run(0, "upgrade");
    n.run(0, "redo");
    for line in [
        "current -v",
        "current --check-heads",
        "status",
        "check",
        "history -i",
        "history --log",
        "show 1",
        "adopt --dry-run --from goose",
    ] {
        n.run(if line.starts_with("adopt") { 1 } else { 0 }, line);
    }
    n.run(0, "downgrade base");
    n.run(0, "upgrade --transaction all");
    n.run(0, "downgrade -1");
    n.run(0, "stamp head");
    n.run(0, "stamp 1 --purge");
    n.run(0, "upgrade");
    // An edited script.
    n.revision(
        "2_b",
        "CREATE TABLE [PLACE].b (x integer PRIMARY KEY DEFERRABLE, y integer);\n",
        "DROP TABLE [PLACE].b;\n",
    );
    n.run(3, "check");
    n.run(0, "repair --yes");
}

fn statement_by_statement(n: &mut Neighbour) {
    n.revision(
        "3_c",
        "CREATE TABLE [PLACE].c (x integer, y integer);\n",
        "DROP TABLE [PLACE].c;\n",
    );
    n.run(0, "upgrade");
    n.sql(&format!("INSERT INTO {}.c VALUES (1), (1)", n.place));
    n.revision(
        "4_off",
        &format!(
            "{OFF}INSERT INTO [PLACE].c VALUES (2);\n\
             SET ROLE {};\n\
             RESET ROLE;\n\
             CREATE UNIQUE INDEX CONCURRENTLY c_x ON c (x);\n",
            n.root
        ),
        &format!("{OFF}DROP INDEX CONCURRENTLY [PLACE].c_x;\nDELETE FROM [PLACE].c;\n"),
    );
    // The index cannot be made, twice, so that the first one's remains are looked at and dropped.
    n.run(4, "upgrade");
    n.run(4, "upgrade");
    n.run(0, "status");
    n.sql(&format!("DELETE FROM {}.c", n.place));
    n.sql(&format!("INSERT INTO {}.c VALUES (3), (4)", n.place));
    n.run(0, "upgrade");
    n.run(0, "downgrade -1");
    n.run(0, "upgrade");
}

fn locks(n: &mut Neighbour) {
    n.revision(
        "5_d",
        "CREATE TABLE [PLACE].d (x integer);\nALTER TABLE [PLACE].a ADD COLUMN y integer;\n",
        "DROP TABLE [PLACE].d;\nALTER TABLE [PLACE].a DROP COLUMN y;\n",
    );
    // Who is in the way is named, once all attempts are over.
    let mut blocker = n.blocker("a");
    let output = n.run(1, "upgrade");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("someone else (pid"), "{said}");
    n.run(1, "upgrade --transaction all");
    // A slow statement is watched; a second run waits for the first one's lock and tells whose it is.
    let patient = fs::read_to_string(n.env.path("migrator.toml")).unwrap();
    n.env.write("migrator.toml", patient.replace("300ms", "0s"));
    let slow = || {
        let mut command = n.env.command();
        command
            .env("MIGRATOR_SLOW_STATEMENT", "50ms")
            .arg("upgrade");
        Running::spawn(&mut command)
    };
    let mut first = slow();
    first.wait_for("waits for AccessExclusiveLock on");
    let mut second = Running::start(&n.env, "upgrade");
    second.wait_for("for the lock of migrator upgrade 5");
    // Cancelled over a connection of its own.
    first.signal("INT");
    first.wait_for("press Ctrl-C again");
    first.signal("INT");
    first.finish().expect(130);
    // Its session is ended by someone: it asks after it over a new one.
    let pid = n.waiting();
    n.sql(&format!("SELECT pg_terminate_backend({pid})"));
    let lost = second.finish().expect(1);
    assert!(lost.stderr.contains("M607"), "{lost:?}");
    n.nothing_was_called("locks, watchers, cancellers and lost sessions");
    blocker.run("COMMIT");
    n.run(0, "upgrade");
}

fn scripts_for_psql(n: &mut Neighbour) {
    n.psql("downgrade base --sql");
    n.psql("upgrade --sql");
    n.psql("downgrade -1 --sql --transaction all");
    n.psql("upgrade --sql");
    // Without a look at the database, into a schema that is named.
    n.psql("downgrade base --sql");
    let config = fs::read_to_string(n.env.path("migrator.toml")).unwrap();
    let named = format!("version-table = \"{}.other_version\"\n[backup]", n.place);
    n.env
        .write("migrator.toml", config.replacen("[backup]", &named, 1));
    n.psql("upgrade --sql base:head");
    n.run(0, "downgrade base");
    n.env.write("migrator.toml", config);
    n.run(0, "upgrade");
}

fn records_of_others(n: &mut Neighbour) {
    n.sql(&format!(
        "CREATE TABLE {0}.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
         INSERT INTO {0}.schema_migrations VALUES (5, false);
         DROP TABLE {0}.migrator_version, {0}.migrator_version_log",
        n.place
    ));
    n.run(0, "adopt --from golang-migrate --yes");
    n.sql(&format!("INSERT INTO {}.c VALUES (3), (4)", n.place));
    n.revision(
        "6_batch",
        &format!("{OFF}-- migrator: batch max-lag=1s\nUPDATE c SET y = 1 WHERE y IS NULL;\n"),
        "UPDATE [PLACE].c SET y = NULL;\n",
    );
    n.run(0, "upgrade");
    let left = format!("SELECT count(*) FROM {}.c WHERE y IS NULL", n.place);
    assert_eq!(n.sql(&left), "0\n");
    n.run(0, "rebase 5 --dry-run");
    n.run(0, "squash --to 2");
    n.run(0, "upgrade");
    n.run(0, "status");
}

fn databases(n: &mut Neighbour) {
    n.run(0, "backup");
    n.run(0, "backup list");
    n.run(0, "backup verify");
    n.run(0, "upgrade --backup");
    let files = n.env.files().into_iter();
    let mut files = files.filter(|it| it.contains(".dump") && !it.ends_with(".json"));
    let file = files.next().unwrap();
    n.run(0, &format!("restore {file} --yes"));
    n.run(0, "status");
    let made = format!(
        "{}_made",
        n.env
            .url()
            .replacen("postgres@", &format!("{}@", n.root), 1)
    );
    n.run(0, &format!("db create --url {made}"));
    let held = Session::open_url(&made);
    n.run(1, &format!("db drop --yes --url {made}"));
    n.run(0, &format!("db drop --yes --force --url {made}"));
    drop(held);
}

fn schemas(n: &mut Neighbour) {
    n.env
        .write("one.sql", "CREATE TABLE one (id integer PRIMARY KEY);\n");
    n.run(0, "schema dump");
    n.run(3, "schema diff one.sql live");
    n.run(0, "schema draw");
    n.run(0, "scratch -- true");
    n.run(0, "scratch -- true");
    n.run(0, "scratch list");
    n.run(0, "scratch drop");
    // A down script of these revisions deletes rows that were there before.
    n.run(3, "verify");
    n.run(0, "rehearse");
    n.run(0, "lint");
    n.run(0, "lint --text");
    n.run(0, "lint --sizes live");
    n.run(0, "lint --write-sizes sizes.json");
}

/// A schema beside the others is a fleet of one target.
fn fleets(n: &mut Neighbour) {
    let before = fs::read_to_string(n.env.path("migrator.toml")).unwrap();
    let url = n.env.url();
    n.sql("CREATE SCHEMA tenant");
    n.env.write(
        "migrator.toml",
        format!(
            "{before}\n[environments.shops]\nurl = \"{url}\"\nallow-nonempty = true\nmigrations = \"fleet\"\nrecords-of = \"ignore\"\n[environments.shops.fleet]\n\
             query = \"SELECT 'tenant' AS name\"\nschema = \"${{target}}\"\n"
        ),
    );
    n.env.write(
        "fleet/1_one.up.sql",
        "CREATE TABLE of_fleet (id integer);\n",
    );
    n.env
        .write("fleet/1_one.down.sql", "DROP TABLE of_fleet;\n");
    n.run(0, "fleet list -n shops");
    n.run(0, "fleet status -n shops");
    n.run(0, "fleet upgrade -n shops");
    n.run(0, "fleet check --pending-ok -n shops");
    n.run(0, "fleet upgrade -n shops");
    n.run(0, "fleet verify -n shops");
    n.run(0, "fleet downgrade base -n shops");
    n.sql("DROP SCHEMA tenant CASCADE");
    n.env.write("migrator.toml", before);
}

fn through_a_pooler(n: &mut Neighbour) {
    for mode in ["session", "transaction"] {
        let pooler = Pooler::start(
            &n.env,
            &format!("pool_mode = {mode}\nignore_startup_parameters = extra_float_digits,options"),
        );
        let url = pooler.url();
        n.run(0, &format!("status --url {url}"));
        let status = if mode == "session" { 0 } else { 1 };
        n.run(status, &format!("stamp head --url {url}"));
    }
}

/// All commands, with `path` as our search path.
fn nobody_is_called(path: &str) {
    let mut n = Neighbour::new(path);
    let planted = n.sql(&format!(
        "SELECT count(*) > 7000, (SELECT count(*) > 2000 FROM pg_sequences WHERE schemaname = '{0}')
         FROM pg_operator WHERE oprnamespace = '{0}'::regnamespace",
        n.place
    ));
    assert_eq!(planted, "t|t\n");
    // The traps work: what is not ours does fall into them.
    n.env.sql("SELECT 1::double precision * 1");
    assert_eq!(n.called(), "operator *");
    n.sql(&format!(
        "SELECT setval(c.oid, 1, false) FROM pg_class AS c
         WHERE c.relkind = 'S' AND c.relnamespace = '{}'::regnamespace",
        n.place
    ));
    records(&mut n);
    statement_by_statement(&mut n);
    locks(&mut n);
    through_a_pooler(&mut n);
    scripts_for_psql(&mut n);
    records_of_others(&mut n);
    schemas(&mut n);
    fleets(&mut n);
    databases(&mut n);
    // Every command that has a page has run, or reads files alone.
    let pages = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands")).unwrap();
    let pages = pages.map(|page| {
        page.unwrap()
            .path()
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    });
    let left: Vec<_> = pages
        .filter(|page| !n.ran.contains(page) && !FILES_ONLY.contains(&page.as_str()))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn no_code_of_others_is_called_behind_the_system_s_names() {
    nobody_is_called("\"$user\", [PLACE]");
}

#[test]
fn no_code_of_others_is_called_before_the_system_s_names() {
    nobody_is_called("[PLACE], pg_catalog");
}
