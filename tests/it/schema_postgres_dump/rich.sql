-- One object or more of every kind, with attributes that a dump could lose.
-- Roles: {owner}, {reader}, {writer}; the tests give them names. Lines that end in `-- since VERSION` need that version.
SET check_function_bodies = off;
CREATE SCHEMA shop;
CREATE SCHEMA "Odd ""schema""";
CREATE SCHEMA audit AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA shop TO {owner}, {reader}, {writer} WITH GRANT OPTION;
COMMENT ON SCHEMA shop IS 'It''s a \shop\';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
COMMENT ON SCHEMA public IS 'Unused';

CREATE EXTENSION citext WITH SCHEMA shop;
COMMENT ON EXTENSION citext IS 'ours';
CREATE EXTENSION btree_gist;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION intarray;

-- Types.
CREATE COLLATION shop.posix (PROVIDER = libc, LOCALE = 'C');
CREATE COLLATION shop.blind (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
COMMENT ON COLLATION shop.blind IS 'ignores case';
CREATE TYPE shop.status AS ENUM ('new', 'it''s paid', 'sent');
ALTER TYPE shop.status ADD VALUE 'packed' BEFORE 'sent';
ALTER TYPE shop.status OWNER TO {owner};
GRANT USAGE ON TYPE shop.status TO {reader} WITH GRANT OPTION;
REVOKE USAGE ON TYPE shop.status FROM PUBLIC;
CREATE TYPE shop.empty AS ENUM ();
CREATE TYPE shop.point3 AS (x double precision, y numeric(10, 2), "Z" text COLLATE "C", t timestamp(3) with time zone[]);
COMMENT ON TYPE shop.point3 IS 'three';
COMMENT ON COLUMN shop.point3."Z" IS 'up';
CREATE TYPE shop.nothing AS ();
CREATE DOMAIN shop.email AS varchar(200) COLLATE "C" DEFAULT 'none@example.org' NOT NULL
    CONSTRAINT has_at CHECK (VALUE LIKE '%@%') CHECK (VALUE NOT IN ('a@b', 'c@d'));
COMMENT ON DOMAIN shop.email IS 'address';
COMMENT ON CONSTRAINT has_at ON DOMAIN shop.email IS 'at';
ALTER DOMAIN shop.email ADD CONSTRAINT later CHECK (length(VALUE) > 3) NOT VALID;
REVOKE ALL ON DOMAIN shop.email FROM PUBLIC;
CREATE DOMAIN shop.emails AS shop.email[];
CREATE FUNCTION shop.distance(a time, b time) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT extract(epoch FROM (a - b))::float8';
CREATE TYPE shop.timerange AS RANGE (SUBTYPE = time, SUBTYPE_DIFF = shop.distance);
CREATE TYPE shop.textspan AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_pattern_ops, MULTIRANGE_TYPE_NAME = shop.textspans); -- since 14

-- Sequences.
CREATE SEQUENCE shop.plain;
CREATE SEQUENCE shop.small AS smallint START 7 INCREMENT -3 MINVALUE -100 MAXVALUE 100 CACHE 5 CYCLE;
CREATE UNLOGGED SEQUENCE shop.unlogged; -- since 15
ALTER SEQUENCE shop.plain OWNER TO {owner};
GRANT USAGE, SELECT ON SEQUENCE shop.plain TO {reader};
COMMENT ON SEQUENCE shop.plain IS 'numbers';

-- Functions.
CREATE FUNCTION shop.add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5
    AS $$ SELECT a + b $$;
CREATE FUNCTION shop.next_code() RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET "TimeZone" TO 'UTC' SET search_path TO 'shop', 'pg_temp' SET work_mem TO '8MB'
    AS $body$ BEGIN RETURN $$x$$ || nextval('plain'); END $body$;
CREATE FUNCTION shop.uses_later() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM shop.orders';
CREATE FUNCTION shop.parsed(a integer, VARIADIC rest text[] DEFAULT '{a,b}') RETURNS text -- since 14
    LANGUAGE sql IMMUTABLE RETURN rest[a] || CASE WHEN rest[1] IN ('x'::varchar, 'y') THEN 'z' END; -- since 14
CREATE PROCEDURE shop.do_it(INOUT a integer, b text) LANGUAGE sql BEGIN ATOMIC SELECT a; SELECT b; END; -- since 14
CREATE PROCEDURE shop.by_text(a integer) LANGUAGE plpgsql AS 'BEGIN COMMIT; END';
CREATE FUNCTION shop.rows(OUT a integer, OUT b text) RETURNS SETOF record LANGUAGE sql ROWS 5 LEAKPROOF STRICT
    AS $$ SELECT 1, 'x' $$;
