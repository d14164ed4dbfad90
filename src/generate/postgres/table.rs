//! Tables.

use super::{
    Dump, Statements,
    column::Placed,
    expression::stable,
    quote::{foreign_options, ident, in_schema, join, parameters, qualified},
    reference,
    server::note_secrets,
    types::lines,
};
use crate::{
    arrange::Arrange as _,
    schema::{
        Facts, Kind, Object,
        postgres::{ReplicaIdentity, Table},
    },
};

/// How a table gets its columns.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// All columns are listed.
    Listed,
    /// Those of the parents are not listed.
    Inherits,
    /// Those of the parents are listed, and the parents are named afterwards.
    InheritsLater,
    /// The columns are those of a composite type.
    OfType,
    /// The columns are those of the partitioned table.
    Partition,
    /// All columns are listed, and the table is attached afterwards.
    Attached,
}

impl Dump<'_> {
    /// CREATE TABLE and what completes the table.
    pub(super) fn table(&self, at: usize, table: &Table, to: &mut Statements) {
        let form = self.form(at, table);
        let object = self.object(at);
        let what = if let Some(foreign) = &table.foreign {
            note_secrets(
                &format!("The foreign table {}", qualified(&object.id.qualified())),
                &foreign.secrets,
                to,
            );
            "FOREIGN TABLE"
        } else if table.unlogged {
            "UNLOGGED TABLE"
        } else {
            "TABLE"
        };
        let name = in_schema(&object.id.schema, &object.id.name);
        let columns = self.layout.objects.columns(at);
        let items = self.items(at, form, &columns);
        let mut sql = format!("CREATE {what} {name}");
        match (form, &table.of_type, &table.partition_of) {
            (Form::OfType, Some(of_type), _) => {
                sql.push_str(&format!(" OF {}", qualified(of_type)))
            }
            (Form::Partition, _, Some(partition)) => {
                sql.push_str(&format!(" PARTITION OF {}", qualified(&partition.parent)));
            }
            _ => {}
        }
        if !items.is_empty() || !matches!(form, Form::OfType | Form::Partition) {
            sql.push_str(&format!(" {}", lines(&items)));
        }
        let separator = if sql.ends_with(')') { " " } else { "\n    " };
        for clause in clauses(table, form) {
            sql.push_str(separator);
            sql.push_str(&clause);
        }
        to.push(sql);
        self.complete(at, table, form, &columns, to);
    }

    fn form(&self, at: usize, table: &Table) -> Form {
        if table.partition_of.is_some() {
            if self.layout.attached[at] {
                Form::Attached
            } else {
                Form::Partition
            }
        } else if table.of_type.is_some() {
            Form::OfType
        } else if table.inherits.is_empty() {
            Form::Listed
        } else if self.is_in_own_order(at) {
            Form::InheritsLater
        } else {
            Form::Inherits
        }
    }

    /// Whether a table that inherits has all columns itself, in another order than INHERITS gives
    /// them.
    fn is_in_own_order(&self, at: usize) -> bool {
        let objects = &self.layout.objects;
        let columns = objects.columns(at);
        if columns.iter().any(|(_, _, column)| column.is_inherited) {
            return false;
        }
        let mut merged: Vec<&str> = Vec::new();
        let parents = objects
            .parents(at)
            .into_iter()
            .flat_map(|it| objects.columns(it));
        let own = columns.iter().map(|(_, column, _)| column.id.name.as_str());
        for name in parents
            .map(|(_, column, _)| column.id.name.as_str())
            .chain(own)
        {
            if !merged.contains(&name) {
                merged.push(name);
            }
        }
        !columns
            .iter()
            .map(|(_, column, _)| column.id.name.as_str())
            .eq(merged)
    }

    /// The columns and constraints in CREATE TABLE.
    fn items(&self, at: usize, form: Form, columns: &[Placed<'_>]) -> Vec<String> {
        let mut items = Vec::new();
        for column in columns {
            match form {
                Form::Partition => {}
                Form::Inherits if column.2.is_inherited => {}
                Form::OfType => {
                    let constraints = self.column_constraints(at, *column);
                    if !constraints.is_empty() {
                        let name = ident(&column.1.id.name);
                        items.push(format!("{name} WITH OPTIONS{constraints}"));
                    }
                }
                _ => items.push(self.column(at, *column)),
            }
        }
        let mut constraints: Vec<(usize, &Object)> = self
            .layout
            .objects
            .parts(at)
            .filter(|(part, _)| self.layout.within[*part] == at)
            .collect();
        constraints.arrange_by_key(|(part, object)| (rank(object.id.kind), *part));
        for (_, object) in constraints {
            if let Some(definition) = self.constraint(object) {
                let name = ident(&object.id.name);
                items.push(format!("CONSTRAINT {name} {definition}"));
            }
        }
        items
    }

    /// The statements after CREATE TABLE.
    fn complete(
        &self,
        at: usize,
        table: &Table,
        form: Form,
        columns: &[Placed<'_>],
        to: &mut Statements,
    ) {
        let object = self.object(at);
        let word = reference::altered(object).unwrap_or_default();
        let name = qualified(&object.id.qualified());
        if form == Form::InheritsLater {
            for parent in &table.inherits {
                to.push(format!("ALTER {word} INHERIT {}", qualified(parent)));
            }
        }
        if let (Form::Attached, Some(partition)) = (form, &table.partition_of) {
            to.push(format!(
                "ALTER TABLE {} ATTACH PARTITION {name}\n    {}",
                qualified(&partition.parent),
                partition.bound
            ));
        }
        for column in columns {
            let is_inherited = match form {
                Form::Partition => true,
                Form::Inherits => column.2.is_inherited,
                _ => false,
            };
            if is_inherited {
                self.inherited_column(at, *column, to);
            } else {
                self.column_settings(at, *column, to);
            }
        }
        match &table.replica_identity {
            ReplicaIdentity::Default | ReplicaIdentity::Index(_) => {}
            ReplicaIdentity::Full => to.push(format!("ALTER {word} REPLICA IDENTITY FULL")),
            ReplicaIdentity::Nothing => to.push(format!("ALTER {word} REPLICA IDENTITY NOTHING")),
        }
        for (part, object) in self.layout.objects.parts(at) {
            if self.layout.within[part] == at && !matches!(object.facts, Facts::Column(_)) {
                self.mark(part, to);
            }
        }
        if table.row_security {
            to.push(format!("ALTER {word} ENABLE ROW LEVEL SECURITY"));
        }
        if table.force_row_security {
            to.push(format!("ALTER {word} FORCE ROW LEVEL SECURITY"));
        }
    }
}

/// The order of constraints in CREATE TABLE.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::PrimaryKey => 0,
        Kind::Unique => 1,
        Kind::Exclusion => 2,
        Kind::Check => 3,
        _ => 4,
    }
}

/// What follows the columns.
fn clauses(table: &Table, form: Form) -> Vec<String> {
    let mut clauses = Vec::new();
    if let (Form::Partition, Some(partition)) = (form, &table.partition_of) {
        clauses.push(partition.bound.clone());
    }
    if form == Form::Inherits {
        clauses.push(format!("INHERITS ({})", join(&table.inherits, qualified)));
    }
    if let Some(key) = &table.partition_by {
        clauses.push(format!("PARTITION BY {}", stable(key)));
    }
    if let Some(method) = &table.access_method {
        clauses.push(format!("USING {}", ident(method)));
    }
    if !table.options.is_empty() {
        clauses.push(format!("WITH {}", parameters(&table.options)));
    }
    if let Some(tablespace) = &table.tablespace {
        clauses.push(format!("TABLESPACE {}", ident(tablespace)));
    }
    if let Some(foreign) = &table.foreign {
        let options = foreign_options(&foreign.options);
        clauses.push(format!("SERVER {}{options}", ident(&foreign.server)));
    }
    clauses
}
