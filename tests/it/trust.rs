//! Tables of other roles that bear the names of ours: none of their code runs as our role.

use crate::common::{Backend, Env, PostgresDatabase};

/// A project whose role is a superuser, or a role that may make the tables.
struct Project {
    env: Env,
    /// Someone who may create objects in the same schema.
    eve: String,
    /// Our role, unless it is the superuser of the tests.
    app: String,
}

/// What is run, and whether it writes.
const COMMANDS: [&str; 7] = [
    "status",
    "current",
    "history --log",
    "check",
    "upgrade --dry-run",
    "upgrade",
    "stamp head",
];

impl Project {
    fn new(superuser: bool) -> Self {
        let env = Env::new(Backend::Postgres);
        let name = env.sql("SELECT current_database()").trim().to_owned();
        let (eve, app) = (format!("eve_{name}"), format!("app_{name}"));
        env.sql(&format!(
            "CREATE ROLE {eve} LOGIN; CREATE ROLE {app} LOGIN;
             GRANT CREATE, USAGE ON SCHEMA public TO {eve}, {app};
             CREATE SEQUENCE called; GRANT USAGE ON called TO PUBLIC"
        ));
        env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
        if !superuser {
            let url = env.url().replacen("postgres@", &format!("{app}@"), 1);
            env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
        }
        let project = Self { env, eve, app };
        project.as_eve(
            "CREATE FUNCTION eve_trigger() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM nextval(''public.called''); RETURN NEW; END';
             CREATE FUNCTION eve_says(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
             'BEGIN PERFORM nextval(''public.called''); RETURN true; END'",
        );
        project
    }

    /// As the other role.
    fn as_eve(&self, sql: &str) {
        let Self { env, eve, .. } = self;
        env.sql(&format!("SET SESSION AUTHORIZATION {eve};\n{sql}"));
    }

    /// As the superuser; `[EVE]` and `[APP]` are the roles.
    fn sql(&self, sql: &str) -> String {
        let sql = sql.replace("[EVE]", &self.eve).replace("[APP]", &self.app);
        self.env.sql(&sql)
    }

    /// Every command refuses for `reason`, and has called nothing.
    #[track_caller]
    fn refuses(&mut self, reason: &str) {
        let reason = reason
            .replace("[EVE]", &self.eve)
            .replace("[APP]", &self.app);
        for line in COMMANDS {
            let output = self.env.run(line);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{reason}, {line}: {said}");
            assert!(
                said.contains("error[M517]: public.migrator_version")
                    && said.contains(&format!(" is not trusted: {reason}")),
                "{reason}, {line}: {said}"
            );
            assert!(said.contains("help: "), "{said}");
        }
        self.nothing_was_called();
    }

    #[track_caller]
    fn nothing_was_called(&self) {
        assert_eq!(self.env.sql("SELECT is_called FROM called"), "f\n");
    }

    #[track_caller]
    fn accepts(&mut self) {
        for line in COMMANDS {
            let output = self.env.run(line);
            assert_ne!(output.status.code(), Some(1), "{}", self.env.transcript());
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let drop = "DROP OWNED BY [EVE], [APP] CASCADE; DROP ROLE [EVE]; DROP ROLE [APP]";
        if std::thread::panicking() {
            return;
        }
        self.sql(
            "ALTER DATABASE [NAME] OWNER TO CURRENT_USER"
                .replace("[NAME]", self.env.sql("SELECT current_database()").trim())
                .as_str(),
        );
        self.sql(drop);
    }
}

/// Both tables as migrator makes them, of the role that runs it.
const TABLES: &str = "CREATE TABLE migrator_version (sequence bigint PRIMARY KEY, revision text NOT NULL UNIQUE, \
     kind text NOT NULL, message text NOT NULL, parents text NOT NULL, depends_on text NOT NULL, \
     up_checksum text NOT NULL, down_checksum text, down_script text, state text NOT NULL, direction text, \
     script text, statements_done bigint, statements_total bigint, statement_checksums text, error text, \
     batch text, started_at timestamptz NOT NULL, applied_at timestamptz, duration_ms bigint NOT NULL, \
     applied_by text NOT NULL, tool_version text NOT NULL, up_script text);
     CREATE TABLE migrator_version_log (sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
     at timestamptz NOT NULL DEFAULT clock_timestamp(), event text NOT NULL, revision text, message text, \
     outcome text NOT NULL, duration_ms bigint NOT NULL, actor text NOT NULL, tool_version text NOT NULL, \
     error text, detail text);
     INSERT INTO migrator_version_log (event, outcome, duration_ms, actor, tool_version, detail) \
     VALUES ('layout', 'ok', 0, 'someone', '0', '2');";

#[test]
fn what_is_no_table_is_refused() {
    for superuser in [true, false] {
        for (sql, reason) in [
            (
                "CREATE VIEW migrator_version AS SELECT eve_says('') AS x",
                "it is a view",
            ),
            (
                "CREATE MATERIALIZED VIEW migrator_version AS SELECT 1 AS x",
                "it is a materialized view",
            ),
            ("CREATE SEQUENCE migrator_version_log", "it is a sequence"),
        ] {
            let mut project = Project::new(superuser);
            project.as_eve(sql);
            project.refuses(reason);
        }
        let mut project = Project::new(superuser);
        project.sql("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN SERVER s TO [EVE]");
        project.as_eve("CREATE FOREIGN TABLE migrator_version (x text) SERVER s");
        project.refuses("it is a foreign table");
        project.sql("DROP FOREIGN DATA WRAPPER w CASCADE");
    }
}

#[test]
fn tables_of_others_are_refused() {
    let mut project = Project::new(false);
    project.as_eve(&format!(
        "{TABLES} CREATE TRIGGER t BEFORE INSERT ON migrator_version_log EXECUTE FUNCTION eve_trigger();
         GRANT ALL ON migrator_version, migrator_version_log TO PUBLIC"
    ));
    project.refuses("it belongs to [EVE], and [APP] is not a member of that role");
    // One of both is enough.
    project.sql("ALTER TABLE migrator_version OWNER TO [APP]");
    project.refuses("it belongs to [EVE], and [APP] is not a member of that role");
    // Who is a member of the role can be anything that the role is.
    project.sql("ALTER TABLE migrator_version OWNER TO [EVE]; DROP TRIGGER t ON migrator_version_log; GRANT [EVE] TO [APP]");
    project.accepts();

    let mut project = Project::new(true);
    project.as_eve(&format!(
        "{TABLES} GRANT ALL ON migrator_version, migrator_version_log TO PUBLIC"
    ));
    let reason = "it belongs to [EVE], which is neither a superuser nor the owner of the database, and postgres is a superuser";
    project.refuses(reason);
    // A superuser is a member of every role, and that says nothing.
    project.sql("GRANT [EVE] TO CURRENT_USER");
    project.refuses(reason);
    // The owner of the database is in the way of every script anyway.
    let name = project
        .env
        .sql("SELECT current_database()")
        .trim()
        .to_owned();
    project.sql(&format!("ALTER DATABASE {name} OWNER TO [EVE]"));
    project.accepts();
    // But what hangs on his table is not ours.
    project.as_eve(
        "CREATE TRIGGER t BEFORE UPDATE ON migrator_version EXECUTE FUNCTION eve_trigger()",
    );
    project.refuses("it has the trigger t, which can run code of other roles");
}

/// What hangs on tables of our own: who made it, what is said of it, and whether it is refused.
const PARTS: &[(&str, &str)] = &[
    (
        "CREATE TRIGGER t BEFORE INSERT ON migrator_version EXECUTE FUNCTION eve_trigger()",
        "it has the trigger t,",
    ),
    (
        "CREATE TRIGGER t AFTER INSERT ON migrator_version_log FOR EACH ROW WHEN (eve_says(NEW.event)) \
         EXECUTE FUNCTION our_trigger()",
        "it has the trigger t,",
    ),
    (
        "CREATE RULE r AS ON INSERT TO migrator_version_log DO ALSO SELECT eve_says('')",
        "it has the rule r,",
    ),
    (
        "ALTER TABLE migrator_version ADD CHECK (eve_says(revision))",
        "it has the constraint migrator_version_revision_check,",
    ),
    (
        "ALTER TABLE migrator_version ALTER COLUMN error SET DEFAULT eve_says('')",
        "it has the default of the column error,",
    ),
    (
        "ALTER TABLE migrator_version ADD COLUMN more boolean GENERATED ALWAYS AS (eve_says(revision)) STORED",
        "it has the default of the column more,",
    ),
    (
        "CREATE INDEX i ON migrator_version (eve_says(revision))",
        "it has the index i,",
    ),
    // The planner looks whether it is true.
    (
        "CREATE INDEX i ON migrator_version (revision) WHERE eve_says('')",
        "it has the index i,",
    ),
    (
        "CREATE STATISTICS s ON eve_says(revision), revision FROM migrator_version -- since 14",
        "it has the statistics object s,",
    ),
    (
        "CREATE DOMAIN d AS text CHECK (eve_says(VALUE)); ALTER TABLE migrator_version ADD COLUMN more d",
        "it has the user-defined type of the column more,",
    ),
    (
        "CREATE TABLE child () INHERITS (migrator_version); ALTER TABLE child OWNER TO [EVE]",
        "its rows are also in public.child, which belongs to [EVE]",
    ),
    (
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; \
         CREATE FOREIGN TABLE child () INHERITS (migrator_version) SERVER s",
        "its rows are also in public.child, which is a foreign table",
    ),
];

#[test]
fn parts_of_our_tables_that_run_code_of_others_are_refused() {
    let server = PostgresDatabase::create();
    for superuser in [true, false] {
        for (sql, reason) in PARTS {
            if server.supported(sql).is_empty() {
                continue;
            }
            let mut project = Project::new(superuser);
            let output = project.env.run("ensure-version");
            assert!(output.status.success(), "{}", project.env.transcript());
            project.sql("CREATE FUNCTION our_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
            project.sql(sql);
            project.sql("ALTER SEQUENCE called RESTART");
            project.refuses(reason);
            project.sql("DROP FOREIGN DATA WRAPPER IF EXISTS w CASCADE");
        }
    }
}

#[test]
fn parts_of_our_own_are_accepted() {
    let mut project = Project::new(false);
    assert!(project.env.run("ensure-version").status.success());
    project.sql(
        "SET SESSION AUTHORIZATION [APP];
         CREATE TABLE told (what text);
         CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN INSERT INTO public.told VALUES (NEW.event); RETURN NEW; END';
         CREATE TRIGGER tell AFTER INSERT ON migrator_version_log FOR EACH ROW EXECUTE FUNCTION tell();
         CREATE INDEX ON migrator_version (lower(message));
         ALTER TABLE migrator_version ADD CHECK (duration_ms > -1)",
    );
    project.accepts();
    assert_eq!(project.sql("SELECT what FROM told"), "upgrade\n");
}

#[test]
fn row_level_security_that_would_hide_rows_is_refused() {
    let mut project = Project::new(false);
    project.sql(TABLES);
    project.sql(
        "GRANT ALL ON migrator_version, migrator_version_log TO [APP];
         ALTER TABLE migrator_version ENABLE ROW LEVEL SECURITY;
         CREATE POLICY p ON migrator_version USING (eve_says(revision))",
    );
    project.refuses("row level security can hide rows of it from [APP]");
    project.sql("ALTER ROLE [APP] BYPASSRLS");
    project.accepts();
    project.nothing_was_called();
}

#[test]
fn a_script_for_psql_refuses_them_too() {
    let mut project = Project::new(true);
    assert!(project.env.run("ensure-version").status.success());
    let output = project.env.run("upgrade --sql");
    let script = String::from_utf8(output.stdout).unwrap();
    for sql in [
        "ALTER TABLE migrator_version_log OWNER TO [EVE]",
        "CREATE TRIGGER t BEFORE INSERT ON migrator_version_log EXECUTE FUNCTION eve_trigger()",
        "CREATE TABLE child () INHERITS (migrator_version); ALTER TABLE child OWNER TO [EVE]",
    ] {
        project.sql(sql);
        let output = project.env.shell(&script);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains("is not trusted: it, or something"),
            "{sql}: {said}"
        );
        project.nothing_was_called();
        project.sql(
            "ALTER TABLE migrator_version_log OWNER TO CURRENT_USER;
             DROP TRIGGER IF EXISTS t ON migrator_version_log; DROP TABLE IF EXISTS child",
        );
    }
    let output = project.env.shell(&script);
    assert!(output.status.success(), "{output:?}");
}

/// Tables of other tools are only read, so that what runs on writing may be there.
#[test]
fn tables_of_other_tools_are_judged_as_well() {
    let made = "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY DEFAULT 1, dirty boolean NOT NULL);
         INSERT INTO schema_migrations VALUES (1, false); GRANT ALL ON schema_migrations TO PUBLIC;";
    for superuser in [true, false] {
        for (sql, reason) in [
            ("", "it belongs to [EVE]"),
            (
                "ALTER TABLE schema_migrations RENAME TO x;
                 CREATE VIEW schema_migrations AS SELECT * FROM x WHERE eve_says('');
                 GRANT ALL ON schema_migrations TO PUBLIC",
                "it is a view",
            ),
        ] {
            let mut project = Project::new(superuser);
            project.as_eve(&format!("{made}{sql}"));
            refuses_to_adopt(&mut project, reason);
        }
        for (sql, reason) in [
            (
                "CREATE INDEX i ON schema_migrations (version) WHERE eve_says('')",
                "it has the index i,",
            ),
            (
                "CREATE TABLE child () INHERITS (schema_migrations); ALTER TABLE child OWNER TO [EVE]",
                "its rows are also in public.child, which belongs to [EVE]",
            ),
        ] {
            let mut project = Project::new(superuser);
            project.sql(&format!("{made}{sql}; ALTER SEQUENCE called RESTART"));
            refuses_to_adopt(&mut project, reason);
        }
        let mut project = Project::new(superuser);
        project.sql(&format!(
            "{made} CREATE TRIGGER t BEFORE INSERT ON schema_migrations EXECUTE FUNCTION eve_trigger()"
        ));
        let output = project.env.run("adopt --from golang-migrate --yes");
        assert!(output.status.success(), "{}", project.env.transcript());
        project.nothing_was_called();
    }
}

#[track_caller]
fn refuses_to_adopt(project: &mut Project, reason: &str) {
    let reason = reason.replace("[EVE]", &project.eve);
    let output = project.env.run("adopt --from golang-migrate --yes");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!("error[M517]: public.schema_migrations is not trusted: {reason}");
    assert!(said.contains(&expected), "{expected}: {said}");
    project.nothing_was_called();
}

#[test]
fn sqlite_takes_tables_only() {
    for (sql, reason) in [
        (
            "CREATE VIEW migrator_version AS SELECT 1 AS sequence",
            "it is a view",
        ),
        (
            "CREATE VIRTUAL TABLE migrator_version USING fts5 (sequence, revision)",
            "it is a virtual table",
        ),
    ] {
        let mut env = Env::new(Backend::Sqlite);
        env.write("app.db", "");
        env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
        env.sql(sql);
        let before = env.fingerprint();
        for line in COMMANDS {
            let output = env.run(line);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let expected = format!("error[M517]: migrator_version is not trusted: {reason}");
            assert!(said.contains(&expected), "{line}: {said}");
        }
        assert!(env.fingerprint() == before);
        let mut env = Env::new(Backend::Sqlite);
        env.write("app.db", "");
        env.sql(
            &sql.replace("migrator_version", "schema_migrations")
                .replace(
                    "sequence",
                    if sql.contains("VIEW") {
                        "version, 0 AS dirty"
                    } else {
                        "version, dirty"
                    },
                ),
        );
        let output = env.run("adopt --from golang-migrate --yes");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let expected = format!("error[M517]: schema_migrations is not trusted: {reason}");
        assert!(said.contains(&expected), "{said}");
    }
}
