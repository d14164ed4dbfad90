-- Run as a role that may create objects in the schema PLACE, which is in the search path of others:
-- for every name of an operator, function, type and catalog that SQL of others may use, one of its own.
-- Each calls nextval of a sequence whose comment says what it is, and of one for all. That counts even where
-- the transaction is rolled back, and fails where it is read only.
CREATE SEQUENCE PLACE.any_called;
DO $plant$
DECLARE
    thing record;
    number integer := 0;
    noted pg_catalog.text := '';
    body pg_catalog.text;
    called pg_catalog.text;
    texts CONSTANT pg_catalog.text[] := pg_catalog.string_to_array(
        'text,name,character varying,character,"char",smallint,integer,bigint,numeric,oid,boolean,timestamp with time zone,interval,text[]', ',');
    numbers CONSTANT pg_catalog.text[] := pg_catalog.string_to_array(
        'smallint,integer,bigint,real,double precision,numeric,oid,interval,timestamp without time zone,timestamp with time zone', ',');
    every CONSTANT pg_catalog.text[] := pg_catalog.string_to_array(
        'text,name,character varying,character,"char",smallint,integer,bigint,real,double precision,numeric,oid,regclass,boolean,timestamp with time zone,timestamp without time zone,interval,xid,inet,pg_lsn,text[],name[],oid[],integer[],"char"[],jsonb', ',');
