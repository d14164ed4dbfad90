//! What every tool is asked.

use std::{cmp::Ordering, collections::HashSet};

use super::{
    Layout, LayoutProblem, authelia,
    cut::{Cut, Mode, Section},
    dbmate, diesel, flyway, golang_migrate, goose, pop,
    read::Fault,
    refinery, sql_migrate, sqlx_cli,
};
use crate::{
    revision::{Direction, RepeatableId, RevisionId},
    sql::Dialect,
};

/// What a file is by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// It holds scripts.
    Script(ScriptFile),
    /// It is applied again whenever it changes.
    Repeatable(RepeatableId),
    /// It is read with a script, or in the place of another one, or nothing of ours.
    Other,
    /// It is meant for the tool, and cannot be read.
    Refused(LayoutProblem),
}

/// A file that holds scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFile {
    /// The revision's id, as the tool orders it.
    pub id: RevisionId,
    /// What else is in the name; never empty.
    pub slug: String,
    /// Which scripts are in it.
    pub holds: Holds,
    /// The file with settings for it, if there is one; relative to the directory.
    pub settings: Option<String>,
    /// Whether its name says that it runs in no transaction.
    pub(super) autocommit: bool,
}

/// The scripts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// One, all of the file.
    One(Direction),
    /// Both, each below its marker.
    Both,
}

/// How far below the directory files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// In it.
    Flat,
    /// In directories in it.
    One,
    /// Anywhere below it.
    All,
}

/// The rules of one tool.
pub(super) struct Tool {
    pub depth: Depth,
    /// What a file is by its name, relative to the directory.
    pub classify: fn(&str, Dialect) -> FileKind,
    /// Where its scripts stand in the text of a file that holds both.
    pub cut: fn(&str) -> Result<Cut, Vec<Fault>>,
    /// The script of a file that holds one, by its text and that of its settings.
    pub whole: fn(&str, Option<&str>) -> Result<Section, Vec<Fault>>,
    /// The name of the file that has settings for the one of that name.
    pub settings_name: Option<fn(&str) -> String>,
    /// The ID of the revision that the tool's own version table has under that name.
    pub recorded: fn(&str) -> Option<RevisionId>,
    /// The tool's own order of names, where it is not that of IDs by definition.
    pub order: Option<fn(&str, &str) -> Ordering>,
}

impl Tool {
    /// Of a tool with one script a file, that runs in a transaction, and nothing special.
    pub const fn plain(classify: fn(&str, Dialect) -> FileKind) -> Self {
        Self {
            depth: Depth::Flat,
            classify,
            cut: |text| {
                Ok(Cut {
                    up: Some(Section::whole(text, Mode::On)),
                    down: None,
                })
            },
            whole: |text, _| Ok(Section::whole(text, Mode::On)),
            settings_name: None,
            recorded: |version| version.parse().ok(),
            order: None,
        }
    }
}

impl Layout {
    /// How far below the directory its files are.
    pub(crate) fn depth(self) -> Depth {
        self.tool().map_or(Depth::Flat, |tool| tool.depth)
    }

    /// The ID of the revision that the tool's own version table has under the name `version`.
    pub(crate) fn recorded(self, version: &str) -> Option<RevisionId> {
        match self.tool() {
            Some(tool) => (tool.recorded)(version),
            None => version.parse().ok(),
        }
    }

    /// Its rules; `None` for our own.
    pub(super) fn tool(self) -> Option<&'static Tool> {
        Some(match self {
            Self::Native => return None,
            Self::Sqlx => &sqlx_cli::TOOL,
            Self::GolangMigrate => &golang_migrate::TOOL,
            Self::Diesel => &diesel::TOOL,
            Self::Dbmate => &dbmate::TOOL,
            Self::Goose => &goose::TOOL,
            Self::Flyway => &flyway::TOOL,
            Self::Refinery => &refinery::TOOL,
            Self::SqlMigrate => &sql_migrate::TOOL,
            Self::Pop => &pop::TOOL,
            Self::Authelia => &authelia::TOOL,
        })
    }
}

/// What each file of a directory is to a tool, by all their names, relative to the directory.
/// Nothing is anything to our own layout.
pub fn sort_out(layout: Layout, dialect: Dialect, names: &[&str]) -> Vec<FileKind> {
    let Some(tool) = layout.tool() else {
        return vec![FileKind::Other; names.len()];
    };
    let mut kinds: Vec<_> = names
        .iter()
        .map(|name| (tool.classify)(name, dialect))
        .collect();
    if layout == Layout::Pop {
        pop::prefer_own_dialect(names, &mut kinds);
    }
    if let Some(settings_name) = tool.settings_name {
        let there: HashSet<&str> = names.iter().copied().collect();
        for (name, kind) in names.iter().zip(&mut kinds) {
            let settings = settings_name(name);
            if !there.contains(&*settings) {
                continue;
            }
            match kind {
                FileKind::Script(script) => script.settings = Some(settings),
                FileKind::Repeatable(_) => {
                    let what = "a repeatable script with settings";
                    *kind = FileKind::Refused(LayoutProblem::Unsupported { what });
                }
                FileKind::Other | FileKind::Refused(_) => {}
            }
        }
    }
    if let Some(order) = tool.order {
        refuse_misordered(layout, order, names, &mut kinds);
    }
    kinds
}

/// IDs are what everything is ordered by here. Where the tool does it by names, it must come to the
/// same.
fn refuse_misordered(
    layout: Layout,
    order: fn(&str, &str) -> Ordering,
    names: &[&str],
    kinds: &mut [FileKind],
) {
    let mut by_name: Vec<usize> = (0..names.len())
        .filter(|at| matches!(kinds[*at], FileKind::Script(_)))
        .collect();
    by_name.sort_by(|a, b| order(names[*a], names[*b]));
    let higher = |a: usize, b: usize| match (&kinds[a], &kinds[b]) {
        (FileKind::Script(a), FileKind::Script(b)) => a.id > b.id,
        _ => false,
    };
    let wrong: Vec<_> = by_name
        .windows(2)
        .filter(|pair| higher(pair[0], pair[1]))
        .map(|pair| (pair[0], pair[1]))
        .collect();
    for (at, next) in wrong {
        kinds[at] = FileKind::Refused(LayoutProblem::Misordered {
            layout,
            other: names[next].to_owned(),
        });
    }
}

/// A script by the parts of its name.
pub(super) fn script(id: &str, slug: &str, holds: Holds) -> Option<FileKind> {
    let id: RevisionId = id.parse().ok()?;
    let slug = match slug.trim() {
        "" => id.to_string(),
        slug => slug.to_owned(),
    };
    Some(FileKind::Script(ScriptFile {
        id,
        slug,
        holds,
        settings: None,
        autocommit: false,
    }))
}

/// The number that `name` begins with, and what follows it.
pub(super) fn leading_number(name: &str) -> Option<(&str, &str)> {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| name.split_at(digits))
}

/// Whether it is SQL, by its name, and no hidden file.
pub(super) fn is_sql(name: &str) -> bool {
    !name.starts_with('.') && name.trim_end().to_ascii_lowercase().ends_with(".sql")
}

/// What a file is that fits no rule: an error when it is SQL, since what is skipped silently breaks
/// what comes later.
pub(super) fn misnamed(layout: Layout, name: &str, expected: &'static str) -> FileKind {
    if is_sql(name) {
        FileKind::Refused(LayoutProblem::Misnamed { layout, expected })
    } else {
        FileKind::Other
    }
}
