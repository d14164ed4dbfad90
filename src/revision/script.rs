use std::{
    fmt,
    sync::{Arc, LazyLock, OnceLock},
};

use super::{
    Checksum, Headers, Place, Problem, RevisionId,
    header::{self, Role},
    header_line,
};
use crate::{
    arrange::Arrange as _,
    sql::{Dialect, canonicalize},
};

/// The largest up script in bytes that is stored with its record.
pub const LARGEST_STORED_UP: usize = 64 * 1024;

/// The direction of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Towards the head.
    Up,
    /// Towards the base.
    Down,
}

impl Direction {
    /// Returns `up` or `down`, as used in file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The SQL of one direction of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The direction.
    pub direction: Direction,
    /// The file name to display: `migrations/2026…_x.up.sql`.
    pub file: String,
    /// The whole file, BOM included. Other content of another tool's file is blanked out, so that
    /// offsets are those of the file.
    pub text: Arc<str>,
    /// The headers of its top block. Shared, because most scripts have none.
    pub headers: Arc<Headers>,
    /// See [`Self::alone`]; `None` if it is the same as the text.
    alone: Option<Arc<str>>,
    taken: Taken,
}

/// The cached checksum of a script. It does not affect equality.
#[derive(Clone, Debug, Default)]
struct Taken(OnceLock<(Dialect, Checksum)>);

impl PartialEq for Taken {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Taken {}

impl Script {
    /// Parses the headers of `text` by the comment rules of `dialect`.
    ///
    /// # Errors
    /// Returns every problem of the headers, in text order.
    pub fn parse(
        dialect: Dialect,
        direction: Direction,
        file: impl Into<String>,
        text: impl Into<Arc<str>>,
    ) -> Result<Self, Vec<Problem>> {
        Self::read(
            dialect,
            direction,
            direction.into(),
            file.into(),
            text.into(),
        )
    }

    /// Parses the headers of a repeatable script, whose direction is up.
    ///
    /// # Errors
    /// Returns every problem of the headers, in text order.
    pub(super) fn repeatable(
        dialect: Dialect,
        file: impl Into<String>,
        text: impl Into<Arc<str>>,
    ) -> Result<Self, Vec<Problem>> {
        let (direction, role) = (Direction::Up, Role::Repeatable);
        Self::read(dialect, direction, role, file.into(), text.into())
    }

    fn read(
        dialect: Dialect,
        direction: Direction,
        role: Role,
        file: String,
        text: Arc<str>,
    ) -> Result<Self, Vec<Problem>> {
        let (headers, mut problems) = header::read(dialect, role, &text);
        if problems.is_empty() {
            return Ok(Self {
                direction,
                file,
                text,
                headers: shared(headers),
                alone: None,
                taken: Taken::default(),
            });
        }
        problems.arrange_by_key(|(offset, _)| *offset);
        Err(problems
            .into_iter()
            .map(|(offset, kind)| Problem {
                place: Place {
                    file: file.clone(),
                    offset: Some(offset),
                },
                kind,
            })
            .collect())
    }

    /// Creates a script from the part `text` of another tool's file. On its own, the part is the
    /// script `alone`: the same statements, with headers for what the tool specifies elsewhere.
    ///
    /// # Errors
    /// Returns every problem of the headers of `text`, then those of `alone` without a place.
    pub fn part(
        dialect: Dialect,
        direction: Direction,
        file: impl Into<String>,
        text: impl Into<Arc<str>>,
        alone: impl Into<Arc<str>>,
    ) -> Result<Self, Vec<Problem>> {
        let part = Self::parse(dialect, direction, file, text)?;
        let alone = Self::parse(dialect, direction, part.file, alone).map_err(|problems| {
            let unplaced = |mut problem: Problem| {
                problem.place.offset = None;
                problem
            };
            problems.into_iter().map(unplaced).collect::<Vec<_>>()
        })?;
        Ok(Self {
            text: part.text,
            alone: Some(alone.text),
            taken: Taken::default(),
            file: alone.file,
            headers: alone.headers,
            direction,
        })
    }

    /// Returns the script with the parents `parents`, unless it has the header `revises`.
    pub fn after(mut self, parents: &[RevisionId]) -> Self {
        if self.headers.revises.is_none() {
            Arc::make_mut(&mut self.headers).revises = Some(parents.to_vec());
        }
        self
    }

    /// Returns the script with `text`, the file it came from, so that offsets are those of the
    /// file.
    pub(super) fn in_file(self, text: Arc<str>) -> Self {
        Self {
            alone: Some(self.text),
            taken: Taken::default(),
            text,
            ..self
        }
    }

    /// Returns the script as a separate file with migrator's headers: the form that is stored for a
    /// downgrade and that remains if the original file is removed.
    pub fn alone(&self) -> &Arc<str> {
        self.alone.as_ref().unwrap_or(&self.text)
    }

    /// Returns [`Self::alone`] for the record of an up script, unless it is too large.
    pub fn stored_up(&self) -> Option<Arc<str>> {
        let text = self.alone();
        (text.len() <= LARGEST_STORED_UP).then(|| Arc::clone(text))
    }

    /// Returns the byte offset where its header `revises` names `id`.
    pub fn names_parent_at(&self, id: &RevisionId) -> Option<usize> {
        header_line::locate(&self.text, header::REVISES, Some(id))
    }

    /// Returns the checksum of the canonical form. It is computed once.
    pub fn checksum(&self, dialect: Dialect) -> Checksum {
        let of = || Checksum::of(&canonicalize(dialect, &self.text), &self.headers);
        match self.taken.0.get_or_init(|| (dialect, of())) {
            (taken, checksum) if *taken == dialect => checksum.clone(),
            _ => of(),
        }
    }
}

fn shared(headers: Headers) -> Arc<Headers> {
    static NONE: LazyLock<Arc<Headers>> = LazyLock::new(Arc::default);
    if headers == **NONE {
        Arc::clone(&NONE)
    } else {
        Arc::new(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::ProblemKind;

    #[test]
    fn problems_carry_file_and_offset() {
        let text = "-- Add\n-- migrator: label = 1\n-- migrator: transaction";
        let problems = Script::parse(Dialect::Sqlite, Direction::Up, "m/1_x.up.sql", text);
        let found: Vec<_> = problems
            .unwrap_err()
            .into_iter()
            .map(|problem| (problem.place.file, problem.place.offset, problem.kind))
            .collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, "m/1_x.up.sql");
        assert_eq!(found[0].1, Some(text.find("1\n").unwrap()));
        assert!(matches!(found[0].2, ProblemKind::HeaderValue { .. }));
        assert_eq!(found[1].1, Some(text.rfind("transaction").unwrap()));
        assert_eq!(found[1].2, ProblemKind::HeaderSyntax);
    }

    #[test]
    fn large_up_scripts_are_not_stored() {
        let stored = |length: usize| {
            let text = "ż".to_owned() + &"-".repeat(length - "ż".len());
            let script = Script::parse(Dialect::Sqlite, Direction::Up, "f", text.as_str());
            let stored = script.unwrap().stored_up();
            assert!(stored.as_deref().is_none_or(|stored| stored == text));
            stored.is_some()
        };
        assert!(stored(65_536));
        assert!(!stored(65_537));
    }

    #[test]
    fn the_text_is_kept_as_it_is() {
        let text = "\u{feff}-- Add\r\nSELECT 1";
        let script = Script::parse(Dialect::Postgres, Direction::Down, "f", text).unwrap();
        assert_eq!(&*script.text, text);
        assert_eq!(script.direction, Direction::Down);
        assert_eq!(script.headers.message.as_deref(), Some("Add"));
    }
}
