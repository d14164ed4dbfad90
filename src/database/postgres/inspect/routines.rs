//! Functions, procedures, aggregates, operators and casts.

use super::{
    Query, Version,
    catalog::{Catalog, FIRST_USER_OID, class},
    fields::{Fault, Fields},
    privileges::acl,
};
use crate::schema::{
    Facts, Kind, ObjectId,
    postgres::{Aggregate, Cast, Operator, Options, Routine, is_name_list, split_names},
    quoted,
};

/// A condition that leaves out the members of extensions, whose definitions would take time, and the
/// functions that the server makes for range types.
const NO_MEMBER: &str = "p.oid NOT IN (SELECT d.objid FROM pg_depend AS d \
     WHERE d.classid = 'pg_proc'::regclass AND d.deptype IN ('e', 'i'))";

pub(super) fn queries(version: Version) -> Vec<Query> {
    let mut queries = vec![
        Query::new(
            format!(
                "SELECT p.oid, p.proname, p.pronamespace, p.proowner, p.proacl, \
                 oidvectortypes(p.proargtypes), p.prokind, pg_get_function_arguments(p.oid), \
                 pg_get_function_result(p.oid), l.lanname, p.prosrc, p.probin, p.provolatile, \
                 p.proisstrict, p.prosecdef, p.proleakproof, p.proparallel, p.procost, p.prorows, \
                 p.proretset, s.pronamespace, s.proname, \
                 ARRAY(SELECT format_type(t.oid, NULL) FROM unnest(p.protrftypes) AS t (oid)), \
                 p.proconfig FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang \
                 LEFT JOIN pg_proc AS s ON s.oid = p.prosupport \
                 WHERE p.oid >= {FIRST_USER_OID} AND p.prokind <> 'a' AND {NO_MEMBER}"
            ),
            read_routine,
        )
        .on_catalogs(&["pg_proc"])
        .with_names_of("pg_proc"),
        Query::new(
            format!(
                "SELECT p.oid, p.proname, p.pronamespace, p.proowner, p.proacl, \
                 oidvectortypes(p.proargtypes), pg_get_function_arguments(p.oid), a.aggkind, \
                 {} FROM pg_aggregate AS a JOIN pg_proc AS p ON p.oid = a.aggfnoid \
                 WHERE p.oid >= {FIRST_USER_OID} AND {NO_MEMBER}",
                aggregate_columns()
            ),
            read_aggregate,
        )
        .on_catalogs(&["pg_proc", "pg_aggregate"])
        .with_names_of("pg_proc"),
        Query::new(
            format!(
                "SELECT o.oid, o.oprname, o.oprnamespace, o.oprowner, \
                 CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) ELSE 'NONE' END, \
                 CASE WHEN o.oprright <> 0 THEN format_type(o.oprright, NULL) ELSE 'NONE' END, \
                 p.pronamespace, p.proname, c.oprnamespace, c.oprname, n.oprnamespace, n.oprname, \
                 r.pronamespace, r.proname, j.pronamespace, j.proname, o.oprcanhash, o.oprcanmerge \
                 FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode \
                 LEFT JOIN pg_operator AS c ON c.oid = o.oprcom \
                 LEFT JOIN pg_operator AS n ON n.oid = o.oprnegate \
                 LEFT JOIN pg_proc AS r ON r.oid = o.oprrest \
                 LEFT JOIN pg_proc AS j ON j.oid = o.oprjoin WHERE o.oid >= {FIRST_USER_OID}"
            ),
            read_operator,
        )
        .on_catalogs(&["pg_operator"]),
        Query::new(
            format!(
                "SELECT c.oid, format_type(c.castsource, NULL), format_type(c.casttarget, NULL), \
                 p.oid::regprocedure, c.castmethod, c.castcontext \
                 FROM pg_cast AS c LEFT JOIN pg_proc AS p ON p.oid = c.castfunc \
                 WHERE c.oid >= {FIRST_USER_OID} {}",
                // The server makes the cast from a range to its multirange.
                version.since(
                    14,
                    "AND (c.castsource, c.casttarget) NOT IN \
                     (SELECT r.rngtypid, r.rngmultitypid FROM pg_range AS r)",
                    ""
                )
            ),
            read_cast,
        )
        .on_catalogs(&["pg_cast"]),
    ];
    if version.has(14) {
        let sql = format!(
            "SELECT p.oid, pg_get_function_sqlbody(p.oid) FROM pg_proc AS p \
             WHERE p.oid >= {FIRST_USER_OID} AND p.prosqlbody IS NOT NULL AND {NO_MEMBER}"
        );
        queries.push(Query::new(sql, read_sql_body).only_with("pg_proc"));
    }
    queries
}

