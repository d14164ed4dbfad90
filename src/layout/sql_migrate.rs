//! sql-migrate: `NAME.sql` with `-- +migrate Up` and `-- +migrate Down`. The tool uses the whole
//! name as the ID; migrator uses the leading numbers (`2023-01-20.0-initial` is 2023.01.20.0).

use std::cmp::Ordering;

use super::{
    FileKind, Holds, Layout, LayoutProblem,
    cut::{Cut, Mode},
    line::{Line, lines},
    read::Fault,
    tool::{self, Tool, leading_number, misnamed},
};
use crate::{revision::RevisionId, sql::Dialect};

pub(super) const TOOL: Tool = Tool {
    cut,
    recorded: |file| match script(file)? {
        FileKind::Script(script) => Some(script.id),
        _ => None,
    },
    order: Some(order),
    ..Tool::plain(classify)
};

const EXPECTED: &str = "a number and a name, NUMBER-NAME.sql or NUMBER_NAME.sql";
const UP: &str = "-- +migrate Up";
const DOWN: &str = "-- +migrate Down";
const BEGIN: &str = "-- +migrate StatementBegin";
const END: &str = "-- +migrate StatementEnd";

fn classify(name: &str, _: Dialect) -> FileKind {
    script(name).unwrap_or_else(|| misnamed(Layout::SqlMigrate, name, EXPECTED))
}

fn script(name: &str) -> Option<FileKind> {
    let stem = name.strip_suffix(".sql")?;
    let (first, mut rest) = leading_number(stem)?;
    let mut numbers = vec![first];
    // A number must not be followed by other characters: `1-2fa` is 1.
    while let Some((number, behind)) = rest
        .strip_prefix(['.', '-'])
        .and_then(leading_number)
        .filter(|(_, behind)| !behind.starts_with(|c: char| c.is_alphanumeric()))
    {
        numbers.push(number);
        rest = behind;
    }
    let slug = rest.trim_start_matches(['.', '-', '_', ' ']);
    tool::script(&numbers.join("."), slug, Holds::Both)
}

/// Compares names by their leading number, then by the name.
fn order(a: &str, b: &str) -> Ordering {
    let number = |name: &str| {
        let (digits, _) = leading_number(name)?;
        digits.parse::<RevisionId>().ok()
    };
    number(a).cmp(&number(b)).then_with(|| a.cmp(b))
}

/// The state while reading a file.
#[derive(Default)]
struct Reader {
    cut: Cut,
    /// Whether the lines belong to the down script.
    is_down: bool,
    begun: Option<usize>,
    faults: Vec<Fault>,
}

fn cut(text: &str) -> Result<Cut, Vec<Fault>> {
    let mut reader = Reader::default();
    for line in lines(text) {
        match line.text.strip_prefix("-- +migrate ") {
            Some(marker) => reader.marker(&line, marker),
            None if line.marker("+migrate").is_some() => {
                let written = line.text.trim().trim_start_matches(['-', ' ']).to_owned();
                reader.fault(line.inner_start(), LayoutProblem::UnknownMarker(written));
            }
            None => reader.sql(&line),
        }
    }
    reader.end()
}

impl Reader {
    fn fault(&mut self, at: usize, problem: LayoutProblem) {
        self.faults.push(Fault::at(at, problem));
    }

    fn marker(&mut self, line: &Line<'_>, marker: &str) {
        let mut words = marker.split_whitespace();
        let word = words.next().unwrap_or_default();
        let is_section = matches!(word, "Up" | "Down");
        let mut mode = Mode::On;
        for option in words {
            if is_section && option == "notransaction" {
                mode = Mode::Off;
            } else {
                let at = line.text.rfind(option).unwrap_or_default();
                let problem = LayoutProblem::UnknownOption(option.to_owned());
                self.fault(line.start + at, problem);
            }
        }
        match word {
            "Up" | "Down" => self.section(line, word == "Down", mode),
            "StatementBegin" if self.section_is_open() && self.begun.is_none() => {
                self.begun = Some(line.start);
            }
            "StatementEnd" if self.begun.is_some() => {
                let section = match self.is_down {
                    true => self.cut.down.as_mut(),
                    false => self.cut.up.as_mut(),
                };
                if let (Some(section), Some(begun)) = (section, self.begun.take()) {
                    section.blocks.push(begun..line.start);
                }
            }
            "StatementBegin" => {
                let after = if self.begun.is_some() { END } else { UP };
                let marker = BEGIN;
                self.fault(line.start, LayoutProblem::MisplacedMarker { marker, after });
            }
            "StatementEnd" => {
                let (marker, after) = (END, BEGIN);
                self.fault(line.start, LayoutProblem::MisplacedMarker { marker, after });
            }
            _ => {
                let written = format!("+migrate {word}");
                self.fault(line.start, LayoutProblem::UnknownMarker(written));
            }
        }
    }

    fn section_is_open(&self) -> bool {
        self.cut.up.is_some() || self.cut.down.is_some()
    }