CREATE FUNCTION shop.as_table(n integer) RETURNS TABLE (a integer, "B" text) LANGUAGE sql PARALLEL RESTRICTED
    AS $$ SELECT 1, 'x' $$;
CREATE FUNCTION shop.poly(a anyelement, b anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION shop.poly(a text) RETURNS text LANGUAGE sql WINDOW AS 'SELECT a';
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION shop.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION shop."Odd $$ name"("Arg one" text, "select" integer) RETURNS text LANGUAGE sql
    AS $_$ SELECT "Arg one" || '$$' $_$;
ALTER FUNCTION shop.add(integer, integer) OWNER TO {owner};
REVOKE EXECUTE ON FUNCTION shop.add(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shop.add(integer, integer) TO {writer};
COMMENT ON FUNCTION shop.add(integer, integer) IS 'adds';
COMMENT ON PROCEDURE shop.do_it(integer, text) IS 'does'; -- since 14
CREATE AGGREGATE shop.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', COMBINEFUNC = int4pl, PARALLEL = SAFE,
    MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = integer, MINITCOND = '0');
CREATE AGGREGATE shop.counted(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE shop.middle(double precision ORDER BY double precision)
    (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE shop.top(integer) (SFUNC = int4larger, STYPE = integer, SORTOP = >);
COMMENT ON AGGREGATE shop.total(integer) IS 'sum';
REVOKE EXECUTE ON FUNCTION shop.counted() FROM PUBLIC;
CREATE FUNCTION shop.same(a shop.point3, b shop.point3) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a.x = b.x';
CREATE OPERATOR shop.=== (FUNCTION = shop.same, LEFTARG = shop.point3, RIGHTARG = shop.point3, COMMUTATOR = OPERATOR(shop.===),
    NEGATOR = OPERATOR(shop.!==), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE FUNCTION shop.differ(a shop.point3, b shop.point3) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a.x <> b.x';
CREATE OPERATOR shop.!== (FUNCTION = shop.differ, LEFTARG = shop.point3, RIGHTARG = shop.point3, NEGATOR = OPERATOR(shop.===), COMMUTATOR = OPERATOR(shop.!==));
COMMENT ON OPERATOR shop.=== (shop.point3, shop.point3) IS 'same';
CREATE FUNCTION shop.up(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE OPERATOR shop.@@@ (FUNCTION = shop.up, RIGHTARG = integer);
CREATE FUNCTION shop.to_text(shop.point3) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.x::text';
CREATE CAST (shop.point3 AS text) WITH FUNCTION shop.to_text(shop.point3) AS ASSIGNMENT;
CREATE CAST (shop.status AS bytea) WITH INOUT;
CREATE CAST (date AS integer) WITHOUT FUNCTION;
COMMENT ON CAST (shop.status AS bytea) IS 'bytes';

-- Text search.
CREATE TEXT SEARCH DICTIONARY shop.stem (TEMPLATE = snowball, Language = english, StopWords = english);
CREATE TEXT SEARCH DICTIONARY shop.simple_dict (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION shop.search (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION shop.search ADD MAPPING FOR asciiword, word WITH shop.stem, shop.simple_dict;
ALTER TEXT SEARCH CONFIGURATION shop.search ADD MAPPING FOR numword WITH simple;
COMMENT ON TEXT SEARCH CONFIGURATION shop.search IS 'words';

-- Foreign data.
CREATE FOREIGN DATA WRAPPER dummy OPTIONS (debug 'true');
COMMENT ON FOREIGN DATA WRAPPER dummy IS 'dummy';
CREATE SERVER files TYPE 'a' VERSION '1.2' FOREIGN DATA WRAPPER dummy OPTIONS (host 'x', "Odd" 'it''s');
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'elsewhere', dbname 'd');
GRANT USAGE ON FOREIGN SERVER files TO {reader};
ALTER SERVER files OWNER TO {super};
CREATE USER MAPPING FOR PUBLIC SERVER files OPTIONS (username 'x');
CREATE USER MAPPING FOR {reader} SERVER elsewhere OPTIONS ("user" 'x');

-- Tables.
CREATE TABLE shop.customers (
    id bigserial PRIMARY KEY,
    email shop.email,
    name text COLLATE "C" NOT NULL,
    nick shop.citext,
    kind varchar(20) NOT NULL DEFAULT 'person' CONSTRAINT kinds CHECK (kind IN ('person', 'company')),
    code text DEFAULT shop.next_code(),
    place shop.point3,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    price numeric(12, 4) DEFAULT -1.5,
    born date DEFAULT '2000-01-02',
    seen timestamp with time zone DEFAULT now(),
    wait interval DEFAULT '1 day -02:00:00',
    upper_name text GENERATED ALWAYS AS (upper(name) || kind) STORED,
    small smallserial,
    big integer DEFAULT nextval('shop.plain'),
    state shop.status DEFAULT 'new' NOT NULL,
    "Odd Column" text DEFAULT E'a\\b\nc''d',
    "order" integer,
    hours shop.timerange,
    blob bytea DEFAULT '\x00ff',
    money money DEFAULT 5.5,
    CONSTRAINT name_key UNIQUE (name, kind) INCLUDE (email) WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT nick_key UNIQUE NULLS NOT DISTINCT (nick), -- since 15
    CONSTRAINT nested CHECK (price BETWEEN 0 AND 9 AND ("order", small) = (1, 2) AND kind NOT IN (name, code, 'x') OR "order" NOT BETWEEN 1 AND 2 OR born IS NULL),
    CONSTRAINT positive CHECK (price > 0 OR price IN (-1.5, -2)) NO INHERIT,
    CONSTRAINT no_overlap EXCLUDE USING gist (name WITH =, hours WITH &&) WHERE (price > 1) DEFERRABLE
) WITH (autovacuum_enabled = false, fillfactor = 80, toast.autovacuum_enabled = off);
ALTER TABLE shop.customers ALTER COLUMN name SET STORAGE EXTERNAL;
ALTER TABLE shop.customers ALTER COLUMN code SET COMPRESSION pglz; -- since 14
ALTER TABLE shop.customers ALTER COLUMN kind SET STATISTICS 500;
ALTER TABLE shop.customers ALTER COLUMN kind SET (n_distinct = -0.5);
ALTER TABLE shop.customers ADD CONSTRAINT not_checked CHECK (name <> '') NOT VALID;
ALTER TABLE shop.customers DROP COLUMN big;
COMMENT ON TABLE shop.customers IS 'people
and companies';
COMMENT ON COLUMN shop.customers.name IS 'full name';
COMMENT ON CONSTRAINT name_key ON shop.customers IS 'unique';
COMMENT ON SEQUENCE shop.customers_id_seq IS 'ids';
GRANT SELECT ON shop.customers TO {reader};
GRANT ALL ON shop.customers TO {writer} WITH GRANT OPTION;
GRANT UPDATE (name, kind), SELECT (name) ON shop.customers TO {reader};
GRANT USAGE ON SEQUENCE shop.customers_id_seq TO {reader};
CREATE INDEX customers_lower ON shop.customers (lower(name) text_pattern_ops DESC NULLS LAST, (price + 1) NULLS FIRST, kind COLLATE "C")
    INCLUDE (code) WITH (fillfactor = 60) WHERE kind IN ('person', 'x') AND price > 0;
CREATE UNIQUE INDEX customers_code ON shop.customers (code);
CREATE INDEX customers_gin ON shop.customers USING gin (tags) WITH (fastupdate = off);
CREATE INDEX customers_gist ON shop.customers USING gist (hours);
CREATE INDEX customers_added ON shop.customers ((shop.add("order", 2)));
CREATE INDEX customers_brin ON shop.customers USING brin (seen) WITH (pages_per_range = 8);
CREATE INDEX customers_tsv ON shop.customers USING gist (to_tsvector('shop.search', name) tsvector_ops (siglen = 200)); -- since 13
ALTER INDEX shop.customers_lower ALTER COLUMN 1 SET STATISTICS 300;
COMMENT ON INDEX shop.customers_code IS 'codes';
ALTER TABLE shop.customers CLUSTER ON customers_code;
CREATE STATISTICS shop.customers_stats (ndistinct, mcv) ON kind, name, (price * 2) FROM shop.customers; -- since 14
CREATE STATISTICS shop.customers_expression ON (lower(name)) FROM shop.customers; -- since 14
ALTER STATISTICS shop.customers_stats SET STATISTICS 50; -- since 14
COMMENT ON STATISTICS shop.customers_stats IS 'stats'; -- since 14

CREATE TABLE shop.orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number bigint GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME shop.order_numbers START WITH 100 INCREMENT BY 10 CACHE 2 CYCLE),
    customer bigint NOT NULL REFERENCES shop.customers ON UPDATE CASCADE ON DELETE RESTRICT,
    code text REFERENCES shop.customers (code) MATCH FULL ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    parent integer REFERENCES shop.orders ON DELETE CASCADE,
    a integer, b integer,
    late timestamp(2) without time zone,
    UNIQUE (a, b)
);
GRANT SELECT ON SEQUENCE shop.order_numbers TO {reader};
COMMENT ON SEQUENCE shop.order_numbers IS 'order numbers';
ALTER TABLE shop.orders REPLICA IDENTITY FULL;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON shop.orders;
CREATE POLICY own_rows ON shop.orders AS RESTRICTIVE FOR UPDATE TO {reader}, {writer}
    USING (customer IN (SELECT id FROM shop.customers WHERE kind IN ('a', 'b'))) WITH CHECK (number > 0);
COMMENT ON POLICY own_rows ON shop.orders IS 'own';
CREATE TABLE shop.lines (
    order_id integer, line integer NOT NULL, a integer, b integer DEFAULT 5, note text,
    CONSTRAINT lines_ab FOREIGN KEY (a, b) REFERENCES shop.orders (a, b) ON DELETE SET NULL (a), -- since 15
    CONSTRAINT lines_b FOREIGN KEY (b, a) REFERENCES shop.orders (b, a) ON DELETE SET DEFAULT
);
ALTER TABLE shop.lines ADD CONSTRAINT lines_order FOREIGN KEY (order_id) REFERENCES shop.orders NOT VALID;
ALTER TABLE shop.lines ADD CONSTRAINT lines_unique UNIQUE (line);
ALTER TABLE shop.lines REPLICA IDENTITY USING INDEX lines_unique;
COMMENT ON CONSTRAINT lines_order ON shop.lines IS 'late';
ALTER TABLE shop.lines OWNER TO {owner};
GRANT SELECT ON shop.lines TO {reader};
SET ROLE {owner};
GRANT SELECT ON shop.lines TO {writer} WITH GRANT OPTION;
SET ROLE {writer};
GRANT SELECT ON shop.lines TO {super};
RESET ROLE;
REVOKE DELETE, TRUNCATE ON shop.lines FROM {owner};
CREATE TABLE shop.private (a integer);
REVOKE ALL ON shop.private FROM {super};
CREATE UNLOGGED TABLE shop.scratch (a serial, b integer GENERATED BY DEFAULT AS IDENTITY);
CREATE TABLE shop.no_columns ();
CREATE TABLE shop.a_first (id integer PRIMARY KEY, other integer);
CREATE TABLE shop.a_second (id integer PRIMARY KEY, other integer REFERENCES shop.a_first);
ALTER TABLE shop.a_first ADD FOREIGN KEY (other) REFERENCES shop.a_second;
CREATE TABLE shop.of_type OF shop.point3 (x WITH OPTIONS NOT NULL DEFAULT 1, PRIMARY KEY (x));
CREATE TABLE "Odd ""schema"""."Odd.table" ("a""b" integer CHECK ("a""b" > 0), "select" text, "größe" integer);
CREATE INDEX "Odd index" ON "Odd ""schema"""."Odd.table" ("select", "a""b");
CREATE TABLE shop.with_sequence (a integer);
CREATE SEQUENCE shop.owned_only OWNED BY shop.with_sequence.a;
CREATE SEQUENCE shop.used_elsewhere OWNED BY shop.with_sequence.a;
ALTER TABLE shop.a_first ADD c integer DEFAULT nextval('shop.used_elsewhere');
CREATE TABLE audit.log (id serial, what text);
ALTER TABLE audit.log OWNER TO {owner};
GRANT USAGE ON SEQUENCE audit.log_id_seq TO {reader};
CREATE FUNCTION shop.first_id(shop.with_sequence) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.a';
ALTER TABLE shop.with_sequence ADD CONSTRAINT by_row CHECK (shop.first_id(with_sequence) > 0);
CREATE FUNCTION shop.of_row(shop.with_sequence) RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER TABLE shop.with_sequence ADD b integer DEFAULT shop.of_row(NULL);

-- Inheritance.
CREATE TABLE shop.base (a integer NOT NULL DEFAULT 1, b text, CONSTRAINT base_a CHECK (a > 0));
CREATE TABLE shop.base2 (c integer);
CREATE TABLE shop.child (d integer, b text, CONSTRAINT child_d CHECK (d > 0)) INHERITS (shop.base, shop.base2);
ALTER TABLE shop.child ALTER COLUMN a SET DEFAULT 5;
ALTER TABLE shop.child ALTER COLUMN c SET NOT NULL;
ALTER TABLE shop.child ALTER COLUMN c SET STATISTICS 10;
COMMENT ON COLUMN shop.child.a IS 'inherited';
CREATE TABLE shop.adopted (b text, x integer, a integer NOT NULL, CONSTRAINT base_a CHECK (a > 0));
ALTER TABLE shop.adopted INHERIT shop.base;
CREATE TABLE shop.no_default () INHERITS (shop.base);
ALTER TABLE shop.no_default ALTER COLUMN a DROP DEFAULT;

-- Partitions.
CREATE TABLE shop.events (
    id bigint NOT NULL, at timestamp with time zone NOT NULL, kind text DEFAULT 'x', customer bigint REFERENCES shop.customers,
    PRIMARY KEY (id, at), CONSTRAINT events_kind CHECK (kind <> '')
) PARTITION BY RANGE (at);
CREATE INDEX events_kind_idx ON shop.events (kind);
CREATE TABLE shop.events_2024 PARTITION OF shop.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE shop.events_2025 PARTITION OF shop.events (kind DEFAULT 'y', CONSTRAINT own CHECK (id > 0))
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (id);
CREATE TABLE shop.events_2025_a PARTITION OF shop.events_2025 FOR VALUES IN (1, 2);
CREATE TABLE shop.events_2025_rest PARTITION OF shop.events_2025 DEFAULT;
CREATE TABLE shop.events_old (kind text, customer bigint, gone integer, at timestamp with time zone NOT NULL, id bigint NOT NULL,
    CONSTRAINT events_kind CHECK (kind <> ''));
ALTER TABLE shop.events_old DROP COLUMN gone;
ALTER TABLE shop.events ATTACH PARTITION shop.events_old FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
CREATE INDEX events_customer ON shop.events (customer) WHERE customer > 0;
CREATE INDEX events_lower ON shop.events (lower(kind));
COMMENT ON INDEX shop.events_2024_kind_idx IS 'made by the server';
CREATE TABLE shop.listed (a text, "B" date) PARTITION BY LIST (a);
CREATE TABLE shop.listed_1 PARTITION OF shop.listed FOR VALUES IN ('it''s', 'b\', NULL) PARTITION BY RANGE ("B");
CREATE TABLE shop.listed_1_1 PARTITION OF shop.listed_1 FOR VALUES FROM ('-infinity') TO (MAXVALUE);
CREATE TABLE shop.hashed (a integer, b text COLLATE "C") PARTITION BY HASH (a, lower(b));
CREATE TABLE shop.hashed_0 PARTITION OF shop.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 50);
CREATE TABLE shop.hashed_1 (LIKE shop.hashed);
CREATE UNIQUE INDEX hashed_1_own ON shop.hashed_1 (a);
ALTER TABLE shop.hashed ATTACH PARTITION shop.hashed_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX hashed_a ON ONLY shop.hashed (a);
CREATE INDEX hashed_0_a_idx ON shop.hashed_0 (a);
ALTER INDEX shop.hashed_a ATTACH PARTITION shop.hashed_0_a_idx;
CREATE TABLE shop.keyed (a integer, b integer) PARTITION BY LIST (a);
CREATE TABLE shop.keyed_1 (b integer, a integer NOT NULL CONSTRAINT "My key" PRIMARY KEY);
ALTER TABLE shop.keyed ATTACH PARTITION shop.keyed_1 FOR VALUES IN (1);
CREATE TABLE shop.keyed_2 PARTITION OF shop.keyed FOR VALUES IN (2);
ALTER TABLE shop.keyed ADD CONSTRAINT keyed_pk PRIMARY KEY (a);
CREATE TABLE shop.to_keyed (a integer REFERENCES shop.keyed, b integer REFERENCES shop.keyed_1);
CREATE FOREIGN TABLE shop.remote (a integer OPTIONS (column_name 'x') NOT NULL, b text DEFAULT 'z', CONSTRAINT remote_check CHECK (a > 0))
    SERVER elsewhere OPTIONS (schema_name 's', table_name 'it''s');
COMMENT ON FOREIGN TABLE shop.remote IS 'far';
GRANT SELECT ON shop.remote TO {reader};
ALTER FOREIGN TABLE shop.remote OWNER TO {owner};

-- Views.
CREATE VIEW shop.people WITH (security_barrier = true) AS
    SELECT c.id, c.name AS "Full Name", 1 AS "?column?" FROM shop.customers c WHERE c.kind IN ('person', 'x') WITH LOCAL CHECK OPTION;
CREATE VIEW shop.grouped AS SELECT o.id, o.late, count(*) AS n FROM shop.orders o LEFT JOIN shop.lines USING (a, b) GROUP BY o.id;
CREATE VIEW shop.recursive AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r;
CREATE VIEW shop.a_view AS SELECT * FROM shop.people, shop.as_table(3) t;
ALTER VIEW shop.people ALTER COLUMN id SET DEFAULT 7;
COMMENT ON VIEW shop.people IS 'people';
COMMENT ON COLUMN shop.people.id IS 'number';
GRANT SELECT (id) ON shop.people TO {reader};
GRANT SELECT ON shop.grouped TO {reader};
CREATE VIEW shop.checked AS SELECT * FROM shop.lines WHERE a > 0 WITH CASCADED CHECK OPTION;
CREATE MATERIALIZED VIEW shop.counts WITH (fillfactor = 90) AS SELECT kind, count(*) AS n, shop.uses_later() AS u FROM shop.customers GROUP BY kind;
CREATE UNIQUE INDEX counts_kind ON shop.counts (kind);
COMMENT ON MATERIALIZED VIEW shop.counts IS 'counts';
CREATE MATERIALIZED VIEW shop.unfilled AS SELECT 1 AS a WITH NO DATA;
CREATE FUNCTION shop.of_view(shop.people) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE VIEW shop.by_function AS SELECT shop.of_view(p) FROM shop.people p;

-- What acts.
CREATE TRIGGER touch BEFORE INSERT OR UPDATE OF name, kind ON shop.customers FOR EACH ROW
    WHEN (NEW.kind IN ('a', 'b')) EXECUTE FUNCTION shop.touch('it''s', 'a\b', '');
CREATE TRIGGER changed AFTER UPDATE ON shop.customers REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION shop.touch();
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON shop.lines FROM shop.orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE TRIGGER emptied BEFORE TRUNCATE ON shop.lines EXECUTE FUNCTION shop.touch();
CREATE TRIGGER in_place INSTEAD OF INSERT ON shop.a_view FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE TRIGGER of_partitions AFTER INSERT ON shop.events FOR EACH ROW EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.customers DISABLE TRIGGER touch;
ALTER TABLE shop.customers ENABLE ALWAYS TRIGGER changed;
ALTER TABLE shop.lines ENABLE REPLICA TRIGGER emptied;
COMMENT ON TRIGGER touch ON shop.customers IS 'touches';
CREATE RULE forward AS ON UPDATE TO shop.lines WHERE NEW.a > 0 AND NEW.note IN ('x'::varchar, 'y') DO INSTEAD
    (INSERT INTO shop.with_sequence VALUES (NEW.a); DELETE FROM shop.with_sequence WHERE a = OLD.a);
CREATE RULE nothing AS ON DELETE TO shop.lines DO ALSO NOTHING;
CREATE RULE of_view AS ON INSERT TO shop.recursive DO INSTEAD INSERT INTO shop.with_sequence VALUES (NEW.n) RETURNING a;
ALTER TABLE shop.lines DISABLE RULE nothing;
COMMENT ON RULE nothing ON shop.lines IS 'nothing';
CREATE EVENT TRIGGER watch ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION shop.watch();
CREATE EVENT TRIGGER watch_all ON sql_drop EXECUTE FUNCTION shop.watch();
ALTER EVENT TRIGGER watch_all DISABLE;
COMMENT ON EVENT TRIGGER watch IS 'watches';
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, delete');
CREATE PUBLICATION several FOR TABLE shop.customers (id, name) WHERE (price > 0), shop.orders; -- since 15
CREATE PUBLICATION rooted FOR TABLE shop.customers, shop.orders WITH (publish_via_partition_root = true); -- since 13
CREATE PUBLICATION whole FOR TABLE shop.orders, TABLES IN SCHEMA audit; -- since 15
CREATE PUBLICATION nothing;
COMMENT ON PUBLICATION nothing IS 'empty';
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO {reader};
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {reader}, {writer};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO {writer};
