//! Indexes. Those of constraints become a part of the constraint's facts.

use super::{
    OF_RELATIONS, Query, Version,
    catalog::{Catalog, FIRST_USER_OID, IndexRow, class},
    fields::{Fault, Fields},
    text::without_parentheses,
};
use crate::schema::{
    Facts, Kind, Name, ObjectId,
    postgres::{Index, IndexKey, ReplicaIdentity},
};

/// The bits of `indoption`.
const DESCENDING: u16 = 1;
const NULLS_FIRST: u16 = 2;

pub(super) fn queries(version: Version) -> Vec<Query> {
    vec![
        Query::new(
            format!(
                "SELECT i.indexrelid, i.indrelid, c.relname, c.relam, i.indisunique, {}, \
                 i.indisclustered, i.indisvalid, i.indisreplident, i.indnkeyatts, i.indkey, \
                 i.indcollation, i.indclass, i.indoption, pg_get_expr(i.indpred, i.indrelid), \
                 CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(SELECT pg_get_indexdef(i.indexrelid, k.n::integer, false) \
                 FROM unnest(i.indkey) WITH ORDINALITY AS k (number, n) WHERE k.number = 0 ORDER BY k.n) END, \
                 i.indpred IS NOT NULL, c.reloptions, c.reltablespace \
                 FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
                 WHERE i.indexrelid >= {FIRST_USER_OID} AND c.relnamespace <> 'pg_toast'::regnamespace \
                 AND c.relpersistence <> 't' AND {OF_RELATIONS}",
                version.since(15, "i.indnullsnotdistinct", "false"),
            ),
            read_index,
        )
        .on_relations("i.indrelid", 1),
        Query::new(
            format!(
                "SELECT a.attrelid, a.attnum, a.atttypid, i.indrelid FROM pg_index AS i \
                 JOIN pg_attribute AS a ON a.attrelid = i.indexrelid \
                 WHERE i.indexprs IS NOT NULL AND i.indexrelid >= {FIRST_USER_OID} AND {OF_RELATIONS}"
            ),
            |catalog, fields| {
                let key = (fields.oid()?, fields.number()?);
                catalog.index_types.insert(key, fields.oid()?);
                Ok(())
            },
        )
        .on_relations("i.indrelid", 3),
    ]
}

fn read_index(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, table) = (fields.oid()?, fields.oid()?);
    let Some(of) = catalog.relation_name(table) else {
        return Ok(());
    };
    let schema = of.schema.clone();
    let mut index = IndexRow {
        table,
        name: fields.string()?,
        method: fields.oid()?,
        unique: fields.flag()?,
        nulls_not_distinct: fields.flag()?,
        is_clustered: fields.flag()?,
        is_valid: fields.flag()?,
        is_replica_identity: fields.flag()?,
        key_count: fields.number()?,
        columns: fields.numbers()?,
        collations: fields.numbers()?,
        classes: fields.numbers()?,
        flags: fields.numbers()?,
        condition: fields
            .optional()?
            .map(|it| without_parentheses(it).to_owned()),
        expressions: fields.list()?,
        options: crate::schema::postgres::Options::new(),
        tablespace: 0,
    };
    let is_partial = fields.flag()?;
    index.options = fields.options()?;
    index.tablespace = fields.oid()?;
    let expressions = index.columns.iter().filter(|number| **number == 0).count();
    if is_partial && index.condition.is_none() || expressions != index.expressions.len() {
        return Err(Fault::Dropped);
    }
    if index.is_replica_identity {
        let object = catalog.object((class::CLASS, table, 0));
        if let Some(Facts::Table(table)) = object.map(|object| &mut object.facts) {
            table.replica_identity = ReplicaIdentity::Index(index.name.clone());
        }
    }
    let name = Name::new(schema, index.name.clone());
    catalog.index_names.insert(oid, name);
    catalog.index_tables.insert(oid, table);
    catalog.indexes.insert(oid, index);
    Ok(())
}

