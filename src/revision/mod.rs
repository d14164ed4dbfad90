//! Revisions: IDs, scripts with their headers and checksums, the history as a graph, targets, and
//! the rows that record applied revisions.
//!
//! This module is pure: it turns texts into values and problems.

mod applied;
mod batch;
mod block;
mod change;
mod checksum;
mod digest;
mod duration;
mod edit;
mod graph;
mod header;
mod header_line;
mod history;
mod id;
mod license;
mod lineage;
mod observed;
mod phase;
mod policy;
mod problem;
mod range;
mod repeatable;
mod resolve;
mod script;
mod select;
mod subject;
mod target;
mod validate;

#[cfg(test)]
pub(crate) mod testing;

pub use applied::{
    AppliedRevision, Ending, Interruption, LogEntry, LogEvent, LogRow, NewRow, Partial, Past,
    RecordChange, State, StoredScripts, UnitProgress,
};
pub use batch::{BatchDirective, BatchProgress, NoBatchProgress, Pace};
pub use change::{DiffLine, ScriptChange};
pub use checksum::{Checksum, ChecksumError};
pub use digest::{StatementsDigest, StatementsDigestError};
pub use duration::parse_duration;
pub use edit::{with_dependencies, with_parents, with_transaction_off, without_marker};
pub use header::{ForeignKeys, Headers, Replaced, TransactionMode, is_label};
pub use header_line::{AllowDirective, allow_directives};
pub use history::{History, Revision, ScriptPair};
pub use id::{RevisionId, RevisionIdError};
pub use lineage::{applied_descendants, applied_heads};
pub use observed::{AppliedRepeatable, LAYOUT, Observed, Row};
pub use phase::Phase;
pub use policy::{Ahead, Downs, OutOfOrder, TransactionScope};
pub use problem::{Place, Problem, ProblemKind};
pub use range::Range;
pub use repeatable::Repeatable;
pub use script::{Direction, LARGEST_STORED_UP, Script};
pub use subject::{RepeatableId, RepeatableIdError, Subject};
pub use target::{Resolved, Target, TargetError, TargetSyntaxError};
