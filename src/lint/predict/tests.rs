use super::*;
use crate::{lint::text, sql::split};

/// What a script does to tables that are older than it, statement by statement, in short: locks with
/// `*` where they are held already, then work.
fn effects(dialect: Dialect, before: &str, sql: &str) -> Vec<String> {
    let mut known = Known::new(dialect);
    for statement in split(dialect, before).unwrap() {
        known.effects(&text::read(dialect, statement.text(before)));
        known.begin_run();
    }
    known.begin_run();
    let script = text::script(dialect, sql, crate::lint::Headers::default(), &mut known);
    let statements = script.unwrap().statements;
    statements.iter().map(|it| short(&it.effects)).collect()
}

fn short(effects: &Effects) -> String {
    let locks = effects.locks.iter().map(|lock| {
        let initials: String = lock.mode.name().split(' ').map(|word| &word[..1]).collect();
        let held = if lock.is_held { "*" } else { "" };
        format!("{}:{initials}{held}", lock.relation)
    });
    let works = effects.works.iter().map(|work| {
        let kind = match &work.kind {
            WorkKind::Rewrite => "rewrite".to_owned(),
            WorkKind::Build { index } => format!("build {}", index.name),
            WorkKind::Scan => "scan".to_owned(),
            WorkKind::Change { .. } => "change".to_owned(),
        };
        format!("{} {kind}", work.relation)
    });
    locks.chain(works).collect::<Vec<_>>().join(", ")
}

const BEFORE: &str = "CREATE TABLE p (id bigint PRIMARY KEY);
    CREATE TABLE t (id int NOT NULL, a varchar(10), b int CHECK (b > 0), c text REFERENCES p);
    CREATE UNIQUE INDEX t_a ON t (a);
    ALTER TABLE t ADD CONSTRAINT a_there CHECK (a IS NOT NULL) NOT VALID;
    ALTER TABLE t VALIDATE CONSTRAINT a_there;
    CREATE DOMAIN d AS text CHECK (VALUE <> '');
    CREATE TABLE m (k int) PARTITION BY LIST (k);
    CREATE TABLE m1 PARTITION OF m FOR VALUES IN (1);
    CREATE TABLE md PARTITION OF m DEFAULT;
    CREATE TABLE g (id int, v int GENERATED ALWAYS AS (id) VIRTUAL, td d);";

