//! Types and collations.

use super::{
    OF_RELATIONS, Query, Reach, Version,
    catalog::{Catalog, FIRST_USER_OID, TypeInfo, class},
    fields::{Fault, Fields},
    privileges::acl,
};
use crate::schema::{
    Facts, Kind, Name, Object, ObjectId, Unmodelled,
    postgres::{Collation, Composite, Domain, Enum, Range, default_multirange, default_name},
};

pub(super) fn queries(version: Version) -> Vec<Query> {
    let mut queries = vec![
        // Every type of a column once, since format_type is slow.
        Query::new(
            format!(
                "SELECT a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod), \
                 t.typstorage, t.typcollation \
                 FROM (SELECT DISTINCT atttypid, atttypmod FROM pg_attribute \
                 WHERE attrelid >= {FIRST_USER_OID} AND attnum > 0 AND atttypid <> 0 AND {OF_RELATIONS}) AS a \
                 JOIN pg_type AS t ON t.oid = a.atttypid"
            ),
            |catalog, fields| {
                let key = (fields.oid()?, fields.number()?);
                let info = TypeInfo {
                    name: fields.string()?,
                    storage: fields.string()?,
                    collation: fields.oid()?,
                };
                catalog.types.insert(key, info);
                Ok(())
            },
        )
        .on(Reach::Shared { column: "attrelid" }),
        Query::new(
            format!(
                "SELECT t.oid, t.typname, t.typnamespace, t.typowner, t.typacl, t.typtype, \
                 CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END, \
                 t.typcollation, CASE t.typtype WHEN 'd' THEN (SELECT b.typcollation \
                 FROM pg_type AS b WHERE b.oid = t.typbasetype) ELSE 0 END, \
                 t.typbasetype, t.typnotnull, t.typdefaultbin IS NOT NULL, \
                 pg_get_expr(t.typdefaultbin, 0) \
                 FROM pg_type AS t WHERE t.oid >= {FIRST_USER_OID} AND t.typtype IN ('e', 'd', 'r')"
            ),
            read_type,
        )
        .on_catalogs(&["pg_type"])
        .with_names_of("pg_type"),
        Query::new(
            "SELECT enumtypid, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder",
            |catalog, fields| {
                let object = catalog.object((class::TYPE, fields.oid()?, 0));
                if let Some(Facts::Enum(facts)) = object.map(|object| &mut object.facts) {
                    facts.labels.push(fields.string()?);
                }
                Ok(())
            },
        )
        .on_catalogs(&["pg_enum"]),
        Query::new(
            format!(
                "SELECT r.rngtypid, format_type(r.rngsubtype, NULL), r.rngsubopc, r.rngcollation, \
                 s.typcollation, c.pronamespace, c.proname, d.pronamespace, d.proname, {} \
                 FROM pg_range AS r JOIN pg_type AS s ON s.oid = r.rngsubtype \
                 LEFT JOIN pg_proc AS c ON c.oid = r.rngcanonical \
                 LEFT JOIN pg_proc AS d ON d.oid = r.rngsubdiff {} \
                 WHERE r.rngtypid >= {FIRST_USER_OID}",
                version.since(14, "m.oid, m.typnamespace, m.typname", "NULL, NULL, NULL"),
                version.since(14, "LEFT JOIN pg_type AS m ON m.oid = r.rngmultitypid", ""),
            ),
            read_range,
        )
        .on_catalogs(&["pg_range"]),
        Query::new(
            format!(
                "SELECT c.oid, c.collname, c.collnamespace, c.collowner, c.collprovider, {}, {}, \
                 c.collcollate, c.collctype, {} FROM pg_collation AS c \
                 WHERE c.oid >= {FIRST_USER_OID}",
                version.since(12, "c.collisdeterministic", "true"),
                match version {
                    _ if version.has(17) => "c.colllocale",
                    _ if version.has(15) => "c.colliculocale",
                    _ => "NULL",
                },
                version.since(16, "c.collicurules", "NULL"),
            ),
            read_collation,
        )
        .on_catalogs(&["pg_collation"]),
    ];
    if version.has(17) {
        queries.push(Query::new(
            "SELECT contypid, conname FROM pg_constraint WHERE contype = 'n' AND contypid <> 0",
            |catalog, fields| {
                let object = catalog.object((class::TYPE, fields.oid()?, 0));
                let name = fields.text()?;
                if let Some(object) = object
                    && let Facts::Domain(domain) = &mut object.facts
                {
                    let is_usual = name == default_name(&object.id.name, None, "not_null");
                    domain.not_null_name = (!is_usual).then(|| name.to_owned());
                }
                Ok(())
            },
        ));
    }
    queries
}

