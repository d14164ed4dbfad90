//! Columns, with their defaults, identity sequences and NOT NULL constraints.

use super::{
    OF_RELATIONS, Query, Version,
    catalog::{Address, Catalog, ColumnInfo, FIRST_USER_OID, IndexColumn, class},
    fields::{Fault, Fields},
    privileges::acl,
    text::without_parentheses,
};
use crate::schema::{
    Facts, Kind, Name, Object, ObjectId,
    postgres::{Attribute, Column, Generated, Identity, NotNull, default_name},
};

pub(super) fn queries(version: Version) -> Vec<Query> {
    let mut queries = vec![
        Query::new(
            format!(
                "SELECT a.attrelid, a.attnum, nullif(a.attstattarget, -1), a.attoptions, \
                 c.relkind IN ('i', 'I'), a.attname, a.atttypid, a.atttypmod, a.attcollation, \
                 a.attnotnull, a.attidentity, a.attgenerated, a.attstorage, {}, \
                 a.attislocal, a.attfdwoptions, a.attacl \
                 FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
                 WHERE a.attrelid >= {FIRST_USER_OID} AND a.attnum > 0 AND NOT a.attisdropped \
                 AND (c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') \
                 OR c.relkind IN ('i', 'I') AND (a.attstattarget >= 0{})) \
                 AND c.relpersistence <> 't' AND {OF_RELATIONS}",
                version.since(14, "a.attcompression", "''"),
                version.since(13, " OR a.attoptions IS NOT NULL", ""),
            ),
            read_column,
        )
        .on_relations("a.attrelid", 0),
        // Only expressions of generated columns refer to columns. Without a table the server need not
        // look it up, which takes three quarters of the time.
        Query::new(
            format!(
                "SELECT oid, adrelid, adnum, pg_get_expr(adbin, \
                 CASE WHEN position('{{VAR ' IN adbin::text) > 0 THEN adrelid ELSE 0 END) \
                 FROM pg_attrdef WHERE {OF_RELATIONS}"
            ),
            read_default,
        )
        .on_relations("adrelid", 1),
        Query::new(
            // OWNED BY writes the sequence's row in pg_sequence, too.
            format!(
                "SELECT d.objid, d.refobjid, d.refobjsubid, d.deptype \
                 FROM pg_sequence AS s JOIN pg_depend AS d ON d.objid = s.seqrelid \
                 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
                 AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') AND {OF_RELATIONS}"
            ),
            read_owned_sequence,
        )
        .on_relations("s.seqrelid", 0),
    ];
    if version.has(18) {
        let sql = format!(
            "SELECT oid, conname, conrelid, conkey, connoinherit, convalidated, conislocal, \
             coninhcount > 0 \
             FROM pg_constraint WHERE contype = 'n' AND conrelid <> 0 AND {OF_RELATIONS}"
        );
        queries.push(Query::new(sql, read_not_null).on_relations("conrelid", 2));
    }
    queries
}

fn read_column(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (relation, number) = (fields.oid()?, fields.number()?);
    let (statistics, options) = (fields.optional_number()?, fields.options()?);
    let is_of_index = fields.flag()?;
    if is_of_index {
        let column = IndexColumn {
            statistics,
            options,
        };
        catalog.index_columns.insert((relation, number), column);
        return Ok(());
    }
    let Some(of) = catalog.relations.get(&relation) else {
        return Ok(());
    };
    let (is_table, kind, owner) = (of.is_table(), of.kind, of.owner);
    let is_member = of.is_member;
    let name = fields.text()?;
    let (type_oid, modifier) = (fields.oid()?, fields.number()?);
    let collation = fields.oid()?;
    let info = ColumnInfo {
        number,
        name: name.to_owned(),
        data_type: type_oid,
        collation,
    };
    catalog.columns.entry(relation).or_default().push(info);
    if is_member {
        return Ok(());
    }
    let data_type = catalog
        .types
        .get(&(type_oid, modifier))
        .ok_or(Fault::Dropped)?;
    let own_collation = catalog.collation(collation, data_type.collation);
    if kind == b'c' {
        let attribute = Attribute {
            name: name.to_owned(),
            data_type: data_type.name.clone(),
            collation: own_collation,
            comment: None,
        };
        return add_attribute(catalog, relation, number, attribute);
    }
    let facts = column(fields, &data_type.storage, number)?;
    let not_null = facts.not_null.clone().filter(|_| is_table);
    let facts = Column {
        data_type: data_type.name.clone(),
        collation: own_collation,
        not_null,
        statistics,
        options,
        ..facts
    };
    let acl = fields.optional()?;
    let grants = catalog.grants(acl::COLUMN, acl, owner)?;
    let grants = grants.filter(|grants| !grants.is_empty());
    if !is_table {
        // The rest is in the query.
        let facts = Column {
            data_type: String::new(),
            collation: None,
            is_inherited: false,
            ..facts
        };
        let plain = Column {
            position: facts.position,
            ..Column::default()
        };
        if facts != plain || grants.is_some() {
            add(catalog, relation, name, facts).grants = grants;
        }
        return Ok(());
    }
    add(catalog, relation, name, facts).grants = grants;
    Ok(())
}

/// The facts of a column from the fields after its collation.
fn column(fields: &mut Fields<'_>, usual_storage: &str, number: i16) -> Result<Column, Fault> {
    let not_null = fields.flag()?.then(NotNull::default);
    let identity = fields.text()?;
    let identity = (!identity.is_empty()).then(|| Identity {
        always: identity == "a",
        ..Identity::default()
    });
    let generated = fields.text()?;
    let generated = (!generated.is_empty()).then(|| Generated {
        expression: String::new(),
        is_virtual: generated == "v",
    });
    let storage = fields.text()?;
    let storage = (storage != usual_storage).then_some(match storage {
        "p" => "PLAIN",
        "e" => "EXTERNAL",
        "m" => "MAIN",
        _ => "EXTENDED",
    });
    let compression = match fields.text()? {
        "p" => Some("pglz"),
        "l" => Some("lz4"),
        _ => None,
    };
    Ok(Column {
        not_null,
        identity,
        generated,
        storage: storage.map(str::to_owned),
        compression: compression.map(str::to_owned),
        is_inherited: !fields.flag()?,
        foreign_options: fields.options()?,
        position: number,
        ..Column::default()
    })
}

/// Adds a column to the objects.
fn add<'a>(catalog: &'a mut Catalog, relation: u32, name: &str, facts: Column) -> &'a mut Object {
    let parent = catalog.relation_name(relation).cloned().unwrap_or_default();
    let address = (class::CLASS, relation, facts.position);
    let id = ObjectId::part(Kind::Column, &parent, name);
    catalog.add(address, id, facts)
}

