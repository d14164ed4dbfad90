//! What is done about the findings of one revision.

use std::ops::Range;

use super::{Left, text::Edits};
use crate::{
    lint::{
        Act, ColumnChange, Constraint, ConstraintKind, Finding, Fix, Severity, Statement,
        TableChange, text,
    },
    ops::LintedRevision,
    revision::{Revision, TransactionMode, with_transaction_off},
    schema::Kind,
    sql::{self, Dialect},
};

/// The changes of one revision.
#[derive(Debug)]
pub(super) struct Change {
    /// The new up script.
    pub up: String,
    /// The new down script, if it changes.
    pub down: Option<String>,
    /// What a revision that follows runs, if one is needed.
    pub following: Option<Following>,
    /// The findings that this fixes: the line, and the names of the rules.
    pub fixed: Vec<(u32, Vec<&'static str>)>,
}

/// The scripts of a revision that follows.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// The statements of the up script, with directives above them.
    pub up: Vec<String>,
    /// The statements of the down script.
    pub down: Vec<String>,
    /// Whether the scripts run without a transaction.
    pub transaction_off: bool,
    /// Whether statements of the script went there.
    pub is_rest: bool,
}

/// A finding with the edit that fixes it.
struct Fixable<'a> {
    finding: &'a Finding,
    statement: &'a Statement,
    fix: &'a Fix,
    rules: Vec<&'static str>,
}

/// Why a finding is left.
type Reason = &'static str;

impl Fixable<'_> {
    /// Why the statement of a script is not edited at all.
    fn obstacle(&self, edits: &Edits<'_>, text: &str) -> Option<Reason> {
        let span = &self.finding.span;
        if text.get(span.clone()) != Some(self.statement.sql.as_str()) {
            return Some("the statement has placeholders");
        }
        let moves = self.fix.replace.is_empty() || self.fix.directive.is_some();
        let has_directive = moves && edits.has_directive(span);
        has_directive.then_some("there is a directive above the statement")
    }
}

/// The fix of the most severe cause that has one. What is only worth knowing stays.
fn fix_of(finding: &Finding) -> Option<(&Fix, Vec<&'static str>)> {
    let causes = || {
        let causes = finding.causes.iter();
        causes.filter(|it| it.severity > Severity::Note)
    };
    let fix = causes().find_map(|it| it.fix.as_ref())?;
    let rules = causes().filter(|it| it.fix.as_ref() == Some(fix));
    Some((fix, rules.map(|it| it.rule.name).collect()))
}

/// Whether there is a finding with a fix.
pub(super) fn is_fixable(linted: &LintedRevision) -> bool {
    linted.findings.iter().any(|it| fix_of(it).is_some())
}

fn fixable(linted: &LintedRevision) -> impl Iterator<Item = Fixable<'_>> {
    linted.findings.iter().filter_map(|finding| {
        let statement = linted.statements.get(finding.statement)?;
        let (fix, rules) = fix_of(finding)?;
        Some(Fixable {
            finding,
            statement,
            fix,
            rules,
        })
    })
}

