use super::{Direction, RepeatableId, RevisionId};

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it is shown to people.
    pub file: String,
    /// Byte offset in the file, where the problem is about a part of it.
    pub offset: Option<usize>,
}

/// A problem of a script or of the history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {kind}", .place.file)]
pub struct Problem {
    /// The file it was found in.
    pub place: Place,
    /// The kind of problem.
    pub kind: ProblemKind,
}

/// What can be wrong with a script's headers or with the graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// `-- migrator: colour = red`
    #[error("unknown header `{key}`")]
    UnknownHeader {
        /// The key as written.
        key: String,
        /// The known key nearest to it.
        nearest: Option<&'static str>,
    },
    /// The same key twice.
    #[error("the header `{key}` is specified more than once")]
    RepeatedHeader {
        /// The key.
        key: &'static str,
    },
    /// A header of up scripts in a down script.
    #[error("the header `{key}` belongs in the up script")]
    WrongDirection {
        /// The key.
        key: &'static str,
    },
    /// A header of revisions in a repeatable script.
    #[error("the header `{key}` is not allowed in a repeatable script")]
    NotRepeatable {
        /// The key.
        key: &'static str,
    },
    /// A value that does not parse.
    #[error("`{value}` is not a valid value for `{key}`: {expected}")]
    HeaderValue {
        /// The key.
        key: &'static str,
        /// The value as written.
        value: String,
        /// What would be right: "expected `on` or `off`".
        expected: &'static str,
    },
    /// `-- migrator:` without `key = value`.
    #[error("a header has the form `-- migrator: key = value`")]
    HeaderSyntax,
    /// `-- migrator:` below the comment block at the top.
    #[error("a header below the first statement has no effect")]
    HeaderBelowTop,
    /// `-- migrator: batch colour=red`
    #[error("`{option}` is not an option of `batch`")]
    UnknownBatchOption {
        /// As written, without its value.
        option: String,
        /// The known option nearest to it.
        nearest: Option<&'static str>,
    },
    /// The same option twice.
    #[error("the option `{option}` is specified more than once")]
    RepeatedBatchOption {
        /// The option.
        option: &'static str,
    },
    /// An option whose value is missing or does not parse.
    #[error("`{value}` is not a valid value for `{option}`: {expected}")]
    BatchValue {
        /// The option.
        option: &'static str,
        /// The value as written.
        value: String,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// `-- Migrator: batch`, which would do nothing.
    #[error("this looks like a directive but is not one")]
    BatchSyntax,
    /// A batch in a script that runs in one transaction.
    #[error("`batch` commits repeatedly, but this script runs in one transaction")]
    BatchInTransaction,
    /// Two revisions with one ID.
    #[error("revision {id} exists twice; the other file is {other}")]
    DuplicateId {
        /// The ID.
        id: RevisionId,
        /// The other up script.
        other: String,
    },
    /// Two repeatable scripts of one name.
    #[error("the repeatable script {id} exists twice; the other file is {other}")]
    DuplicateRepeatable {
        /// The name.
        id: RepeatableId,
        /// The other file.
        other: String,
    },
    /// A down script without its up script.
    #[error("revision {id} has a down script but no up script")]
    MissingUp {
        /// The ID.
        id: RevisionId,
    },
    /// Up and down of one ID have different slugs.
    #[error("revision {id} is named `{slug}` here and `{other}` in its up script")]
    SlugMismatch {
        /// The ID.
        id: RevisionId,
        /// The slug of this file.
        slug: String,
        /// The slug of the up script.
        other: String,
    },
    /// A down script beside an `irreversible` header.
    #[error("revision {id} is declared irreversible but has a down script")]
    IrreversibleWithDown {
        /// The ID.
        id: RevisionId,
    },
    /// `revises` or `depends-on` names a revision that is not there.
    #[error("`{key} = {id}` names a revision that does not exist")]
    MissingParent {
        /// `revises` or `depends-on`.
        key: &'static str,
        /// The ID that is missing.
        id: RevisionId,
        /// The existing id nearest to it.
        nearest: Option<RevisionId>,
    },
    /// A baseline stands for a revision that is there.
    #[error("`replaces` names revision {id}, which still exists")]
    ReplacedExists {
        /// The revision.
        id: RevisionId,
    },
    /// A revision that two baselines stand for, or one twice.
    #[error("`replaces` names revision {id}, which {other} already replaces")]
    ReplacedTwice {
        /// The revision.
        id: RevisionId,
        /// The other baseline.
        other: RevisionId,
    },
    /// A revision is its own ancestor.
    #[error("these revisions form a dependency cycle: {}", path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> "))]
    Cycle {
        /// The cycle, first and last the same.
        path: Vec<RevisionId>,
    },
    /// Two revisions carry one label.
    #[error("the label `{label}` is also on revision {other}")]
    DuplicateLabel {
        /// The label.
        label: String,
        /// The other revision.
        other: RevisionId,
    },
    /// The same parent named twice, or a revision naming itself.
    #[error("`{key}` names {id} twice or names the revision itself")]
    RepeatedParent {
        /// `revises` or `depends-on`.
        key: &'static str,
        /// The ID.
        id: RevisionId,
    },
    /// The script has no text in the direction it is needed for.
    #[error("revision {id} has two {direction} scripts; the other is {other}")]
    DuplicateScript {
        /// The ID.
        id: RevisionId,
        /// The direction of the script.
        direction: Direction,
        /// The other file.
        other: String,
    },
}
