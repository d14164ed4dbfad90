//! The rules that every tool defines.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use super::{
    Layout, LayoutProblem, authelia,
    cut::{Cut, Mode, Section},
    dbmate, diesel, flyway, golang_migrate, goose, pop,
    read::Fault,
    refinery, sql_migrate, sqlx_cli,
};
use crate::{
    arrange::Arrange as _,
    revision::{Direction, RepeatableId, RevisionId},
    sql::Dialect,
};

/// The kind of a file, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The file holds scripts.
    Script(ScriptFile),
    /// The file is a repeatable script, which is applied again whenever it changes.
    Repeatable(RepeatableId),
    /// The file is not read on its own: it belongs to a script, is overridden, or is not relevant.
    Other,
    /// The file is meant for the tool, but cannot be read.
    Refused(LayoutProblem),
}

/// A file that holds scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFile {
    /// The ID of the revision, in the tool's order.
    pub id: RevisionId,
    /// The rest of the name; never empty.
    pub slug: String,
    /// The scripts in the file.
    pub holds: Holds,
    /// The settings file, if there is one, relative to the directory.
    pub settings: Option<String>,
    /// The parents by the tool's order, if it differs from the order of IDs.
    pub(super) parents: Option<Vec<RevisionId>>,
    /// Whether the name says that it runs outside a transaction.
    pub(super) autocommit: bool,
}

impl ScriptFile {
    /// Returns whether the file holds an up script although its name, `name`, does not say so.
    pub fn is_up_by_default(&self, name: &str) -> bool {
        let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        self.holds != Holds::One(Direction::Down) && !file.split('.').any(|part| part == "up")
    }
}

/// The scripts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The whole file is one script.
    One(Direction),
    /// The file holds both scripts, each below its marker.
    Both,
}

/// The depth of files below the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Files are in the directory itself.
    Flat,
    /// Files are in its direct subdirectories.
    One,
    /// Files are anywhere below it.
    All,
}

/// The rules of one tool.
pub(super) struct Tool {
    pub depth: Depth,
    /// Classifies a file by its name, relative to the directory.
    pub classify: fn(&str, Dialect) -> FileKind,
    /// Finds the scripts in the text of a file that holds both.
    pub cut: fn(&str) -> Result<Cut, Vec<Fault>>,
    /// Reads the script of a file that holds one, from its text and that of its settings file.
    pub whole: fn(&str, Option<&str>) -> Result<Section, Vec<Fault>>,
    /// Returns the name of the settings file for a file.
    pub settings_name: Option<fn(&str) -> String>,
    /// Returns the ID of the revision with that name in the tool's own version table.
    pub recorded: fn(&str) -> Option<RevisionId>,
    /// The tool's own order of names, if it differs from that of IDs by definition.
    pub order: Option<fn(&str, &str) -> Ordering>,
}

impl Tool {
    /// Creates the rules of a tool with one script per file that runs in a transaction.
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
    /// Returns the depth of its files below the directory.
    pub(crate) fn depth(self) -> Depth {
        self.tool().map_or(Depth::Flat, |tool| tool.depth)
    }

    /// Returns the ID of the revision with the name `version` in the tool's own version table.
    pub(crate) fn recorded(self, version: &str) -> Option<RevisionId> {
        match self.tool() {
            Some(tool) => (tool.recorded)(version),
            None => version.parse().ok(),
        }
    }

    /// Returns its rules; `None` for migrator's own layout.
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

/// Returns the layout in which this name, which includes a direction, is a script.
pub fn layout_of(name: &str, dialect: Dialect) -> Option<Layout> {
    let layouts = [Layout::GolangMigrate, Layout::Flyway];
    layouts.into_iter().find(|layout| {
        let kind = &sort_out(*layout, dialect, &[name])[0];
        matches!(kind, FileKind::Script(script) if matches!(script.holds, Holds::One(_)))
    })
}

/// Classifies each file of a directory, given all names relative to the directory. In migrator's
/// own layout, every file is [`FileKind::Other`].
pub fn sort_out(layout: Layout, dialect: Dialect, names: &[&str]) -> Vec<FileKind> {
    let Some(tool) = layout.tool() else {
        return vec![FileKind::Other; names.len()];
    };
    // If scripts are in a single directory, those in subdirectories may have the same names.
    let base = |name: &&'_ str| match tool.depth {
        Depth::Flat => name.rsplit('/').next().unwrap_or(name).to_owned(),
        Depth::One | Depth::All => (*name).to_owned(),
    };
    let bases: Vec<String> = names.iter().map(base).collect();
    let bases: Vec<&str> = bases.iter().map(String::as_str).collect();
    let mut kinds: Vec<_> = bases
        .iter()
        .map(|name| (tool.classify)(name, dialect))
        .collect();
    if layout == Layout::Pop {
        pop::prefer_own_dialect(&bases, &mut kinds);
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
        keep_order(order, &bases, &mut kinds);
    }
    kinds
}