    /// Begins or continues a section: a direction may occur several times.
    fn section(&mut self, line: &Line<'_>, is_down: bool, mode: Mode) {
        if self.begun.is_some() {
            let marker = if is_down { DOWN } else { UP };
            let problem = LayoutProblem::MisplacedMarker { marker, after: END };
            return self.fault(line.start, problem);
        }
        self.is_down = is_down;
        let section = match is_down {
            true => self.cut.down.get_or_insert_default(),
            false => self.cut.up.get_or_insert_default(),
        };
        if mode == Mode::Off {
            section.mode = mode;
        }
    }

    fn sql(&mut self, line: &Line<'_>) {
        let section = match self.is_down {
            true => self.cut.down.as_mut(),
            false => self.cut.up.as_mut(),
        };
        match section {
            Some(section) => section.keep(line.start..line.end),
            None if line.is_silent() || !self.faults.is_empty() => {}
            None => self.fault(line.inner_start(), LayoutProblem::BeforeMarkers),
        }
    }

    fn end(mut self) -> Result<Cut, Vec<Fault>> {
        if let Some(begun) = self.begun {
            self.fault(begun, LayoutProblem::UnfinishedStatement(END));
        }
        if !self.section_is_open() && self.faults.is_empty() {
            self.faults
                .push(Fault::of_file(LayoutProblem::MissingMarker(UP)));
        }
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        // A file with only a down section has an empty up script.
        self.cut.up.get_or_insert_default();
        Ok(self.cut)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::{
        sort_out,
        testing::{check_cut, check_fault, check_names, describe},
    };

    #[test]
    fn names() {
        check_names(
            Layout::SqlMigrate,
            &[
                ("2023-01-20.0-initial.sql", "2023.01.20.0 initial both"),
                ("20220101120000-add-x.sql", "20220101120000 add-x both"),
                ("1_initial.sql", "1 initial both"),
                ("001.sql", "001 001 both"),
                ("1-2fa.sql", "1 2fa both"),
                ("1-2.sql", "1.2 1.2 both"),
                ("initial.sql", "refused"),
                ("main.go", "other"),
            ],
        );
    }

    #[test]
    fn names_that_another_order_is_behind_keep_it() {
        let check = |names: [&str; 2], expected: [&str; 2]| {
            let found = sort_out(Layout::SqlMigrate, Dialect::Postgres, &names);
            let found: Vec<_> = found.iter().map(describe).collect();
            assert_eq!(found, expected, "{names:?}");
        };
        check(
            ["2023-01-9.0-a.sql", "2023-01-10.0-b.sql"],
            [
                "2023.01.9.0 a both after 2023.01.10.0",
                "2023.01.10.0 b both after ",
            ],
        );
        check(["9-a.sql", "10-b.sql"], ["9 a both", "10 b both"]);
    }

    #[test]
    fn sections() {
        let check =
            |text: &str, expected: &str| check_cut(Layout::SqlMigrate, "1_a.sql", text, expected);
        check(
            "-- why\n\n-- +migrate Up\n-- Add t\nCREATE TABLE t ();\n-- +migrate StatementBegin\n\
             DO $$ BEGIN; END $$;\n-- +migrate StatementEnd\n-- +migrate Down\nDROP TABLE t;\n",
            "up:\n-- Add t\nCREATE TABLE t ();\nDO $$ BEGIN; END $$;\ndown:\nDROP TABLE t;\n",
        );
        check(
            "-- +migrate Up notransaction\nVACUUM;\n-- +migrate Down\nSELECT 1;\n-- +migrate Up\nVACUUM t;",
            "up:\n-- migrator: transaction = off\nVACUUM;\nVACUUM t;\ndown:\nSELECT 1;\n",
        );
        check("-- +migrate Down\n", "up:\ndown:\n");
        check(
            "-- +migrate Up\n-- +migrate StatementBegin\nSELECT 1\n-- +migrate StatementEnd\n\
             -- +migrate StatementBegin\nSELECT 2\n-- +migrate StatementEnd\n",
            "up:\nSELECT 1\n;\nSELECT 2\n;\n",
        );
    }

    #[test]
    fn faults() {
        let check =
            |text: &str, expected: &str| check_fault(Layout::SqlMigrate, "1_a.sql", text, expected);
        check("", "missing line `-- +migrate Up`");
        check(
            "SELECT 1;",
            "1:1 this is before the first marker, so it would never run",
        );
        check("-- +migrate Up x", "1:16 `x` is not a known option");
        check(
            "-- +migrate Sideways",
            "1:1 `+migrate Sideways` is not a known marker",
        );
        check("--+migrate Up", "1:1 `+migrate Up` is not a known marker");
        check(
            "-- +migrate StatementBegin",
            "1:1 `-- +migrate StatementBegin` must come after `-- +migrate Up`",
        );
        check(
            "-- +migrate Up\n-- +migrate StatementBegin\nSELECT 1;",
            "2:1 the statement that starts here has no `-- +migrate StatementEnd`",
        );
    }

    proptest! {
        #[test]
        fn any_text_is_cut_or_refused(text in "(?s)(-- \\+migrate (Up|Down|StatementBegin|StatementEnd)|[-a; \n\r\u{feff}ż]){0,30}") {
            if let Ok(Cut { up: Some(up), .. }) = cut(&text) {
                prop_assert_eq!(up.aligned(&text).len(), text.len());
            }
        }
    }
}
