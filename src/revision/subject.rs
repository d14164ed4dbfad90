use std::{fmt, str::FromStr, sync::Arc};

use super::{RevisionId, RevisionIdError};

/// The name of a repeatable script in records: `R_` and its slug, like its file. It cannot be
/// confused with a revision ID, which consists of digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepeatableId(Arc<str>);

/// The error for text that is not the name of a repeatable script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a repeatable script, which is R_ followed by a slug")]
pub struct RepeatableIdError(pub String);

const PREFIX: &str = "R_";

impl RepeatableId {
    /// Returns the name of the script `R_<slug>.sql`; `None` if a record cannot hold the slug.
    pub fn of_slug(slug: &str) -> Option<Self> {
        let fits = !slug.is_empty() && slug.trim() == slug && !slug.contains(char::is_control);
        fits.then(|| Self(format!("{PREFIX}{slug}").into()))
    }

    /// Returns the name with its `R_`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name without its `R_`.
    pub fn slug(&self) -> &str {
        &self.0[PREFIX.len()..]
    }
}

impl FromStr for RepeatableId {
    type Err = RepeatableIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(PREFIX)
            .and_then(Self::of_slug)
            .ok_or_else(|| RepeatableIdError(text.to_owned()))
    }
}

impl fmt::Display for RepeatableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The subject of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A step of the history.
    Revision(RevisionId),
    /// A script that is applied again whenever it changes.
    Repeatable(RepeatableId),
}

impl Subject {
    /// Returns the value of the version table's column `revision`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Revision(id) => id.as_str(),
            Self::Repeatable(id) => id.as_str(),
        }
    }

    /// Returns the value of the version table's column `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Revision(_) => REVISION,
            Self::Repeatable(_) => REPEATABLE,
        }
    }

    /// Returns the revision, if the subject is one.
    pub fn revision(&self) -> Option<&RevisionId> {
        match self {
            Self::Revision(id) => Some(id),
            Self::Repeatable(_) => None,
        }
    }

    /// Returns the noun for messages: `revision` or `repeatable script`.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Revision(_) => "revision",
            Self::Repeatable(_) => "repeatable script",
        }
    }
}

/// The kind of revisions in the version table's column `kind`.
pub(super) const REVISION: &str = "revision";
pub(super) const REPEATABLE: &str = "repeatable";

impl From<RevisionId> for Subject {
    fn from(id: RevisionId) -> Self {
        Self::Revision(id)
    }
}

impl From<RepeatableId> for Subject {
    fn from(id: RepeatableId) -> Self {
        Self::Repeatable(id)
    }
}

impl PartialEq<RevisionId> for Subject {
    fn eq(&self, other: &RevisionId) -> bool {
        self.revision() == Some(other)
    }
}

impl PartialEq<RepeatableId> for Subject {
    fn eq(&self, other: &RepeatableId) -> bool {
        matches!(self, Self::Repeatable(id) if id == other)
    }
}

impl FromStr for Subject {
    type Err = RevisionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(repeatable) => Ok(Self::Repeatable(repeatable)),
            Err(_) => text.parse().map(Self::Revision),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_about_a_revision_or_a_repeatable_script() {
        let check = |text: &str, kind: &str| {
            let subject: Subject = text.parse().unwrap();
            assert_eq!((subject.as_str(), subject.kind()), (text, kind));
        };
        check("0070", "revision");
        check("R_views", "repeatable");
        check("R_7", "repeatable");
        check("R__żółte widoki", "repeatable");
        for text in ["", "R_", "r_views", "R_a\nb", "R_ a", "views", "7a"] {
            assert!(text.parse::<Subject>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_slug_comes_back() {
        let id = RepeatableId::of_slug("views").unwrap();
        assert_eq!((id.as_str(), id.slug()), ("R_views", "views"));
        assert_eq!("R_views".parse(), Ok(id));
    }
}
