use std::{
    fmt,
    sync::{Arc, LazyLock, OnceLock},
};

use super::{
    Checksum, Headers, Place, Problem, RevisionId,
    header::{self, Role},
    header_line,
};
use crate::sql::{Dialect, canonicalize};

/// The way a script moves the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Towards head.
    Up,
    /// Towards base.
    Down,
}

impl Direction {
    /// `up` or `down`, as file names write it.
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
    /// The file as it is shown to people: `migrations/2026…_x.up.sql`.
    pub file: String,
    /// The whole file, BOM included. What a file of another tool holds besides is blanked out, so
    /// that every place in it is a place in the file.
    pub text: Arc<str>,
    /// What its top block says. Shared, as most say nothing.
    pub headers: Arc<Headers>,
    /// See [`Self::alone`]; `None` when it is the text.
    alone: Option<Arc<str>>,
    taken: Taken,
}

/// The checksum of a script, once it was taken. Scripts are the same with it and without.
#[derive(Clone, Debug, Default)]
struct Taken(OnceLock<(Dialect, Checksum)>);

impl PartialEq for Taken {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Taken {}

impl Script {
    /// Reads the headers of `text` by the comment rules of `dialect`.
    ///
    /// # Errors
    /// Every problem of the headers, in the order of the text.
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

    /// The same of a repeatable script, which goes up.
    ///
    /// # Errors
    /// Every problem of the headers, in the order of the text.
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
        problems.sort_by_key(|(offset, _)| *offset);
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

    /// The part `text` of a file of another tool, which on its own is the script `alone`: the same
    /// statements, and headers that say what that tool knew from elsewhere.
    ///
    /// # Errors
    /// Every problem of the headers of `text`, then those of `alone`, at no place.
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

    /// The same script as one that revises `parents`, unless it says itself what it revises.
    pub fn after(mut self, parents: &[RevisionId]) -> Self {
        if self.headers.revises.is_none() {
            Arc::make_mut(&mut self.headers).revises = Some(parents.to_vec());
        }
        self
    }

    /// The same script with the places of `text`, the file it came from.
    pub(super) fn in_file(self, text: Arc<str>) -> Self {
        Self {
            alone: Some(self.text),
            taken: Taken::default(),
            text,
            ..self
        }
    }

    /// The script as it is in a file of its own, named and headed as migrator does: what is stored
    /// for a downgrade, and what outlives the file it came from.
    pub fn alone(&self) -> &Arc<str> {
        self.alone.as_ref().unwrap_or(&self.text)
    }

    /// Where its header `revises` names `id`, as a byte offset.
    pub fn names_parent_at(&self, id: &RevisionId) -> Option<usize> {
        header_line::locate(&self.text, header::REVISES, Some(id))
    }

    /// The checksum of its canonical form. It is taken once.
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
    fn the_text_is_kept_as_it_is() {
        let text = "\u{feff}-- Add\r\nSELECT 1";
        let script = Script::parse(Dialect::Postgres, Direction::Down, "f", text).unwrap();
        assert_eq!(&*script.text, text);
        assert_eq!(script.direction, Direction::Down);
        assert_eq!(script.headers.message.as_deref(), Some("Add"));
    }
}
