//! Pairs of schemas: each kind of object added and dropped, alone, with dependents and in cycles.

use super::{Failure, Proven, Rows, prove, prove_all};

/// A name, the schema before, rows in it, and the schema after. Each is proven both ways.
const PAIRS: &[(&str, &str, &str, &str)] = &[
    // Columns by ALTER TABLE.
    (
        "column added",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b TEXT)",
    ),
    (
        "several columns added",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b TEXT, c INT DEFAULT 3, d NOT NULL DEFAULT 'x''y')",
    ),
    (
        "column added before others",
        "CREATE TABLE t (a, z)",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (b, a, c, z)",
    ),
    (
        "column with a negative default",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b REAL DEFAULT -1.5)",
    ),
    (
        "column with a default of an expression",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b DEFAULT (1 + 2))",
    ),
    (
        "column with a default of the time",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    ),
    (
        "column with a default in double quotes",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b DEFAULT \"text\")",
    ),
    (
        "column with a boolean default",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b NOT NULL DEFAULT TRUE)",
    ),
    (
        "column with a default of NULL",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b DEFAULT NULL)",
    ),
    (
        "column with a blob as default",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b BLOB DEFAULT x'00ff')",
    ),
    (
        "column with a small default",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b REAL DEFAULT 1e-5)",
    ),
    (
        "column with a check",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b INT DEFAULT 1 CHECK (b > 0))",
    ),
    (
        "column with a check of the table",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b INT DEFAULT 1, CONSTRAINT positive CHECK (b >= a))",
    ),
    (
        "column with a collation",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b TEXT COLLATE NOCASE)",
    ),
    (
        "column that refers",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a, p INT REFERENCES p ON DELETE CASCADE)",
    ),
    (
        "column that refers by a constraint of the table",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a, p INT, CONSTRAINT \"to p\" FOREIGN KEY (p) REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)",
    ),
    (
        "column that refers with a default",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a)",
        "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a, p INT DEFAULT 1 REFERENCES p)",
    ),
    (
        "column with a unique constraint",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT UNIQUE)",
    ),
    (
        "column with a unique index",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE UNIQUE INDEX i ON t (b)",
    ),
    (
        "column with an index",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE INDEX i ON t (a, b) WHERE b > 0",
    ),
    (
        "column with a view",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE VIEW v AS SELECT b FROM t",
    ),
    (
        "column with a changed view",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE VIEW v AS SELECT a, b FROM t",
    ),
    (
        "column with a trigger",
        "CREATE TABLE t (a); CREATE TABLE l (n)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE TABLE l (n); CREATE TRIGGER r AFTER UPDATE OF b ON t BEGIN INSERT INTO l VALUES (new.b); END",
    ),
    (
        "column beside a view that stays",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE VIEW v AS SELECT a FROM t",
    ),
    (
        "column beside a view of all columns",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT * FROM t",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE VIEW v AS SELECT * FROM t",
    ),
    (
        "column beside a string in double quotes",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT \"words\" AS w",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE VIEW v AS SELECT \"words\" AS w",
    ),
    (
        "column beside a broken view",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT x FROM nowhere",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (a, b INT); CREATE VIEW v AS SELECT x FROM nowhere",
    ),
    (
        "column with the name of the old",
        "CREATE TABLE t (a, b)",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a, c)",
    ),
    (
        "all columns replaced",
        "CREATE TABLE t (a, b)",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (c, d)",
    ),
    (
        "virtual generated column",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b AS (a + 1))",
    ),
    (
        "stored generated column",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b AS (a + 1) STORED)",
    ),
    (
        "generated column in between",
        "CREATE TABLE t (a, c)",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a, b INT NOT NULL AS (a + 1) VIRTUAL, c)",
    ),
    (
        "column with its generated one",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a, b, c AS (b || a))",
    ),
    (
        "comments with commas",
        "CREATE TABLE t (a -- one, two\n, -- b, too\n b, /* c, */ c -- last, one\n)",
        "INSERT INTO t VALUES (1, 2, 3)",
        "CREATE TABLE t (a -- one, two\n, -- b, too\n b)",
    ),
    (
        "column before constraints",
        "CREATE TABLE t (a, b, CHECK (a > 0), UNIQUE (a))",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a, CHECK (a > 0), UNIQUE (a))",
    ),
    (
        "column of an index",
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (a, b); CREATE INDEX j ON t (a)",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a); CREATE INDEX j ON t (a)",
    ),
    (
        "column of a key",
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b))",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a, PRIMARY KEY (a))",
    ),
    (
        "column of a table that others use",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, b); CREATE TABLE u (t REFERENCES t ON DELETE CASCADE); CREATE TRIGGER r AFTER INSERT ON u BEGIN UPDATE t SET id = id; END",
        "INSERT INTO t VALUES (1, 2); INSERT INTO u VALUES (1)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE u (t REFERENCES t ON DELETE CASCADE); CREATE TRIGGER r AFTER INSERT ON u BEGIN UPDATE t SET id = id; END",
    ),
    (
        "column added to STRICT",
        "CREATE TABLE t (a INT) STRICT",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a INT, b TEXT NOT NULL DEFAULT 'x') STRICT",
    ),
    (
        "column added WITHOUT ROWID",
        "CREATE TABLE t (a INT PRIMARY KEY) WITHOUT ROWID",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a INT PRIMARY KEY, b TEXT DEFAULT 'x') WITHOUT ROWID",
    ),
    // Rebuilt tables and what uses them.
    (
        "parent rebuilt",
        "CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT); CREATE TABLE c (p INT NOT NULL REFERENCES p ON DELETE CASCADE)",
        "INSERT INTO p VALUES (1, 'x'), (2, 'y'); INSERT INTO c VALUES (1), (1), (2)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT UNIQUE); CREATE TABLE c (p INT NOT NULL REFERENCES p ON DELETE CASCADE)",
    ),
    (
        "cycle of foreign keys",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b); CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a)",
        "INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (5, 1); UPDATE a SET b = 5",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b ON DELETE SET NULL); CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a ON DELETE CASCADE)",
    ),
    (
        "cycle of foreign keys added",
        "CREATE TABLE x (i)",
        "INSERT INTO x VALUES (1)",
        "CREATE TABLE x (i); CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b); CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a)",
    ),
    (
        "table that refers to itself",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up REFERENCES t ON DELETE CASCADE)",
        "INSERT INTO t VALUES (1, NULL), (2, 1)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up REFERENCES t ON DELETE SET NULL)",
    ),
    (
        "counter kept",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a)",
        "INSERT INTO t VALUES (5, 1), (9, 2); DELETE FROM t WHERE id = 9",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE)",
    ),
    (
        "counter of an empty table kept",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a)",
        "INSERT INTO t VALUES (9, 1); DELETE FROM t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE)",
    ),
    (
        "rowids kept",
        "CREATE TABLE t (a)",
        "INSERT INTO t (rowid, a) VALUES (7, 'x'), (3, 'y')",
        "CREATE TABLE t (a UNIQUE)",
    ),
    (
        "rowids kept where rowid is a column",
        "CREATE TABLE t (rowid TEXT, a)",
        "INSERT INTO t (oid, rowid, a) VALUES (7, 'x', 1)",
        "CREATE TABLE t (rowid TEXT, a UNIQUE)",
    ),
    (
        "rowids out of reach",
        "CREATE TABLE t (rowid, oid, _rowid_)",
        "INSERT INTO t VALUES (7, 'x', 1)",
        "CREATE TABLE t (rowid, oid, _rowid_ UNIQUE)",
    ),
    (
        "rowid becomes a column",
        "CREATE TABLE t (a)",
        "INSERT INTO t (rowid, a) VALUES (7, 'x'), (3, 'y')",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a)",
    ),
    (
        "key becomes the rowid",
        "CREATE TABLE t (id INT PRIMARY KEY, a)",
        "INSERT INTO t VALUES (7, 'x'), (3, 'y')",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a)",
    ),
    (
        "key in another order",
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b))",
        "INSERT INTO t VALUES (7, 'x'), (3, 'y')",
        "CREATE TABLE t (a, b, PRIMARY KEY (b, a))",
    ),
    (
        "rowid dropped",
        "CREATE TABLE t (a TEXT PRIMARY KEY, b)",
        "INSERT INTO t VALUES ('k', 1)",
        "CREATE TABLE t (a TEXT PRIMARY KEY, b) WITHOUT ROWID",
    ),
    (
        "STRICT",
        "CREATE TABLE t (a TEXT, b INTEGER, c REAL, d BLOB)",
        "INSERT INTO t VALUES ('x', 1, 2, x'00'), (NULL, NULL, NULL, NULL)",
        "CREATE TABLE t (a TEXT, b INTEGER, c REAL, d BLOB) STRICT",
    ),
    (
        "type of a STRICT column",
        "CREATE TABLE t (a TEXT, b BLOB) STRICT",
        "INSERT INTO t VALUES ('x', x'41')",
        "CREATE TABLE t (a BLOB, b TEXT) STRICT",
    ),
    (
        "integer and text in STRICT",
        "CREATE TABLE t (a INTEGER, b TEXT) STRICT",
        "INSERT INTO t VALUES (5, '6')",
        "CREATE TABLE t (a TEXT, b INTEGER) STRICT",
    ),
    (
        "types",
        "CREATE TABLE t (a INT, b TEXT, c)",
        "INSERT INTO t VALUES (1, '2', 3)",
        "CREATE TABLE t (a TEXT, b INT, c VARCHAR(10))",
    ),
    (
        "NOT NULL",
        "CREATE TABLE t (a, b)",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a NOT NULL, b)",
    ),
    (
        "default",
        "CREATE TABLE t (a DEFAULT 1, b)",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a DEFAULT 2, b DEFAULT 'x')",
    ),
    (
        "generated column becomes a plain one",
        "CREATE TABLE t (a, b AS (a * 2))",
        "INSERT INTO t VALUES (4)",
        "CREATE TABLE t (a, b)",
    ),
    (
        "expression of a generated column",
        "CREATE TABLE t (a, b AS (a * 2) STORED)",
        "INSERT INTO t VALUES (4)",
        "CREATE TABLE t (a, b AS (a * 3) STORED)",
    ),
    (
        "conflict clauses",
        "CREATE TABLE t (a, b)",
        "INSERT INTO t VALUES (4, 1), (5, 1)",
        "CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE, b NOT NULL ON CONFLICT IGNORE)",
    ),
    (
        "check that names its table",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a)",
        "INSERT INTO t VALUES (4, 1), (8, 2); DELETE FROM t WHERE id = 8",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE, CHECK (t.a > 0))",
    ),
    (
        "checks that name their table",
        "CREATE TABLE t (a, CHECK (\"t\".a > 0))",
        "INSERT INTO t (rowid, a) VALUES (4, 1)",
        "CREATE TABLE t (a NOT NULL, CHECK (t . a > 0))",
    ),
    (
        "indexes and triggers of a rebuilt table",
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (b DESC); CREATE UNIQUE INDEX \"a b\" ON t (lower(a)); CREATE TABLE l (n); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO l VALUES (new.a); END",
        "INSERT INTO t VALUES ('x', 'y')",
        "CREATE TABLE t (a UNIQUE, b); CREATE INDEX i ON t (b DESC); CREATE UNIQUE INDEX \"a b\" ON t (lower(a)); CREATE TABLE l (n); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO l VALUES (new.a); END",
    ),
    (
        "indexes change with the table",
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (a); CREATE INDEX j ON t (b)",
        "INSERT INTO t VALUES ('x', 'y')",
        "CREATE TABLE t (a UNIQUE, b); CREATE INDEX i ON t (a, b); CREATE INDEX k ON t (b)",
    ),
    (
        "index moves to another table",
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE INDEX i ON t (a)",
        "",
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE INDEX i ON u (a)",
    ),
    (
        "index moves between rebuilt tables",
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE INDEX i ON u (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a UNIQUE); CREATE TABLE u (a UNIQUE); CREATE INDEX i ON t (a)",
    ),
    (
        "table with the name of an index",
        "CREATE TABLE t (a); CREATE INDEX i ON t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a UNIQUE); CREATE TABLE i (a)",
    ),
    (
        "temporary name taken",
        "CREATE TABLE t (a); CREATE TABLE new_t (a); CREATE INDEX NEW_T_2 ON t (a)",
        "INSERT INTO t VALUES (1); INSERT INTO new_t VALUES (2)",
        "CREATE TABLE t (a UNIQUE); CREATE TABLE new_t (a UNIQUE); CREATE INDEX NEW_T_2 ON t (a)",
    ),
    (
        "view over a view over a rebuilt table",
        "CREATE TABLE t (a); CREATE VIEW a_v AS SELECT * FROM z_v; CREATE VIEW z_v AS SELECT a FROM t; CREATE TRIGGER r INSTEAD OF INSERT ON a_v BEGIN INSERT INTO t VALUES (new.a); END",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a UNIQUE); CREATE VIEW a_v AS SELECT * FROM z_v; CREATE VIEW z_v AS SELECT a FROM t; CREATE TRIGGER r INSTEAD OF INSERT ON a_v BEGIN INSERT INTO t VALUES (new.a); END",
    ),
    (
        "triggers across rebuilt tables",
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.a); END; CREATE TRIGGER s AFTER DELETE ON u BEGIN DELETE FROM t WHERE a = old.a; END",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a UNIQUE); CREATE TABLE u (a UNIQUE); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.a); END; CREATE TRIGGER s AFTER DELETE ON u BEGIN DELETE FROM t WHERE a = old.a; END",
    ),
    (
        "trigger that changes between rebuilt tables",
        "CREATE TABLE u (a); CREATE TABLE o (b UNIQUE); CREATE TRIGGER r AFTER DELETE ON u BEGIN DELETE FROM o WHERE b = 'none'; END",
        "INSERT INTO u VALUES (1); INSERT INTO o VALUES (2)",
        "CREATE TABLE u (a UNIQUE); CREATE TABLE o (b UNIQUE, c UNIQUE); CREATE TRIGGER r AFTER DELETE ON u BEGIN DELETE FROM o WHERE c = 'none'; END",
    ),
    (
        "broken views beside a rebuilt table",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT x FROM nowhere; CREATE VIEW a_c AS SELECT * FROM b_c; CREATE VIEW b_c AS SELECT * FROM a_c",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a UNIQUE); CREATE VIEW v AS SELECT x FROM nowhere; CREATE VIEW a_c AS SELECT * FROM b_c; CREATE VIEW b_c AS SELECT * FROM a_c",
    ),
    (
        "column dropped beside a broken view",
        "CREATE TABLE t (a, b); CREATE VIEW v AS SELECT x FROM nowhere",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT x FROM nowhere",
    ),
    (
        "column dropped beside a view that changes",
        "CREATE TABLE t (a, b); CREATE VIEW v AS SELECT a, b FROM t; CREATE VIEW w AS SELECT a FROM v",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v",
    ),
    (
        "column dropped beside strings in double quotes",
        "CREATE TABLE t (a, b); CREATE TABLE u (x CHECK (x <> \"words\")); CREATE VIEW v AS SELECT \"more words\" AS w",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a); CREATE TABLE u (x CHECK (x <> \"words\")); CREATE VIEW v AS SELECT \"more words\" AS w",
    ),
    (
        "column dropped beside an index of a string",
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (\"nosuch\")",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a); CREATE INDEX i ON t (\"nosuch\")",
    ),
    (
        "column dropped beside a view that needs a new table",
        "CREATE TABLE t (a, b); CREATE VIEW v AS SELECT x FROM later",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a); CREATE TABLE later (x); CREATE VIEW v AS SELECT x FROM later",
    ),
    // Names.
    (
        "keywords as names",
        "CREATE TABLE \"order\" (\"select\" INT, \"from\" INT)",
        "INSERT INTO \"order\" VALUES (1, 2)",
        "CREATE TABLE \"order\" (\"select\" INT UNIQUE, \"from\" INT, \"group\" TEXT); CREATE INDEX \"index\" ON \"order\" (\"group\")",
    ),
    (
        "keyword columns altered",
        "CREATE TABLE \"table\" (\"select\" INT, \"where\")",
        "INSERT INTO \"table\" VALUES (1, 2)",
        "CREATE TABLE \"table\" (\"select\" INT, \"group\" TEXT)",
    ),
    (
        "quotes in names",
        "CREATE TABLE \"a\"\"b\" (\"c\"\"d\" INT, [e f])",
        "INSERT INTO \"a\"\"b\" VALUES (1, 2)",
        "CREATE TABLE \"a\"\"b\" (\"c\"\"d\" INT UNIQUE, [g h]); CREATE VIEW `v``w` AS SELECT * FROM \"a\"\"b\"",
    ),
    (
        "names in single quotes",
        "CREATE TABLE 'it''s' ('a' INT)",
        "INSERT INTO \"it's\" VALUES (1)",
        "CREATE TABLE 'it''s' ('a' INT UNIQUE, 'b c' TEXT)",
    ),
    (
        "names with apostrophes and counters",
        "CREATE TABLE \"it's\" (id INTEGER PRIMARY KEY AUTOINCREMENT, a)",
        "INSERT INTO \"it's\" VALUES (6, 1); DELETE FROM \"it's\"",
        "CREATE TABLE \"it's\" (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE)",
    ),
    (
        "names of other scripts",
        "CREATE TABLE größe (żółć INT)",
        "INSERT INTO größe VALUES (1)",
        "CREATE TABLE größe (żółć INT UNIQUE, 名前 TEXT DEFAULT 'ünï')",
    ),
    (
        "column spelled otherwise",
        "CREATE TABLE t (userId INT)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (UserID INT)",
    ),
    (
        "table spelled otherwise",
        "CREATE TABLE Orders (a); CREATE VIEW v AS SELECT a FROM orders; CREATE INDEX i ON ORDERS (a)",
        "INSERT INTO orders VALUES (1)",
        "CREATE TABLE orders (a); CREATE VIEW v AS SELECT a FROM orders; CREATE INDEX i ON ORDERS (a)",
    ),
    (
        "index and view spelled otherwise",
        "CREATE TABLE t (a); CREATE INDEX Ix ON t (a); CREATE VIEW Vw AS SELECT 1; CREATE TRIGGER Tr AFTER INSERT ON t BEGIN SELECT 1; END",
        "",
        "CREATE TABLE t (a); CREATE INDEX iX ON t (a); CREATE VIEW vW AS SELECT 1; CREATE TRIGGER tR AFTER INSERT ON t BEGIN SELECT 1; END",
    ),
    (
        "column spelled otherwise in dependents",
        "CREATE TABLE t (a INT UNIQUE); CREATE TABLE c (t REFERENCES t (A))",
        "INSERT INTO t VALUES (1); INSERT INTO c VALUES (1)",
        "CREATE TABLE t (a TEXT UNIQUE); CREATE TABLE c (t REFERENCES T (a) ON DELETE CASCADE)",
    ),
    // Whole objects.
    (
        "everything",
        "",
        "",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p); CREATE INDEX i ON c (p); CREATE VIEW v AS SELECT * FROM c; CREATE TRIGGER r AFTER INSERT ON c BEGIN SELECT 1; END; CREATE TRIGGER s INSTEAD OF DELETE ON v BEGIN SELECT 1; END; CREATE VIRTUAL TABLE f USING fts5(a)",
    ),
    (
        "table and view change places",
        "CREATE TABLE a (x); CREATE VIEW b AS SELECT 1 AS x",
        "",
        "CREATE VIEW a AS SELECT 1 AS x; CREATE TABLE b (x)",
    ),
    (
        "view becomes a table",
        "CREATE TABLE t (x); CREATE VIEW b AS SELECT x FROM t; CREATE VIEW c AS SELECT x FROM b",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (x); CREATE TABLE b (x); CREATE VIEW c AS SELECT x FROM b",
    ),
    (
        "parents and children dropped",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p ON DELETE RESTRICT); CREATE TABLE x (i)",
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)",
        "CREATE TABLE x (i)",
    ),
    (
        "view with its triggers changes",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.a); END",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a, 1 AS b FROM t; CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.a); END",
    ),
    (
        "trigger of a view changes",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.a); END",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (-new.a); END",
    ),
    (
        "trigger moves to another table",
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END",
        "",
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE TRIGGER r AFTER INSERT ON u BEGIN SELECT 1; END",
    ),
    (
        "text ends in a comment",
        "CREATE TABLE t (a)",
        "",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t -- the end\n; CREATE INDEX i ON t (a) -- why\n",
    ),
    (
        "rebuilt table whose text ends in a comment",
        "CREATE TABLE t (a, b -- the last\n) -- the end",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a, b UNIQUE -- the last\n) -- the end\n",
    ),
    // Virtual tables.
    (
        "column of a search table",
        "CREATE VIRTUAL TABLE f USING fts5(a, b)",
        "INSERT INTO f (rowid, a, b) VALUES (7, 'x', 'y')",
        "CREATE VIRTUAL TABLE f USING fts5(a, b, c UNINDEXED)",
    ),
    (
        "tokenizer",
        "CREATE VIRTUAL TABLE f USING fts5(a, b)",
        "INSERT INTO f (rowid, a, b) VALUES (7, 'x', 'y')",
        "CREATE VIRTUAL TABLE f USING fts5(a, b, tokenize = 'porter ascii')",
    ),
    (
        "search module",
        "CREATE VIRTUAL TABLE f USING fts4(a, b)",
        "INSERT INTO f (rowid, a, b) VALUES (7, 'x', 'y')",
        "CREATE VIRTUAL TABLE f USING fts5(a, b)",
    ),
    (
        "search of another table",
        "CREATE TABLE t (a); CREATE VIRTUAL TABLE f USING fts5(a, content = 't', content_rowid = 'rowid')",
        "INSERT INTO t (rowid, a) VALUES (7, 'x')",
        "CREATE TABLE t (a UNIQUE); CREATE VIRTUAL TABLE f USING fts5(a, content = 't', tokenize = 'porter')",
    ),
    (
        "search table gets rows of its own",
        "CREATE TABLE t (a); CREATE VIRTUAL TABLE f USING fts5(a, content = 't')",
        "INSERT INTO t (rowid, a) VALUES (7, 'x')",
        "CREATE TABLE t (a); CREATE VIRTUAL TABLE f USING fts5(a)",
    ),
    (
        "vocabulary of a search table",
        "CREATE VIRTUAL TABLE f USING fts5(a); CREATE VIRTUAL TABLE v USING fts5vocab(f, 'row')",
        "INSERT INTO f (rowid, a) VALUES (7, 'x')",
        "CREATE VIRTUAL TABLE f USING fts5(a, b); CREATE VIRTUAL TABLE v USING fts5vocab(f, 'col')",
    ),
    (
        "dimension of a tree",
        "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1)",
        "INSERT INTO r VALUES (7, 1.5, 2.25)",
        "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, y0, y1)",
    ),
    (
        "column of a tree",
        "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, +label TEXT)",
        "INSERT INTO r VALUES (7, 1.5, 2.25, 'here')",
        "CREATE VIRTUAL TABLE r USING rtree(key, x0, x1, +label TEXT, +more)",
    ),
    (
        "search table beside its triggers",
        "CREATE TABLE t (a, b); CREATE VIRTUAL TABLE f USING fts5(a); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO f (rowid, a) VALUES (new.rowid, new.a); END; CREATE VIEW v AS SELECT a FROM f",
        "INSERT INTO t VALUES ('x', 1)",
        "CREATE TABLE t (a); CREATE VIRTUAL TABLE f USING fts5(a, b); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO f (rowid, a) VALUES (new.rowid, new.a); END; CREATE VIEW v AS SELECT a FROM f",
    ),
    (
        "virtual table becomes a table",
        "CREATE VIRTUAL TABLE f USING fts5(a)",
        "",
        "CREATE TABLE f (a)",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn pairs_both_ways() {
    let forwards = PAIRS
        .iter()
        .map(|(name, from, rows, to)| (*name, from.to_string(), *rows, to.to_string()));
    prove_all(forwards).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_the_other_way_round() {
    let backwards = PAIRS
        .iter()
        .map(|(name, from, _, to)| (*name, to.to_string(), "", from.to_string()));
    prove_all(backwards).await;
}

async fn proven(from: &str, rows: &str, to: &str, fills: &[&str]) -> Proven {
    let proven = prove(from, rows, to, fills).await;
    proven.unwrap_or_else(|failure| match failure {
        Failure::Wrong(what) => panic!("{what}"),
        other => panic!("{other:?}"),
    })
}

/// The rows of a table, with `|` between the values.
fn values(rows: &Rows, table: &str) -> Vec<String> {
    let rows = rows.tables[table].rows.iter();
    rows.map(|row| row.values().cloned().collect::<Vec<_>>().join("|"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn null_gets_the_fill_or_the_default() {
    let from = "CREATE TABLE t (a INTEGER PRIMARY KEY, b INT, c INT)";
    let rows = "INSERT INTO t VALUES (1, NULL, NULL), (2, 5, 6)";
    let to = "CREATE TABLE t (a INTEGER PRIMARY KEY, b INT NOT NULL, c INT NOT NULL DEFAULT 9)";
    let found = proven(from, rows, to, &["t.b=a * 10"]).await;
    assert_eq!(values(&found.rows, "t"), ["1|1|10|9", "2|2|5|6"]);
    assert!(matches!(
        prove(from, rows, to, &[]).await,
        Err(Failure::Rows(_))
    ));
    let up = found.up.to_string();
    assert!(
        up.contains("-- Rows with NULL in c get its default."),
        "{up}"
    );
    let added = "CREATE TABLE t (a INTEGER PRIMARY KEY, b INT, c INT, d TEXT NOT NULL)";
    let found = proven(from, rows, added, &["T.D='row ' || a"]).await;
    assert_eq!(
        values(&found.rows, "t"),
        ["1|1|NULL|NULL|'row 1'", "2|2|5|6|'row 2'"]
    );
    assert!(matches!(
        prove(from, rows, added, &[]).await,
        Err(Failure::Rows(_))
    ));
    let found = proven(from, "", added, &[]).await;
    assert!(found.up.to_string().contains("-- Fails if there are rows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rowid_and_its_column_are_one() {
    let (without, with) = (
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, id INTEGER PRIMARY KEY)",
    );
    let rows = "INSERT INTO t (rowid, a) VALUES (3, 'y'), (7, 'x')";
    let found = proven(without, rows, with, &[]).await;
    assert_eq!(values(&found.rows, "t"), ["3|'y'|3", "7|'x'|7"]);
    let found = proven(with, rows, without, &[]).await;
    assert_eq!(values(&found.rows, "t"), ["3|'y'", "7|'x'"]);
    assert_eq!(losses(&found), [] as [&str; 0]);
}

fn losses(found: &Proven) -> Vec<String> {
    let losses = found.up.statements.iter().flat_map(|it| &it.losses);
    losses.map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_destroyed_is_said() {
    for (from, to, expected) in [
        (
            "CREATE TABLE t (a); CREATE TABLE u (a)",
            "CREATE TABLE u (a)",
            "the rows of table t",
        ),
        (
            "CREATE TABLE t (a, b)",
            "CREATE TABLE t (a)",
            "the values of column t.b",
        ),
        (
            "CREATE TABLE t (a, b UNIQUE)",
            "CREATE TABLE t (a)",
            "the values of column t.b",
        ),
        (
            "CREATE TABLE t (a, b)",
            "CREATE TABLE t (a, b AS (a))",
            "the values of column t.b",
        ),
        ("CREATE TABLE t (a, b AS (a))", "CREATE TABLE t (a)", ""),
        (
            "CREATE TABLE t (a TEXT)",
            "CREATE TABLE t (a INT)",
            "values that do not fit, of column t.a",
        ),
        ("CREATE TABLE t (a INT)", "CREATE TABLE t (a TEXT)", ""),
        (
            "CREATE TABLE t (a VARCHAR(10))",
            "CREATE TABLE t (a TEXT)",
            "",
        ),
        (
            "CREATE TABLE t (a INTEGER)",
            "CREATE TABLE t (a REAL)",
            "values that do not fit, of column t.a",
        ),
        (
            "CREATE TABLE t (a REAL) STRICT",
            "CREATE TABLE t (a INT) STRICT",
            "values that do not fit, of column t.a",
        ),
        (
            "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)",
            "CREATE TABLE t (a INTEGER PRIMARY KEY)",
            "the next value of table t",
        ),
        (
            "CREATE VIRTUAL TABLE f USING fts5(a)",
            "",
            "the rows of virtual table f",
        ),
        (
            "CREATE VIRTUAL TABLE f USING fts5(a, b)",
            "CREATE VIRTUAL TABLE f USING fts5(b)",
            "the values of column f.a",
        ),
        (
            "CREATE VIRTUAL TABLE f USING fts5(a)",
            "CREATE VIRTUAL TABLE f USING fts5(b)",
            "the rows of virtual table f",
        ),
        (
            "CREATE VIRTUAL TABLE f USING fts5(a, content = '')",
            "CREATE VIRTUAL TABLE f USING fts5(a)",
            "the rows of virtual table f",
        ),
        (
            "CREATE VIRTUAL TABLE f USING fts5(a)",
            "CREATE VIRTUAL TABLE f USING fts5(a, content = '')",
            "the values of column f.a",
        ),
        (
            "CREATE TABLE t (a); CREATE VIRTUAL TABLE f USING fts5(a, content = 't')",
            "CREATE TABLE t (a)",
            "",
        ),
        ("CREATE VIEW v AS SELECT 1", "", ""),
    ] {
        let found = proven(from, "", to, &[]).await;
        assert_eq!(losses(&found).join(", "), expected, "{from} -> {to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_clauses_drop_no_rows() {
    let from = "CREATE TABLE t (a, b)";
    let rows = "INSERT INTO t VALUES (1, 1), (1, NULL)";
    for to in [
        "CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE, b)",
        "CREATE TABLE t (a, b NOT NULL ON CONFLICT IGNORE)",
        "CREATE TABLE t (a, b, PRIMARY KEY (a) ON CONFLICT IGNORE)",
    ] {
        assert!(
            matches!(prove(from, rows, to, &[]).await, Err(Failure::Rows(_))),
            "{to}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alter_table_is_used_where_it_is_exact() {
    for (from, to, expected) in [
        (
            "CREATE TABLE t (a)",
            "CREATE TABLE t (a, b INT DEFAULT 1)",
            "ALTER TABLE t ADD COLUMN b INT DEFAULT 1",
        ),
        (
            "CREATE TABLE t (a, b)",
            "CREATE TABLE t (a)",
            "ALTER TABLE t DROP COLUMN b",
        ),
        (
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a)",
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a, p, CONSTRAINT c FOREIGN KEY (p) REFERENCES p)",
            "ALTER TABLE t ADD COLUMN p CONSTRAINT c REFERENCES p",
        ),
        (
            "CREATE TABLE t (a, b, c); CREATE VIEW v AS SELECT a FROM t; CREATE INDEX i ON t (b)",
            "CREATE TABLE t (a, c); CREATE VIEW v AS SELECT a FROM t",
            "DROP INDEX i; ALTER TABLE t DROP COLUMN b",
        ),
        (
            "CREATE TABLE t (\"group\", b)",
            "CREATE TABLE t (\"group\", [b c] AS (\"group\"))",
            "ALTER TABLE t ADD COLUMN [b c] AS (\"group\"); ALTER TABLE t DROP COLUMN b",
        ),
    ] {
        let found = proven(from, "", to, &[]).await;
        let texts = found.up.statements.iter().map(|it| it.sql.as_str());
        assert_eq!(texts.collect::<Vec<_>>().join("; "), expected);
    }
}
