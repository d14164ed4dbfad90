//! Sequences, and those of identity columns.

use super::{step::Step, write::Writer};
use crate::{
    generate::{
        LossKind,
        postgres::{
            Statements,
            quote::{ident, qualified},
            relation,
        },
    },
    schema::{
        Object,
        postgres::{Sequence, SequenceRange},
    },
};

impl Writer<'_, '_> {
    pub(super) fn alter_sequence(&mut self, new: usize, to: &Object, a: &Sequence, b: &Sequence) {
        let name = qualified(&to.id.qualified());
        let mut clauses = Vec::new();
        if a.data_type != b.data_type {
            clauses.push(format!("AS {}", b.data_type));
        }
        let usual = adjusted(&a.range, &a.data_type, &b.data_type);
        clauses.extend(range(&usual, &b.range, ""));
        if !clauses.is_empty() {
            let sql = format!("ALTER SEQUENCE {name} {}", clauses.join(" "));
            let step = Step::new(to, sql);
            let is_moved = clauses.iter().any(|it| it.starts_with("RESTART"));
            self.push(if is_moved {
                step.losing(LossKind::Position)
            } else {
                step
            });
        }
        if a.unlogged != b.unlogged {
            let word = if b.unlogged { "UNLOGGED" } else { "LOGGED" };
            self.push(Step::new(to, format!("ALTER SEQUENCE {name} SET {word}")));
        }
        if a.owned_by != b.owned_by {
            if a.owned_by.is_some() {
                self.push(Step::new(
                    to,
                    format!("ALTER SEQUENCE {name} OWNED BY NONE"),
                ));
            }
            if let Some((table, column)) = &b.owned_by {
                let dump = &self.plan.dump;
                let table_at = dump.layout.objects.relation(table);
                let is_given = table_at.is_some_and(|table| {
                    self.plan.is_created(table) && dump.places[new] < dump.places[table]
                });
                if !is_given {
                    let mut statements = Statements::default();
                    relation::owned_by(to, table, column, &mut statements);
                    for sql in statements.statements {
                        self.push(Step::new(to, sql).last());
                    }
                }
            }
        }
    }
}

/// The range of a sequence after its type has changed: limits that are those of the type follow it.
pub(super) fn adjusted(range: &SequenceRange, from: &str, to: &str) -> SequenceRange {
    let mut range = range.clone();
    if from != to {
        let ((low, high), (new_low, new_high)) = (limits(from), limits(to));
        if range.max == high {
            range.max = new_high;
        }
        if range.min == low {
            range.min = new_low;
        }
    }
    range
}

/// The lowest and the highest value of a type.
pub(super) fn limits(data_type: &str) -> (i64, i64) {
    match data_type {
        "smallint" => (i16::MIN.into(), i16::MAX.into()),
        "integer" => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

/// The clauses of ALTER SEQUENCE that lead from one range to another. `set` is what precedes each.
pub(super) fn range(a: &SequenceRange, b: &SequenceRange, set: &str) -> Vec<String> {
    let mut clauses = Vec::new();
    let mut clause = |differs: bool, text: String| {
        if differs {
            clauses.push(format!("{set}{text}"));
        }
    };
    clause(
        a.increment != b.increment,
        format!("INCREMENT BY {}", b.increment),
    );
    clause(a.min != b.min, format!("MINVALUE {}", b.min));
    clause(a.max != b.max, format!("MAXVALUE {}", b.max));
    clause(a.start != b.start, format!("START WITH {}", b.start));
    let cycle = if b.cycle { "CYCLE" } else { "NO CYCLE" };
    clause(a.cycle != b.cycle, cycle.to_owned());
    clause(a.cache != b.cache, format!("CACHE {}", b.cache));
    // The next value has to be in the range.
    let is_outside = !(b.min..=b.max).contains(&a.start);
    if is_outside {
        clauses.push("RESTART".to_owned());
    }
    clauses
}

/// The name beside which a new sequence can have the old one's name.
pub(super) fn aside(name: &crate::schema::Name) -> crate::schema::Name {
    let start = crate::schema::postgres::truncated(&name.name, 56);
    crate::schema::Name::new(name.schema.clone(), format!("{start}_old"))
}

/// `ALTER SEQUENCE … RENAME TO …`.
pub(super) fn rename(from: &crate::schema::Name, to: &str) -> String {
    format!("ALTER SEQUENCE {} RENAME TO {}", qualified(from), ident(to))
}