/// Plans the fixes of a revision; what is left is added to `left` with the reason. Returns `None` if
/// nothing is done.
pub(super) fn plan(
    dialect: Dialect,
    revision: &Revision,
    linted: &LintedRevision,
    left: &mut Vec<Left>,
) -> Option<Change> {
    let edits = Edits::new(&linted.text);
    let mut leave = |it: &Fixable<'_>, reason: Reason| {
        left.push(Left {
            revision: revision.id.clone(),
            file: linted.file.clone(),
            line: it.finding.line,
            rules: it.rules.clone(),
            reason,
        });
    };
    let mut fixable: Vec<_> = fixable(linted).collect();
    fixable.retain(|it| match it.obstacle(&edits, &linted.text) {
        Some(reason) => {
            leave(it, reason);
            false
        }
        None => true,
    });
    let is_off = revision.up.headers.transaction == TransactionMode::Off;
    let outside = fixable.iter().filter(|it| it.fix.transaction_off).count();
    // The statements of a transaction take effect together. Those that cannot be in one leave it,
    // unless no other is left.
    let becomes_off = !is_off && outside > 0 && outside == linted.statements.len();
    let stays = is_off || becomes_off;
    let mut planning = Planning::new(dialect, revision, edits);
    let mut fixed = Vec::new();
    for (at, it) in fixable.iter().enumerate() {
        let later = linted.statements.len() - it.finding.statement - 1;
        let later_fixed = fixable[at + 1..].iter();
        let is_last = later == later_fixed.filter(|it| it.fix.transaction_off).count();
        let done = match it.fix.transaction_off && !stays {
            true => planning.move_out(it, is_last),
            false => planning.in_place(it),
        };
        match done {
            Ok(()) => fixed.push((it.finding.line, it.rules.clone())),
            Err(reason) => leave(it, reason),
        }
    }
    let text = becomes_off.then(|| with_transaction_off(dialect, &linted.text));
    (!fixed.is_empty()).then(|| planning.finish(text.as_deref(), fixed))
}

struct Planning<'a> {
    dialect: Dialect,
    revision: &'a Revision,
    up: Edits<'a>,
    down: Option<Edits<'a>>,
    /// The number of statements of the down script that stay in it.
    reverting_left: usize,
    following: Following,
    /// The number of fixes with statements that follow. Each is to have its own locks.
    groups: usize,
}

impl<'a> Planning<'a> {
    fn new(dialect: Dialect, revision: &'a Revision, up: Edits<'a>) -> Self {
        let down = revision.down.as_ref();
        Self {
            dialect,
            revision,
            up,
            down: down.map(|it| Edits::new(&it.text)),
            reverting_left: down.map_or(0, |down| {
                sql::split(dialect, &down.text).map_or(0, |statements| statements.len())
            }),
            following: Following::default(),
            groups: 0,
        }
    }

    /// Edits the statement where it is.
    fn in_place(&mut self, it: &Fixable<'_>) -> Result<(), Reason> {
        let (fix, span) = (it.fix, &it.finding.span);
        if fix.replace.is_empty() {
            if !self.up.remove(span) {
                return Err("there is a comment at the end of the statement");
            }
        } else {
            self.up
                .replace(span, &fix.replace, fix.directive.as_deref());
        }
        // The other statement has another way back.
        if is_set_not_null(&it.statement.acts)
            && let Some(reverting) = self.reverting(it.statement)
            && let Some(down) = &mut self.down
        {
            down.replace(&reverting, &fix.down, None);
        }
        if !fix.following.is_empty() {
            self.groups += 1;
            self.following.up.extend(fix.following.iter().cloned());
            // The whole list is reversed in the end.
            let down = fix.following_down.iter().rev().cloned();
            self.following.down.extend(down);
        }
        Ok(())
    }

    /// Moves the statement to the revision that follows.
    fn move_out(&mut self, it: &Fixable<'_>, is_last: bool) -> Result<(), Reason> {
        let (fix, span) = (it.fix, &it.finding.span);
        if fix.directive.is_some() && !is_last {
            return Err("later statements of the transaction may need its rows");
        }
        if self.down.is_some() && fix.down.is_empty() {
            return Err(
                "it would go to a revision of its own, for which the way back is not known",
            );
        }
        if self.up.has_directive(span) {
            return Err("there is a directive above the statement");
        }
        let reverting = self.reverting(it.statement);
        if reverting.is_some() && self.reverting_left <= 1 {
            return Err("nothing would be left of the down script");
        }
        let mut down = self.down.clone();
        if let (Some(reverting), Some(down)) = (&reverting, &mut down)
            && !down.remove(reverting)
        {
            return Err("there is a comment at the end of the statement that reverts it");
        }
        if !self.up.remove(span) {
            return Err("there is a comment at the end of the statement");
        }
        self.down = down;
        self.reverting_left -= usize::from(reverting.is_some());
        let mut replace = fix.replace.clone();
        if let (Some(directive), Some(first)) = (&fix.directive, replace.first_mut()) {
            *first = format!("{directive}\n{first}");
        }
        self.following.up.extend(replace);
        self.following.down.extend(fix.down.iter().rev().cloned());
        self.following.transaction_off = true;
        self.following.is_rest = true;
        Ok(())
    }

