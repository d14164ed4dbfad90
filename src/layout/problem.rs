use super::Layout;

/// What a layout can't express, or its own tool would not take either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutProblem {
    /// A `.sql` file whose name says nothing to the tool.
    #[error("this is not the name of a script of {layout}; it must be {expected}")]
    Misnamed {
        /// Whose names are read.
        layout: Layout,
        /// `ID_NAME.sql`
        expected: &'static str,
    },
    /// A step that is a program.
    #[error("this step is written in {language}, and only SQL runs here")]
    NotSql {
        /// `Go`
        language: &'static str,
    },
    /// Something that has no like here.
    #[error("{what} can't be read")]
    Unsupported {
        /// With its article: `a callback of flyway`.
        what: &'static str,
    },
    /// A file without the marker that all of them need.
    #[error("there is no line `{0}`")]
    MissingMarker(&'static str),
    /// A marker that is there already.
    #[error("this is the second `{0}`")]
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
    #[error("the statement that begins here has no `{0}`")]
    UnfinishedStatement(&'static str),
    /// A marker that the tool does not know.
    #[error("`{0}` is no marker that is known")]
    UnknownMarker(String),
    /// A comment that may divide the file, where the layout is a guess.
    #[error("`{marker}` may divide this file into parts, and no tool is known to write it so")]
    UnknownSection {
        /// As written, its first line.
        marker: String,
    },
    /// A marker with blanks in front of it.
    #[error("a marker stands at the beginning of its line")]
    IndentedMarker,
    /// An option behind a marker.
    #[error("`{0}` is no option that is known")]
    UnknownOption(String),
    /// SQL that belongs to no direction.
    #[error("this stands before the first marker, so that it never runs")]
    BeforeMarkers,
    /// A line of the file beside a script.
    #[error("`{key}` is no setting that is known here; it may be {expected}")]
    UnknownSetting {
        /// As written.
        key: String,
        /// What is read.
        expected: &'static str,
    },
    /// Its value.
    #[error("expected `true` or `false`")]
    SettingValue,
}
