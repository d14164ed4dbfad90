//! Constraints of tables and domains.

use super::{
    OF_RELATIONS, Query, Version,
    catalog::{Catalog, FIRST_USER_OID, class},
    fields::{Fault, Fields},
    indexes::take_index,
    text::without_parentheses,
};
use crate::schema::{
    Kind, Name, ObjectId,
    postgres::{Check, Deferrable, Exclusion, ForeignKey, Key},
};

pub(super) fn queries(version: Version) -> Vec<Query> {
    let query = |kinds: &str| {
        Query::new(query(version, kinds), read_constraint).on_relations("c.conrelid", 2)
    };
    // Keys come before the foreign keys that reference them.
    vec![
        query("'p', 'u', 'x', 'c'"),
        query("'f'").then(Catalog::add_indexes),
    ]
}

fn query(version: Version, kinds: &str) -> String {
    // To sort them, the server divides a large catalog among processes. They deparse the checks, which is the
    // longest part, because OFFSET keeps that apart from what only one process may do.
    format!(
        "SELECT c.oid, c.conname, c.conrelid, c.contypid, c.contype, c.condeferrable, \
         c.condeferred, c.convalidated, c.enforced, c.conislocal, c.connoinherit, c.conkey, \
         c.conindid, c.has_period, c.confrelid, c.confkey, c.confupdtype, c.confdeltype, \
         c.confmatchtype, c.on_delete_columns, c.conparentid, \
         CASE WHEN c.conparentid <> 0 THEN (SELECT c.conrelid <> p.conrelid AND (c.conname <> p.conname \
         OR EXISTS (SELECT FROM pg_description AS d WHERE d.objoid = c.oid AND d.classoid = 'pg_constraint'::regclass)) \
         FROM pg_constraint AS p WHERE p.oid = c.conparentid) ELSE true END, c.expression, \
         CASE c.contype WHEN 'x' THEN ARRAY(SELECT o.oprname FROM unnest(c.conexclop) WITH ORDINALITY AS k (oid, n) \
         JOIN pg_operator AS o ON o.oid = k.oid ORDER BY k.n) END, \
         CASE c.contype WHEN 'x' THEN ARRAY(SELECT o.oprnamespace FROM unnest(c.conexclop) WITH ORDINALITY AS k (oid, n) \
         JOIN pg_operator AS o ON o.oid = k.oid ORDER BY k.n) END \
         FROM (SELECT c.oid, c.conname, c.conrelid, c.contypid, c.contype, c.condeferrable, c.condeferred, \
         c.convalidated, {} AS enforced, c.conislocal, c.connoinherit, c.conkey, c.conindid, {} AS has_period, \
         c.confrelid, c.confkey, c.confupdtype, c.confdeltype, c.confmatchtype, {} AS on_delete_columns, \
         c.conparentid, c.conexclop, \
         CASE c.contype WHEN 'c' THEN pg_get_expr(c.conbin, c.conrelid) END AS expression \
         FROM pg_constraint AS c WHERE c.oid >= {FIRST_USER_OID} \
         AND c.contype IN ({kinds}) AND {OF_RELATIONS} ORDER BY c.contype OFFSET 0) AS c",
        version.since(18, "c.conenforced", "true"),
        version.since(18, "c.conperiod", "false"),
        version.since(15, "c.confdelsetcols", "NULL::pg_catalog.int2[]"),
    )
}

fn read_constraint(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let row = Row::read(fields)?;
    let address = (class::CONSTRAINT, row.oid, 0);
    if row.table == 0 {
        let domain = catalog.id((class::TYPE, row.domain, 0));
        let Some(domain) = domain.map(ObjectId::qualified) else {
            return Ok(());
        };
        let id = ObjectId::part(Kind::Check, &domain, row.name);
        catalog.add(address, id, row.check()?);
        return Ok(());
    }
    let Some(table) = catalog.whole(row.table).cloned() else {
        return Ok(());
    };
    let id = |kind| ObjectId::part(kind, &table, row.name);
    match row.kind {
        "c" => {
            catalog.add(address, id(Kind::Check), row.check()?);
        }
        "f" => {
            if row.has_facts {
                add_foreign_key(catalog, &row, id(Kind::ForeignKey))?;
            }
        }
        "x" => {
            let facts = exclusion(catalog, &row)?;
            catalog.add(address, id(Kind::Exclusion), facts);
            catalog.add_index_of(address, row.index);
        }
        kind => {
            let kind = if kind == "p" {
                Kind::PrimaryKey
            } else {
                Kind::Unique
            };
            let facts = key(catalog, &row)?;
            catalog.add(address, id(kind), facts);
            catalog.add_index_of(address, row.index);
        }
    }
    Ok(())
}

/// A row of `pg_constraint`.
struct Row<'r> {
    oid: u32,
    name: &'r str,
    table: u32,
    domain: u32,
    kind: &'r str,
    deferrable: Deferrable,
    validated: bool,
    enforced: bool,
    is_local: bool,
    no_inherit: bool,
    columns: Vec<i16>,
    index: u32,
    has_period: bool,
    referenced: u32,
    referenced_columns: Vec<i16>,
    on_update: &'r str,
    on_delete: &'r str,
    match_type: &'r str,
    on_delete_columns: Vec<i16>,
    parent: u32,
    /// Whether the constraint is more than a partition's share of a foreign key.
    has_facts: bool,
    expression: Option<&'r str>,
    operators: Vec<String>,
    operator_schemas: Vec<u32>,
}

