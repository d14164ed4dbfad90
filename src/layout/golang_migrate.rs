//! golang-migrate: `VERSION_NAME.up.sql` and `.down.sql`. A file is sent as a whole: several
//! statements form their own transaction, a single one runs outside a transaction.

use super::{
    FileKind, Holds, Layout, LayoutProblem,
    cut::{Mode, Section},
    tool::{self, Tool, leading_number, misnamed, program},
};
use crate::{revision::Direction, sql::Dialect};

pub(super) const TOOL: Tool = Tool {
    whole: |text, _| Ok(Section::whole(text, Mode::AsSent)),
    ..Tool::plain(classify)
};

const EXPECTED: &str = "VERSION_NAME.up.sql or VERSION_NAME.down.sql";

fn classify(name: &str, _: Dialect) -> FileKind {
    script(name).unwrap_or_else(|| misnamed(Layout::GolangMigrate, name, EXPECTED))
}

/// Classifies a file name. The last `.up.` or `.down.` ends the name, whatever follows.
fn script(name: &str) -> Option<FileKind> {
    let (id, rest) = leading_number(name)?;
    let rest = rest.strip_prefix('_')?;
    if let Some(language) = program(name) {
        return Some(FileKind::Refused(LayoutProblem::NotSql { language }));
    }
    let up = rest.rfind(".up.").map(|at| (at, Direction::Up));
    let down = rest.rfind(".down.").map(|at| (at, Direction::Down));
    let (end, direction) = up.max(down)?;
    tool::script(id, rest[..end].trim_end_matches('.'), Holds::One(direction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::testing::{check_names, read_one};

    #[test]
    fn names() {
        check_names(
            Layout::GolangMigrate,
            &[
                ("000001_init.up.sql", "000001 init up"),
                ("000001_init.down.sql", "000001 init down"),
                ("20240813211251_flags..up.sql", "20240813211251 flags up"),
                ("1_a.down.up.sql", "1 a.down up"),
                ("1_.up.sql", "1 1 up"),
                ("1_a.up.sql.tmpl", "1 a up"),
                ("2_b.up.go", "refused"),
                ("12_postmigrate.go", "refused"),
                ("12_postmigrate_test.go", "other"),
                ("1_a.sql", "refused"),
                ("a_b.up.sql", "refused"),
                ("1-a.up.sql", "refused"),
                (".1_a.up.sql", "other"),
                ("README", "other"),
            ],
        );
    }

    #[test]
    fn a_single_statement_is_in_no_transaction() {
        let check = |text: &str, alone: &str| {
            let script = read_one(Layout::GolangMigrate, "1_a.up.sql", text);
            assert_eq!(&**script.alone(), alone);
        };
        check(
            "CREATE INDEX CONCURRENTLY i ON t (a);\n",
            "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY i ON t (a);\n",
        );
        check("CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (a)");
    }
}