#[test]
fn locks_and_work_of_postgres() {
    let check = |sql: &str, expected: &str| {
        let found = effects(Dialect::Postgres, BEFORE, sql);
        assert_eq!(found.join("; "), expected, "{sql}");
    };
    check("CREATE INDEX i ON t (b)", "t:S, t build i");
    check("CREATE INDEX CONCURRENTLY i ON t (b)", "t:SUE, t build i");
    check("CREATE INDEX IF NOT EXISTS t_a ON t (a)", "");
    check(
        "CREATE INDEX i ON m (k)",
        "m:S, m1:S, md:S, m1 build i, md build i",
    );
    check("CREATE INDEX i ON ONLY m (k)", "m:S");
    check("ALTER TABLE t ADD COLUMN x int", "t:AE");
    check("ALTER TABLE t ADD COLUMN x int NOT NULL DEFAULT 0", "t:AE");
    check(
        "ALTER TABLE t ADD COLUMN x timestamptz DEFAULT now()",
        "t:AE",
    );
    check("ALTER TABLE t ADD COLUMN x int NOT NULL", "t:AE, t scan");
    check(
        "ALTER TABLE t ADD COLUMN x uuid DEFAULT gen_random_uuid()",
        "t:AE, t rewrite",
    );
    check("ALTER TABLE t ADD COLUMN x serial", "t:AE, t rewrite");
    check("ALTER TABLE t ADD COLUMN x d", "t:AE, t rewrite");
    check(
        "ALTER TABLE t ADD COLUMN x int GENERATED ALWAYS AS (id + 1) STORED",
        "t:AE, t rewrite",
    );
    check(
        "ALTER TABLE t ADD COLUMN x int GENERATED ALWAYS AS (id + 1) VIRTUAL",
        "t:AE",
    );
    check("ALTER TABLE g ALTER v TYPE bigint", "g:AE");
    check("ALTER TABLE g ALTER v SET EXPRESSION AS (id + 1)", "g:AE");
    check(
        "ALTER TABLE g ALTER id SET EXPRESSION AS (1)",
        "g:AE, g rewrite",
    );
    check("ALTER TABLE g ALTER v SET NOT NULL", "g:AE, g scan");
    check("ALTER TABLE t ADD COLUMN x int UNIQUE", "t:AE, t build ");
    check(
        "ALTER TABLE t ADD COLUMN x int CHECK (x > 0)",
        "t:AE, t scan",
    );
    check(
        "ALTER TABLE t ADD COLUMN x bigint REFERENCES p",
        "t:AE, p:SRE",
    );
    check(
        "ALTER TABLE t ADD COLUMN x bigint DEFAULT NULL REFERENCES p",
        "t:AE, p:SRE, t scan",
    );
    check("ALTER TABLE t ALTER a TYPE varchar(20)", "t:AE, t scan");
    check("ALTER TABLE t ALTER c TYPE varchar", "t:AE");
    check("ALTER TABLE t ALTER id TYPE bigint", "t:AE, t rewrite");
    check("ALTER TABLE t ALTER a SET NOT NULL", "t:AE");
    check("ALTER TABLE t ALTER id SET NOT NULL", "t:AE");
    check("ALTER TABLE t ALTER b SET NOT NULL", "t:AE, t scan");
    check("ALTER TABLE t ADD UNIQUE (b)", "t:AE, t build ");
    check(
        "ALTER TABLE t ADD CONSTRAINT x UNIQUE USING INDEX t_a",
        "t:AE",
    );
    check(
        "ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p",
        "t:SRE, p:SRE, t scan",
    );
    check(
        "ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p NOT VALID",
        "t:SRE, p:SRE",
    );
    check(
        "ALTER TABLE t ADD CONSTRAINT x NOT NULL b NOT VALID",
        "t:AE",
    );
    check(
        "ALTER TABLE t ADD CONSTRAINT x CHECK (b > 1) NOT ENFORCED",
        "t:AE",
    );
    check("ALTER TABLE t ALTER CONSTRAINT x ENFORCED", "t:AE, t scan");
    check("ALTER TABLE t ALTER CONSTRAINT x NOT ENFORCED", "t:SRE");
    check("ALTER DOMAIN d VALIDATE CONSTRAINT x", "g:S, g scan");
    check("ALTER TABLE t VALIDATE CONSTRAINT x", "t:SUE, t scan");
    check("ALTER TABLE t DROP CONSTRAINT t_c_fkey", "t:AE, p:AE");
    check(
        "ALTER TABLE m ATTACH PARTITION t FOR VALUES IN (2)",
        "m:SUE, t:AE, md:AE, md scan",
    );
    check(
        "CREATE TABLE m2 PARTITION OF m FOR VALUES IN (2)",
        "m:AE, md:AE, md scan",
    );
    check("ALTER TABLE m DETACH PARTITION m1", "m:AE, m1:AE");
    check("DROP TABLE t", "t:AE, p:AE");
    check("DROP INDEX t_a", "t:AE");
    check("CREATE TABLE n (x bigint REFERENCES p)", "p:SRE");
    check("TRUNCATE t", "t:AE");
    check("LOCK TABLE t IN SHARE MODE", "t:S");
    check("REINDEX INDEX t_a", "t:S, t build t_a");
    check("VACUUM FULL t", "t:AE, t rewrite");
    check("CLUSTER t", "t:AE, t rewrite");
    check("UPDATE t SET b = 1", "t change");
    check("INSERT INTO t SELECT * FROM p", "p scan, t change");
    check("INSERT INTO t VALUES (1)", "");
    check(
        "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
        "t:SRE",
    );
    check(
        "ALTER TABLE t ADD x int; UPDATE t SET x = 1; ALTER TABLE t ADD CHECK (x > 0) NOT VALID",
        "t:AE; t:AE*, t change; t:AE*",
    );
    check(
        "ALTER TABLE t ADD x int; COMMIT; UPDATE t SET x = 1",
        "t:AE; ; t change",
    );
}

#[test]
fn work_of_sqlite() {
    let before = "CREATE TABLE t (a, b); CREATE TABLE u (a);";
    let check = |sql: &str, expected: &str| {
        let found = effects(Dialect::Sqlite, before, sql);
        assert_eq!(found.join("; "), expected, "{sql}");
    };
    check("CREATE INDEX i ON t (a)", "t build i");
    check("CREATE TABLE n (a); CREATE INDEX i ON n (a)", "; ");
    check("ALTER TABLE t DROP COLUMN b", "t rewrite");
    check("ALTER TABLE t ADD COLUMN c", "");
    check("ALTER TABLE t ADD COLUMN c CHECK (c > 0)", "t scan");
    check(
        "DELETE FROM t WHERE a IN (SELECT a FROM u)",
        "u scan, t change",
    );
    check("CREATE TABLE n AS SELECT * FROM t", "t scan");
}

#[test]
fn a_schema_is_known_as_old() {
    let facts = crate::schema::postgres::Column {
        data_type: "integer".to_owned(),
        ..Default::default()
    };
    let table = Name::new("public", "t");
    let objects = vec![
        crate::schema::Object::new(
            ObjectId::new(Kind::Table, "public", "t"),
            crate::schema::postgres::Table::default(),
        ),
        crate::schema::Object::new(ObjectId::part(Kind::Column, &table, "a"), facts),
    ];
    let mut known = Known::new(Dialect::Postgres);
    known.schema(&Schema::new(Dialect::Postgres, objects));
    let found = known.effects(&text::read(
        Dialect::Postgres,
        "ALTER TABLE t ALTER a TYPE int4",
    ));
    assert_eq!(short(&found), "t:AE");
    let found = known.effects(&text::read(
        Dialect::Postgres,
        "ALTER TABLE t ALTER a TYPE text",
    ));
    assert_eq!(short(&found), "t:AE*, t rewrite");
}
