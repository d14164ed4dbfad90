//! goose: `VERSION_NAME.sql` with `-- +goose Up` and `-- +goose Down`. Text between
//! `StatementBegin` and `StatementEnd` is split like any other, and ends there.

use super::{
    FileKind, Holds, Layout, LayoutProblem,
    cut::{Cut, Mode, Section},
    line::{Line, lines},
    read::Fault,
    tool::{self, Tool, misnamed},
};
use crate::sql::{Dialect, Vars};

pub(super) const TOOL: Tool = Tool {
    cut,
    ..Tool::plain(classify)
};

const EXPECTED: &str = "VERSION_NAME.sql";
const UP: &str = "-- +goose Up";
const DOWN: &str = "-- +goose Down";
const BEGIN: &str = "-- +goose StatementBegin";
const END: &str = "-- +goose StatementEnd";

fn classify(name: &str, _: Dialect) -> FileKind {
    script(name).unwrap_or_else(|| misnamed(Layout::Goose, name, EXPECTED))
}

fn script(name: &str) -> Option<FileKind> {
    let (id, rest) = name.split_once('_')?;
    if id.contains('.') {
        return None;
    }
    if let Some(slug) = rest.strip_suffix(".go") {
        let is_step = !slug.ends_with("_test") && tool::script(id, slug, Holds::Both).is_some();
        let refused = LayoutProblem::NotSql { language: "Go" };
        return is_step.then_some(FileKind::Refused(refused));
    }
    tool::script(id, rest.strip_suffix(".sql")?, Holds::Both)
}

/// The state while reading a file.
#[derive(Default)]
struct Reader {
    cut: Cut,
    /// Position of the open StatementBegin.
    begun: Option<usize>,
    no_transaction: bool,
    /// Whether variables are replaced.
    replaces: bool,
    /// The first `${` that is not replaced, in each direction.
    kept: [Option<usize>; 2],
    faults: Vec<Fault>,
}

