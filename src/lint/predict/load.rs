//! What is known from a schema.

use super::{
    Known,
    relation::{self, ColumnFacts, DomainFacts, Index, Relation},
    state::insert,
};
use crate::{
    lint::{ConstraintKind, Reference},
    schema::{Facts, Kind, Object, Schema},
};

/// Makes the relations of a schema known as old.
pub(super) fn load(known: &mut Known, schema: &Schema) {
    for object in &schema.objects {
        let id = &object.id;
        match (&object.facts, id.kind) {
            (Facts::Domain(domain), _) => {
                let checks = schema.parts(&id.qualified());
                let facts = DomainFacts {
                    data_type: domain.data_type.to_lowercase(),
                    is_constrained: domain.not_null || !checks.is_empty(),
                };
                known.domains.insert(id.name.clone(), facts);
            }
            (_, Kind::Table | Kind::View | Kind::MaterializedView) => {
                let mut found = Relation::new(id.qualified(), id.kind, false);
                if let Facts::Table(table) = &object.facts {
                    found.is_partitioned = table.partition_by.is_some();
                    let partition = table.partition_of.as_ref();
                    found.partition_of = partition.map(|it| it.parent.clone());
                    found.is_default = partition.is_some_and(|it| it.bound == "DEFAULT");
                }
                for part in schema.parts(&id.qualified()) {
                    load_part(&mut found, part);
                }
                insert(known, found);
            }
            _ => {}
        }
    }
}

fn load_part(relation: &mut Relation, part: &Object) {
    let name = &part.id.name;
    match &part.facts {
        Facts::Column(column) => {
            let not_null = column.not_null.as_ref();
            let facts = ColumnFacts {
                data_type: column.data_type.to_lowercase(),
                not_null: not_null.is_some_and(|it| !it.not_valid),
                is_virtual: column.generated.as_ref().is_some_and(|it| it.is_virtual),
            };
            relation.columns.insert(name.clone(), facts);
        }
        Facts::SqliteColumn(column) => {
            let facts = ColumnFacts {
                data_type: column.declared_type.canonical().to_ascii_lowercase(),
                not_null: column.not_null,
                is_virtual: false,
            };
            relation.columns.insert(name.to_ascii_lowercase(), facts);
        }
        Facts::Index(index) => {
            let keys = index.keys.iter();
            let keys = keys
                .map(|key| key.column.clone().or_else(|| key.expression.clone()))
                .map(Option::unwrap_or_default)
                .collect();
            let expressions = index.keys.iter().filter_map(|it| it.expression.clone());
            let expressions = expressions.chain(index.condition.clone()).collect();
            add_index(relation, name, keys, expressions);
        }
        Facts::SqliteIndex(_) => add_index(relation, name, Vec::new(), Vec::new()),
        _ => load_constraint(relation, part),
    }
}

fn load_constraint(relation: &mut Relation, part: &Object) {
    let name = &part.id.name;
    let (kind, is_valid) = match &part.facts {
        Facts::Key(key) => {
            add_index(relation, name, key.columns.clone(), Vec::new());
            let kind = match part.id.kind {
                Kind::PrimaryKey => ConstraintKind::PrimaryKey(key.columns.clone()),
                _ => ConstraintKind::Unique(key.columns.clone()),
            };
            (kind, true)
        }
        Facts::ForeignKey(key) => {
            let reference = Reference {
                columns: key.columns.clone(),
                table: key.references.clone(),
                referenced: key.referenced_columns.clone(),
                cascades: key.on_delete.as_deref() == Some("CASCADE"),
            };
            (ConstraintKind::ForeignKey(reference), !key.not_valid)
        }
        Facts::Check(check) => {
            let expression = check.expression.to_lowercase();
            (ConstraintKind::Check(expression), !check.not_valid)
        }
        _ => return,
    };
    relation.constraints.push(relation::Known {
        name: name.clone(),
        kind,
        is_valid,
    });
}

fn add_index(relation: &mut Relation, name: &str, keys: Vec<String>, expressions: Vec<String>) {
    relation.indexes.push(Index {
        name: name.to_owned(),
        keys,
        expressions,
    });
}
