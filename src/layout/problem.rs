use super::Layout;

/// A file that its layout cannot express, or that its own tool would reject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutProblem {
    /// The name of a `.sql` file is not valid for the tool.
    #[error("this is not a script name in the layout {layout}; expected {expected}")]
    Misnamed {
        /// The layout of the directory.
        layout: Layout,
        /// `ID_NAME.sql`
        expected: &'static str,
    },
    /// A step is a program.
    #[error("this step is written in {language}; only SQL is supported")]
    NotSql {
        /// `Go`
        language: &'static str,
    },
    /// A feature is not supported.
    #[error("{what} cannot be read")]
    Unsupported {
        /// The feature with its article: `a callback of flyway`.
        what: &'static str,
    },
    /// A file lacks the required marker.
    #[error("missing line `{0}`")]
    MissingMarker(&'static str),
    /// A marker is repeated.
    #[error("duplicate `{0}`")]
    RepeatedMarker(&'static str),
    /// A marker is in the wrong place.
    #[error("`{marker}` must come after `{after}`")]
    MisplacedMarker {
        /// The marker as written by the tool.
        marker: &'static str,
        /// The marker that must precede it.
        after: &'static str,
    },
    /// A `StatementBegin` is not closed.
    #[error("the statement that starts here has no `{0}`")]
    UnfinishedStatement(&'static str),
    /// A marker is unknown.
    #[error("`{0}` is not a known marker")]
    UnknownMarker(String),
    /// A comment may divide the file, and the layout was only guessed.
    #[error("`{marker}` may divide this file into parts, and is not a marker of a known tool")]
    UnknownSection {
        /// The first line of the comment, as written.
        marker: String,
    },
    /// A marker is preceded by blanks.
    #[error("a marker must be at the start of a line")]
    IndentedMarker,
    /// An option of a marker is unknown.
    #[error("`{0}` is not a known option")]
    UnknownOption(String),
    /// SQL does not belong to any direction.
    #[error("this is before the first marker, so it would never run")]
    BeforeMarkers,
    /// A setting in the file beside a script is not supported.
    #[error("`{key}` is not a supported setting; expected {expected}")]
    UnknownSetting {
        /// The key as written.
        key: String,
        /// The supported keys.
        expected: &'static str,
    },
    /// The value of a setting is not valid.
    #[error("expected `true` or `false`")]
    SettingValue,
}
