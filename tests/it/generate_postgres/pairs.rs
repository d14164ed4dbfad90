//! Changes of several objects that depend on each other.

/// Two schemas.
pub struct Pair {
    pub name: &'static str,
    /// What both have.
    pub shared: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    /// Rows of the first one.
    pub rows: &'static str,
    /// A part of the reason of the refusal.
    pub refused: Option<&'static str>,
}

/// Rows of `"name": ["shared",] "from" => "to" [with "rows"] [refused "reason"];`.
macro_rules! pairs {
    ($( $name:literal: $([$shared:literal])? $from:literal => $to:literal
        $(with $rows:literal)? $(refused $refused:literal)? ; )*) => {
        &[ $( Pair {
            name: $name,
            shared: concat!("" $(, $shared)?),
            from: $from,
            to: $to,
            rows: concat!("" $(, $rows)?),
            refused: [$(Some($refused),)? None][0],
        } ),* ]
    };
}

pub const PAIRS: &[Pair] = pairs! {
    // Elements of arrays.
    "an array becomes a value without a cast from its elements":
        "CREATE TYPE e AS ENUM ('1', '2'); CREATE TABLE t (id int, a e[], b jsonb, c int[]);"
        => "CREATE TYPE e AS ENUM ('1', '2'); CREATE TABLE t (id int, a jsonb, b e[], c numeric);"
        with "INSERT INTO t VALUES (1, '{1}', '2', '{3}'), (2, NULL, NULL, NULL)";

    // Generated columns.
    "a generated column becomes an ordinary one of another type":
        "CREATE TABLE t (id int PRIMARY KEY, n bigint GENERATED ALWAYS AS (id * 2) STORED);"
        => "CREATE TABLE t (id int PRIMARY KEY, n text[] DEFAULT '{}');"
        with "INSERT INTO t VALUES (1), (2)";

    // Enums.
    "a value is added and used":
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (id int, s e DEFAULT 'a');"
        => "CREATE TYPE e AS ENUM ('a', 'x', 'b', 'c'); CREATE TABLE t (id int, s e DEFAULT 'x', CHECK (s <> 'c'));"
        with "INSERT INTO t VALUES (1, 'b')";
    "a value is removed":
        "CREATE TYPE e AS ENUM ('a', 'b', 'c'); CREATE TABLE t (id int, s e DEFAULT 'a' NOT NULL, l e[]);"
        => "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (id int, s e DEFAULT 'b' NOT NULL, l e[]);"
        with "INSERT INTO t VALUES (1, 'b', '{a,b}')";
    "values in another order, with dependents":
        ["CREATE FUNCTION f(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT x';"]
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (id int PRIMARY KEY, s e DEFAULT 'a', CHECK (s <> 'b' OR id > 0));
         CREATE INDEX i ON t (s) WHERE s = 'a'; CREATE VIEW v AS SELECT id, s FROM t WHERE s = 'a'; CREATE VIEW w AS SELECT * FROM v;
         CREATE FUNCTION g(x e) RETURNS e LANGUAGE sql AS 'SELECT x'; CREATE POLICY p ON t USING (s = 'a');"
        => "CREATE TYPE e AS ENUM ('b', 'a'); CREATE TABLE t (id int PRIMARY KEY, s e DEFAULT 'a', CHECK (s <> 'b' OR id > 0));
         CREATE INDEX i ON t (s) WHERE s = 'a'; CREATE VIEW v AS SELECT id, s FROM t WHERE s = 'a'; CREATE VIEW w AS SELECT * FROM v;
         CREATE FUNCTION g(x e) RETURNS e LANGUAGE sql AS 'SELECT x'; CREATE POLICY p ON t USING (s = 'a');"
        with "INSERT INTO t VALUES (1, 'b'), (2, 'a')";
    "an enum in a domain and in a composite type":
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE DOMAIN d AS e DEFAULT 'a' CHECK (VALUE <> 'b'); CREATE TYPE c AS (x e, y int);
         CREATE TABLE t (p d, q c);"
        => "CREATE TYPE e AS ENUM ('b', 'a'); CREATE DOMAIN d AS e DEFAULT 'a' CHECK (VALUE <> 'b'); CREATE TYPE c AS (x e, y int);
         CREATE TABLE t (p d, q c);"
        with "INSERT INTO t VALUES ('a', ROW('b', 1))";
    "an enum becomes text":
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (s e DEFAULT 'a');"
        => "CREATE TABLE t (s text DEFAULT 'a');"
        with "INSERT INTO t VALUES ('b')";
    "the type of a column in the key of a partition":
        "CREATE TABLE t (id int, s int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1) PARTITION BY LIST (s);"
        => "CREATE TABLE t (id int, s bigint) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1) PARTITION BY LIST (s);"
        refused "partition key";
    "a new table refers to a column that gets another type":
        "CREATE TABLE z (id text PRIMARY KEY);"
        => "CREATE TABLE z (id uuid PRIMARY KEY); CREATE TABLE a (id int, z uuid REFERENCES z);";
    "an enum in a key that others refer to":
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE p (s e PRIMARY KEY); CREATE TABLE c (s e REFERENCES p);"
        => "CREATE TYPE e AS ENUM ('b', 'a'); CREATE TABLE p (s e PRIMARY KEY); CREATE TABLE c (s e REFERENCES p);"
        with "INSERT INTO p VALUES ('a'); INSERT INTO c VALUES ('a')";
    "an enum in a partitioned table":
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (id int, s e DEFAULT 'a') PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);"
        => "CREATE TYPE e AS ENUM ('b', 'a'); CREATE TABLE t (id int, s e DEFAULT 'a') PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);"
        with "INSERT INTO t VALUES (1, 'b')";
    // Domains, composite types, ranges, collations.
    "a domain's type":
        "CREATE DOMAIN d AS varchar(10) CHECK (VALUE <> ''); CREATE TABLE t (a d DEFAULT 'x' NOT NULL); CREATE VIEW v AS SELECT a FROM t;"
        => "CREATE DOMAIN d AS text CHECK (VALUE <> ''); CREATE TABLE t (a d DEFAULT 'x' NOT NULL); CREATE VIEW v AS SELECT a FROM t;"
        with "INSERT INTO t VALUES ('q')";
    "a domain's type without a cast":
        "CREATE DOMAIN d AS text; CREATE TABLE t (a d);" => "CREATE DOMAIN d AS integer; CREATE TABLE t (a d);"
        with "INSERT INTO t VALUES ('7')";
    "a domain over a domain":
        "CREATE DOMAIN d AS integer; CREATE DOMAIN e AS d CHECK (VALUE > 0); CREATE TABLE t (a e);"
        => "CREATE DOMAIN d AS bigint; CREATE DOMAIN e AS d CHECK (VALUE > 0); CREATE TABLE t (a e);"
        with "INSERT INTO t VALUES (7)";
    "a composite type's attribute gets another type":
        "CREATE TYPE c AS (a int, b text); CREATE TABLE t (x c, y c[]); CREATE FUNCTION f(x c) RETURNS int LANGUAGE sql AS 'SELECT x.a';"
        => "CREATE TYPE c AS (a bigint, b text); CREATE TABLE t (x c, y c[]); CREATE FUNCTION f(x c) RETURNS int LANGUAGE sql AS 'SELECT 1';"
        with "INSERT INTO t VALUES (ROW(1, 'b'), ARRAY[ROW(2, 'c')::c]), (NULL, NULL)";
    "a composite type's attributes": "CREATE TYPE c AS (a int, b text);" => "CREATE TYPE c AS (a int, d date);";
    "a range's subtype":
        "CREATE TYPE r AS RANGE (subtype = int4); CREATE TABLE t (a r DEFAULT r(1, 2), b r[]); CREATE INDEX i ON t USING gist (a);
         CREATE FUNCTION f(x r) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW v AS SELECT lower(a) AS l FROM t; CREATE DOMAIN d AS r; CREATE TABLE u (x d, y int);"
        => "CREATE TYPE r AS RANGE (subtype = int8); CREATE TABLE t (a r DEFAULT r(1, 2), b r[]); CREATE INDEX i ON t USING gist (a);
         CREATE FUNCTION f(x r) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW v AS SELECT lower(a) AS l FROM t; CREATE DOMAIN d AS r; CREATE TABLE u (x d, y int);"
        with "INSERT INTO t VALUES ('[1,2)', '{\"[3,5)\",empty}'); INSERT INTO u VALUES ('[7,)', 1)";
    "a range's difference function":
        "CREATE FUNCTION g(a float8, b float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT a - b'; CREATE TYPE my_range AS RANGE (subtype = float8); CREATE TABLE t (a my_range, CHECK (a <> my_range(1, 1)));"
        => "CREATE FUNCTION g(a float8, b float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT a - b'; CREATE TYPE my_range AS RANGE (subtype = float8, subtype_diff = g, multirange_type_name = mr); CREATE TABLE t (a my_range, CHECK (a <> my_range(1, 1)));"
        with "INSERT INTO t VALUES ('[1,2)')";
    "a collation that columns have":
        "CREATE COLLATION k (provider = libc, locale = 'C'); CREATE TABLE t (a text COLLATE k, b int); CREATE INDEX i ON t (a);"
        => "CREATE COLLATION k (provider = libc, locale = 'POSIX'); CREATE TABLE t (a text COLLATE k, b int); CREATE INDEX i ON t (a);"
        with "INSERT INTO t VALUES ('a', 1)";
    // Types of columns with what depends on them.
    "a column's type under views":
        "CREATE TABLE t (id int, a int); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a + 1 AS b FROM v; COMMENT ON VIEW w IS 'x';
         CREATE MATERIALIZED VIEW m AS SELECT a FROM v; CREATE INDEX mi ON m (a); GRANT SELECT ON v TO migrator_test_a;"
        => "CREATE TABLE t (id int, a bigint); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a + 1 AS b FROM v; COMMENT ON VIEW w IS 'x';
         CREATE MATERIALIZED VIEW m AS SELECT a FROM v; CREATE INDEX mi ON m (a); GRANT SELECT ON v TO migrator_test_a;"
        with "INSERT INTO t VALUES (1, 2)";
    "a column's type under a policy, a trigger, a rule and a generated column":
        ["CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"]
        "CREATE TABLE t (id int, a int, g int GENERATED ALWAYS AS (a + 1) STORED); CREATE POLICY p ON t USING (a > 0);
         CREATE TRIGGER g BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION tf();
         CREATE RULE r AS ON DELETE TO t WHERE old.a > 5 DO INSTEAD NOTHING; CREATE STATISTICS s ON id, a FROM t;"
        => "CREATE TABLE t (id int, a bigint, g int GENERATED ALWAYS AS (a + 1) STORED); CREATE POLICY p ON t USING (a > 0);
         CREATE TRIGGER g BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION tf();
         CREATE RULE r AS ON DELETE TO t WHERE old.a > 5 DO INSTEAD NOTHING; CREATE STATISTICS s ON id, a FROM t;"
        with "INSERT INTO t VALUES (1, 2)";
    "the types of both sides of a foreign key":
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p);" => "CREATE TABLE p (id bigint PRIMARY KEY); CREATE TABLE c (p bigint REFERENCES p);"
        with "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)";
    "the types of both sides of a foreign key without a common operator":
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p);" => "CREATE TABLE p (id text PRIMARY KEY); CREATE TABLE c (p text REFERENCES p);"
        with "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)";
    "text to integer with a default and an index":
        "CREATE TABLE t (a text DEFAULT '1', CHECK (a <> '')); CREATE INDEX i ON t (lower(a));" => "CREATE TABLE t (a integer DEFAULT 1); CREATE INDEX i ON t (a);"
        with "INSERT INTO t VALUES ('5')";
    "a type and its check":
        "CREATE TABLE t (a varchar(5) CHECK (a IN ('x', 'y')));" => "CREATE TABLE t (a text CHECK (a IN ('x', 'y', 'z')));"
        with "INSERT INTO t VALUES ('x')";
    "a scalar becomes an array":
        "CREATE TABLE t (a text);" => "CREATE TABLE t (a text[]);";
    "a column of a partitioned table":
        "CREATE TABLE t (id int, a int DEFAULT 1) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9); CREATE INDEX i ON t (a);"
        => "CREATE TABLE t (id int, a bigint DEFAULT 2 NOT NULL, b text) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9); CREATE INDEX i ON t (a, b);"
        with "INSERT INTO t VALUES (1, 1)";
    "a partition key's type":
        "CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9);"
        => "CREATE TABLE t (id bigint) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9);" refused "partition key";
    "a partition key's type without partitions":
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a int REFERENCES p, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT a FROM t;"
        => "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, a int REFERENCES p, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT a FROM t;";
    "a partition key without partitions":
        "CREATE TABLE t (id int, a int, b serial) PARTITION BY RANGE (id); ALTER SEQUENCE t_b_seq OWNED BY NONE;"
        => "CREATE TABLE t (id int, a int, b serial) PARTITION BY LIST (a); ALTER SEQUENCE t_b_seq OWNED BY NONE;";
    // Functions.
    "a function's result type under a view and a default":
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE t (id int, a bigint DEFAULT f()); CREATE VIEW v AS SELECT f() AS x;"
        => "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'; CREATE TABLE t (id int, a bigint DEFAULT f()); CREATE VIEW v AS SELECT f() AS x;"
        with "INSERT INTO t VALUES (1, 2)";
    "a function's argument under a check, an index and a generated column":
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';
         CREATE TABLE t (id int, g int GENERATED ALWAYS AS (f(id)) STORED, CHECK (f(id) > 0)); CREATE INDEX i ON t (f(id));"
        => "CREATE FUNCTION f(b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT b';
         CREATE TABLE t (id int, g int GENERATED ALWAYS AS (f(id)) STORED, CHECK (f(id) > 0)); CREATE INDEX i ON t (f(id));"
        with "INSERT INTO t VALUES (1)";
    "a function's body under a check":
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a'; CREATE TABLE t (id int CHECK (f(id) > 0));"
        => "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + 1'; CREATE TABLE t (id int CHECK (f(id) > 0));"
        with "INSERT INTO t VALUES (1)";
    "a function that calls a later one":
        "CREATE TABLE t (id int);"
        => "CREATE FUNCTION z() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'; CREATE FUNCTION a() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.z()';
         CREATE TABLE t (id int, x int GENERATED ALWAYS AS (id + a()) STORED, y int DEFAULT a());"
        with "INSERT INTO t VALUES (1)";
    "a trigger function becomes another one":
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE t (id int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
        => "CREATE FUNCTION f2() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TABLE t (id int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f2();";
    "an aggregate over a changed function":
        "CREATE FUNCTION f(s bigint, v int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT s + v'; CREATE AGGREGATE g(int) (sfunc = f, stype = bigint);
         CREATE TABLE t (a int); CREATE VIEW v AS SELECT g(a) AS x FROM t;"
        => "CREATE FUNCTION f(state bigint, v int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT state + v'; CREATE AGGREGATE g(int) (sfunc = f, stype = bigint, initcond = '1');
         CREATE TABLE t (a int); CREATE VIEW v AS SELECT g(a) AS x FROM t;";
    "a function over a table's rows":
        "CREATE TABLE t (id int); CREATE FUNCTION f(x t) RETURNS int LANGUAGE sql AS 'SELECT x.id'; CREATE FUNCTION g() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM public.t';"
        => "CREATE TABLE t (id int, a text); CREATE FUNCTION f(x t) RETURNS int LANGUAGE sql AS 'SELECT x.id + 1'; CREATE FUNCTION g() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM public.t';";
    // Views.
    "a view gets a column at the end": ["CREATE TABLE t (id int, a int);"]
        "CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM v;" => "CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW w AS SELECT id FROM v;";
    "a view loses a column": ["CREATE TABLE t (id int, a int);"]
        "CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW w AS SELECT id FROM v;" => "CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM v;";
    "a view becomes a table": "CREATE TABLE b (id int); CREATE VIEW v AS SELECT id FROM b; CREATE VIEW w AS SELECT id FROM v;"
        => "CREATE TABLE b (id int); CREATE TABLE v (id int); CREATE VIEW w AS SELECT id FROM v;";
    "a view becomes a materialized view": "CREATE TABLE b (id int); CREATE VIEW v AS SELECT id FROM b;"
        => "CREATE TABLE b (id int); CREATE MATERIALIZED VIEW v AS SELECT id FROM b; CREATE UNIQUE INDEX i ON v (id);";
    "a rebuilt view has all that belongs to it":
        "CREATE TABLE t (id int, a text); CREATE VIEW v AS SELECT a FROM t; ALTER VIEW v ALTER a SET DEFAULT 'x'; COMMENT ON COLUMN v.a IS 'c';
         CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING; ALTER VIEW v OWNER TO migrator_test_a; GRANT SELECT (a) ON v TO migrator_test_b;"
        => "CREATE TABLE t (id int, a text); CREATE VIEW v AS SELECT a, id FROM t WHERE id > 1; ALTER VIEW v ALTER a SET DEFAULT 'x'; COMMENT ON COLUMN v.a IS 'c';
         CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING; ALTER VIEW v OWNER TO migrator_test_a; GRANT SELECT (a) ON v TO migrator_test_b;";
    "a dropped column of a view": "CREATE TABLE t (id int, a int); CREATE VIEW v AS SELECT id, a FROM t;" => "CREATE TABLE t (id int); CREATE VIEW v AS SELECT id FROM t;";
    "a view instead of a dropped table": "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE VIEW v AS SELECT id FROM a;" => "CREATE TABLE b (id int); CREATE VIEW v AS SELECT id FROM b;";
    // Cycles.
    "tables that refer to each other are added": "" => "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;";
    "a table and a view that a policy uses": "" => "CREATE TABLE t (id int); CREATE VIEW v AS SELECT id FROM t; CREATE POLICY p ON t USING (id IN (SELECT id FROM v)); ALTER TABLE t ENABLE ROW LEVEL SECURITY;";
    "a table and a function that its default uses": "" => "CREATE TABLE t (id int); CREATE FUNCTION f(x t) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER TABLE t ADD a int DEFAULT f(NULL);";
    "a table and a trigger over its rows": "" => "CREATE TABLE t (id int); CREATE FUNCTION f(x t) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'; ALTER TABLE t ADD CHECK (f(t.*)); CREATE INDEX i ON t ((f(t.*)));";
    // Keys.
    "a unique constraint that a foreign key uses": "CREATE TABLE p (a int, b int, UNIQUE (a)); CREATE TABLE c (a int REFERENCES p (a));"
        => "CREATE TABLE p (a int, b int, UNIQUE (a) INCLUDE (b)); CREATE TABLE c (a int REFERENCES p (a));"
        with "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)";
    "another primary key": "CREATE TABLE t (a int PRIMARY KEY, b int);" => "CREATE TABLE t (a int, b int PRIMARY KEY);" with "INSERT INTO t VALUES (1, 2)";
    "a unique constraint becomes the primary key": "CREATE TABLE p (a int NOT NULL UNIQUE); CREATE TABLE c (a int REFERENCES p (a));"
        => "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE c (a int REFERENCES p (a));" with "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)";
    "an index becomes a constraint": "CREATE TABLE t (a int); CREATE UNIQUE INDEX k ON t (a);" => "CREATE TABLE t (a int, CONSTRAINT k UNIQUE (a));" with "INSERT INTO t VALUES (1)";
    "a check becomes a unique constraint": "CREATE TABLE t (a int CONSTRAINT k CHECK (a > 0));" => "CREATE TABLE t (a int CONSTRAINT k UNIQUE);" with "INSERT INTO t VALUES (1)";
    "a foreign key is validated": ["CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int);"]
        "ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES p NOT VALID;" => "ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES p;";
    "a column with everything is dropped":
        "CREATE TABLE t (id int, a int UNIQUE CHECK (a > 0)); CREATE INDEX i ON t (a, id); CREATE TABLE c (a int REFERENCES t (a)); CREATE STATISTICS s ON id, a FROM t; COMMENT ON COLUMN t.a IS 'x';"
        => "CREATE TABLE t (id int); CREATE TABLE c (a int);" with "INSERT INTO t VALUES (1, 1)";
    "constraints and indexes get other names":
        "CREATE TABLE p (id int CONSTRAINT a1 PRIMARY KEY, a int CONSTRAINT a2 UNIQUE, b int CONSTRAINT a3 CHECK (b > 0));
         CREATE TABLE c (p int CONSTRAINT a4 REFERENCES p, q int4range, CONSTRAINT a5 EXCLUDE USING gist (q WITH &&)); CREATE UNIQUE INDEX a6 ON c (p);
         ALTER TABLE c REPLICA IDENTITY FULL; CREATE VIEW v AS SELECT id, a FROM p GROUP BY id; COMMENT ON INDEX a6 IS 'i';
         COMMENT ON CONSTRAINT a3 ON p IS 'x'; CREATE DOMAIN d AS int CONSTRAINT a7 CHECK (VALUE > 0);"
        => "CREATE TABLE p (id int CONSTRAINT b1 PRIMARY KEY, a int CONSTRAINT b2 UNIQUE, b int CONSTRAINT b3 CHECK (b > 0));
         CREATE TABLE c (p int CONSTRAINT b4 REFERENCES p, q int4range, CONSTRAINT b5 EXCLUDE USING gist (q WITH &&)); CREATE UNIQUE INDEX b6 ON c (p);
         ALTER TABLE c REPLICA IDENTITY FULL; CREATE VIEW v AS SELECT id, a FROM p GROUP BY id; COMMENT ON INDEX b6 IS 'j';
         COMMENT ON CONSTRAINT b3 ON p IS 'y'; CREATE DOMAIN d AS int CONSTRAINT b7 CHECK (VALUE > 0);"
        with "INSERT INTO p VALUES (1, 1, 1); INSERT INTO c VALUES (1, '[1,2)')";
    "names of indexes that others had":
        "CREATE TABLE a (x int, y int); CREATE INDEX i ON a (x); CREATE INDEX j ON a (y); CREATE TABLE b (x int, y int); CREATE INDEX k ON b (x); CREATE INDEX l ON b (y);"
        => "CREATE TABLE a (x int, y int); CREATE INDEX k ON a (x); CREATE INDEX n ON a (y); CREATE TABLE b (x int, y int); CREATE INDEX i ON b (x); CREATE INDEX j ON b (y);";
    "another name and another type":
        "CREATE TABLE t (a int CONSTRAINT k UNIQUE, b int); CREATE INDEX i ON t ((b + 1)); ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0), REPLICA IDENTITY NOTHING;"
        => "CREATE TABLE t (a text CONSTRAINT l UNIQUE, b bigint); CREATE INDEX j ON t ((b + 1)); ALTER TABLE t ADD CONSTRAINT d CHECK (b > 0), REPLICA IDENTITY NOTHING;"
        with "INSERT INTO t VALUES (1, 2)";
    "another name of the index of the replica identity":
        "CREATE TABLE t (a int NOT NULL CONSTRAINT k UNIQUE); ALTER TABLE t REPLICA IDENTITY USING INDEX k, CLUSTER ON k;"
        => "CREATE TABLE t (a int NOT NULL CONSTRAINT l UNIQUE); ALTER TABLE t REPLICA IDENTITY USING INDEX l, CLUSTER ON l;" with "INSERT INTO t VALUES (1)";
    "another name of an index that becomes the replica identity":
        "CREATE TABLE t (a int NOT NULL CONSTRAINT k UNIQUE);" => "CREATE TABLE t (a int NOT NULL CONSTRAINT l UNIQUE); ALTER TABLE t REPLICA IDENTITY USING INDEX l;"
        with "INSERT INTO t VALUES (1)";
    "other names in a partitioned table":
        "CREATE TABLE t (id int CONSTRAINT k UNIQUE, a int CONSTRAINT c CHECK (a > 0)) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX i ON t (a); CREATE INDEX o ON t1 (id, a);"
        => "CREATE TABLE t (id int CONSTRAINT l UNIQUE, a int CONSTRAINT d CHECK (a > 0)) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX j ON t (a); CREATE INDEX q ON t1 (id, a);"
        with "INSERT INTO t VALUES (1, 1)";
    "another key of a partitioned table under another name":
        "CREATE TABLE t (id int CONSTRAINT k UNIQUE, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX i ON t (a);"
        => "CREATE TABLE t (id int CONSTRAINT l UNIQUE DEFERRABLE, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX j ON t (a DESC);"
        with "INSERT INTO t VALUES (1, 1)";
    "the index of a partition without that of the table":
        "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX i ON t (a);"
        => "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX t1_a_idx ON t1 (a);"
        with "INSERT INTO t VALUES (1, 1)";
    // Sequences.
    "serial becomes identity": "CREATE TABLE t (id serial PRIMARY KEY);" => "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY);" with "INSERT INTO t DEFAULT VALUES";
    "serial becomes a plain integer": "CREATE TABLE t (id serial PRIMARY KEY);" => "CREATE TABLE t (id int PRIMARY KEY);" with "INSERT INTO t DEFAULT VALUES";
    "serial becomes bigserial": "CREATE TABLE t (id serial PRIMARY KEY);" => "CREATE TABLE t (id bigserial PRIMARY KEY);" with "INSERT INTO t DEFAULT VALUES";
    "a sequence gets another owner": "CREATE TABLE a (id int); CREATE SEQUENCE s OWNED BY a.id;" => "CREATE TABLE b (id int); CREATE SEQUENCE s OWNED BY b.id;";
    "a column gets a sequence": "CREATE TABLE t (id int NOT NULL);" => "CREATE SEQUENCE s; CREATE TABLE t (id int NOT NULL DEFAULT nextval('s')); ALTER SEQUENCE s OWNED BY t.id;" with "INSERT INTO t VALUES (5)";
    "a serial column is added": "CREATE TABLE t (a int);" => "CREATE TABLE t (a int, id serial);" with "INSERT INTO t VALUES (5)";
    "an identity's type": "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY);" => "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 5000000000));" with "INSERT INTO t DEFAULT VALUES";
    // Inheritance and partitions.
    "a parent's column is added": "CREATE TABLE p (id int); CREATE TABLE c (x int) INHERITS (p);" => "CREATE TABLE p (id int, a text DEFAULT 'q' NOT NULL CHECK (a <> '')); CREATE TABLE c (x int) INHERITS (p);"
        with "INSERT INTO c VALUES (1, 2)" ;
    "a child's own default": "CREATE TABLE p (id int DEFAULT 1); CREATE TABLE c (id int DEFAULT 5) INHERITS (p);" => "CREATE TABLE p (id int DEFAULT 2); CREATE TABLE c (id int DEFAULT 5) INHERITS (p);";
    "a partition is added": "CREATE TABLE t (id int PRIMARY KEY, a int) PARTITION BY LIST (id); CREATE INDEX i ON t (a);"
        => "CREATE TABLE t (id int PRIMARY KEY, a int) PARTITION BY LIST (id); CREATE INDEX i ON t (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);";
    "a partition with an index of another name": "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE INDEX i ON t (a);"
        => "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX mine ON t1 (a); CREATE INDEX i ON t (a);";
    "a partition's bound": "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX i ON t (a);"
        => "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1, 2); CREATE INDEX i ON t (a);" with "INSERT INTO t VALUES (1, 1)";
    "an index on a partitioned table": ["CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);"] "" => "CREATE INDEX i ON t (a); ALTER TABLE t ADD UNIQUE (id);" with "INSERT INTO t VALUES (1, 1)";
    "a table becomes a partition": "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE x (id int, a int);"
        => "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE x PARTITION OF t FOR VALUES IN (1);" with "INSERT INTO x VALUES (1, 1)";
    // Generated columns.
    "a generated column becomes an ordinary one and its source gets another type": "CREATE TABLE t (id bigint, g bigint GENERATED ALWAYS AS (id * 2) STORED);"
        => "CREATE TABLE t (id int, g int DEFAULT 1);" with "INSERT INTO t VALUES (3)";
    "a generated column's expression": "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 1) STORED); CREATE INDEX i ON t (g); CREATE VIEW v AS SELECT g FROM t;"
        => "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 2) STORED); CREATE INDEX i ON t (g); CREATE VIEW v AS SELECT g FROM t;" with "INSERT INTO t VALUES (1)";
    // Options in an order of their own.
    "options that are not sorted": ["CREATE TABLE t (a int);"]
        "" => "CREATE INDEX i ON t USING brin (a) WITH (pages_per_range = 70, autosummarize = on); CREATE TABLE u (a int) WITH (parallel_workers = 2, fillfactor = 70);
         CREATE FUNCTION f() RETURNS int LANGUAGE sql SET work_mem = '1MB' SET lock_timeout = '1s' AS 'SELECT 1';
         CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER migrator_test_order ON ddl_command_end WHEN TAG IN ('DROP TABLE', 'ALTER TABLE') EXECUTE FUNCTION e();";
    // Names and schemas.
    "schemas with all kinds of names": "" => "CREATE SCHEMA \"Odd Name\"; CREATE TYPE \"Odd Name\".\"T\" AS ENUM ('A''s'); CREATE TABLE \"Odd Name\".\"select\" (\"Order\" \"Odd Name\".\"T\" DEFAULT 'A''s', \"a b\" text);
         CREATE INDEX \"I x\" ON \"Odd Name\".\"select\" (\"a b\");";
    "a schema is dropped with everything": "CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a'); CREATE TABLE s.t (id serial, e s.e); CREATE VIEW s.v AS SELECT e FROM s.t; CREATE FUNCTION s.f(x s.e) RETURNS int LANGUAGE sql AS 'SELECT 1';" => "";
    "default privileges that hold": ["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO migrator_test_a; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;"]
        "" => "CREATE TABLE t (id serial); REVOKE ALL ON t FROM migrator_test_a; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION f() TO PUBLIC; CREATE VIEW v AS SELECT 1 AS a;";
    "privileges of columns stay": "CREATE TABLE t (a int, b int); GRANT SELECT, UPDATE ON t TO migrator_test_a; GRANT UPDATE (b) ON t TO migrator_test_a;"
        => "CREATE TABLE t (a int, b int); GRANT SELECT ON t TO migrator_test_a; GRANT UPDATE (b) ON t TO migrator_test_a;";
    "a comment on a constraint and its index": "CREATE TABLE t (a int CONSTRAINT k UNIQUE);" => "CREATE TABLE t (a int CONSTRAINT k UNIQUE); COMMENT ON CONSTRAINT k ON t IS 'a'; COMMENT ON INDEX k IS 'b';";
};
