use super::Layout;

/// What a layout cannot express, or its own tool would not take either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutProblem {
    /// A `.sql` file whose name says nothing to the tool.
    #[error("this is not a script name in the layout {layout}; expected {expected}")]
    Misnamed {
        /// Whose names are read.
        layout: Layout,
        /// `ID_NAME.sql`
        expected: &'static str,
    },
    /// A step that is a program.
    #[error("this step is written in {language}; only SQL is supported")]
    NotSql {
        /// `Go`
        language: &'static str,
    },
    /// Something that has no like here.
    #[error("{what} cannot be read")]
    Unsupported {
        /// With its article: `a callback of flyway`.
        what: &'static str,
    },
    /// A file without the marker that all of them need.
    #[error("missing line `{0}`")]
    MissingMarker(&'static str),
    /// A marker that already exists.
    #[error("duplicate `{0}`")]
    RepeatedMarker(&'static str),
    /// A marker where it means nothing.
    #[error("`{marker}` must come after `{after}`")]
    MisplacedMarker {
        /// As the tool writes it.
        marker: &'static str,
        /// What must stand before it.
        after: &'static str,
    },
    /// `StatementBegin` to the end.
    #[error("the statement that starts here has no `{0}`")]
    UnfinishedStatement(&'static str),
    /// A marker that the tool does not know.
    #[error("`{0}` is not a known marker")]
    UnknownMarker(String),
    /// A comment that may divide the file, where the layout is a guess.
    #[error("`{marker}` may divide this file into parts, and is not a marker of a known tool")]
    UnknownSection {
        /// As written, its first line.
        marker: String,
    },
    /// A marker with blanks in front of it.
    #[error("a marker must be at the start of a line")]
    IndentedMarker,
    /// An option behind a marker.
    #[error("`{0}` is not a known option")]
    UnknownOption(String),
    /// SQL that belongs to no direction.
    #[error("this is before the first marker, so it would never run")]
    BeforeMarkers,
    /// A line of the file beside a script.
    #[error("`{key}` is not a supported setting; expected {expected}")]
    UnknownSetting {
        /// The key as written.
        key: String,
        /// What is read.
        expected: &'static str,
    },
    /// Its value.
    #[error("expected `true` or `false`")]
    SettingValue,
}
