//! What a refused row has to change.

/// A refused row, as the database reported it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The message.
    pub message: String,
    /// The name of the violated constraint, if the database tells it.
    pub constraint: Option<String>,
    /// The name of the column, if the database tells it.
    pub column: Option<String>,
}

/// The columns that an error is about, by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// Together they violate a condition.
    Check(Vec<usize>),
    /// They must not be NULL.
    Null(Vec<usize>),
    /// Another row has the same values.
    Duplicate(Vec<usize>),
    /// The reference at this place has no row.
    Reference(usize),
    /// Their values are refused; if there are none, nothing is known.
    Columns(Vec<usize>),
    /// There was no error and no row.
    Nothing,
    Unknown,
}
