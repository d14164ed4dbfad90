use std::fmt;

use super::ended::AtStage;
use crate::database::{DatabaseError, StepError, StepStage};

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepFailure {
    /// The database said so.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// An index that is in the way of a CREATE INDEX CONCURRENTLY, and perhaps not ours to drop.
    #[error("the index {name} {doubt}")]
    IndexInDoubt {
        /// Quoted and with its schema.
        name: String,
        /// Why it is left alone.
        doubt: IndexDoubt,
    },
    /// A statement that is repeated changes rows again and again.
    #[error(
        "the batch does not terminate: {batches} batches have changed {rows} rows, more than twice \
         the {table_rows} rows that the table had at the start"
    )]
    EndlessBatch {
        /// Rows changed so far.
        rows: u64,
        /// In so many batches.
        batches: u64,
        /// The table's rows before the first.
        table_rows: u64,
    },
    /// A statement was repeated as often as it may be in one run.
    #[error(
        "max-batches={limit} reached: {batches} batches have changed {rows} rows so far, and the \
         last batch still changed rows"
    )]
    BatchesOver {
        /// `max-batches`
        limit: u64,
        /// Rows changed so far, in all runs.
        rows: u64,
        /// In so many batches.
        batches: u64,
    },
}

impl StepFailure {
    /// The database's error, if it is one.
    pub fn database(&self) -> Option<&DatabaseError> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }

    /// It is about the first statement that was to run.
    pub(super) fn at_statement(self) -> AtStage {
        AtStage {
            stage: StepStage::Statement(0),
            error: self,
        }
    }
}

impl From<StepError> for AtStage {
    fn from(StepError { stage, error }: StepError) -> Self {
        Self {
            stage,
            error: error.into(),
        }
    }
}

/// Why an index is neither dropped nor taken for the one that a statement creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexDoubt {
    /// A session is building it now.
    BeingBuilt,
    /// It is new since, but the statement would create another one.
    Unlike,
    /// It was there before the statement was tried.
    Older,
    /// It is new since and valid: the statement may have come to a good end that nobody saw.
    Valid,
}

impl fmt::Display for IndexDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeingBuilt => "is invalid, and a session is building it",
            Self::Unlike => "is invalid and is not the one that this statement creates",
            Self::Older => "is invalid and existed before this statement",
            Self::Valid => {
                "is there and valid: this statement has created it before its connection was lost, \
                 or someone else has"
            }
        })
    }
}