fn read_type(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, schema, owner) = (fields.oid()?, fields.text()?, fields.oid()?, fields.oid()?);
    let grants = catalog.grants(acl::TYPE, fields.optional()?, owner)?;
    let kind = fields.text()?;
    let base = fields.optional_string()?;
    let (collation, usual) = (fields.oid()?, fields.oid()?);
    catalog.base_types.insert(oid, fields.oid()?);
    let (not_null, has_default) = (fields.flag()?, fields.flag()?);
    let default = fields.optional_string()?;
    if catalog.is_member(class::TYPE, oid) {
        return Ok(());
    }
    let Some(schema) = catalog.user_schema(schema).map(str::to_owned) else {
        return Ok(());
    };
    let (kind, facts): (_, Facts) = match kind {
        "e" => (Kind::Enum, Enum::default().into()),
        "r" => (Kind::Range, Range::default().into()),
        _ => {
            if has_default && default.is_none() {
                return Err(Fault::Dropped);
            }
            let facts = Domain {
                data_type: base.ok_or(Fault::Dropped)?,
                collation: catalog.collation(collation, usual),
                default,
                not_null,
                not_null_name: None,
            };
            (Kind::Domain, facts.into())
        }
    };
    let owner = catalog.owner(owner);
    let id = ObjectId::new(kind, schema, name);
    let object = catalog.add((class::TYPE, oid, 0), id, facts);
    object.owner = owner;
    object.grants = grants;
    Ok(())
}

fn read_range(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let oid = fields.oid()?;
    let subtype = fields.string()?;
    let class = catalog.system.operator_classes.get(&fields.oid()?);
    let operator_class = class.filter(|it| !it.is_default).map(|it| it.name.clone());
    let collation = catalog.collation(fields.oid()?, fields.oid()?);
    let canonical = catalog.function(fields)?;
    let difference = catalog.function(fields)?;
    let multirange_oid = fields.optional_number()?;
    let (multirange_schema, multirange) = (fields.optional_number()?, fields.optional()?);
    let multirange = multirange_schema
        .zip(multirange)
        .map(|(schema, name)| catalog.name(schema, name));
    let Some(id) = catalog.id((class::TYPE, oid, 0)).cloned() else {
        return Ok(());
    };
    let multirange = multirange.filter(|name| *name != default_multirange(&id.qualified()));
    let facts = Range {
        subtype,
        operator_class,
        collation,
        canonical,
        difference,
        multirange,
        has_multirange: multirange_oid.is_some(),
    };
    if let Some(object) = catalog.object((class::TYPE, oid, 0)) {
        object.facts = facts.into();
    }
    if let Some(multirange) = multirange_oid
        && let Some(at) = catalog.addresses.get(&(class::TYPE, oid, 0)).copied()
    {
        catalog.addresses.insert((class::TYPE, multirange, 0), at);
    }
    Ok(())
}

fn read_collation(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, schema, owner) = (fields.oid()?, fields.text()?, fields.oid()?, fields.oid()?);
    let provider = match fields.text()? {
        "c" => "libc",
        "i" => "icu",
        "b" => "builtin",
        "d" => "default",
        other => other,
    };
    let deterministic = fields.flag()?;
    let mut facts = Collation {
        provider: provider.to_owned(),
        deterministic,
        locale: fields.optional_string()?,
        lc_collate: fields.optional_string()?,
        lc_ctype: fields.optional_string()?,
        rules: fields.optional_string()?,
    };
    if provider != "libc" {
        // Before version 15 the locale of ICU was in these columns.
        let locale = facts.lc_collate.take();
        facts.locale = facts.locale.or(locale);
        facts.lc_ctype = None;
    }
    if catalog.is_member(class::COLLATION, oid) {
        return Ok(());
    }
    let Some(schema) = catalog.user_schema(schema).map(str::to_owned) else {
        return Ok(());
    };
    let owner = catalog.owner(owner);
    let id = ObjectId::new(Kind::Collation, schema, name);
    catalog.add((class::COLLATION, oid, 0), id, facts).owner = owner;
    Ok(())
}

impl Catalog {
    /// The name of a function from two fields, which are NULL if there is none.
    pub(super) fn function(&self, fields: &mut Fields<'_>) -> Result<Option<Name>, Fault> {
        let (schema, name) = (fields.optional_number()?, fields.optional()?);
        Ok(schema
            .zip(name)
            .map(|(schema, name)| self.name(schema, name)))
    }

    /// Notes an object of a kind without facts.
    pub(super) fn note_unmodelled(&mut self, kind: &str, name: &str) {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.unmodelled.push(Unmodelled { kind, name });
    }

    /// Adds the empty composite type of a relation; its attributes come with the columns.
    pub(super) fn add_composite(
        &mut self,
        relation: u32,
        data_type: u32,
        id: ObjectId,
    ) -> &mut Object {
        self.add((class::TYPE, data_type, 0), id, Composite::default());
        let at = self.objects.len() - 1;
        self.addresses.insert((class::CLASS, relation, 0), at);
        &mut self.objects[at]
    }
}
