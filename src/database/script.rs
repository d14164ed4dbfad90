//! Script writers: they turn requests to a database into text for its shell, psql or sqlite3, so a
//! script does and records exactly what a run would.

use async_trait::async_trait;

use super::{DatabaseError, Ledger, Runner};
use crate::{
    arrange::Arrange as _,
    revision::{Observed, RecordChange, Subject},
    sql::{ConcurrentIndex, comment},
};

/// The header of a script.
#[derive(Clone, Debug)]
pub struct ScriptHead {
    /// `upgrade` or `downgrade`.
    pub verb: &'static str,
    /// The starting state, for display.
    pub from: String,
    /// The final state, for display.
    pub to: String,
    /// The steps of the script.
    pub steps: Vec<ScriptStep>,
    /// The starting state.
    pub observed: Observed,
}

/// A step of a script, for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptStep {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// The file of the step's script.
    pub file: String,
    /// The message of the revision.
    pub message: String,
}

/// Writes requests as the text of a script.
#[async_trait]
pub trait ScriptWriter: Ledger + Runner {
    /// Writes the mark before a statement that runs outside any transaction, so that a crash leaves
    /// it in doubt. If the statement creates an index, the mark lists the indexes of its table at
    /// that point.
    async fn mark(
        &mut self,
        mark: RecordChange,
        created: Option<&ConcurrentIndex>,
    ) -> Result<(), DatabaseError>;

    /// The text of the script.
    fn finish(self: Box<Self>) -> String;
}

/// The state reached by the script, as compared by its guards.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// Whether the version table exists.
    pub table: bool,
    /// The sequence and subject of each row, in order.
    pub rows: Vec<(i64, Subject)>,
    /// Whether to compare all rows, instead of only their number and the last one. Rows that the
    /// script wrote itself need no full comparison.
    pub all: bool,
}

impl Expected {
    pub fn new(observed: &Observed) -> Self {
        let revisions = observed.applied.iter();
        let revisions = revisions.map(|row| (row.sequence, row.revision.clone().into()));
        let repeatables = observed.repeatables.iter();
        let repeatables = repeatables.map(|row| (row.sequence, row.id.clone().into()));
        let mut rows: Vec<_> = revisions.chain(repeatables).collect();
        rows.arrange_by_key(|(sequence, _)| *sequence);
        Self {
            table: observed.layout.is_some(),
            rows,
            all: true,
        }
    }

    /// Applies the changes of one transaction of the script.
    pub fn change(&mut self, changes: &[RecordChange]) {
        self.table = true;
        self.all = false;
        for change in changes {
            match change {
                RecordChange::Insert(row)
                | RecordChange::Adopt(row, _)
                | RecordChange::Begin(row, _) => {
                    // A baseline takes the sequence of what it replaces.
                    let rows = &mut self.rows;
                    let at = rows.partition_point(|(sequence, _)| *sequence <= row.sequence);
                    rows.insert(at, (row.sequence, row.subject.clone()));
                }
                RecordChange::Delete(subject) | RecordChange::DeleteApplied(subject) => {
                    // Rows are mostly removed from the end.
                    let at = self.rows.iter().rposition(|(_, id)| id == subject);
                    at.map(|at| self.rows.remove(at));
                }
                RecordChange::Enter { .. }
                | RecordChange::Progress { .. }
                | RecordChange::Batch { .. }
                | RecordChange::Accept { .. }
                | RecordChange::Finish { .. } => {}
            }
        }
    }

    pub fn last_sequence(&self) -> i64 {
        self.rows.last().map_or(0, |(sequence, _)| *sequence)
    }

    /// The subject applied last, or `base`.
    pub fn newest(&self) -> &str {
        self.rows.last().map_or("base", |(_, id)| id.as_str())
    }

    /// The number and ID of each row. Leading zeros are dropped, since IDs are equal by value.
    pub fn marks(&self) -> impl Iterator<Item = String> {
        let rows = self.rows.iter();
        rows.map(|(number, id)| format!("{number}:{}", id.as_str().trim_start_matches('0')))
    }
}

/// The comment at the start of a script. `run` is the command that runs it.
pub(super) fn title(head: &ScriptHead, table: &str, run: &str) -> String {
    let ScriptHead { verb, .. } = head;
    let (from, to, table) = (comment(&head.from), comment(&head.to), comment(table));
    format!(
        "-- {verb} from {from} to {to}\n\
         --\n\
         -- Written by migrator {} for the version table {table}.\n\
         -- Run it with: {run}\n\
         -- It stops before it changes anything where the database is not at {from}.\n",
        env!("CARGO_PKG_VERSION"),
    )
}

/// The comment at the start of the part for `label`.
pub(super) fn part_title(label: &str) -> String {
    format!("\n-- {}\n", comment(label))
}

/// The comment before the first statement of the script of `label`, with its file and message.
pub(super) fn origin(head: &ScriptHead, label: &str) -> Option<String> {
    let subject = label.strip_prefix(head.verb)?.trim_start();
    let mut steps = head.steps.iter();
    let step = steps.find(|step| step.subject.as_str() == subject)?;
    let mut text = comment(&step.file).into_owned();
    if !step.message.is_empty() {
        text = format!("{text}: {}", comment(&step.message));
    }
    Some(format!("-- {text}\n"))
}

/// The comment at the end of a script, whose absence shows that the script is truncated.
pub(super) fn end(head: &ScriptHead, is_empty: bool) -> String {
    let nothing = match is_empty {
        true => "\n-- Nothing is to be done.\n",
        false => "",
    };
    let is_revision = |step: &&ScriptStep| step.subject.revision().is_some();
    let revisions = head.steps.iter().filter(is_revision).count();
    let scripts = match head.steps.len() - revisions {
        0 => String::new(),
        1 => " and 1 repeatable script".to_owned(),
        many => format!(" and {many} repeatable scripts"),
    };
    let plural = if revisions == 1 { "" } else { "s" };
    format!("{nothing}\n-- end of script: {revisions} revision{plural}{scripts}\n")
}

/// The heading of the part that writes `changes`, in the format of step labels.
pub(super) fn part(head: &ScriptHead, changes: &[RecordChange]) -> Option<String> {
    let change = changes.first()?;
    Some(format!("{} {}", head.verb, change.subject()))
}

/// The first sentence of a guard's message, before it describes the actual state.
pub(super) fn premise(head: &ScriptHead) -> String {
    format!("this script goes from {} to {}", head.from, head.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_one_line_each_whatever_they_say() {
        let odd = |what: &str| format!("{what}\nDROP TABLE t;\r\nDROP TABLE t;\u{85}\u{2028}x");
        let head = ScriptHead {
            verb: "upgrade",
            from: odd("from"),
            to: odd("to"),
            steps: vec![ScriptStep {
                subject: "1".parse().unwrap(),
                file: odd("file"),
                message: odd("message"),
            }],
            observed: Observed::default(),
        };
        let text = title(&head, &odd("table"), "psql")
            + &part_title(&odd("part"))
            + &origin(&head, "upgrade 1").unwrap()
            + &end(&head, true);
        for line in text.split(['\n', '\r', '\u{85}', '\u{2028}']) {
            assert!(line.is_empty() || line.starts_with("--"), "{text:?}");
        }
        assert_eq!(origin(&head, "upgrade 2"), None);
        assert_eq!(text.lines().count(), 12, "{text}");
    }
}
