use std::fmt;

use super::ended::AtStage;
use crate::database::{DatabaseError, StepError, StepStage};

/// The reason why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepFailure {
    /// An error of the database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// An existing index blocks a CREATE INDEX CONCURRENTLY and may not belong to it, so it is not
    /// dropped.
    #[error("the index {name} {doubt}")]
    IndexInDoubt {
        /// The quoted name with its schema.
        name: String,
        /// The reason why the index is not dropped.
        doubt: IndexDoubt,
    },
    /// A repeated statement does not converge: it changes rows again and again.
    #[error(
        "the batch does not terminate: {batches} batches have changed {rows} rows, more than twice \
         the {table_rows} rows that the table had at the start"
    )]
    EndlessBatch {
        /// The rows changed so far.
        rows: u64,
        /// The number of batches so far.
        batches: u64,
        /// The number of rows in the table before the first batch.
        table_rows: u64,
    },
    /// A repeated statement reached its limit of batches per run.
    #[error(
        "max-batches={limit} reached: {batches} batches have changed {rows} rows so far, and the \
         last batch still changed rows"
    )]
    BatchesOver {
        /// The value of `max-batches`.
        limit: u64,
        /// The rows changed so far, in all runs.
        rows: u64,
        /// The number of batches so far.
        batches: u64,
    },
}

impl StepFailure {
    /// The error of the database, if it is one.
    pub fn database(&self) -> Option<&DatabaseError> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }

    /// The failure, attributed to the first statement of the request.
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

/// The reason why an existing index is neither dropped nor accepted as the one that a statement
/// creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexDoubt {
    /// A session is building the index now.
    BeingBuilt,
    /// The index was created since the statement was tried, but differs from the one it creates.
    Unlike,
    /// The index existed before the statement was tried.
    Older,
    /// The index was created since the statement was tried and is valid, so the statement may have
    /// succeeded unobserved.
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
