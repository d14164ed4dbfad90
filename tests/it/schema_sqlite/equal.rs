//! Schemas that are written differently and are the same.

use migrator::internals::schema::compare;

use super::{lines, schema_of};

const PAIRS: &[(&str, &str, &str)] = &[
    (
        "order of statements",
        "CREATE TABLE a (x); CREATE TABLE b (y);",
        "CREATE TABLE b (y); CREATE TABLE a (x);",
    ),
    (
        "white space",
        "CREATE TABLE a (x INT, y TEXT);",
        "CREATE TABLE  a(\n\tx   INT,\r\n\ty TEXT\n);",
    ),
    (
        "comments",
        "CREATE TABLE a (x INT, y TEXT);",
        "CREATE TABLE a ( -- the x\n x /* an */ INT, y TEXT -- the y\n);",
    ),
    (
        "case of keywords",
        "CREATE TABLE a (x INTEGER NOT NULL PRIMARY KEY);",
        "create table a (x integer not null primary key);",
    ),
    (
        "case of types",
        "CREATE TABLE a (x VarChar(20), y DOUBLE PRECISION);",
        "CREATE TABLE a (x varchar( 20 ), y double   precision);",
    ),
    (
        "quoted names",
        "CREATE TABLE a (x INT, \"order\" INT);",
        "CREATE TABLE \"a\" (`x` INT, [order] INT);",
    ),
    (
        "names in single quotes",
        "CREATE TABLE a (x INT, UNIQUE (x));",
        "CREATE TABLE 'a' ('x' INT, UNIQUE ('x'));",
    ),
    (
        "IF NOT EXISTS",
        "CREATE TABLE a (x); CREATE INDEX i ON a (x); CREATE VIEW v AS SELECT 1;",
        "CREATE TABLE IF NOT EXISTS a (x); CREATE INDEX IF NOT EXISTS i ON a (x); CREATE VIEW IF NOT EXISTS v AS SELECT 1;",
    ),
    (
        "name of the database",
        "CREATE TABLE a (x); CREATE INDEX i ON a (x);",
        "CREATE TABLE main.a (x); CREATE INDEX main.i ON a (x);",
    ),
    (
        "primary key inline",
        "CREATE TABLE a (x INTEGER PRIMARY KEY);",
        "CREATE TABLE a (x INTEGER, PRIMARY KEY (x));",
    ),
    (
        "autoincrement inline",
        "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT);",
        "CREATE TABLE a (x INTEGER, PRIMARY KEY (x AUTOINCREMENT));",
    ),
    (
        "unique inline",
        "CREATE TABLE a (x INT CONSTRAINT u UNIQUE ON CONFLICT FAIL);",
        "CREATE TABLE a (x INT, CONSTRAINT u UNIQUE (x) ON CONFLICT FAIL);",
    ),
    (
        "check inline",
        "CREATE TABLE a (x INT CHECK (x > 0), y INT);",
        "CREATE TABLE a (x INT, y INT, CHECK (x > 0));",
    ),
    (
        "foreign key inline",
        "CREATE TABLE a (x INT REFERENCES b (y) ON DELETE CASCADE); CREATE TABLE b (y UNIQUE);",
        "CREATE TABLE a (x INT, FOREIGN KEY (x) REFERENCES b (y) ON DELETE CASCADE); CREATE TABLE b (y UNIQUE);",
    ),
    (
        "order of constraints",
        "CREATE TABLE a (x INT, y INT, UNIQUE (x), CHECK (x > y), CHECK (y > 0));",
        "CREATE TABLE a (x INT, y INT, CHECK (y > 0), UNIQUE (x), CHECK (x > y));",
    ),
    (
        "order of the clauses of a column",
        "CREATE TABLE a (x TEXT NOT NULL DEFAULT 'a' COLLATE NOCASE UNIQUE);",
        "CREATE TABLE a (x TEXT UNIQUE COLLATE NOCASE DEFAULT 'a' NOT NULL);",
    ),
    (
        "no comma between constraints",
        "CREATE TABLE a (x INT, y INT, UNIQUE (x), CHECK (y > 0));",
        "CREATE TABLE a (x INT, y INT, UNIQUE (x) CHECK (y > 0));",
    ),
    (
        "constraints that are the same twice",
        "CREATE TABLE a (x INT, CONSTRAINT c CHECK (x > 0), CONSTRAINT c CHECK (x < 9));",
        "CREATE TABLE a (x INT, CONSTRAINT c CHECK (x < 9), CONSTRAINT c CHECK (x > 0));",
    ),
    (
        "NULL",
        "CREATE TABLE a (x INT);",
        "CREATE TABLE a (x INT NULL);",
    ),
    (
        "ON CONFLICT ABORT",
        "CREATE TABLE a (x INT NOT NULL UNIQUE);",
        "CREATE TABLE a (x INT NOT NULL ON CONFLICT ABORT UNIQUE ON CONFLICT ABORT);",
    ),
    (
        "ON CONFLICT of a check",
        "CREATE TABLE a (x INT, CHECK (x > 0));",
        "CREATE TABLE a (x INT, CHECK (x > 0) ON CONFLICT FAIL);",
    ),
    (
        "NO ACTION",
        "CREATE TABLE a (x INT REFERENCES a);",
        "CREATE TABLE a (x INT REFERENCES a ON DELETE NO ACTION ON UPDATE NO ACTION);",
    ),
    (
        "not deferred",
        "CREATE TABLE a (x INT REFERENCES a);",
        "CREATE TABLE a (x INT REFERENCES a NOT DEFERRABLE INITIALLY DEFERRED);",
    ),
    (
        "deferrable but immediate",
        "CREATE TABLE a (x INT REFERENCES a, y REFERENCES a);",
        "CREATE TABLE a (x INT REFERENCES a DEFERRABLE, y REFERENCES a DEFERRABLE INITIALLY IMMEDIATE);",
    ),
    (
        "deferrable behind another clause",
        "CREATE TABLE a (x INT NOT NULL REFERENCES a DEFERRABLE INITIALLY DEFERRED);",
        "CREATE TABLE a (x INT REFERENCES a NOT NULL DEFERRABLE INITIALLY DEFERRED);",
    ),
    (
        "COLLATE BINARY",
        "CREATE TABLE a (x TEXT, y TEXT, UNIQUE (x)); CREATE INDEX i ON a (y);",
        "CREATE TABLE a (x TEXT COLLATE BINARY, y TEXT, UNIQUE (x COLLATE binary)); CREATE INDEX i ON a (y COLLATE BINARY);",
    ),
    (
        "collation of the column",
        "CREATE TABLE a (x TEXT COLLATE NOCASE); CREATE INDEX i ON a (x);",
        "CREATE TABLE a (x TEXT COLLATE nocase); CREATE INDEX i ON a (x COLLATE NOCASE);",
    ),
    (
        "ASC",
        "CREATE TABLE a (x, y, PRIMARY KEY (x), UNIQUE (x, y)); CREATE INDEX i ON a (y);",
        "CREATE TABLE a (x, y, PRIMARY KEY (x ASC), UNIQUE (x ASC, y ASC)); CREATE INDEX i ON a (y ASC);",
    ),
    (
        "parentheses around a default",
        "CREATE TABLE a (x INT DEFAULT 1, y TEXT DEFAULT 'a', z DEFAULT -2);",
        "CREATE TABLE a (x INT DEFAULT (1), y TEXT DEFAULT (('a')), z DEFAULT ( - 2));",
    ),
    (
        "a default that is a string",
        "CREATE TABLE a (x TEXT DEFAULT 'it''s', y DEFAULT 'yes');",
        "CREATE TABLE a (x TEXT DEFAULT \"it's\", y DEFAULT yes);",
    ),
    (
        "parentheses around a check",
        "CREATE TABLE a (x INT CHECK (x > 0));",
        "CREATE TABLE a (x INT CHECK ((x>0)));",
    ),
    (
        "names in expressions",
        "CREATE TABLE a (userId INT CHECK (userId > 0 AND userid < 9));",
        "CREATE TABLE a (userId INT CHECK (\"userId\" > 0 and [USERID] < 9));",
    ),
    (
        "generated",
        "CREATE TABLE a (x INT, y INT GENERATED ALWAYS AS (x + 1) VIRTUAL);",
        "CREATE TABLE a (x INT, y INT AS (x+1));",
    ),
    (
        "table options",
        "CREATE TABLE a (x INT PRIMARY KEY) STRICT, WITHOUT ROWID;",
        "CREATE TABLE a (x INT PRIMARY KEY) without rowid, strict;",
    ),
    (
        "case of references",
        "CREATE TABLE a (x INT UNIQUE REFERENCES b (y)); CREATE TABLE b (y INT UNIQUE); CREATE INDEX i ON a (x); CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;",
        "CREATE TABLE a (x INT, UNIQUE (X), FOREIGN KEY (X) REFERENCES B (Y)); CREATE TABLE b (y INT UNIQUE); CREATE INDEX i ON A (X); CREATE TRIGGER t AFTER INSERT ON A BEGIN SELECT 1; END;",
    ),
    (
        "parentheses around a key",
        "CREATE TABLE a (x INT, y TEXT); CREATE INDEX i ON a (x, y COLLATE NOCASE DESC, lower(y)) WHERE x > 0;",
        "CREATE TABLE a (x INT, y TEXT); CREATE INDEX i ON a ((x), (y COLLATE NOCASE) DESC, (lower(y))) WHERE (x > 0);",
    ),
    (
        "a view",
        "CREATE VIEW v AS SELECT 1 AS one, 'a' AS a;",
        "CREATE VIEW v AS\n  select 1 as one, -- the one\n  'a' as a;",
    ),
    (
        "a trigger",
        "CREATE TABLE a (x); CREATE TRIGGER t BEFORE INSERT ON a WHEN new.x > 0 BEGIN SELECT 1; END;",
        "CREATE TABLE a (x); CREATE TRIGGER t INSERT ON a FOR EACH ROW WHEN (new.x > 0) BEGIN\n  SELECT 1;\nEND;",
    ),
    (
        "a virtual table",
        "CREATE VIRTUAL TABLE f USING fts5(a, b, tokenize = 'ascii');",
        "CREATE VIRTUAL TABLE f USING FTS5 ( a,\n b, tokenize='ascii' );",
    ),
    (
        "columns added later",
        "CREATE TABLE a (x INT, y TEXT DEFAULT 'a');",
        "CREATE TABLE a (x INT); ALTER TABLE a ADD COLUMN y TEXT DEFAULT 'a';",
    ),
    (
        "renamed",
        "CREATE TABLE a (x INT CHECK (x > 0)); CREATE INDEX i ON a (x); CREATE VIEW v AS SELECT x FROM a;",
        "CREATE TABLE b (z INT CHECK (z > 0)); CREATE INDEX i ON b (z); CREATE VIEW v AS SELECT z AS x FROM b; DROP VIEW v; ALTER TABLE b RENAME COLUMN z TO x; ALTER TABLE b RENAME TO a; CREATE VIEW v AS SELECT x FROM a;",
    ),
    (
        "dropped",
        "CREATE TABLE a (x INT);",
        "CREATE TABLE a (x INT, y INT); ALTER TABLE a DROP COLUMN y; CREATE TABLE b (x); DROP TABLE b;",
    ),
    (
        "statistics",
        "CREATE TABLE a (x INT); CREATE INDEX i ON a (x);",
        "CREATE TABLE a (x INT); CREATE INDEX i ON a (x); INSERT INTO a VALUES (1); ANALYZE;",
    ),
    (
        "rows",
        "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT);",
        "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a DEFAULT VALUES;",
    ),
    (
        "temporary objects",
        "CREATE TABLE a (x INT);",
        "CREATE TABLE a (x INT); CREATE TEMP TABLE b (y); CREATE TEMP VIEW v AS SELECT 1; CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;",
    ),
    (
        "from a query",
        "CREATE TABLE a (x INT, y TEXT);",
        "CREATE TABLE b (x INTEGER, y TEXT); CREATE TABLE a AS SELECT x, y FROM b; DROP TABLE b;",
    ),
    (
        "dangling names of constraints",
        "CREATE TABLE a (x INT DEFAULT 1, UNIQUE (x));",
        "CREATE TABLE a (x INT CONSTRAINT d DEFAULT 1 CONSTRAINT e, UNIQUE (x) CONSTRAINT f);",
    ),
    (
        "pragmas",
        "CREATE TABLE a (x INT);",
        "PRAGMA encoding = 'UTF-16'; PRAGMA page_size = 8192; CREATE TABLE a (x INT);",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_difference_is_found() {
    assert!(PAIRS.len() >= 30);
    let mut wrong = Vec::new();
    for (name, one, other) in PAIRS {
        let (one, other) = (schema_of(one).await, schema_of(other).await);
        for (from, to) in [(&one, &other), (&other, &one)] {
            let difference = compare(from, to);
            if !difference.is_empty() || !difference.notes.is_empty() {
                let found = lines(&difference).join("\n  ");
                wrong.push(format!("{name}:\n  {found} {:?}", difference.notes));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
