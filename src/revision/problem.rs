use super::{Direction, RepeatableId, RevisionId};

/// The place of a problem.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file name to display.
    pub file: String,
    /// Byte offset in the file, if the problem concerns a part of it.
    pub offset: Option<usize>,
}

/// A problem of a script or of the history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {kind}", .place.file)]
pub struct Problem {
    /// The file that has the problem.
    pub place: Place,
    /// The kind of problem.
    pub kind: ProblemKind,
}

/// A problem of a script's headers or of the graph.
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
    /// A key is specified twice.
    #[error("the header `{key}` is specified more than once")]
    RepeatedHeader {
        /// The key.
        key: &'static str,
    },
    /// A header of up scripts is in a down script.
    #[error("the header `{key}` belongs in the up script")]
    WrongDirection {
        /// The key.
        key: &'static str,
    },
    /// A header of revisions is in a repeatable script.
    #[error("the header `{key}` is not allowed in a repeatable script")]
    NotRepeatable {
        /// The key.
        key: &'static str,
    },
    /// A value is invalid.
    #[error("`{value}` is not a valid value for `{key}`: {expected}")]
    HeaderValue {
        /// The key.
        key: &'static str,
        /// The value as written.
        value: String,
        /// A description of valid values: "expected `on` or `off`".
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
        /// The option as written, without its value.
        option: String,
        /// The known option nearest to it.
        nearest: Option<&'static str>,
    },
    /// An option is specified twice.
    #[error("the option `{option}` is specified more than once")]
    RepeatedBatchOption {
        /// The option.
        option: &'static str,
    },
    /// The value of an option is missing or invalid.
    #[error("`{value}` is not a valid value for `{option}`: {expected}")]
    BatchValue {
        /// The option.
        option: &'static str,
        /// The value as written.
        value: String,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// `-- Migrator: batch`, which would have no effect.
    #[error("this looks like a directive but is not one")]
    BatchSyntax,
    /// A batch is in a script that runs in one transaction.
    #[error("`batch` commits repeatedly, but this script runs in one transaction")]
    BatchInTransaction,
    /// Two revisions have the same ID.
    #[error("revision {id} exists twice; the other file is {other}")]
    DuplicateId {
        /// The ID.
        id: RevisionId,
        /// The other up script.
        other: String,
    },
    /// Two repeatable scripts have the same name.
    #[error("the repeatable script {id} exists twice; the other file is {other}")]
    DuplicateRepeatable {
        /// The name.
        id: RepeatableId,
        /// The other file.
        other: String,
    },
    /// A down script has no up script.
    #[error("revision {id} has a down script but no up script")]
    MissingUp {
        /// The ID.
        id: RevisionId,
    },
    /// The up and down scripts of an ID have different slugs.
    #[error("revision {id} is named `{slug}` here and `{other}` in its up script")]
    SlugMismatch {
        /// The ID.
        id: RevisionId,
        /// The slug of this file.
        slug: String,
        /// The slug of the up script.
        other: String,
    },
    /// A revision with the header `irreversible` has a down script.
    #[error("revision {id} is declared irreversible but has a down script")]
    IrreversibleWithDown {
        /// The ID.
        id: RevisionId,
    },
    /// `revises` or `depends-on` names a revision that does not exist.
    #[error("`{key} = {id}` names a revision that does not exist")]
    MissingParent {
        /// `revises` or `depends-on`.
        key: &'static str,
        /// The ID that is missing.
        id: RevisionId,
        /// The existing ID nearest to it.
        nearest: Option<RevisionId>,
    },
    /// A baseline replaces a revision that still exists.
    #[error("`replaces` names revision {id}, which still exists")]
    ReplacedExists {
        /// The revision.
        id: RevisionId,
    },
    /// A revision is replaced by two baselines, or twice by one.
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
        /// The cycle; first and last are the same.
        path: Vec<RevisionId>,
    },
    /// Two revisions have the same label.
    #[error("the label `{label}` is also on revision {other}")]
    DuplicateLabel {
        /// The label.
        label: String,
        /// The other revision.
        other: RevisionId,
    },
    /// A parent is named twice, or a revision names itself.
    #[error("`{key}` names {id} twice or names the revision itself")]
    RepeatedParent {
        /// `revises` or `depends-on`.
        key: &'static str,
        /// The ID.
        id: RevisionId,
    },
    /// A revision has two scripts for the same direction.
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
