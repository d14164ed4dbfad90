//! Authelia: `V0001.Name.up.sql` and `.down.sql`.

use super::{
    FileKind, Holds, Layout,
    tool::{self, Tool, leading_number, misnamed},
};
use crate::{revision::Direction, sql::Dialect};

pub(super) const TOOL: Tool = Tool::plain(classify);

const EXPECTED: &str = "V0001.NAME.up.sql or V0001.NAME.down.sql";

fn classify(name: &str, _: Dialect) -> FileKind {
    script(name).unwrap_or_else(|| misnamed(Layout::Authelia, name, EXPECTED))
}

/// Classifies a file name. Also used to detect the layout of a directory.
pub(super) fn script(name: &str) -> Option<FileKind> {
    let (id, rest) = leading_number(name.strip_prefix('V')?)?;
    let stem = rest.strip_prefix('.')?.strip_suffix(".sql")?;
    let (slug, direction) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
        (Some(slug), _) => (slug, Direction::Up),
        (_, Some(slug)) => (slug, Direction::Down),
        _ => return None,
    };
    tool::script(id, slug, Holds::One(direction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::testing::check_names;

    #[test]
    fn names() {
        check_names(
            Layout::Authelia,
            &[
                ("V0001.Initial_Schema.up.sql", "0001 Initial_Schema up"),
                ("V0012.X.down.sql", "0012 X down"),
                ("V1__x.sql", "refused"),
                ("V1.x.sql", "refused"),
                ("1_x.up.sql", "refused"),
                ("doc.go", "other"),
            ],
        );
    }
}
