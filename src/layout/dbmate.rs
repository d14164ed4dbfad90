//! dbmate: `VERSION_NAME.sql` with `-- migrate:up` and `-- migrate:down`, each with its options.

use super::{
    FileKind, Holds, Layout, LayoutProblem,
    cut::{Cut, Mode, Section},
    line::{Line, lines},
    read::Fault,
    tool::{self, Tool, leading_number, misnamed},
};
use crate::sql::Dialect;

pub(super) const TOOL: Tool = Tool {
    cut,
    order: Some(|a, b| a.cmp(b)),
    ..Tool::plain(classify)
};

const EXPECTED: &str = "VERSION_NAME.sql";
const UP: &str = "-- migrate:up";
const DOWN: &str = "-- migrate:down";

fn classify(name: &str, _: Dialect) -> FileKind {
    script(name).unwrap_or_else(|| misnamed(Layout::Dbmate, name, EXPECTED))
}

fn script(name: &str) -> Option<FileKind> {
    let (id, rest) = leading_number(name)?;
    let slug = rest.strip_suffix(".sql")?.trim_start_matches(['_', '-']);
    tool::script(id, slug, Holds::Both)
}

fn cut(text: &str) -> Result<Cut, Vec<Fault>> {
    let mut cut = Cut::default();
    let mut faults = Vec::new();
    for line in lines(text) {
        let marker = match line.marker("migrate:") {
            // dbmate only recognizes markers at the start of a line.
            Some(_) if line.is_indented() => None,
            marker => marker,
        };
        let Some((at, marker)) = marker else {
            match (&mut cut.down, &mut cut.up) {
                (Some(section), _) | (None, Some(section)) => section.keep(line.start..line.end),
                (None, None) if line.is_silent() => {}
                (None, None) => {
                    let problem = LayoutProblem::BeforeMarkers;
                    return Err(vec![Fault::at(line.inner_start(), problem)]);
                }
            }
            continue;
        };
        let (word, options) = marker
            .split_once(char::is_whitespace)
            .unwrap_or((marker, ""));
        let problem = match (word, &cut) {
            ("up", Cut { up: None, .. }) => {
                cut.up = Some(section(&line, options, at, &mut faults));
                continue;
            }
            (
                "down",
                Cut {
                    up: Some(_),
                    down: None,
                },
            ) => {
                cut.down = Some(section(&line, options, at, &mut faults));
                continue;
            }
            ("up", _) => LayoutProblem::RepeatedMarker(UP),
            ("down", Cut { up: None, .. }) => LayoutProblem::MisplacedMarker {
                marker: DOWN,
                after: UP,
            },
            ("down", _) => LayoutProblem::RepeatedMarker(DOWN),
            _ => LayoutProblem::UnknownMarker(format!("migrate:{word}")),
        };
        faults.push(Fault::at(line.start, problem));
    }
    if cut.up.is_none() && faults.is_empty() {
        faults.push(Fault::of_file(LayoutProblem::MissingMarker(UP)));
    }
    if faults.is_empty() {
        Ok(cut)
    } else {
        Err(faults)
    }
}

/// Returns the section that a marker opens; its options begin somewhere after `at`.
fn section(line: &Line<'_>, options: &str, at: usize, faults: &mut Vec<Fault>) -> Section {
    let mut section = Section::default();
    for option in options.split_whitespace() {
        match option {
            "transaction:true" => section.mode = Mode::On,
            "transaction:false" => section.mode = Mode::Off,
            _ => {
                let behind = at - line.start;
                let inside = line.text[behind..].find(option).unwrap_or_default();
                let problem = LayoutProblem::UnknownOption(option.to_owned());
                faults.push(Fault::at(at + inside, problem));
            }
        }
    }
    section
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::testing::{check_cut, check_fault, check_names};

    #[test]
    fn names() {
        check_names(
            Layout::Dbmate,
            &[
                ("20231103205514_init.sql", "20231103205514 init both"),
                (
                    "20240801160101_edit-x.y.sql",
                    "20240801160101 edit-x.y both",
                ),
                ("1.sql", "1 1 both"),
                ("a.sql", "refused"),
                ("schema.sql", "refused"),
                ("README.md", "other"),
            ],
        );
    }

    #[test]
    fn sections() {
        let check =
            |text: &str, expected: &str| check_cut(Layout::Dbmate, "1_a.sql", text, expected);
        check(
            "-- why\n\n-- migrate:up\n\n-- Add t\nCREATE TABLE t ();\n\n-- migrate:down\nDROP TABLE t;\n",
            "up:\n-- Add t\nCREATE TABLE t ();\ndown:\nDROP TABLE t;\n",
        );
        check("-- migrate:up\r\nSELECT 1;\r\n", "up:\nSELECT 1;\n");
        check("--migrate:up\n--  migrate:down\n", "up:\ndown:\n");
        check(
            "-- migrate:up transaction:false\nVACUUM;\n-- migrate:down  transaction:true\nSELECT 1",
            "up:\n-- migrator: transaction = off\nVACUUM;\ndown:\nSELECT 1\n",
        );
        check(
            "-- migrate:up\n -- migrate:down\n",
            "up:\n -- migrate:down\n",
        );
    }

    #[test]
    fn faults() {
        let check =
            |text: &str, expected: &str| check_fault(Layout::Dbmate, "1_a.sql", text, expected);
        check(
            "SELECT 1;",
            "1:1 this is before the first marker, so it would never run",
        );
        check("", "missing line `-- migrate:up`");
        check(
            "-- migrate:up\n-- migrate:up",
            "2:1 duplicate `-- migrate:up`",
        );
        check(
            "-- migrate:up\n-- migrate:down\n-- migrate:down",
            "3:1 duplicate `-- migrate:down`",
        );
        check(
            "-- migrate:down",
            "1:1 `-- migrate:down` must come after `-- migrate:up`",
        );
        check(
            "-- migrate:sideways",
            "1:1 `migrate:sideways` is not a known marker",
        );
        check("-- migrate:up  x:y", "1:16 `x:y` is not a known option");
    }

    proptest! {
        #[test]
        fn any_text_is_cut_or_refused(text in "(?s)(-- migrate:(up|down)|transaction:false|[-a; \n\r\u{feff}ż]){0,30}") {
            if let Ok(Cut { up: Some(up), .. }) = cut(&text) {
                prop_assert_eq!(up.aligned(&text).len(), text.len());
            }
        }
    }
}