/// Names parents if the tool's own order differs from that of IDs, which is used otherwise: each
/// revision gets the previous one as its parent.
fn keep_order(order: fn(&str, &str) -> Ordering, names: &[&str], kinds: &mut [FileKind]) {
    let mut by_name: Vec<usize> = (0..names.len())
        .filter(|at| matches!(kinds[*at], FileKind::Script(_)))
        .collect();
    by_name.arrange_by(|a, b| order(names[*a], names[*b]));
    let id = |at: usize| match &kinds[at] {
        FileKind::Script(script) => Some(script.id.clone()),
        _ => None,
    };
    // Scripts of both directions have the same ID.
    let mut ids: Vec<RevisionId> = by_name.iter().filter_map(|at| id(*at)).collect();
    ids.dedup();
    if ids.windows(2).all(|pair| pair[0] < pair[1]) {
        return;
    }
    let parents: HashMap<RevisionId, Option<RevisionId>> = ids
        .iter()
        .enumerate()
        .map(|(at, id)| {
            (
                id.clone(),
                at.checked_sub(1).map(|before| ids[before].clone()),
            )
        })
        .collect();
    for kind in kinds {
        if let FileKind::Script(script) = kind {
            let parent = parents.get(&script.id).cloned().flatten();
            script.parents = Some(parent.into_iter().collect());
        }
    }
}

/// Creates a script from the parts of its name.
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
        parents: None,
        autocommit: false,
    }))
}

/// Returns the number that `name` begins with, and the text after it.
pub(super) fn leading_number(name: &str) -> Option<(&str, &str)> {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| name.split_at(digits))
}

/// Returns whether the name is that of an SQL file that is not hidden.
pub(super) fn is_sql(name: &str) -> bool {
    !name.starts_with('.') && name.trim_end().to_ascii_lowercase().ends_with(".sql")
}

/// Classifies a file that matches no rule: an SQL file is an error, since skipping it silently
/// would break later scripts.
pub(super) fn misnamed(layout: Layout, name: &str, expected: &'static str) -> FileKind {
    if is_sql(name) {
        FileKind::Refused(LayoutProblem::Misnamed { layout, expected })
    } else {
        program(name).map_or(FileKind::Other, |language| {
            FileKind::Refused(LayoutProblem::NotSql { language })
        })
    }
}

/// Languages of steps, by file name suffix.
const LANGUAGES: &[(&str, &str)] = &[
    ("go", "Go"),
    ("rs", "Rust"),
    ("java", "Java"),
    ("kt", "Kotlin"),
    ("kts", "Kotlin"),
    ("groovy", "Groovy"),
    ("scala", "Scala"),
    ("clj", "Clojure"),
    ("py", "Python"),
    ("rb", "Ruby"),
    ("js", "JavaScript"),
    ("mjs", "JavaScript"),
    ("cjs", "JavaScript"),
    ("ts", "TypeScript"),
    ("mts", "TypeScript"),
    ("cts", "TypeScript"),
    ("php", "PHP"),
    ("ex", "Elixir"),
    ("exs", "Elixir"),
    ("cs", "C#"),
    ("fs", "F#"),
    ("pl", "Perl"),
    ("lua", "Lua"),
    ("sh", "Shell"),
];

/// Returns the language of a step that is a program, by its file name: `2_b.up.go`, `V3__c.java`,
/// `20240101-d.js`, or `4_e/up.rs`. Tests and programs without a number are not steps.
pub fn program(path: &str) -> Option<&'static str> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, end) = name.rsplit_once('.')?;
    let end = end.trim_end().to_ascii_lowercase();
    let (_, language) = LANGUAGES.iter().find(|(known, _)| *known == end)?;
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    let lower = stem.to_ascii_lowercase();
    let is_test = ["_test", ".test", "_spec", ".spec", ".d"]
        .iter()
        .any(|end| lower.ends_with(end));
    let is_step = is_numbered(stem) || matches!(&*lower, "up" | "down") && is_numbered(folder);
    (is_step && !is_test).then_some(*language)
}

/// Returns whether a name begins with a number, or with a letter and a number as in Flyway.
fn is_numbered(stem: &str) -> bool {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(['_', '-', '.']);
    if let Some((_, rest)) = leading_number(stem) {
        return ends(rest);
    }
    let lettered = stem.strip_prefix(['V', 'U', 'B']).and_then(leading_number);
    lettered.is_some_and(|(_, rest)| ends(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_among_scripts_are_steps() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(program(name), expected, "{name}");
        };
        check("2_b.up.go", Some("Go"));
        check("12_postmigrate.go", Some("Go"));
        check("0001_initial.py", Some("Python"));
        check("20240101120000-add-x.js", Some("JavaScript"));
        check("001.rb", Some("Ruby"));
        check("V3__c.java", Some("Java"));
        check("2024-01-01-000000_a/up.rs", Some("Rust"));
        check("more/3_c.TS", Some("TypeScript"));
        for other in [
            "12_postmigrate_test.go",
            "3_c.d.ts",
            "main.go",
            "mod.rs",
            "migrations.go",
            "a/up.rs",
            "1_a.sql",
            "1_a.md",
            "1975ea83b712_x.py",
            ".1_a.go",
            "Vagrant.rb",
        ] {
            check(other, None);
        }
    }
}
