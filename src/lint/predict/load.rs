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
    let name = part.id.name.clone();
    let add = |relation: &mut Relation, kind: ConstraintKind, is_valid: bool| {
        let name = name.clone();
        relation.constraints.push(relation::Known {
            name,
            kind,
            is_valid,
        });
    };
    match &part.facts {
        Facts::Column(column) => {
            let not_null = column.not_null.as_ref();
            let facts = ColumnFacts {
                data_type: column.data_type.to_lowercase(),
                not_null: not_null.is_some_and(|it| !it.not_valid),
            };
            relation.columns.insert(name, facts);
        }
        Facts::SqliteColumn(column) => {
            let facts = ColumnFacts {
                data_type: column.declared_type.canonical().to_ascii_lowercase(),
                not_null: column.not_null,
            };
            relation.columns.insert(name.to_ascii_lowercase(), facts);
        }
        Facts::Key(key) => {
            let kind = match part.id.kind {
                Kind::PrimaryKey => ConstraintKind::PrimaryKey(key.columns.clone()),
                _ => ConstraintKind::Unique(key.columns.clone()),
            };
            add(relation, kind, true);
            let keys = key.columns.clone();
            let expressions = Vec::new();
            relation.indexes.push(Index {
                name,
                keys,
                expressions,
            });
        }
        Facts::ForeignKey(key) => {
            let reference = Reference {
                columns: key.columns.clone(),
                table: key.references.clone(),
                referenced: key.referenced_columns.clone(),
                cascades: key.on_delete.as_deref() == Some("CASCADE"),
            };
            let kind = ConstraintKind::ForeignKey(reference);
            add(relation, kind, !key.not_valid);
        }
        Facts::Check(check) => {
            let expression = check.expression.to_lowercase();
            let is_valid = !check.not_valid;
            add(relation, ConstraintKind::Check(expression), is_valid);
        }
        Facts::Index(index) => {
            let keys = index.keys.iter();
            let keys = keys
                .map(|key| key.column.clone().or_else(|| key.expression.clone()))
                .map(Option::unwrap_or_default)
                .collect();
            let expressions = index.keys.iter().filter_map(|it| it.expression.clone());
            let expressions = expressions.chain(index.condition.clone()).collect();
            relation.indexes.push(Index {
                name,
                keys,
                expressions,
            });
        }
        Facts::SqliteIndex(_) => {
            relation.indexes.push(Index {
                name,
                keys: Vec::new(),
                expressions: Vec::new(),
            });
        }
        _ => {}
    }
}