impl Catalog {
    /// Makes objects of the indexes that belong to no constraint.
    pub(super) fn add_indexes(&mut self) -> Result<(), Fault> {
        for (oid, index) in std::mem::take(&mut self.indexes) {
            let Some(table) = self.whole(index.table).cloned() else {
                continue;
            };
            let facts = Index {
                method: self.method(&index),
                unique: index.unique,
                nulls_not_distinct: index.nulls_not_distinct,
                keys: self.index_keys(oid, &index)?,
                include: self.included(&index)?,
                condition: index.condition,
                options: index.options,
                tablespace: self.tablespace(index.tablespace),
                is_clustered: index.is_clustered,
                parent: self.parent_index(oid),
                is_invalid: !index.is_valid,
            };
            let id = ObjectId::part(Kind::Index, &table, index.name);
            self.add((class::CLASS, oid, 0), id, facts);
        }
        Ok(())
    }

    pub(super) fn method(&self, index: &IndexRow) -> String {
        let method = self.methods.get(&index.method);
        method.cloned().unwrap_or_default()
    }

    /// The index or constraint to which the index is attached.
    pub(super) fn parent_index(&self, oid: u32) -> Option<Name> {
        let parent = self.parents.get(&oid)?.first()?;
        self.index_names.get(parent).cloned()
    }

    /// The names of the columns that are no keys.
    pub(super) fn included(&self, index: &IndexRow) -> Result<Vec<String>, Fault> {
        let included = index.columns.get(index.key_count..).unwrap_or_default();
        self.column_names(index.table, included)
    }

    /// The keys as facts.
    pub(super) fn index_keys(&self, oid: u32, index: &IndexRow) -> Result<Vec<IndexKey>, Fault> {
        let mut expressions = index.expressions.iter();
        let numbers = index.columns.iter().take(index.key_count);
        let keys = numbers.enumerate().map(|(at, number)| {
            let mut key = IndexKey::default();
            let position = i16::try_from(at + 1).unwrap_or(i16::MAX);
            let (data_type, usual) = if *number == 0 {
                key.expression = expressions.next().cloned();
                let data_type = self.index_types.get(&(oid, position)).copied();
                (data_type.unwrap_or(0), DEFAULT_COLLATION)
            } else {
                let column = self.column(index.table, *number).ok_or(Fault::Dropped)?;
                key.column = Some(column.name.clone());
                (column.data_type, column.collation)
            };
            let collation = index.collations.get(at).copied().unwrap_or(0);
            key.collation = self.collation(collation, usual);
            let class = index.classes.get(at).copied().unwrap_or(0);
            key.operator_class = self.operator_class(class, data_type);
            let flags = index.flags.get(at).copied().unwrap_or(0);
            key.descending = flags & DESCENDING != 0;
            key.nulls_first = flags & NULLS_FIRST != 0;
            if let Some(column) = self.index_columns.get(&(oid, position)) {
                key.options.clone_from(&column.options);
                // The options need the name of their operator class.
                if let Some(class) = self.system.operator_classes.get(&class)
                    && !key.options.is_empty()
                {
                    key.operator_class = Some(class.name.clone());
                }
                key.statistics = column.statistics;
            }
            Ok(key)
        });
        keys.collect()
    }

    /// The name of an operator class, if it is not the default one for keys of this type.
    fn operator_class(&self, oid: u32, data_type: u32) -> Option<Name> {
        let class = self.system.operator_classes.get(&oid)?;
        let mut data_type = data_type;
        while let Some(base) = self.base_types.get(&data_type).filter(|base| **base != 0) {
            data_type = *base;
        }
        // A class for a type that the key's type becomes without conversion is the default one if
        // the key's type has none of its own.
        let has_own = self
            .system
            .default_classes
            .contains(&(class.method, data_type));
        let is_usual =
            class.is_default && (class.input == data_type || class.has_key_type || !has_own);
        (!is_usual).then(|| class.name.clone())
    }
}

/// The OID of the collation `default`.
const DEFAULT_COLLATION: u32 = 100;

/// Takes the index of a constraint.
pub(super) fn take_index(catalog: &mut Catalog, oid: u32) -> Result<IndexRow, Fault> {
    let index = catalog.indexes.remove(&oid);
    index.ok_or_else(|| Fault::Malformed(format!("there is no index {oid}")))
}
