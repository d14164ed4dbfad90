//! diesel: a directory `VERSION_NAME` with `up.sql`, `down.sql` and optionally `metadata.toml`. The
//! version is the text before the first `_`, without dashes. diesel compares versions as text, so
//! that 18 digits sort among 14; in the ID, the digits after the first 14 are a separate number.

use super::{
    FileKind, Holds, Layout, LayoutProblem,
    cut::{Mode, Section},
    line::lines,
    read::Fault,
    tool::{self, Depth, Tool, misnamed},
};
use crate::{
    revision::{Direction, RevisionId},
    sql::Dialect,
};

pub(super) const TOOL: Tool = Tool {
    depth: Depth::One,
    settings_name: Some(settings_name),
    whole: |text, settings| {
        let mode = mode(settings.unwrap_or_default())?;
        Ok(Section::whole(text, mode))
    },
    recorded: id,
    order: Some(|a, b| version(a).cmp(&version(b))),
    ..Tool::plain(classify)
};

const EXPECTED: &str = "VERSION_NAME/up.sql or VERSION_NAME/down.sql";

fn classify(path: &str, _: Dialect) -> FileKind {
    let (directory, file) = path.split_once('/').unwrap_or(("", path));
    if directory.starts_with('.') || file.starts_with('.') {
        return FileKind::Other;
    }
    script(directory, file).unwrap_or_else(|| misnamed(Layout::Diesel, path, EXPECTED))
}

fn script(directory: &str, file: &str) -> Option<FileKind> {
    let direction = match file {
        "up.sql" => Direction::Up,
        "down.sql" => Direction::Down,
        _ => return None,
    };
    let (_, slug) = directory.split_once('_').unwrap_or_default();
    let id = id(&version(directory))?;
    tool::script(id.as_str(), slug, Holds::One(direction))
}

/// Returns the ID 20260730140000.0000 for the version 202607301400000000.
fn id(version: &str) -> Option<RevisionId> {
    const TIMESTAMP: usize = 14;
    if version.len() <= TIMESTAMP || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return version.parse().ok();
    }
    let (time, counter) = version.split_at(TIMESTAMP);
    format!("{time}.{counter}").parse().ok()
}

fn version(path: &str) -> String {
    path.split('_').next().unwrap_or(path).replace('-', "")
}

fn settings_name(path: &str) -> String {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    format!("{directory}/metadata.toml")
}

/// Parses the settings, which have a single key.
fn mode(settings: &str) -> Result<Mode, Vec<Fault>> {
    const KEY: &str = "run_in_transaction";
    let mut mode = Mode::On;
    let mut faults = Vec::new();
    for line in lines(settings) {
        let setting = line.text.split('#').next().unwrap_or_default();
        if setting.trim().is_empty() {
            continue;
        }
        let mut fault = |problem| {
            faults.push(Fault {
                in_settings: true,
                ..Fault::at(line.inner_start(), problem)
            });
        };
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        match (key.trim().trim_matches('"'), value.trim()) {
            (KEY, "true") => mode = Mode::On,
            (KEY, "false") => mode = Mode::Off,
            (KEY, _) => fault(LayoutProblem::SettingValue),
            (key, _) => fault(LayoutProblem::UnknownSetting {
                key: key.to_owned(),
                expected: KEY,
            }),
        }
    }
    if faults.is_empty() {
        Ok(mode)
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{
        sort_out,
        testing::{check_names, describe, read_all},
    };

    #[test]
    fn names() {
        check_names(
            Layout::Diesel,
            &[
                (
                    "00000000000000_diesel_initial_setup/up.sql",
                    "00000000000000 diesel_initial_setup up",
                ),
                (
                    "2024-10-25-112826_add-x/down.sql",
                    "20241025112826 add-x down",
                ),
                (
                    "2026-07-30-140000-0000_a/up.sql",
                    "20260730140000.0000 a up",
                ),
                ("2024-10-25-112826_a/metadata.toml", "other"),
                ("2024-10-25-112826_a/up2.sql", "refused"),
                (
                    "2024-10-25-112826/up.sql",
                    "20241025112826 20241025112826 up",
                ),
                ("2024-10-25_112826_a/up.sql", "20241025 112826_a up"),
                ("2024-10-25-112826_a/up.rs", "refused"),
                ("abc_x/up.sql", "refused"),
                ("x.sql", "refused"),
                (".hidden_1/up.sql", "other"),
                ("1_a/.up.sql", "other"),
            ],
        );
    }

    #[test]
    fn versions_are_ordered_as_texts() {
        let check = |names: [&str; 2], expected: [&str; 2]| {
            let found = sort_out(Layout::Diesel, Dialect::Postgres, &names);
            let found: Vec<_> = found.iter().map(describe).collect();
            assert_eq!(found, expected);
        };
        check(
            [
                "2024-01-02-000000-0000_a/up.sql",
                "2024-01-03-000000_b/up.sql",
            ],
            ["20240102000000.0000 a up", "20240103000000 b up"],
        );
        check(
            ["10_a/up.sql", "9_b/up.sql"],
            ["10 a up after ", "9 b up after 10"],
        );
        check(
            ["2024-03-13_170000_b/up.sql", "2024-03-06-170000_a/up.sql"],
            [
                "20240313 170000_b up after 20240306170000",
                "20240306170000 a up after ",
            ],
        );
    }

    #[test]
    fn what_diesel_records_is_found_again() {
        let check = |version: &str, id: &str| {
            assert_eq!(Layout::Diesel.recorded(version).unwrap().as_str(), id);
        };
        check("20240102000000", "20240102000000");
        check("202401020000000001", "20240102000000.0001");
        check("1", "1");
        assert_eq!(Layout::Diesel.recorded("x"), None);
    }

    #[test]
    fn metadata() {
        let check = |metadata: &str, alone: Result<&str, &[&str]>| {
            let found = read_all(Layout::Diesel, "1_a/up.sql", "SELECT 1", Some(metadata));
            let found = found.map(|scripts| scripts[0].alone().to_string());
            let alone = alone.map(str::to_owned);
            assert_eq!(
                found,
                alone.map_err(|all| all.iter().map(|one| (*one).to_owned()).collect())
            );
        };
        check("", Ok("SELECT 1"));
        check("run_in_transaction = true\n", Ok("SELECT 1"));
        check(
            "# why\nrun_in_transaction=false # because\n",
            Ok("-- migrator: transaction = off\nSELECT 1\n"),
        );
        check(
            "run_in_transaction = no\n\n  run = true",
            Err(&[
                "1:1 expected `true` or `false`",
                "3:3 `run` is not a supported setting; expected run_in_transaction",
            ]),
        );
    }
}
