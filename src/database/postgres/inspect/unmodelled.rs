//! Objects of kinds that have no facts.

use super::{Query, Reach, Version, catalog::FIRST_USER_OID};

/// A kind without facts: its words, catalog, columns of name and schema.
type KindOf = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

/// Kinds in catalogs that tell whether they have changed.
const KINDS: [KindOf; 9] = [
    (
        "operator class",
        "pg_opclass",
        "opcname",
        Some("opcnamespace"),
    ),
    (
        "operator family",
        "pg_opfamily",
        "opfname",
        Some("opfnamespace"),
    ),
    ("access method", "pg_am", "amname", None),
    ("language", "pg_language", "lanname", None),
    (
        "conversion",
        "pg_conversion",
        "conname",
        Some("connamespace"),
    ),
    (
        "text search parser",
        "pg_ts_parser",
        "prsname",
        Some("prsnamespace"),
    ),
    (
        "text search template",
        "pg_ts_template",
        "tmplname",
        Some("tmplnamespace"),
    ),
    (
        "transform",
        "pg_transform",
        "format_type(o.trftype, NULL) || ' FOR ' || (SELECT lanname FROM pg_language AS l WHERE l.oid = o.trflang)",
        None,
    ),
    ("base type", "pg_type", "typname", Some("typnamespace")),
];

/// The other kinds.
const OTHERS: [KindOf; 3] = [
    ("large object", "pg_largeobject_metadata", "o.oid", None),
    (
        "subscription",
        "(SELECT subname, subdbid FROM pg_subscription)",
        "subname",
        None,
    ),
    ("security label", "pg_seclabels", "objname", None),
];

fn query(kinds: &[KindOf]) -> Query {
    let selects = kinds.iter().map(|(kind, catalog, name, schema)| {
        let (schema, join) = match schema {
            Some(column) => (
                "n.nspname",
                format!("JOIN pg_namespace AS n ON n.oid = o.{column}"),
            ),
            None => ("NULL", String::new()),
        };
        let name = if name.contains('.') {
            format!("({name})::text")
        } else {
            format!("o.{name}::text")
        };
        format!(
            "SELECT '{kind}', {schema}::text, {name} FROM {catalog} AS o {join} WHERE {}",
            condition(kind, catalog)
        )
    });
    let selects: Vec<String> = selects.collect();
    Query::new(selects.join(" UNION ALL "), |catalog, fields| {
        let (kind, schema, name) = (fields.text()?, fields.optional()?, fields.text()?);
        if schema.is_some_and(super::catalog::is_system_schema) {
            return Ok(());
        }
        let name = crate::schema::Name::new(schema.unwrap_or_default(), name);
        catalog.note_unmodelled(kind, &name.to_string());
        Ok(())
    })
}

pub(super) fn queries(_version: Version) -> Vec<Query> {
    vec![
        query(&KINDS).on_catalogs(&[
            "pg_opclass",
            "pg_opfamily",
            "pg_am",
            "pg_language",
            "pg_conversion",
            "pg_ts_parser",
            "pg_ts_template",
            "pg_transform",
            "pg_type",
        ]),
        query(&OTHERS).on(Reach::Server),
        Query::new(
            "SELECT i.type || ' ' || i.identity, e.extname FROM pg_depend AS d \
             JOIN pg_extension AS e ON e.oid = d.refobjid \
             CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS i \
             WHERE d.deptype = 'x' AND d.refclassid = 'pg_extension'::regclass",
            |catalog, fields| {
                let name = format!("{} on {}", fields.text()?, fields.text()?);
                catalog.note_unmodelled("dependency on an extension", &name);
                Ok(())
            },
        ),
        Query::new(
            "SELECT r.rolname, s.setconfig FROM pg_db_role_setting AS s \
             LEFT JOIN pg_roles AS r ON r.oid = s.setrole WHERE s.setdatabase = \
             (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())",
            |catalog, fields| {
                let role = fields.optional()?.map(|role| format!(" of role {role}"));
                let role = role.unwrap_or_default();
                for (name, _) in fields.options()? {
                    catalog.note_unmodelled("database setting", &format!("{name}{role}"));
                }
                Ok(())
            },
        )
        .on(Reach::Server),
    ]
}

fn condition(kind: &str, catalog: &str) -> String {
    let no_member = format!(
        "o.oid >= {FIRST_USER_OID} AND o.oid NOT IN (SELECT d.objid FROM pg_depend AS d \
         WHERE d.classid = '{catalog}'::regclass AND d.deptype = 'e' \
         AND d.refclassid = 'pg_extension'::regclass)"
    );
    match kind {
        // Array types have an element type; types of ranges are of other kinds.
        "base type" => format!(
            "{no_member} AND o.typtype IN ('b', 'p') AND NOT EXISTS \
             (SELECT FROM pg_type AS e WHERE e.oid = o.typelem AND e.typarray = o.oid)"
        ),
        "subscription" => {
            "o.subdbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())"
                .to_owned()
        }
        "security label" => "o.objoid >= 16384".to_owned(),
        "large object" => "true".to_owned(),
        _ => no_member,
    }
}