/// Attributes may come in any order.
fn add_attribute(
    catalog: &mut Catalog,
    relation: u32,
    number: i16,
    attribute: Attribute,
) -> Result<(), Fault> {
    let before = catalog.columns.get(&relation).into_iter().flatten();
    let at = before.filter(|column| column.number < number).count();
    let object = catalog.object((class::CLASS, relation, 0));
    if let Some(Facts::Composite(composite)) = object.map(|object| &mut object.facts) {
        composite.attributes.insert(at, attribute);
    }
    Ok(())
}

fn read_default(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, relation, number) = (fields.oid()?, fields.oid()?, fields.number()?);
    let expression = fields.optional()?;
    let address = (class::CLASS, relation, number);
    if catalog.column_object(address).is_none() {
        return Ok(());
    }
    let expression = expression.ok_or(Fault::Dropped)?;
    let Some(at) = catalog.addresses.get(&address).copied() else {
        return Ok(());
    };
    catalog.addresses.insert((class::ATTRDEF, oid, 0), at);
    if let Facts::Column(column) = &mut catalog.objects[at].facts {
        match &mut column.generated {
            Some(generated) => generated.expression = without_parentheses(expression).to_owned(),
            None => column.default = Some(expression.to_owned()),
        }
    }
    Ok(())
}

impl Catalog {
    /// The object of a column. A column of a view becomes one when it is asked for.
    pub(super) fn column_object(&mut self, address: Address) -> Option<&mut Object> {
        if !self.addresses.contains_key(&address) {
            let (_, relation, number) = address;
            self.whole(relation)?;
            let name = self.column(relation, number)?.name.clone();
            let facts = Column {
                position: number,
                ..Column::default()
            };
            add(self, relation, &name, facts);
        }
        self.object(address)
    }
}

/// Gives a sequence its column, or folds it into an identity column.
fn read_owned_sequence(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let sequence = (class::CLASS, fields.oid()?, 0);
    let column = (class::CLASS, fields.oid()?, fields.number()?);
    let is_identity = fields.text()? == "i";
    let owner = catalog.id(column).cloned();
    let Some(owner) = owner else { return Ok(()) };
    let Some(object) = catalog.object(sequence) else {
        return Ok(());
    };
    let Facts::Sequence(facts) = &mut object.facts else {
        return Ok(());
    };
    if !is_identity {
        let table = Name::new(owner.schema, owner.parent);
        facts.owned_by = Some((table, owner.name));
        return Ok(());
    }
    let mut folded = (
        object.id.qualified(),
        facts.range.clone(),
        facts.unlogged,
        object.grants.take(),
    );
    // Before 15 no sequence is unlogged, and that of a column is as usual for its table.
    if !catalog.version.has(15)
        && let Some(Facts::Table(table)) = catalog
            .object((class::CLASS, column.1, 0))
            .map(|it| &it.facts)
    {
        folded.2 = table.unlogged;
    }
    catalog.fold(sequence, column);
    if let Some(object) = catalog.object(column)
        && let Facts::Column(column) = &mut object.facts
        && let Some(identity) = &mut column.identity
    {
        (
            identity.sequence,
            identity.range,
            identity.unlogged,
            identity.grants,
        ) = folded;
    }
    Ok(())
}

fn read_not_null(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, relation) = (fields.oid()?, fields.text()?, fields.oid()?);
    let numbers = fields.numbers::<i16>()?;
    let (no_inherit, validated) = (fields.flag()?, fields.flag()?);
    let (is_local, has_parent) = (fields.flag()?, fields.flag()?);
    let Some(number) = numbers.first() else {
        return Ok(());
    };
    let address = (class::CLASS, relation, *number);
    let Some(at) = catalog.addresses.get(&address).copied() else {
        return Ok(());
    };
    catalog.addresses.insert((class::CONSTRAINT, oid, 0), at);
    // What partitions have themselves is only known for as long as they are no partitions.
    let is_partition = match catalog.object((class::CLASS, relation, 0)) {
        Some(Object {
            facts: Facts::Table(table),
            ..
        }) => table.partition_of.is_some(),
        _ => false,
    };
    let object = &mut catalog.objects[at];
    let usual = default_name(&object.id.parent, Some(&object.id.name), "not_null");
    if let Facts::Column(column) = &mut object.facts {
        column.not_null = Some(NotNull {
            name: (name != usual).then(|| name.to_owned()),
            no_inherit,
            not_valid: !validated,
            is_inherited: !is_local || is_partition && has_parent,
            comment: None,
        });
    }
    Ok(())
}
