//! sqlx: `VERSION_NAME.sql`, or `.up.sql` and `.down.sql`. A first line `-- no-transaction` is
//! recognized in every script.

use super::{
    FileKind, Holds, Layout,
    tool::{self, Tool, misnamed},
};
use crate::{revision::Direction, sql::Dialect};

pub(super) const TOOL: Tool = Tool::plain(classify);

const EXPECTED: &str = "VERSION_NAME.sql, or VERSION_NAME.up.sql and VERSION_NAME.down.sql";

fn classify(name: &str, _: Dialect) -> FileKind {
    script(name).unwrap_or_else(|| misnamed(Layout::Sqlx, name, EXPECTED))
}

fn script(name: &str) -> Option<FileKind> {
    let (id, rest) = name.split_once('_')?;
    let stem = rest.strip_suffix(".sql")?;
    let (slug, direction) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
        (Some(slug), _) => (slug, Direction::Up),
        (_, Some(slug)) => (slug, Direction::Down),
        _ => (stem, Direction::Up),
    };
    // sqlx treats it as a name, but it is likely a mistake.
    let lower = slug.to_ascii_lowercase();
    if [".up", ".down"].iter().any(|end| lower.ends_with(end)) || id.contains('.') {
        return None;
    }
    tool::script(id, slug, Holds::One(direction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::testing::check_names;

    #[test]
    fn names() {
        check_names(
            Layout::Sqlx,
            &[
                (
                    "20210425153745_create_history.sql",
                    "20210425153745 create_history up",
                ),
                ("1_a-b.up.sql", "1 a-b up"),
                ("1_a-b.down.sql", "1 a-b down"),
                ("1_.sql", "1 1 up"),
                ("1_a.Up.sql", "refused"),
                ("a_b.sql", "refused"),
                ("1.2_b.sql", "refused"),
                ("schema.sql", "refused"),
                (".1_a.sql", "other"),
                ("README.md", "other"),
                ("1_a.sql.bak", "other"),
            ],
        );
    }
}
