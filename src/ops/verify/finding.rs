use std::{collections::BTreeMap, time::Duration};

use crate::{
    database::{DatabaseError, FailureKind},
    execute::{PartialFailure, StepFailure},
    generate,
    ops::OutsideScript,
    plan::PlanError,
    revision::RevisionId,
    schema::{Difference, Kind, Name, Note, Object, ObjectId, RowChanges, Schema},
};

/// What was found about one revision.
#[derive(Debug)]
pub struct VerifiedRevision {
    /// The revision.
    pub revision: RevisionId,
    /// The message.
    pub message: String,
    /// The file of the up script.
    pub up: String,
    /// The file of the down script.
    pub down: Option<String>,
    /// How far the revision was verified.
    pub verdict: Verdict,
    /// The findings.
    pub findings: Vec<VerifyFinding>,
    /// What is worth knowing beside them.
    pub notes: Vec<VerifyNote>,
    /// The time that the revision took.
    pub elapsed: Duration,
}

impl VerifiedRevision {
    /// Adds a finding, unless there is one of its kind about the same table.
    pub(super) fn add(&mut self, finding: VerifyFinding) {
        if self.findings.iter().all(|other| !other.is_like(&finding)) {
            self.findings.push(finding);
        }
    }

    /// Adds a note, unless it is there.
    pub(super) fn note(&mut self, note: VerifyNote) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Adds the failure of a script that succeeds without rows, in a database with `schema`. It is a
    /// finding if it fails with any rows, and a note if it depends on values.
    pub(super) fn add_failure_with_rows(
        &mut self,
        script: Script,
        failure: Box<PartialFailure>,
        schema: &Schema,
    ) {
        if is_new_column_without_value(&failure, schema) {
            self.add(VerifyFinding::FailsWithRows { script, failure });
        } else {
            let failure = failure.failure.error.to_string();
            self.note(VerifyNote::FailsWithRows { script, failure });
        }
    }
}

/// Whether a script fails since a column that it adds would be NULL in existing rows.
fn is_new_column_without_value(failure: &PartialFailure, schema: &Schema) -> bool {
    let StepFailure::Database(DatabaseError::Sql(failure)) = &failure.failure.error else {
        return false;
    };
    match failure.kind {
        Some(FailureKind::AddedNull) => true,
        Some(FailureKind::ContainsNull) => {
            let names = failure.names.as_deref();
            let (table, column) = match names.map(|it| (&it.table, &it.column)) {
                Some((Some(table), Some(column))) => (table, column),
                _ => return false,
            };
            let is_column = |object: &Object| {
                let id = &object.id;
                id.kind == Kind::Column && id.parent == *table && id.name == *column
            };
            !schema.objects.iter().any(is_column)
        }
        _ => false,
    }
}

/// A script of a revision, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// The up script.
    Up,
    /// The down script.
    Down,
    /// The up script for the second time.
    UpAgain,
}

/// How far a revision was verified.
#[derive(Debug)]
pub enum Verdict {
    /// The up script and the down script were run.
    Complete,
    /// The up script was run; the revision has no down script.
    NoDown {
        /// The reason given by the header `irreversible`.
        irreversible: Option<String>,
    },
    /// The scripts were not run to their end.
    NotVerified(NotVerified),
}

/// The reason why a revision was not verified.
#[derive(Debug)]
pub enum NotVerified {
    /// A script would change more than a scratch database.
    Outside(OutsideScript),
    /// The role lacks a right, or the server lacks an extension.
    Lacking(Box<PartialFailure>),
    /// The up script failed, which is a finding.
    UpFails,
    /// The revision needs one that could not be applied.
    Needs(RevisionId),
    /// The plan of the up or the down script was refused.
    Refused(String),
}

