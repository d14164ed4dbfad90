//! refinery: `V1__NAME.sql`, and `U1__NAME.sql` for one that may be out of order; both are up
//! scripts.

use super::{
    FileKind, Holds, Layout, LayoutProblem,
    tool::{self, Depth, Tool, leading_number, misnamed},
};
use crate::{revision::Direction, sql::Dialect};

pub(super) const TOOL: Tool = Tool {
    depth: Depth::All,
    ..Tool::plain(classify)
};

const EXPECTED: &str = "V1__NAME.sql or U1__NAME.sql";

fn classify(path: &str, _: Dialect) -> FileKind {
    let name = path.rsplit('/').next().unwrap_or(path);
    script(name).unwrap_or_else(|| misnamed(Layout::Refinery, name, EXPECTED))
}

/// Classifies a file name. Also used to detect the layout of a directory.
pub(super) fn script(name: &str) -> Option<FileKind> {
    let (id, rest) = leading_number(name.strip_prefix(['V', 'U'])?)?;
    let (slug, extension) = rest.strip_prefix("__")?.rsplit_once('.')?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if slug.is_empty() || !slug.chars().all(is_word) {
        return None;
    }
    match extension {
        "sql" => tool::script(id, slug, Holds::One(Direction::Up)),
        "rs" => Some(FileKind::Refused(LayoutProblem::NotSql {
            language: "Rust",
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::testing::check_names;

    #[test]
    fn names() {
        check_names(
            Layout::Refinery,
            &[
                ("V1__init.sql", "1 init up"),
                ("U2__late.sql", "2 late up"),
                ("more/V3__a_b.sql", "3 a_b up"),
                ("V1__init.rs", "refused"),
                ("V1_init.sql", "refused"),
                ("V1.2__a.sql", "refused"),
                ("V1__a-b.sql", "refused"),
                ("R__a.sql", "refused"),
                ("mod.rs", "other"),
            ],
        );
    }
}