BEGIN
    SET LOCAL search_path TO pg_catalog;
    SET LOCAL check_function_bodies TO off;

    FOR thing IN
        SELECT 'operator ' || o.name AS what, o.name, l.type AS l, r.type AS r, 'boolean' AS result
        FROM unnest('{=,<>,<,>,<=,>=,~~,!~~,~,!~}'::text[]) AS o (name),
            unnest(every) AS l (type), unnest(every) AS r (type)
        UNION ALL
        SELECT 'operator ' || o.name, o.name, l.type, r.type, l.type
        FROM unnest('{+,-,*,/,%,<<,>>,&,|}'::text[]) AS o (name),
            unnest(numbers) AS l (type), unnest(numbers) AS r (type)
        UNION ALL
        SELECT 'operator ||', '||', l.type, r.type, 'text'
        FROM unnest(texts) AS l (type), unnest(texts) AS r (type)
        UNION ALL
        SELECT 'operator ' || o.name, o.name, l.type, r.type, 'text'
        FROM unnest('{->,->>,#>>}'::text[]) AS o (name),
            unnest('{json,jsonb}'::text[]) AS l (type), unnest('{text,integer,text[]}'::text[]) AS r (type)
        ORDER BY 1
    LOOP
        IF thing.what <> noted THEN
            number := number + 1;
            noted := thing.what;
            called := format('%I.%I', 'PLACE', 'called_' || number);
            EXECUTE format('CREATE SEQUENCE %s', called);
            EXECUTE format('COMMENT ON SEQUENCE %s IS %L', called, noted);
        END IF;
        body := format('BEGIN PERFORM pg_catalog.nextval(''PLACE.any_called''::pg_catalog.regclass), pg_catalog.nextval(%L::pg_catalog.regclass); RETURN NULL; END', called);
        EXECUTE format('CREATE FUNCTION PLACE.%I (%s, %s) RETURNS %s LANGUAGE plpgsql AS %L',
            'operator_' || number, thing.l, thing.r, thing.result, body);
        EXECUTE format('CREATE OPERATOR PLACE.%s (FUNCTION = PLACE.%I, LEFTARG = %s, RIGHTARG = %s)',
            thing.name, 'operator_' || number, thing.l, thing.r);
    END LOOP;

    -- Functions and aggregates with the very arguments that those of the system have.
    FOR thing IN
        SELECT p.proname AS name, p.proretset AS retset,
            CASE WHEN r.typtype = 'p' AND r.typname NOT IN ('record', 'void')
                AND r.typname NOT LIKE 'any%' THEN 'text' ELSE format_type(r.oid, NULL) END AS result,
            (SELECT coalesce(string_agg(
                    CASE WHEN n.number = cardinality(p.proargtypes) AND p.provariadic <> 0 THEN 'VARIADIC ' ELSE '' END
                    || CASE WHEN t.typname <> 'any' THEN format_type(t.oid, NULL)
                        WHEN p.provariadic <> 0 THEN 'anyarray' ELSE 'anyelement' END, ', ' ORDER BY n.number), '')
                FROM unnest(p.proargtypes) WITH ORDINALITY AS n (oid, number) JOIN pg_type AS t ON t.oid = n.oid) AS arguments
        FROM pg_proc AS p JOIN pg_type AS r ON r.oid = p.prorettype
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a', 'w')
            AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS a (oid) JOIN pg_type AS t ON t.oid = a.oid
                WHERE t.typtype = 'p' AND t.typname NOT LIKE 'any%')
            AND (r.typname NOT LIKE 'any%' OR EXISTS (SELECT FROM unnest(p.proargtypes) AS a (oid)
                JOIN pg_type AS t ON t.oid = a.oid WHERE t.typname LIKE 'any%'))
        UNION ALL
        SELECT f.name, false, 'text', a.arguments
        FROM unnest('{concat,format,concat_ws,count,max,min,string_agg,array_agg}'::text[]) AS f (name),
            unnest('{text,bigint,"text, text","text, text, text","text, name","text, name, name","text, integer","text, bigint"}'::text[]) AS a (arguments)
        ORDER BY 1
    LOOP
        IF 'function ' || thing.name <> noted THEN
            number := number + 1;
            noted := 'function ' || thing.name;
            called := format('%I.%I', 'PLACE', 'called_' || number);
            EXECUTE format('CREATE SEQUENCE %s', called);
            EXECUTE format('COMMENT ON SEQUENCE %s IS %L', called, noted);
        END IF;
        body := format('BEGIN PERFORM pg_catalog.nextval(''PLACE.any_called''::pg_catalog.regclass), pg_catalog.nextval(%L::pg_catalog.regclass); RETURN%s; END', called,
            CASE WHEN thing.retset OR thing.result = 'void' THEN '' ELSE ' NULL' END);
        BEGIN
            EXECUTE format('CREATE FUNCTION PLACE.%I (%s) RETURNS %s%s LANGUAGE plpgsql AS %L', thing.name,
                thing.arguments, CASE WHEN thing.retset THEN 'SETOF ' ELSE '' END, thing.result, body);
        EXCEPTION
            -- Twice the same after "any" was replaced, or what plpgsql does not take.
            WHEN duplicate_function OR feature_not_supported OR invalid_function_definition THEN NULL;
        END;
    END LOOP;

    -- Types with the names of the system's, which check their values by code of their own.
    FOR thing IN
        SELECT t.typname AS name FROM pg_type AS t
        WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AND t.typelem = 0
            AND has_type_privilege(t.oid, 'USAGE') AND t.typname NOT LIKE '\_%'
        ORDER BY 1
    LOOP
        number := number + 1;
        called := format('%I.%I', 'PLACE', 'called_' || number);
        EXECUTE format('CREATE SEQUENCE %s', called);
        EXECUTE format('COMMENT ON SEQUENCE %s IS %L', called, 'type ' || thing.name);
        body := format('BEGIN PERFORM pg_catalog.nextval(''PLACE.any_called''::pg_catalog.regclass), pg_catalog.nextval(%L::pg_catalog.regclass); RETURN true; END', called);
        EXECUTE format('CREATE FUNCTION PLACE.%I (pg_catalog.%I) RETURNS boolean LANGUAGE plpgsql AS %L',
            'check_' || number, thing.name, body);
        EXECUTE format('CREATE DOMAIN PLACE.%I AS pg_catalog.%1$I CHECK (PLACE.%I(VALUE))',
            thing.name, 'check_' || number);
    END LOOP;

    -- Catalogs, as views that run code.
    FOR thing IN
        SELECT c.relname AS name FROM pg_class AS c
        WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v')
            AND c.relname <> 'pg_statistic_ext_data'
            AND NOT EXISTS (SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
                WHERE a.attrelid = c.oid AND t.typtype = 'p')
        ORDER BY 1
    LOOP
        number := number + 1;
        called := format('%I.%I', 'PLACE', 'called_' || number);
        EXECUTE format('CREATE SEQUENCE %s', called);
        EXECUTE format('COMMENT ON SEQUENCE %s IS %L', called, 'catalog ' || thing.name);
        EXECUTE format('CREATE FUNCTION PLACE.%I () RETURNS boolean LANGUAGE sql AS %L', 'look_' || number,
            format('SELECT (pg_catalog.nextval(''PLACE.any_called''::pg_catalog.regclass), pg_catalog.nextval(%L::pg_catalog.regclass)) IS NOT NULL', called));
        EXECUTE format('CREATE VIEW PLACE.%I AS SELECT c.* FROM pg_catalog.%1$I AS c WHERE PLACE.%I()',
            thing.name, 'look_' || number);
    END LOOP;
END
$plant$;