/// A problem of a revision.
#[derive(Debug)]
pub enum VerifyFinding {
    /// The up script fails.
    UpFails(Box<PartialFailure>),
    /// The down script fails after the up script.
    DownFails(Box<PartialFailure>),
    /// The down script cannot be run.
    DownRefused(PlanError),
    /// After up and down, the schema is not the one before.
    NotRestored(Box<Unlike>),
    /// The up script fails after the down script.
    UpFailsAgain(Box<PartialFailure>),
    /// The second run of the up script makes another schema than the first one.
    UpDiffers(Box<Unlike>),
    /// A script fails if tables have rows, whatever their values are.
    FailsWithRows {
        /// The script.
        script: Script,
        /// The failure.
        failure: Box<PartialFailure>,
    },
    /// The up script loses rows of a table that it does not drop.
    RowsLost {
        /// The table.
        table: Name,
        /// The number of lost rows.
        rows: usize,
    },
    /// After up and down, the rows of a table are not those before.
    RowsNotRestored {
        /// The table.
        table: Name,
        /// What differs.
        changes: RowChanges,
    },
}

impl VerifyFinding {
    /// Whether both say the same of the same table.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::RowsLost { table: a, .. }, Self::RowsLost { table: b, .. }) => a == b,
            (Self::RowsNotRestored { table: a, .. }, Self::RowsNotRestored { table: b, .. }) => {
                a == b
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// Something worth knowing about a revision that is no problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyNote {
    /// A script fails with the rows that were made, and succeeds without rows.
    FailsWithRows {
        /// The script.
        script: Script,
        /// The error.
        failure: String,
    },
    /// After up and down, the columns of a table are in another order.
    Schema(Note),
    /// The up script drops a table with rows.
    TableDropped {
        /// The table.
        table: Name,
        /// The number of rows.
        rows: usize,
    },
    /// The up script changes rows.
    RowsChanged {
        /// The table.
        table: Name,
        /// What differs.
        changes: RowChanges,
    },
    /// The rows of a table cannot be compared.
    Unread {
        /// The table.
        table: Name,
        /// The reason.
        reason: String,
    },
}

/// Two schemas that should be equal and are not.
#[derive(Debug)]
pub struct Unlike {
    /// The differences from the expected schema to the one that was found.
    pub difference: Difference,
    /// The definitions of the objects that differ.
    pub definitions: Vec<Definitions>,
}

/// Both definitions of an object with its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definitions {
    /// The object.
    pub object: ObjectId,
    /// The SQL that makes the expected object; empty if there is none.
    pub expected: String,
    /// The SQL that makes the object that was found; empty if there is none.
    pub found: String,
}

impl Unlike {
    /// The differences with the definitions of what differs.
    pub fn new(difference: Difference, expected: &Schema, found: &Schema) -> Self {
        let mut objects: Vec<&ObjectId> = Vec::new();
        for change in &difference.changes {
            let object = change.object();
            if objects.iter().all(|other| whole(other) != whole(object)) {
                objects.push(object);
            }
        }
        let (expected, found) = (texts(expected), texts(found));
        let text = |texts: &BTreeMap<Whole, String>, object: &ObjectId| {
            texts.get(&whole(object)).cloned().unwrap_or_default()
        };
        let definitions = objects.into_iter().map(|object| Definitions {
            object: object.clone(),
            expected: text(&expected, object),
            found: text(&found, object),
        });
        let definitions = definitions.collect();
        Self {
            difference,
            definitions,
        }
    }
}

/// What identifies an object with its parts: whether it is a relation, its schema and its name, which
/// for routines has the signature.
type Whole = (bool, String, String);

fn whole(object: &ObjectId) -> Whole {
    let is_relation = object.is_part() || object.kind.has_parts();
    let name = match object.is_part() {
        true => object.parent.clone(),
        false if is_relation => object.name.clone(),
        false => format!("{} {}{}", object.kind, object.name, object.signature),
    };
    (is_relation, object.schema.clone(), name)
}

/// The SQL of each object with its parts; none if the objects depend on each other in a circle.
fn texts(schema: &Schema) -> BTreeMap<Whole, String> {
    let mut texts = BTreeMap::new();
    for block in generate::dump(schema).unwrap_or_default() {
        if let Some(object) = &block.object {
            let text: &mut String = texts.entry(whole(object)).or_default();
            text.push_str(&block.to_string());
        }
    }
    texts
}
