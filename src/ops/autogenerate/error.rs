use crate::{
    execute::PartialFailure,
    generate::{Loss, Refusal, RenameError},
    model::ProgramError,
    ops::{Unlike, VerifiedRevision},
    schema::{Name, ObjectId},
};

/// The reason why no revision was generated. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AutogenerateError {
    /// No schema is declared.
    #[error("no [model] is configured")]
    NoModel,
    /// A program of the model failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The model adds rows to tables.
    #[error("the model adds rows")]
    ModelRows(Vec<Name>),
    /// A rename does not fit the schema.
    #[error("--rename {text}: {error}")]
    Rename {
        /// The rename as it was written.
        text: String,
        /// The error.
        #[source]
        error: RenameError,
    },
    /// A comment `renamed-from` in the model is above something else than a table or a column.
    #[error("renamed-from is not above a table or a column")]
    RenamedFrom {
        /// The file.
        file: String,
        /// Its text.
        text: String,
        /// The byte offset of the comment.
        offset: usize,
    },
    /// A pair that was declared to be no rename is unknown.
    #[error("--no-rename {0}: nothing of this name is dropped")]
    NoRename(String),
    /// What is dropped and what is added differ in nothing but their names.
    #[error("objects are dropped that look like added ones")]
    PossibleRenames(Vec<(ObjectId, ObjectId)>),
    /// SQLite has no statements that let others write.
    #[error(
        "--online is for PostgreSQL; SQLite lets one connection write at a time, whatever the statement"
    )]
    OnlineSqlite,
    /// An object gets another name, which programs of before the change do not know.
    #[error("{0} gets the name {1}, which no statement does beside programs that use it")]
    OnlineRename(ObjectId, ObjectId),
    /// The up script would lose data.
    #[error("the up script would lose data")]
    Loses(Vec<Loss>),
    /// No statements are known for the way back.
    #[error("no statements are known for the down script")]
    NoDown(Vec<Refusal>),
    /// The up script does not lead to the model.
    #[error("the generated up script does not lead to the model")]
    Differs(Box<Unlike>),
    /// A generated script failed in a scratch database.
    #[error("a generated script failed: {}", .0.failure.error)]
    Failed(Box<PartialFailure>),
    /// The generated scripts are not the inverse of each other, or lose rows.
    #[error("the generated scripts are wrong")]
    Wrong(Box<VerifiedRevision>),
}

impl AutogenerateError {
    /// Whether the scripts were generated, and do not do what they should.
    pub(super) fn is_unproven(&self) -> bool {
        matches!(self, Self::Differs(_) | Self::Failed(_) | Self::Wrong(_))
    }
}
