//! Scripts that exist in a directory, but not where they are read.

use crate::arrange::Arrange as _;
use std::fmt;

/// Files found instead of scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// `.sql` files in subdirectories.
    Below(FilesBelow),
    /// The file in which another tool lists its scripts.
    Tool {
        /// The name of the file.
        file: String,
        /// The tool that uses it.
        tool: &'static str,
    },
}

/// `.sql` files in subdirectories that are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesBelow {
    /// The first file, relative to the directory.
    pub first: String,
    /// Number of files.
    pub count: usize,
}

impl FilesBelow {
    /// Creates the value for these files, by name. Returns `None` if there are none.
    pub(super) fn of(mut files: Vec<String>) -> Option<Self> {
        files.arrange();
        let count = files.len();
        let first = files.into_iter().next()?;
        Some(Self { first, count })
    }
}

impl fmt::Display for FilesBelow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "a .sql file in a subdirectory, {}", self.first),
            many => write!(
                f,
                "{many} .sql files in subdirectories, such as {}",
                self.first
            ),
        }
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(below) => below.fmt(f),
            Self::Tool { file, tool } => write!(f, "{file}, which lists the scripts of {tool}"),
        }
    }
}

impl Elsewhere {
    /// Finds the file of another tool among the names directly in a directory.
    pub(super) fn of_tool(names: &[&str]) -> Option<Self> {
        let tool = |name: &str| {
            let lower = name.to_ascii_lowercase();
            let is_list = [".xml", ".yaml", ".yml", ".json"]
                .iter()
                .any(|end| lower.ends_with(end));
            match &*lower {
                "sqitch.plan" => Some("sqitch"),
                "schema.prisma" | "migration_lock.toml" => Some("Prisma"),
                "alembic.ini" | "env.py" => Some("Alembic"),
                _ if is_list && lower.contains("changelog") => Some("Liquibase"),
                _ => None,
            }
        };
        names.iter().find_map(|name| {
            Some(Self::Tool {
                file: (*name).to_owned(),
                tool: tool(name)?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_other_tools_are_known_by_their_names() {
        let check = |name: &str, expected: Option<&str>| {
            let found = Elsewhere::of_tool(&["README.md", name]);
            let tool = match &found {
                Some(Elsewhere::Tool { tool, .. }) => Some(*tool),
                _ => None,
            };
            assert_eq!(tool, expected, "{name}");
        };
        check("sqitch.plan", Some("sqitch"));
        check("migration_lock.toml", Some("Prisma"));
        check("schema.prisma", Some("Prisma"));
        check("changelog.xml", Some("Liquibase"));
        check("db.changelog-master.yaml", Some("Liquibase"));
        check("CHANGELOG.md", None);
        check("package.json", None);
    }

    #[test]
    fn files_below_are_counted() {
        let shown = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            FilesBelow::of(names).map(|below| below.to_string())
        };
        assert_eq!(shown(&[]), None);
        assert_eq!(
            shown(&["a/1.sql"]).as_deref(),
            Some("a .sql file in a subdirectory, a/1.sql")
        );
        assert_eq!(
            shown(&["b/2.sql", "a/1.sql"]).as_deref(),
            Some("2 .sql files in subdirectories, such as a/1.sql")
        );
    }
}
