//! Constraints.

use super::{
    Dump, Statements,
    expression::{in_parentheses, stable},
    layout::table_name,
    quote::{ident, idents, literal, operator, parameters, qualified},
    reference,
};
use crate::schema::{
    Facts, Kind, Object,
    postgres::{Check, Deferrable, Exclusion, ForeignKey, Key, Options, ReplicaIdentity},
};

/// ` DEFERRABLE …`, or nothing.
pub(super) fn deferrable(deferrable: Deferrable) -> &'static str {
    match deferrable {
        Deferrable::Never => "",
        Deferrable::InitiallyImmediate => " DEFERRABLE",
        Deferrable::InitiallyDeferred => " DEFERRABLE INITIALLY DEFERRED",
    }
}

impl Dump<'_> {
    /// What follows the name of a constraint; `None` for other objects.
    pub(super) fn constraint(&self, object: &Object) -> Option<String> {
        Some(match &object.facts {
            Facts::Key(key) => self::key(object.id.kind, key),
            Facts::ForeignKey(key) => foreign_key(key),
            Facts::Check(facts) => check(facts),
            Facts::Exclusion(facts) => exclusion(facts),
            _ => return None,
        })
    }

    /// ALTER TABLE … ADD CONSTRAINT for a foreign key or a check.
    pub(super) fn own_constraint(&self, at: usize, to: &mut Statements) {
        let object = self.object(at);
        if self.layout.made[at] {
            return;
        }
        let Some(definition) = self.constraint(object) else {
            return;
        };
        let not_valid = match &object.facts {
            Facts::ForeignKey(key) => key.not_valid,
            Facts::Check(check) => check.not_valid,
            _ => false,
        };
        let not_valid = if not_valid { " NOT VALID" } else { "" };
        let whole = self
            .layout
            .objects
            .whole(at)
            .map(|whole| self.object(whole));
        let word = whole.and_then(reference::altered).unwrap_or_default();
        let name = ident(&object.id.name);
        to.push(format!(
            "ALTER {word}\n    ADD CONSTRAINT {name} {definition}{not_valid}"
        ));
    }

    /// A key that CREATE TABLE does not create: of a partitioned table, with the keys of partitions
    /// attached to it, or one that the server makes in a partition.
    pub(super) fn own_key(&self, at: usize, to: &mut Statements) {
        let object = self.object(at);
        if self.layout.made[at] {
            self.mark(at, to);
            return;
        }
        if let Some(definition) = self.constraint(object) {
            let only = if self.layout.only[at] { "ONLY " } else { "" };
            let table = qualified(&table_name(object));
            let name = ident(&object.id.name);
            to.push(format!(
                "ALTER TABLE {only}{table}\n    ADD CONSTRAINT {name} {definition}"
            ));
        }
        self.attach(at, to);
        self.mark(at, to);
    }

    /// ALTER INDEX … ATTACH PARTITION for the indexes of partitions.
    pub(super) fn attach(&self, at: usize, to: &mut Statements) {
        if !self.layout.only[at] {
            return;
        }
        let name = index_name(self.object(at));
        for child in self.layout.objects.attached(at) {
            let child = index_name(self.object(*child));
            to.push(format!("ALTER INDEX {name} ATTACH PARTITION {child}"));
        }
    }

    /// What a table says about one of its indexes: that CLUSTER uses it, and that it identifies rows;
    /// and the comment on the index of a constraint.
    pub(super) fn mark(&self, at: usize, to: &mut Statements) {
        let object = self.object(at);
        let is_clustered = match &object.facts {
            Facts::Key(key) => key.is_clustered,
            Facts::Exclusion(exclusion) => exclusion.is_clustered,
            Facts::Index(index) => index.is_clustered,
            _ => false,
        };
        let Some(whole) = self.layout.objects.whole(at) else {
            return;
        };
        let Some(word) = reference::altered(self.object(whole)) else {
            return;
        };
        let comment = match &object.facts {
            Facts::Key(key) => key.index_comment.as_ref(),
            Facts::Exclusion(exclusion) => exclusion.index_comment.as_ref(),
            _ => None,
        };
        if let Some(comment) = comment {
            let comment = literal(comment);
            to.push(format!(
                "COMMENT ON INDEX {} IS {comment}",
                index_name(object)
            ));
        }
        let name = ident(&object.id.name);
        if is_clustered {
            to.push(format!("ALTER {word} CLUSTER ON {name}"));
        }
        let table = self.layout.objects.table(whole);
        if let Some(ReplicaIdentity::Index(index)) = table.map(|table| &table.replica_identity)
            && *index == object.id.name
        {
            to.push(format!("ALTER {word} REPLICA IDENTITY USING INDEX {name}"));
        }
    }
}