fn cut(text: &str) -> Result<Cut, Vec<Fault>> {
    let mut reader = Reader::default();
    for line in lines(text) {
        match line.marker("+goose") {
            Some((_, marker)) => reader.marker(&line, marker),
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
        if line.is_indented() {
            return self.fault(line.inner_start(), LayoutProblem::IndentedMarker);
        }
        let words: Vec<String> = marker.split_whitespace().map(str::to_uppercase).collect();
        let problem = match words.join(" ").as_str() {
            "UP" if self.cut.up.is_some() => LayoutProblem::RepeatedMarker(UP),
            "UP" => {
                self.cut.up = Some(Section::default());
                return;
            }
            "DOWN" if self.cut.down.is_some() => LayoutProblem::RepeatedMarker(DOWN),
            "DOWN" if self.cut.up.is_none() => LayoutProblem::MisplacedMarker {
                marker: DOWN,
                after: UP,
            },
            "DOWN" if self.begun.is_some() => LayoutProblem::MisplacedMarker {
                marker: DOWN,
                after: END,
            },
            "DOWN" => {
                self.cut.down = Some(Section::default());
                return;
            }
            "STATEMENTBEGIN" if self.cut.up.is_none() => LayoutProblem::MisplacedMarker {
                marker: BEGIN,
                after: UP,
            },
            "STATEMENTBEGIN" if self.begun.is_some() => LayoutProblem::MisplacedMarker {
                marker: BEGIN,
                after: END,
            },
            "STATEMENTBEGIN" => {
                self.begun = Some(line.start);
                return;
            }
            "STATEMENTEND" => match self.begun.take() {
                Some(begun) => {
                    let sections = [&mut self.cut.down, &mut self.cut.up];
                    if let Some(section) = sections.into_iter().flatten().next() {
                        section.blocks.push(begun..line.start);
                    }
                    return;
                }
                None => LayoutProblem::MisplacedMarker {
                    marker: END,
                    after: BEGIN,
                },
            },
            "ENVSUB ON" | "ENVSUB OFF" => {
                self.replaces = words.last().is_some_and(|word| word == "ON");
                return;
            }
            "NO TRANSACTION" => {
                self.no_transaction = true;
                return;
            }
            _ => LayoutProblem::UnknownMarker(format!("+goose {marker}")),
        };
        self.fault(line.start, problem);
    }

    fn sql(&mut self, line: &Line<'_>) {
        let is_down = self.cut.down.is_some();
        match (&mut self.cut.down, &mut self.cut.up) {
            (Some(section), _) | (None, Some(section)) => {
                section.keep(line.start..line.end);
                section.dollar |= self.replaces && line.text.contains("${");
            }
            (None, None) if line.is_silent() || !self.faults.is_empty() => return,
            (None, None) => {
                return self.fault(line.inner_start(), LayoutProblem::BeforeMarkers);
            }
        }
        if self.replaces {
            if let Some(at) = odd_variable(line.text) {
                let what = "a variable that is not written ${NAME} (ENVSUB)";
                self.fault(line.start + at, LayoutProblem::Unsupported { what });
            }
        } else if let Some(at) = line.text.find("${") {
            self.kept[usize::from(is_down)].get_or_insert(line.start + at);
        }
    }

    fn end(mut self) -> Result<Cut, Vec<Fault>> {
        if let Some(begun) = self.begun {
            self.fault(begun, LayoutProblem::UnfinishedStatement(END));
        }
        if self.cut.up.is_none() && self.faults.is_empty() {
            self.faults
                .push(Fault::of_file(LayoutProblem::MissingMarker(UP)));
        }
        let sections = [&self.cut.up, &self.cut.down];
        let dollars = sections.map(|section| section.as_ref().is_some_and(|one| one.dollar));
        for (at, dollar) in self.kept.into_iter().zip(dollars) {
            if let (Some(at), true) = (at, dollar) {
                let what = "a ${ that ENVSUB leaves alone, beside one that it replaces,";
                self.fault(at, LayoutProblem::Unsupported { what });
            }
        }
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        if self.no_transaction {
            for section in self.cut.up.iter_mut().chain(&mut self.cut.down) {
                section.mode = Mode::Off;
            }
        }
        Ok(self.cut)
    }
}

/// Returns the position of a dollar sign that does not begin a `${NAME}`.
fn odd_variable(line: &str) -> Option<usize> {
    line.match_indices('$').map(|(at, _)| at).find(|at| {
        let name = line[at + 1..].strip_prefix('{');
        let name = name.and_then(|rest| rest.split_once('}'));
        !name.is_some_and(|(name, _)| Vars::is_name(name))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::testing::{check_cut, check_fault, check_names};

    #[test]
    fn names() {
        check_names(
            Layout::Goose,
            &[
                ("20240115180414_init.sql", "20240115180414 init both"),
                ("00001_a.b.sql", "00001 a.b both"),
                ("00002_step.go", "refused"),
                ("00002_step_test.go", "other"),
                ("embed.go", "other"),
                ("my_migrations.go", "other"),
                ("a_b.sql", "refused"),
                ("seed.sql", "refused"),
            ],
        );
    }

    #[test]
    fn sections() {
        let check =
            |text: &str, expected: &str| check_cut(Layout::Goose, "1_a.sql", text, expected);
        check(
            "-- why\n-- +goose Up\n-- Add t\nCREATE TABLE t ();\n-- +goose StatementBegin\nDO $$ BEGIN; END $$;\n\
             -- +goose StatementEnd\n\n-- +goose Down\n\nDROP TABLE t;\n",
            "up:\n-- Add t\nCREATE TABLE t ();\nDO $$ BEGIN; END $$;\ndown:\nDROP TABLE t;\n",
        );
        check(
            "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE t (a int)\n-- ;\n-- +goose StatementEnd\n\
             -- +goose StatementBegin\nSELECT 1; -- x\n-- +goose StatementEnd\nSELECT 2;\n\
             -- +goose Down\n-- +goose StatementBegin\nDROP TABLE t\n-- +goose StatementEnd\n",
            "up:\nCREATE TABLE t (a int)\n-- ;\n;\nSELECT 1; -- x\nSELECT 2;\ndown:\nDROP TABLE t\n;\n",
        );
        check("-- +goose Up\r\nSELECT 1;", "up:\nSELECT 1;\n");
        check("--+goose up\n-- +goose   Down", "up:\ndown:\n");
        check(
            "-- +goose no transaction\n-- +goose Up\nVACUUM;\n-- +goose Down\nSELECT 1;\n",
            "up:\n-- migrator: transaction = off\nVACUUM;\ndown:\n-- migrator: transaction = off\nSELECT 1;\n",
        );
        check(
            "-- +goose Up\n-- +goose ENVSUB ON\nSELECT '${a}';\n-- +goose ENVSUB OFF\nSELECT '$1';\n-- +goose Down\nSELECT '${b}';",
            "up:\n-- migrator: vars = dollar\nSELECT '${a}';\nSELECT '$1';\ndown:\nSELECT '${b}';\n",
        );
    }

    #[test]
    fn faults() {
        let check =
            |text: &str, expected: &str| check_fault(Layout::Goose, "1_a.sql", text, expected);
        check("", "missing line `-- +goose Up`");
        check(
            "\n  SELECT 1;",
            "2:3 this is before the first marker, so it would never run",
        );
        check("-- +goose Up\n-- +goose Up", "2:1 duplicate `-- +goose Up`");
        check(
            "-- +goose Down",
            "1:1 `-- +goose Down` must come after `-- +goose Up`",
        );
        check(
            "-- +goose StatementBegin",
            "1:1 `-- +goose StatementBegin` must come after `-- +goose Up`",
        );
        check(
            "-- +goose Up\n-- +goose StatementEnd",
            "2:1 `-- +goose StatementEnd` must come after `-- +goose StatementBegin`",
        );
        check(
            "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;",
            "2:1 the statement that starts here has no `-- +goose StatementEnd`",
        );
        check(
            "-- +goose Up\n -- +goose Down",
            "2:2 a marker must be at the start of a line",
        );
        check("-- +goose Upp", "1:1 `+goose Upp` is not a known marker");
        check(
            "-- +goose Up\n-- +goose ENVSUB ON\nSELECT '${a:-b}';",
            "3:9 a variable that is not written ${NAME} (ENVSUB) cannot be read",
        );
        check(
            "-- +goose Up\nSELECT '${a}';\n-- +goose ENVSUB ON\nSELECT '${b}';",
            "2:9 a ${ that ENVSUB leaves alone, beside one that it replaces, cannot be read",
        );
    }

    proptest! {
        #[test]
        fn any_text_is_cut_or_refused(text in "(?s)(-- \\+goose (Up|Down|StatementBegin|StatementEnd)|[-a; \n\r\u{feff}ż]){0,30}") {
            if let Ok(Cut { up: Some(up), .. }) = cut(&text) {
                prop_assert_eq!(up.aligned(&text).len(), text.len());
            }
        }
    }
}