impl<'r> Row<'r> {
    fn read(fields: &mut Fields<'r>) -> Result<Self, Fault> {
        Ok(Self {
            oid: fields.oid()?,
            name: fields.text()?,
            table: fields.oid()?,
            domain: fields.oid()?,
            kind: fields.text()?,
            deferrable: fields.deferrable()?,
            validated: fields.flag()?,
            enforced: fields.flag()?,
            is_local: fields.flag()?,
            no_inherit: fields.flag()?,
            columns: fields.numbers()?,
            index: fields.oid()?,
            has_period: fields.flag()?,
            referenced: fields.oid()?,
            referenced_columns: fields.numbers()?,
            on_update: fields.text()?,
            on_delete: fields.text()?,
            match_type: fields.text()?,
            on_delete_columns: fields.numbers()?,
            parent: fields.oid()?,
            has_facts: fields.optional()?.is_some_and(|it| it == "t"),
            expression: fields.optional()?,
            operators: fields.list()?,
            operator_schemas: fields.numbers()?,
        })
    }

    fn check(&self) -> Result<Check, Fault> {
        Ok(Check {
            expression: without_parentheses(self.expression.ok_or(Fault::Dropped)?).to_owned(),
            no_inherit: self.no_inherit,
            // Constraints that are not enforced are never validated.
            not_valid: !self.validated && self.enforced,
            not_enforced: !self.enforced,
            is_inherited: !self.is_local,
        })
    }
}

impl Fields<'_> {
    /// Reads whether a constraint is deferrable, and whether it is deferred.
    pub(super) fn deferrable(&mut self) -> Result<Deferrable, Fault> {
        Ok(match (self.flag()?, self.flag()?) {
            (false, _) => Deferrable::Never,
            (true, false) => Deferrable::InitiallyImmediate,
            (true, true) => Deferrable::InitiallyDeferred,
        })
    }
}

fn key(catalog: &mut Catalog, row: &Row<'_>) -> Result<Key, Fault> {
    let index = take_index(catalog, row.index)?;
    let keys = index.columns.get(..index.key_count).unwrap_or_default();
    Ok(Key {
        columns: catalog.column_names(row.table, keys)?,
        include: catalog.included(&index)?,
        nulls_not_distinct: index.nulls_not_distinct,
        without_overlaps: row.has_period,
        deferrable: row.deferrable,
        options: index.options,
        tablespace: catalog.tablespace(index.tablespace),
        is_clustered: index.is_clustered,
        parent: catalog.parent_index(row.index),
        is_inherited: !row.is_local,
        is_invalid: !index.is_valid,
        index_comment: None,
    })
}

fn exclusion(catalog: &mut Catalog, row: &Row<'_>) -> Result<Exclusion, Fault> {
    let index = take_index(catalog, row.index)?;
    let schemas = row.operator_schemas.iter();
    let operators = schemas.zip(&row.operators).map(|(schema, operator)| {
        let name = catalog.name(*schema, operator);
        match name.schema.as_str() {
            "pg_catalog" => Name::new("", name.name),
            _ => name,
        }
    });
    Ok(Exclusion {
        method: catalog.method(&index),
        keys: catalog.index_keys(row.index, &index)?,
        operators: operators.collect(),
        include: catalog.included(&index)?,
        deferrable: row.deferrable,
        tablespace: catalog.tablespace(index.tablespace),
        is_clustered: index.is_clustered,
        parent: catalog.parent_index(row.index),
        is_inherited: !row.is_local,
        condition: index.condition,
        options: index.options,
        index_comment: None,
    })
}

fn add_foreign_key(catalog: &mut Catalog, row: &Row<'_>, id: ObjectId) -> Result<(), Fault> {
    let references = catalog.relation_name(row.referenced).cloned();
    let references = references.ok_or_else(|| {
        Fault::Malformed(format!(
            "foreign key {} references an unknown table",
            row.name
        ))
    })?;
    let referenced_table = catalog.id((class::CLASS, row.referenced, 0)).cloned();
    let referenced_key = catalog.id((class::CLASS, row.index, 0)).cloned();
    let facts = ForeignKey {
        columns: catalog.column_names(row.table, &row.columns)?,
        references,
        referenced_columns: catalog.column_names(row.referenced, &row.referenced_columns)?,
        match_full: row.match_type == "f",
        on_update: action(row.on_update),
        on_delete: action(row.on_delete),
        on_delete_columns: catalog.column_names(row.table, &row.on_delete_columns)?,
        deferrable: row.deferrable,
        not_valid: !row.validated && row.enforced,
        not_enforced: !row.enforced,
        period: row.has_period,
        is_inherited: row.parent != 0,
    };
    let object = catalog.add((class::CONSTRAINT, row.oid, 0), id, facts);
    object.depends_on.extend(referenced_table);
    object.depends_on.extend(referenced_key);
    Ok(())
}

/// The action of a foreign key, unless it is NO ACTION.
fn action(letter: &str) -> Option<String> {
    let action = match letter {
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        _ => return None,
    };
    Some(action.to_owned())
}

impl Catalog {
    /// Makes the constraint's index lead to the constraint.
    fn add_index_of(&mut self, constraint: (u32, u32, i16), index: u32) {
        if let Some(at) = self.addresses.get(&constraint).copied() {
            self.addresses.insert((class::CLASS, index, 0), at);
        }
    }
}