/// The name of an index, with the schema of its table.
pub(super) fn index_name(object: &Object) -> String {
    qualified(&object.id.qualified())
}

fn key(kind: Kind, key: &Key) -> String {
    let mut sql = if kind == Kind::PrimaryKey {
        "PRIMARY KEY ".to_owned()
    } else if key.nulls_not_distinct {
        "UNIQUE NULLS NOT DISTINCT ".to_owned()
    } else {
        "UNIQUE ".to_owned()
    };
    let period = if key.without_overlaps {
        " WITHOUT OVERLAPS"
    } else {
        ""
    };
    sql.push_str(&format!("({}{period})", idents(&key.columns)));
    sql.push_str(&index_clauses(
        &key.include,
        &key.options,
        key.tablespace.as_deref(),
    ));
    sql.push_str(deferrable(key.deferrable));
    sql
}

/// What constraints say about their indexes.
fn index_clauses(include: &[String], options: &Options, tablespace: Option<&str>) -> String {
    let mut sql = String::new();
    if !include.is_empty() {
        sql.push_str(&format!(" INCLUDE ({})", idents(include)));
    }
    if !options.is_empty() {
        sql.push_str(&format!(" WITH {}", parameters(options)));
    }
    if let Some(tablespace) = tablespace {
        sql.push_str(&format!(" USING INDEX TABLESPACE {}", ident(tablespace)));
    }
    sql
}

fn foreign_key(key: &ForeignKey) -> String {
    let period = |columns: &[String]| match columns.split_last() {
        Some((last, [])) if key.period => format!("PERIOD {}", ident(last)),
        Some((last, first)) if key.period => format!("{}, PERIOD {}", idents(first), ident(last)),
        _ => idents(columns),
    };
    let mut sql = format!(
        "FOREIGN KEY ({}) REFERENCES {} ({})",
        period(&key.columns),
        qualified(&key.references),
        period(&key.referenced_columns)
    );
    if key.match_full {
        sql.push_str(" MATCH FULL");
    }
    if let Some(action) = &key.on_update {
        sql.push_str(&format!(" ON UPDATE {action}"));
    }
    if let Some(action) = &key.on_delete {
        sql.push_str(&format!(" ON DELETE {action}"));
        if !key.on_delete_columns.is_empty() {
            sql.push_str(&format!(" ({})", idents(&key.on_delete_columns)));
        }
    }
    sql.push_str(deferrable(key.deferrable));
    if key.not_enforced {
        sql.push_str(" NOT ENFORCED");
    }
    sql
}

fn check(check: &Check) -> String {
    let mut sql = format!("CHECK {}", in_parentheses(&check.expression));
    if check.no_inherit {
        sql.push_str(" NO INHERIT");
    }
    if check.not_enforced {
        sql.push_str(" NOT ENFORCED");
    }
    sql
}

fn exclusion(exclusion: &Exclusion) -> String {
    let keys: Vec<String> = exclusion
        .keys
        .iter()
        .zip(&exclusion.operators)
        .map(|(key, name)| format!("{} WITH {}", super::index::key(key), operator(name)))
        .collect();
    let mut sql = format!(
        "EXCLUDE USING {} ({})",
        ident(&exclusion.method),
        keys.join(", ")
    );
    sql.push_str(&index_clauses(
        &exclusion.include,
        &exclusion.options,
        exclusion.tablespace.as_deref(),
    ));
    if let Some(condition) = &exclusion.condition {
        sql.push_str(&format!(" WHERE ({})", stable(condition)));
    }
    sql.push_str(deferrable(exclusion.deferrable));
    sql
}
