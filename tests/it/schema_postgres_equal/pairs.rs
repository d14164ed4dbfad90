//! Pairs of scripts that make the same schema. `{s}` stands for a schema of the pair's own, which is
//! the search path of both scripts, `{a}` and `{b}` for roles.

/// What the pair shows, and the two scripts.
pub type Pair = (&'static str, &'static str, &'static str);

/// The first version that knows all of a pair, where that is not the oldest supported one.
pub const SINCE: &[(&str, u32)] = &[
    ("unique constraints", 15),
    ("publications", 13),
    ("range types", 14),
    ("a body that was parsed", 14),
];

pub const TABLES: &[Pair] = &[
    (
        "order of tables",
        "CREATE TABLE x (a integer); CREATE TABLE y (a integer);",
        "CREATE TABLE y (a integer); CREATE TABLE x (a integer);",
    ),
    (
        "order of constraints",
        "CREATE TABLE x (a integer, b integer, CONSTRAINT one CHECK (a > 0), CONSTRAINT two UNIQUE (b));",
        "CREATE TABLE x (a integer, b integer, CONSTRAINT two UNIQUE (b), CONSTRAINT one CHECK (a > 0));",
    ),
    (
        "order of indexes",
        "CREATE TABLE x (a integer); CREATE INDEX i ON x (a); CREATE INDEX j ON x (a);",
        "CREATE TABLE x (a integer); CREATE INDEX j ON x (a); CREATE INDEX i ON x (a);",
    ),
    (
        "names of integer types",
        "CREATE TABLE x (a int2, b int, c int8);",
        "CREATE TABLE x (a smallint, b integer, c bigint);",
    ),
    (
        "names of character types",
        "CREATE TABLE x (a varchar, b varchar(20), c char, d char(3), e bpchar);",
        "CREATE TABLE x (a character varying, b character varying(20), c character(1), d bpchar(3), e \"bpchar\");",
    ),
    (
        "names of numeric types",
        "CREATE TABLE x (a decimal, b decimal(10), c float, d float(20), e float8, f dec(4, 2));",
        "CREATE TABLE x (a numeric, b numeric(10, 0), c double precision, d real, e float(53), f numeric(4,2));",
    ),
    (
        "names of times",
        "CREATE TABLE x (a timestamptz, b timestamp, c timetz(2), d timestamp(3), e time);",
        "CREATE TABLE x (a timestamp with time zone, b timestamp without time zone, c time(2) with time zone, \
         d timestamp(3) without time zone, e time without time zone);",
    ),
    (
        "names of other types",
        "CREATE TABLE x (a bool, b varbit(5), c bit, d text[], e integer[3][4], f interval year to month);",
        "CREATE TABLE x (a boolean, b bit varying(5), c bit(1), d text ARRAY, e int4[], f INTERVAL YEAR TO MONTH);",
    ),
    (
        "case and quotes of names",
        "CREATE TABLE X (A integer, \"b\" text, \"Order\" integer);",
        "create table \"x\" (a INTEGER, B text, \"Order\" integer);",
    ),
    (
        "names with escapes",
        "CREATE TABLE x (\"größe\" integer);",
        "CREATE TABLE x (U&\"gr\\00F6\\00DFe\" integer);",
    ),
    (
        "names with and without schema",
        "CREATE TABLE x (a integer PRIMARY KEY); CREATE VIEW v AS SELECT a FROM x;",
        "SET search_path TO ''; CREATE TABLE {s}.x (a integer PRIMARY KEY); CREATE VIEW {s}.v AS SELECT x.a FROM {s}.x;",
    ),
    (
        "the schema of a moved table",
        "CREATE SCHEMA {s}_2; CREATE TABLE {s}_2.x (a serial PRIMARY KEY); ALTER TABLE {s}_2.x SET SCHEMA {s}; DROP SCHEMA {s}_2;",
        "CREATE TABLE x (a serial PRIMARY KEY);",
    ),
    (
        "renamed objects",
        "CREATE TABLE x0 (a0 integer CONSTRAINT c0 CHECK (a0 > 0)); CREATE INDEX i0 ON x0 (a0); \
         ALTER TABLE x0 RENAME TO x; ALTER TABLE x RENAME a0 TO a; ALTER TABLE x RENAME CONSTRAINT c0 TO c; \
         ALTER INDEX i0 RENAME TO i;",
        "CREATE TABLE x (a integer CONSTRAINT c CHECK (a > 0)); CREATE INDEX i ON x (a);",
    ),
    (
        "columns that were added, and dropped ones",
        "CREATE TABLE x (a integer); ALTER TABLE x ADD gone text; ALTER TABLE x ADD b text NOT NULL DEFAULT 'x'; \
         ALTER TABLE x DROP COLUMN gone;",
        "CREATE TABLE x (a integer, b text DEFAULT 'x' NOT NULL);",
    ),
    (
        "a changed type",
        "CREATE TABLE x (a integer DEFAULT 1); ALTER TABLE x ALTER a TYPE bigint;",
        "CREATE TABLE x (a bigint DEFAULT 1);",
    ),
    (
        "a table like another",
        "CREATE TABLE x (a integer UNIQUE, b text DEFAULT 'x' CHECK (b <> '')); CREATE TABLE y (LIKE x INCLUDING ALL);",
        "CREATE TABLE x (a integer UNIQUE, b text DEFAULT 'x' CHECK (b <> '')); \
         CREATE TABLE y (a integer UNIQUE, b text DEFAULT 'x', CONSTRAINT x_b_check CHECK (b <> ''));",
    ),
    (
        "a table from a query",
        "CREATE TABLE x AS SELECT 1 AS a, 'x'::text AS b;",
        "CREATE TABLE x (a integer, b text);",
    ),
    (
        "NOT NULL",
        "CREATE TABLE x (a integer NOT NULL, b integer NULL);",
        "CREATE TABLE x (a integer, b integer NOT NULL); ALTER TABLE x ALTER a SET NOT NULL, ALTER b DROP NOT NULL;",
    ),
    (
        "options of tables",
        "CREATE TABLE x (a text) WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off);",
        "CREATE TABLE x (a text) WITH (toast.autovacuum_enabled = off, autovacuum_enabled = off); ALTER TABLE x SET (\"fillfactor\" = '70');",
    ),
    (
        "defaults of tables spelled out",
        "CREATE TABLE x (a text);",
        "CREATE TABLE x (a text COLLATE \"default\") USING heap; ALTER TABLE x ALTER a SET STORAGE EXTENDED, ALTER a SET STATISTICS -1; \
         ALTER TABLE x REPLICA IDENTITY FULL; ALTER TABLE x REPLICA IDENTITY DEFAULT; \
         ALTER TABLE x ENABLE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY; ALTER TABLE x SET UNLOGGED; ALTER TABLE x SET LOGGED; \
         ALTER TABLE x SET (fillfactor = 50); ALTER TABLE x RESET (fillfactor);",
    ),
    (
        "an owner and back",
        "CREATE TABLE x (a serial);",
        "CREATE TABLE x (a serial); ALTER TABLE x OWNER TO {a}; ALTER TABLE x OWNER TO CURRENT_USER;",
    ),
    (
        "inheritance",
        "CREATE TABLE x (a integer, CONSTRAINT c CHECK (a > 0)); CREATE TABLE y (a integer, b text, CONSTRAINT c CHECK (a > 0)) INHERITS (x);",
        "CREATE TABLE x (a integer, CONSTRAINT c CHECK (a > 0)); CREATE TABLE y (a integer, b text, CONSTRAINT c CHECK (a > 0)); ALTER TABLE y INHERIT x;",
    ),
    (
        "serial and its parts",
        "CREATE TABLE x (a serial, b bigserial, c smallserial);",
        "CREATE SEQUENCE x_a_seq AS integer; CREATE SEQUENCE x_b_seq; CREATE SEQUENCE x_c_seq AS smallint; \
         CREATE TABLE x (a integer NOT NULL DEFAULT nextval('x_a_seq'), b bigint NOT NULL DEFAULT nextval('x_b_seq'::regclass), \
         c smallint DEFAULT nextval('{s}.x_c_seq') NOT NULL); \
         ALTER SEQUENCE x_a_seq OWNED BY x.a; ALTER SEQUENCE x_b_seq OWNED BY x.b; ALTER SEQUENCE x_c_seq OWNED BY x.c;",
    ),
    (
        "identity with its defaults",
        "CREATE TABLE x (a integer GENERATED ALWAYS AS IDENTITY, b bigint GENERATED BY DEFAULT AS IDENTITY);",
        "CREATE TABLE x (a integer NOT NULL GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME x_a_seq START WITH 1 INCREMENT BY 1 \
         MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE), b bigint NOT NULL); \
         ALTER TABLE x ALTER b ADD GENERATED BY DEFAULT AS IDENTITY;",
    ),
    (
        "sequences with their defaults",
        "CREATE SEQUENCE x; CREATE SEQUENCE y INCREMENT -1;",
        "CREATE SEQUENCE x AS bigint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE OWNED BY NONE; \
         CREATE SEQUENCE y INCREMENT BY -1 NO MINVALUE NO MAXVALUE START WITH -1; SELECT nextval('x');",
    ),
];

pub const CONSTRAINTS: &[Pair] = &[
    (
        "a primary key",
        "CREATE TABLE x (a integer PRIMARY KEY);",
        "CREATE TABLE x (a integer); ALTER TABLE x ADD CONSTRAINT x_pkey PRIMARY KEY (a);",
    ),
    (
        "a primary key of the table",
        "CREATE TABLE x (a integer, b integer, PRIMARY KEY (a, b));",
        "CREATE TABLE x (a integer NOT NULL, b integer NOT NULL, CONSTRAINT x_pkey PRIMARY KEY (a, b) NOT DEFERRABLE);",
    ),
    (
        "a primary key from an index",
        "CREATE TABLE x (a integer PRIMARY KEY);",
        "CREATE TABLE x (a integer NOT NULL); CREATE UNIQUE INDEX i ON x (a); ALTER TABLE x ADD CONSTRAINT x_pkey PRIMARY KEY USING INDEX i;",
    ),
    (
        "unique constraints",
        "CREATE TABLE x (a integer UNIQUE, b integer, UNIQUE (a, b));",
        "CREATE TABLE x (a integer, b integer); ALTER TABLE x ADD UNIQUE NULLS DISTINCT (a), ADD CONSTRAINT x_a_b_key UNIQUE (a, b);",
    ),
    (
        "checks",
        "CREATE TABLE x (a integer CHECK (a > 0), b integer CONSTRAINT c CHECK (b > a));",
        "CREATE TABLE x (a integer, b integer, CONSTRAINT c CHECK (b > a), CHECK (a > 0));",
    ),
    (
        "a validated check",
        "CREATE TABLE x (a integer, CONSTRAINT c CHECK (a > 0));",
        "CREATE TABLE x (a integer); ALTER TABLE x ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE x VALIDATE CONSTRAINT c;",
    ),
    (
        "foreign keys",
        "CREATE TABLE x (a integer PRIMARY KEY); CREATE TABLE y (a integer REFERENCES x, b integer REFERENCES x (a));",
        "CREATE TABLE x (a integer PRIMARY KEY); CREATE TABLE y (a integer, b integer, FOREIGN KEY (a) REFERENCES x); \
         ALTER TABLE y ADD CONSTRAINT y_b_fkey FOREIGN KEY (b) REFERENCES {s}.x (a);",
    ),
    (
        "defaults of foreign keys spelled out",
        "CREATE TABLE x (a integer PRIMARY KEY); CREATE TABLE y (a integer REFERENCES x);",
        "CREATE TABLE x (a integer PRIMARY KEY); CREATE TABLE y (a integer REFERENCES x (a) MATCH SIMPLE ON UPDATE NO ACTION \
         ON DELETE NO ACTION NOT DEFERRABLE INITIALLY IMMEDIATE);",
    ),
    (
        "tables that reference each other",
        "CREATE TABLE x (a integer PRIMARY KEY, b integer); CREATE TABLE y (a integer PRIMARY KEY REFERENCES x); \
         ALTER TABLE x ADD FOREIGN KEY (b) REFERENCES y;",
        "CREATE TABLE y (a integer PRIMARY KEY); CREATE TABLE x (a integer PRIMARY KEY, b integer REFERENCES y); \
         ALTER TABLE y ADD FOREIGN KEY (a) REFERENCES x;",
    ),
    (
        "an exclusion constraint",
        "CREATE TABLE x (a integer, EXCLUDE (a WITH =));",
        "CREATE TABLE x (a integer); ALTER TABLE x ADD CONSTRAINT x_a_excl EXCLUDE USING btree (a int4_ops ASC WITH OPERATOR(pg_catalog.=));",
    ),
    (
        "defaults of indexes spelled out",
        "CREATE TABLE x (a text, b integer); CREATE INDEX i ON x (a, b DESC);",
        "CREATE TABLE x (a text, b integer); CREATE INDEX i ON x USING btree (a COLLATE \"default\" text_ops ASC NULLS LAST, b int4_ops DESC NULLS FIRST);",
    ),
    (
        "names of indexes",
        "CREATE TABLE x (a text, b integer); CREATE INDEX ON x (a, b); CREATE UNIQUE INDEX ON x (lower(a));",
        "CREATE TABLE x (a text, b integer); CREATE INDEX x_a_b_idx ON x (a, b); CREATE UNIQUE INDEX x_lower_idx ON x ((lower(a)));",
    ),
    (
        "conditions of indexes",
        "CREATE TABLE x (a varchar(5), b integer); CREATE INDEX i ON x (b) WHERE a IN ('p', 'q') AND b IS NOT NULL;",
        "CREATE TABLE x (a varchar(5), b integer); CREATE INDEX i ON x (b) WHERE ((a = ANY (ARRAY['p', 'q']::varchar[])) AND (b NOTNULL));",
    ),
    (
        "options of indexes",
        "CREATE TABLE x (a integer); CREATE INDEX i ON x USING brin (a) WITH (pages_per_range = 70, autosummarize = on);",
        "CREATE TABLE x (a integer); CREATE INDEX i ON x USING brin (a) WITH (autosummarize = on); ALTER INDEX i SET (pages_per_range = 70);",
    ),
    (
        "no cluster",
        "CREATE TABLE x (a integer PRIMARY KEY);",
        "CREATE TABLE x (a integer PRIMARY KEY); ALTER TABLE x CLUSTER ON x_pkey; ALTER TABLE x SET WITHOUT CLUSTER;",
    ),
];

pub const EXPRESSIONS: &[Pair] = &[
    (
        "IN on text",
        "CREATE TABLE x (a text CHECK (a IN ('p', 'q')), b text CHECK (b NOT IN ('p', 'q')));",
        "CREATE TABLE x (a text CHECK (a = ANY (ARRAY['p', 'q'])), b text CHECK (b <> ALL (ARRAY['p'::text, 'q'])));",
    ),
    (
        "IN on varchar",
        "CREATE TABLE x (a varchar(20) CHECK (a IN ('p', 'q')));",
        "CREATE TABLE x (a varchar(20) CHECK (a = ANY (ARRAY['p', 'q']::varchar[])));",
    ),
    (
        "IN on a domain over varchar",
        "CREATE DOMAIN d AS varchar(20) CHECK (VALUE IN ('p', 'q'));",
        "CREATE DOMAIN d AS varchar(20) CHECK (VALUE = ANY (ARRAY['p', 'q']::varchar[]));",
    ),
    (
        "operators with two names",
        "CREATE TABLE x (a integer, b text, CONSTRAINT c CHECK (a != 1 AND b LIKE 'x%' AND b NOT ILIKE 'y' AND a IS NOT NULL));",
        "CREATE TABLE x (a integer, b text, CONSTRAINT c CHECK (a <> 1 AND b ~~ 'x%' AND b !~~* 'y' AND a NOTNULL));",
    ),
    (
        "BETWEEN",
        "CREATE TABLE x (a integer CHECK (a BETWEEN 1 AND 5));",
        "CREATE TABLE x (a integer CHECK (a >= 1 AND a <= 5));",
    ),
    (
        "casts",
        "CREATE TABLE x (a integer, CONSTRAINT c CHECK (CAST(a AS text) <> text 'x'));",
        "CREATE TABLE x (a integer, CONSTRAINT c CHECK (a::text <> 'x'::text));",
    ),
    (
        "parentheses, spaces and comments",
        "CREATE TABLE x (a integer, CONSTRAINT c CHECK (a + 1 > 2 AND a < 9 OR a = 0));",
        "CREATE TABLE x (a integer, CONSTRAINT c CHECK (((((a)+1)>2) AND -- here\n (a < 9)) /* there */ OR ((a = 0))));",
    ),
    (
        "strings",
        "CREATE TABLE x (a text DEFAULT 'it''s a \\', b text DEFAULT 'ab', c text DEFAULT 'ä');",
        "CREATE TABLE x (a text DEFAULT E'it\\'s a \\\\', b text DEFAULT 'a'\n'b', c text DEFAULT U&'\\00E4');",
    ),
    (
        "defaults with and without casts",
        "CREATE TABLE x (a text DEFAULT 'x', b varchar(5) DEFAULT 'x', c numeric DEFAULT 0, d boolean DEFAULT true, e jsonb DEFAULT '{}', f date DEFAULT '2020-01-02');",
        "CREATE TABLE x (a text DEFAULT 'x'::text, b varchar(5) DEFAULT 'x'::varchar, c numeric DEFAULT (0), d boolean DEFAULT 't', e jsonb DEFAULT '{}'::jsonb, f date DEFAULT DATE '2020-1-2');",
    ),
    (
        "no default",
        "CREATE TABLE x (a text, b integer);",
        "CREATE TABLE x (a text DEFAULT NULL, b integer DEFAULT 5); ALTER TABLE x ALTER b DROP DEFAULT;",
    ),
    (
        "a default that was set later",
        "CREATE TABLE x (a timestamptz DEFAULT now());",
        "CREATE TABLE x (a timestamptz DEFAULT '2020-01-01'); ALTER TABLE x ALTER a SET DEFAULT pg_catalog.now();",
    ),
    (
        "generated columns",
        "CREATE TABLE x (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);",
        "CREATE TABLE x (a integer, b integer NULL GENERATED ALWAYS AS (((a)*(2))) STORED);",
    ),
    (
        "TimeZone",
        "CREATE TABLE x (a timestamptz DEFAULT '2020-01-01 12:00+00');",
        "SET TimeZone = 'America/New_York'; CREATE TABLE x (a timestamptz DEFAULT '2020-01-01 07:00');",
    ),
    (
        "DateStyle",
        "CREATE TABLE x (a date DEFAULT '2020-01-02', b timestamp CHECK (b > '2020-03-04 05:06'));",
        "SET DateStyle = 'SQL, DMY'; CREATE TABLE x (a date DEFAULT '02/01/2020', b timestamp CHECK (b > '04/03/2020 05:06'));",
    ),
    (
        "IntervalStyle",
        "CREATE TABLE x (a interval DEFAULT '1 day 02:03:04');",
        "SET IntervalStyle = sql_standard; CREATE TABLE x (a interval DEFAULT '1 2:03:04');",
    ),
    (
        "settings of output",
        "CREATE TABLE x (a bytea DEFAULT '\\x0102', b double precision DEFAULT 0.1, c real CHECK (c > 1.1::real)); CREATE VIEW v AS SELECT a, '\\x01'::bytea AS d FROM x;",
        "SET bytea_output = escape; SET extra_float_digits = 0; SET quote_all_identifiers = on; \
         CREATE TABLE x (a bytea DEFAULT '\\001\\002', b double precision DEFAULT 1e-1, c real CHECK (c > 1.1::real)); CREATE VIEW v AS SELECT a, '\\x01'::bytea AS d FROM x;",
    ),
    (
        "partition bounds",
        "CREATE TABLE x (a timestamptz) PARTITION BY RANGE (a); CREATE TABLE y PARTITION OF x FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2021-01-01 00:00+00');",
        "SET TimeZone = 'Asia/Tokyo'; CREATE TABLE x (a timestamptz) PARTITION BY RANGE (\"a\" timestamptz_ops); \
         CREATE TABLE y PARTITION OF x FOR VALUES FROM (timestamptz '2020-01-01 09:00') TO ('2021-01-01 00:00 UTC');",
    ),
];

pub const RELATIONS: &[Pair] = &[
    (
        "a partition that was attached",
        "CREATE TABLE x (a integer, b text DEFAULT 'x', CHECK (a > 0)) PARTITION BY LIST (a); CREATE TABLE y PARTITION OF x FOR VALUES IN (1, 2);",
        "CREATE TABLE x (a integer, b text DEFAULT 'x', CHECK (a > 0)) PARTITION BY LIST (a); \
         CREATE TABLE y (a integer, b text DEFAULT 'x', CONSTRAINT x_a_check CHECK (a > 0)); ALTER TABLE x ATTACH PARTITION y FOR VALUES IN (1, 2);",
    ),
    (
        "an index before and after the partition",
        "CREATE TABLE x (a integer, b text) PARTITION BY LIST (a); CREATE INDEX x_b_idx ON x (b); CREATE TABLE y PARTITION OF x DEFAULT;",
        "CREATE TABLE x (a integer, b text) PARTITION BY LIST (a); CREATE TABLE y PARTITION OF x DEFAULT; CREATE INDEX x_b_idx ON x (b);",
    ),
    (
        "indexes that were attached",
        "CREATE TABLE x (a integer, b text, PRIMARY KEY (a)) PARTITION BY LIST (a); CREATE INDEX x_b_idx ON x (b); CREATE TABLE y PARTITION OF x DEFAULT;",
        "CREATE TABLE x (a integer NOT NULL, b text) PARTITION BY LIST (a); CREATE TABLE y PARTITION OF x DEFAULT; \
         CREATE INDEX y_b_idx ON y (b); CREATE INDEX x_b_idx ON ONLY x (b); ALTER INDEX x_b_idx ATTACH PARTITION y_b_idx; \
         ALTER TABLE ONLY x ADD PRIMARY KEY (a); ALTER TABLE y ADD PRIMARY KEY (a); ALTER INDEX x_pkey ATTACH PARTITION y_pkey;",
    ),
    (
        "foreign keys of partitions",
        "CREATE TABLE x (a integer PRIMARY KEY); CREATE TABLE y (a integer REFERENCES x) PARTITION BY LIST (a); CREATE TABLE z PARTITION OF y DEFAULT;",
        "CREATE TABLE x (a integer PRIMARY KEY); CREATE TABLE y (a integer) PARTITION BY LIST (a); CREATE TABLE z PARTITION OF y DEFAULT; \
         ALTER TABLE y ADD FOREIGN KEY (a) REFERENCES x;",
    ),
    (
        "columns of a view",
        "CREATE TABLE x (a integer, b text); CREATE VIEW v AS SELECT * FROM x;",
        "CREATE TABLE x (a integer, b text); CREATE VIEW v (a, b) AS SELECT x.a, b AS b FROM {s}.x;",
    ),
    (
        "joins and conditions of a view",
        "CREATE TABLE x (a integer, b varchar); CREATE TABLE y (a integer); \
         CREATE VIEW v AS SELECT x.b FROM x INNER JOIN y ON x.a = y.a LEFT OUTER JOIN y AS z ON z.a = x.a WHERE x.b IN ('p', 'q') ORDER BY 1;",
        "CREATE TABLE x (a integer, b varchar); CREATE TABLE y (a integer); \
         CREATE VIEW v AS SELECT x.b FROM x JOIN y ON (x.a = y.a) LEFT JOIN y z ON z.a = x.a WHERE (x.b = ANY (ARRAY['p', 'q']::varchar[])) ORDER BY x.b ASC NULLS LAST;",
    ),
    (
        "a replaced view",
        "CREATE TABLE x (a integer); CREATE VIEW v AS SELECT a FROM x WHERE a > 0;",
        "CREATE TABLE x (a integer); CREATE VIEW v AS SELECT a FROM x; CREATE OR REPLACE VIEW v AS SELECT a FROM x WHERE a > 0;",
    ),
    (
        "options of views",
        "CREATE TABLE x (a integer); CREATE VIEW v WITH (security_barrier, check_option = local) AS SELECT a FROM x;",
        "CREATE TABLE x (a integer); CREATE VIEW v AS SELECT a FROM x WITH LOCAL CHECK OPTION; ALTER VIEW v SET (security_barrier = true);",
    ),
    (
        "a filled materialized view",
        "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a;",
        "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a WITH NO DATA; REFRESH MATERIALIZED VIEW v;",
    ),
    (
        "triggers",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE x (a integer); \
         CREATE TRIGGER t BEFORE INSERT OR UPDATE ON x FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION f('1'); CREATE TRIGGER u AFTER DELETE ON x EXECUTE FUNCTION f();",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE x (a integer); \
         CREATE TRIGGER t BEFORE UPDATE OR INSERT ON x FOR ROW WHEN ((new.a > 0)) EXECUTE PROCEDURE {s}.f(1); \
         CREATE TRIGGER u AFTER DELETE ON x FOR EACH STATEMENT EXECUTE FUNCTION f(); ALTER TABLE x DISABLE TRIGGER u; ALTER TABLE x ENABLE TRIGGER u;",
    ),
    (
        "policies",
        "CREATE TABLE x (a integer); CREATE POLICY p ON x; CREATE POLICY q ON x FOR SELECT TO {b}, {a} USING (a > 0);",
        "CREATE TABLE x (a integer); CREATE POLICY p ON x AS PERMISSIVE FOR ALL TO PUBLIC; CREATE POLICY q ON x FOR SELECT TO {a}, {b} USING ((a) > 0);",
    ),
    (
        "rules",
        "CREATE TABLE x (a integer); CREATE RULE r AS ON INSERT TO x DO NOTHING;",
        "CREATE TABLE x (a integer); CREATE RULE r AS ON INSERT TO x DO ALSO NOTHING;",
    ),
    (
        "statistics",
        "CREATE TABLE x (a integer, b integer); CREATE STATISTICS t ON a, b FROM x;",
        "CREATE TABLE x (a integer, b integer); CREATE STATISTICS t (mcv, dependencies, ndistinct) ON b, a FROM x;",
    ),
    (
        "publications",
        "CREATE TABLE x (a integer); CREATE TABLE y (a integer); CREATE PUBLICATION {s}_p FOR TABLE x, y;",
        "CREATE TABLE x (a integer); CREATE TABLE y (a integer); CREATE PUBLICATION {s}_p FOR TABLE y \
         WITH (publish = 'truncate, insert, update, delete', publish_via_partition_root = false); ALTER PUBLICATION {s}_p ADD TABLE ONLY x;",
    ),
];

pub const OTHERS: &[Pair] = &[
    (
        "enums",
        "CREATE TYPE e AS ENUM ('a', 'b', 'c');",
        "CREATE TYPE e AS ENUM ('a', 'd'); ALTER TYPE e ADD VALUE 'b' BEFORE 'd'; ALTER TYPE e RENAME VALUE 'd' TO 'c';",
    ),
    (
        "domains",
        "CREATE DOMAIN d AS int CHECK (VALUE > 0);",
        "CREATE DOMAIN d integer NULL; ALTER DOMAIN d ADD CONSTRAINT d_check CHECK ((VALUE > 0)) NOT VALID; ALTER DOMAIN d VALIDATE CONSTRAINT d_check;",
    ),
    (
        "composite types",
        "CREATE TYPE c AS (a int, b text);",
        "CREATE TYPE c AS (gone integer, a int4); ALTER TYPE c ADD ATTRIBUTE b text COLLATE \"default\", DROP ATTRIBUTE gone;",
    ),
    (
        "range types",
        "CREATE TYPE r AS RANGE (subtype = float8);",
        "CREATE TYPE r AS RANGE (SUBTYPE_OPCLASS = float8_ops, SUBTYPE = double precision, MULTIRANGE_TYPE_NAME = r_multirange);",
    ),
    (
        "collations",
        "CREATE COLLATION c (LOCALE = 'C');",
        "CREATE COLLATION c (PROVIDER = libc, LC_CTYPE = 'C', LC_COLLATE = 'C', DETERMINISTIC = true);",
    ),
    (
        "functions",
        "CREATE FUNCTION f(a int, b varchar = 'x') RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql STABLE;",
        "CREATE FUNCTION f(IN a integer, b character varying DEFAULT 'x'::varchar) RETURNS integer STABLE LANGUAGE 'sql' \
         CALLED ON NULL INPUT SECURITY INVOKER NOT LEAKPROOF PARALLEL UNSAFE COST 100 AS ' SELECT 1 ';",
    ),
    (
        "a replaced function",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 2'; CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() IMMUTABLE;",
    ),
    (
        "settings of functions",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql SET work_mem = '1MB' SET search_path = {s}, pg_temp AS 'SELECT 1';",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql SET search_path TO '{s}', \"pg_temp\" AS 'SELECT 1'; ALTER FUNCTION f() SET work_mem TO '1MB';",
    ),
    (
        "a body that was parsed",
        "CREATE TABLE x (a integer, b varchar); CREATE FUNCTION f() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM x WHERE b IN ('p', 'q'));",
        "CREATE TABLE x (a integer, b varchar); CREATE FUNCTION f() RETURNS bigint LANGUAGE sql RETURN (SELECT COUNT(*) FROM {s}.x WHERE x.b = ANY (ARRAY['p', 'q']::varchar[]));",
    ),
    (
        "aggregates",
        "CREATE AGGREGATE g (integer) (sfunc = int4pl, stype = int, initcond = '0');",
        "CREATE AGGREGATE g (int4) (INITCOND = 0, STYPE = integer, SFUNC = pg_catalog.int4pl, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = UNSAFE);",
    ),
    (
        "operators",
        "CREATE FUNCTION f(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; CREATE OPERATOR === (FUNCTION = f, LEFTARG = integer, RIGHTARG = integer);",
        "CREATE FUNCTION f(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; CREATE OPERATOR {s}.=== (RIGHTARG = int4, LEFTARG = int4, PROCEDURE = {s}.f);",
    ),
    (
        "a granted privilege that was revoked",
        "CREATE TABLE x (a integer); CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';",
        "CREATE TABLE x (a integer); GRANT SELECT ON x TO {a}; REVOKE SELECT ON x FROM {a}; GRANT UPDATE (a) ON x TO {a}; REVOKE UPDATE (a) ON x FROM {a}; \
         CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION f() FROM PUBLIC; GRANT EXECUTE ON FUNCTION f() TO PUBLIC;",
    ),
    (
        "the order of privileges",
        "CREATE TABLE x (a integer); GRANT SELECT, INSERT ON x TO {a}, {b};",
        "CREATE TABLE x (a integer); GRANT INSERT ON x TO {b}; GRANT SELECT ON x TO {b}; GRANT INSERT, SELECT ON TABLE {s}.x TO {a};",
    ),
    (
        "all privileges",
        "CREATE SEQUENCE x; GRANT ALL ON SEQUENCE x TO {a};",
        "CREATE SEQUENCE x; GRANT USAGE, UPDATE, SELECT ON SEQUENCE x TO {a};",
    ),
    (
        "default privileges that were revoked",
        "SELECT 1;",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO {a}; ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE SELECT ON TABLES FROM {a};",
    ),
    (
        "privileges by default",
        "CREATE TABLE x (a integer); GRANT SELECT ON x TO {a};",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO {a}; CREATE TABLE x (a integer); \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE SELECT ON TABLES FROM {a};",
    ),
    (
        "comments",
        "CREATE TABLE x (a integer); COMMENT ON COLUMN x.a IS 'it''s'; CREATE VIEW v AS SELECT a FROM x;",
        "CREATE TABLE x (a integer); COMMENT ON TABLE x IS 'x'; COMMENT ON TABLE x IS NULL; COMMENT ON COLUMN x.a IS E'it\\'s'; \
         CREATE VIEW v AS SELECT a FROM x; COMMENT ON VIEW v IS 'x'; COMMENT ON VIEW v IS '';",
    ),
    (
        "text search",
        "CREATE TEXT SEARCH CONFIGURATION c (PARSER = \"default\"); ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word, asciiword WITH simple, english_stem;",
        "CREATE TEXT SEARCH CONFIGURATION c (PARSER = pg_catalog.\"default\"); ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR asciiword WITH simple; \
         ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word WITH simple, english_stem; ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR asciiword WITH pg_catalog.simple, english_stem;",
    ),
    (
        "foreign servers",
        "CREATE FOREIGN DATA WRAPPER {s}_w; CREATE SERVER {s}_s FOREIGN DATA WRAPPER {s}_w OPTIONS (b '2', a '1'); CREATE USER MAPPING FOR {a} SERVER {s}_s;",
        "CREATE FOREIGN DATA WRAPPER {s}_w NO HANDLER NO VALIDATOR; CREATE SERVER {s}_s FOREIGN DATA WRAPPER {s}_w OPTIONS (\"a\" '3', b '2'); ALTER SERVER {s}_s OPTIONS (SET a '1'); \
         CREATE USER MAPPING FOR {a} SERVER {s}_s OPTIONS (x 'y'); ALTER USER MAPPING FOR {a} SERVER {s}_s OPTIONS (DROP x);",
    ),
];

/// Expressions that the server shows with other words, and so do the dumps.
pub const WORDS: &[Pair] = &[
    (
        "IN on varchar as the server shows it",
        "CREATE TABLE x (a varchar(20) CHECK (a IN ('p', 'q')));",
        "CREATE TABLE x (a varchar(20) CHECK (((a)::text = ANY ((ARRAY['p'::character varying, 'q'::character varying])::text[]))));",
    ),
    (
        "BETWEEN as the server shows it",
        "CREATE TABLE x (a integer, b integer, CONSTRAINT c CHECK (a BETWEEN 1 AND 5 AND b > 0 OR (a, b) = (1, 2)));",
        "CREATE TABLE x (a integer, b integer, CONSTRAINT c CHECK (((((a >= 1) AND (a <= 5)) AND (b > 0)) OR ((a = 1) AND (b = 2)))));",
    ),
    (
        "NOT IN on varchar as the server shows it",
        "CREATE TABLE x (a varchar(20)); CREATE INDEX i ON x (a) WHERE a NOT IN ('p', 'q'); CREATE VIEW v AS SELECT a FROM x WHERE a IN ('p');",
        "CREATE TABLE x (a varchar(20)); CREATE INDEX i ON x (a) WHERE (((a)::text <> ALL ((ARRAY['p'::character varying, 'q'::character varying])::text[]))); \
         CREATE VIEW v AS SELECT x.a FROM x WHERE ((x.a)::text = 'p'::text);",
    ),
];

/// Tables that differ only in the order of their columns: no difference, but another dump.
pub const COLUMN_ORDER: Pair = (
    "the order of columns",
    "CREATE TABLE x (a integer, b text); CREATE INDEX i ON x (a, b);",
    "CREATE TABLE x (b text, a integer); CREATE INDEX i ON x (a, b);",
);