/// What routines and aggregates have in common.
struct Head {
    oid: u32,
    name: String,
    schema: String,
    owner: u32,
    grants: Option<Vec<crate::schema::Grant>>,
    signature: String,
}

impl Head {
    /// Reads the first fields; `None` if the routine is not in a schema of users.
    fn read(catalog: &Catalog, fields: &mut Fields<'_>) -> Result<Option<Self>, Fault> {
        let (oid, name) = (fields.oid()?, fields.string()?);
        let (schema, owner) = (fields.oid()?, fields.oid()?);
        let grants = catalog.grants(acl::FUNCTION, fields.optional()?, owner)?;
        let signature = format!("({})", fields.text()?);
        Ok(catalog.user_schema(schema).map(|schema| Self {
            oid,
            name,
            schema: schema.to_owned(),
            owner,
            grants,
            signature,
        }))
    }

    fn add(self, catalog: &mut Catalog, kind: Kind, facts: impl Into<crate::schema::Facts>) {
        let owner = catalog.owner(self.owner);
        let id = ObjectId::new(kind, self.schema, self.name).with_signature(self.signature);
        let object = catalog.add((class::PROC, self.oid, 0), id, facts);
        object.owner = owner;
        object.grants = self.grants;
    }
}

fn read_routine(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let Some(head) = Head::read(catalog, fields)? else {
        return Ok(());
    };
    let kind = fields.text()?;
    let arguments = fields.string()?;
    let returns = fields.optional_string()?;
    let language = fields.string()?;
    let body = fields.string()?;
    let library = fields.optional_string()?;
    let volatility = match fields.text()? {
        "i" => Some("IMMUTABLE"),
        "s" => Some("STABLE"),
        _ => None,
    };
    let (strict, security_definer, leakproof) = (fields.flag()?, fields.flag()?, fields.flag()?);
    let parallel = parallel(fields.text()?);
    let usual_cost = if matches!(language.as_str(), "c" | "internal") {
        "1"
    } else {
        "100"
    };
    let cost = fields.string()?;
    let rows = fields.string()?;
    let usual_rows = if fields.flag()? { "1000" } else { "0" };
    let facts = Routine {
        arguments,
        returns,
        language,
        body,
        sql_body: None,
        library,
        window: kind == "w",
        volatility: volatility.map(str::to_owned),
        strict,
        security_definer,
        leakproof,
        parallel: parallel.map(str::to_owned),
        cost: (cost != usual_cost).then_some(cost),
        rows: (rows != usual_rows).then_some(rows),
        support: catalog.function(fields)?,
        transforms: fields.list()?,
        settings: settings(fields.options()?),
    };
    let kind = if kind == "p" {
        Kind::Procedure
    } else {
        Kind::Function
    };
    head.add(catalog, kind, facts);
    Ok(())
}

fn read_sql_body(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let object = catalog.object((class::PROC, fields.oid()?, 0));
    if let Some(Facts::Routine(routine)) = object.map(|object| &mut object.facts) {
        routine.sql_body = Some(fields.string()?);
    }
    Ok(())
}

/// Settings with lists of names as the server writes them by default; it quotes all names with
/// quote_all_identifiers.
fn settings(settings: Options) -> Options {
    let settings = settings.into_iter().map(|(setting, value)| {
        if !is_name_list(&setting) {
            return (setting, value);
        }
        let names: Vec<String> = split_names(&value)
            .iter()
            .map(|name| quoted(name).into_owned())
            .collect();
        (setting, names.join(", "))
    });
    settings.collect()
}

fn parallel(letter: &str) -> Option<&'static str> {
    match letter {
        "r" => Some("RESTRICTED"),
        "s" => Some("SAFE"),
        _ => None,
    }
}

/// The options of an aggregate that are functions, with their columns.
const FUNCTIONS: [(&str, &str); 8] = [
    ("sfunc", "aggtransfn"),
    ("finalfunc", "aggfinalfn"),
    ("combinefunc", "aggcombinefn"),
    ("serialfunc", "aggserialfn"),
    ("deserialfunc", "aggdeserialfn"),
    ("msfunc", "aggmtransfn"),
    ("minvfunc", "aggminvtransfn"),
    ("mfinalfunc", "aggmfinalfn"),
];