    /// The changes. `text` is that of the up script if its headers change.
    fn finish(self, text: Option<&str>, fixed: Vec<(u32, Vec<&'static str>)>) -> Change {
        let mut following = self.following;
        following.transaction_off |= self.groups > 1;
        following.down.reverse();
        Change {
            up: match text {
                Some(text) => self.up.finish_in(text),
                None => self.up.finish(),
            },
            down: self.down.filter(|it| !it.is_empty()).map(Edits::finish),
            following: (!following.up.is_empty()).then_some(following),
            fixed,
        }
    }

    /// The only statement of the down script that reverts a statement.
    fn reverting(&self, statement: &Statement) -> Option<Range<usize>> {
        let [act] = statement.acts.as_slice() else {
            return None;
        };
        let down = &self.revision.down.as_ref()?.text;
        let statements = sql::split(self.dialect, down).ok()?;
        let mut found = statements.iter().filter(|it| {
            let acts = text::read(self.dialect, it.text(down));
            matches!(acts.as_slice(), [reverting] if reverts(act, reverting))
        });
        match (found.next(), found.next()) {
            (Some(only), None) => Some(only.span.clone()),
            _ => None,
        }
    }
}

fn is_set_not_null(acts: &[Act]) -> bool {
    let [Act::AlterTable { change, .. }] = acts else {
        return false;
    };
    let is_it = |change: &ColumnChange| *change == ColumnChange::SetNotNull;
    matches!(change, TableChange::AlterColumn { change, .. } if is_it(change))
}

/// Whether an act takes back another.
fn reverts(act: &Act, reverting: &Act) -> bool {
    match (act, reverting) {
        (Act::CreateIndex(index), Act::Drop(object)) => {
            object.kind == Kind::Index && index.name.as_ref() == Some(&object.name.name)
        }
        (
            Act::AlterTable { table, change },
            Act::AlterTable {
                table: of,
                change: reverting,
            },
        ) => {
            let is_table = table.name == of.name;
            is_table
                && match (change, reverting) {
                    (
                        TableChange::AddConstraint(constraint),
                        TableChange::DropConstraint { name, .. },
                    ) => is_named(constraint, &table.name, name),
                    (
                        TableChange::AlterColumn {
                            column,
                            change: ColumnChange::SetNotNull,
                        },
                        TableChange::AlterColumn {
                            column: of,
                            change: ColumnChange::DropNotNull,
                        },
                    ) => column == of,
                    _ => false,
                }
        }
        _ => false,
    }
}

/// Whether a constraint has this name, or gets it from the server.
fn is_named(constraint: &Constraint, table: &str, name: &str) -> bool {
    match (&constraint.name, &constraint.kind) {
        (Some(own), _) => own == name,
        (None, ConstraintKind::PrimaryKey(_)) => name == format!("{table}_pkey"),
        (None, ConstraintKind::Unique(columns)) => {
            name == format!("{table}_{}_key", columns.join("_"))
        }
        _ => false,
    }
}

/// All findings with a fix, left for one reason.
pub(super) fn all(linted: &LintedRevision, reason: Reason) -> Vec<Left> {
    let found = linted.findings.iter().filter_map(|finding| {
        let (_, rules) = fix_of(finding)?;
        Some(Left {
            revision: linted.revision.clone(),
            file: linted.file.clone(),
            line: finding.line,
            rules,
            reason,
        })
    });
    found.collect()
}