/// Other options of an aggregate, as expressions that are NULL where the option has its default.
const OTHERS: [(&str, &str); 12] = [
    ("stype", "format_type(a.aggtranstype, NULL)"),
    ("sspace", "nullif(a.aggtransspace, 0)::text"),
    (
        "finalfunc_extra",
        "CASE WHEN a.aggfinalextra THEN 'true' END",
    ),
    (
        "finalfunc_modify",
        "CASE WHEN a.aggfinalfn <> 0 AND a.aggfinalmodify <> CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END \
         THEN CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END",
    ),
    ("initcond", "quote_literal(a.agginitval)"),
    (
        "mstype",
        "CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END",
    ),
    ("msspace", "nullif(a.aggmtransspace, 0)::text"),
    (
        "mfinalfunc_extra",
        "CASE WHEN a.aggmfinalextra THEN 'true' END",
    ),
    (
        "mfinalfunc_modify",
        "CASE WHEN a.aggmfinalfn <> 0 AND a.aggmfinalmodify <> CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END \
         THEN CASE a.aggmfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END",
    ),
    ("minitcond", "quote_literal(a.aggminitval)"),
    (
        "sortop",
        "(SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_operator AS o \
         JOIN pg_namespace AS n ON n.oid = o.oprnamespace WHERE o.oid = a.aggsortop)",
    ),
    (
        "parallel",
        "CASE p.proparallel WHEN 'r' THEN 'RESTRICTED' WHEN 's' THEN 'SAFE' END",
    ),
];

fn aggregate_columns() -> String {
    let functions = FUNCTIONS.map(|(_, column)| {
        format!(
            "(SELECT format('%I.%I', n.nspname, f.proname) FROM pg_proc AS f \
             JOIN pg_namespace AS n ON n.oid = f.pronamespace WHERE f.oid = a.{column})"
        )
    });
    let others = OTHERS.map(|(_, column)| column.to_owned());
    [functions.as_slice(), others.as_slice()]
        .concat()
        .join(", ")
}

fn read_aggregate(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let Some(head) = Head::read(catalog, fields)? else {
        return Ok(());
    };
    let arguments = fields.string()?;
    let form = match fields.text()? {
        "h" => Some("HYPOTHETICAL"),
        "o" => Some("ORDERED_SET"),
        _ => None,
    };
    let names = FUNCTIONS.iter().chain(&OTHERS).map(|(name, _)| *name);
    let mut options = Options::new();
    for name in names {
        if let Some(value) = fields.optional_string()? {
            options.insert(name.to_owned(), value);
        }
    }
    let facts = Aggregate {
        arguments,
        form: form.map(str::to_owned),
        options,
    };
    head.add(catalog, Kind::Aggregate, facts);
    Ok(())
}

fn read_operator(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, schema, owner) = (fields.oid()?, fields.text()?, fields.oid()?, fields.oid()?);
    let signature = format!("({}, {})", fields.text()?, fields.text()?);
    let facts = Operator {
        function: catalog.function(fields)?.unwrap_or_default(),
        commutator: catalog.function(fields)?,
        negator: catalog.function(fields)?,
        restrict: catalog.function(fields)?,
        join: catalog.function(fields)?,
        hashes: fields.flag()?,
        merges: fields.flag()?,
    };
    if catalog.is_member(class::OPERATOR, oid) {
        return Ok(());
    }
    let Some(schema) = catalog.user_schema(schema).map(str::to_owned) else {
        return Ok(());
    };
    let owner = catalog.owner(owner);
    let id = ObjectId::new(Kind::Operator, schema, name).with_signature(signature);
    catalog.add((class::OPERATOR, oid, 0), id, facts).owner = owner;
    Ok(())
}

fn read_cast(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let oid = fields.oid()?;
    let (source, target) = (fields.string()?, fields.string()?);
    let function = fields.optional_string()?;
    let in_out = fields.text()? == "i";
    let context = match fields.text()? {
        "a" => Some("ASSIGNMENT"),
        "i" => Some("IMPLICIT"),
        _ => None,
    };
    if catalog.is_member(class::CAST, oid) {
        return Ok(());
    }
    let signature = format!("({source} AS {target})");
    let facts = Cast {
        source,
        target,
        function,
        in_out,
        context: context.map(str::to_owned),
    };
    let id = ObjectId::new(Kind::Cast, "", "").with_signature(signature);
    catalog.add((class::CAST, oid, 0), id, facts);
    Ok(())
}
