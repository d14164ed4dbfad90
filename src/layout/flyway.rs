//! Flyway: `V1.2__NAME.sql`, `U1.2__NAME.sql` to undo it, `R__NAME.sql` whenever it changes, and a
//! `.conf` beside a script with its settings. Dots and underscores divide the numbers of a version.

use super::{
    FileKind, Holds, Layout, LayoutProblem,
    cut::{Mode, Section},
    line::lines,
    read::Fault,
    tool::{self, Depth, Tool, misnamed},
};
use crate::{
    revision::{Direction, RepeatableId, RevisionId},
    sql::Dialect,
};

pub(super) const TOOL: Tool = Tool {
    depth: Depth::All,
    whole,
    recorded: |version| version.replace('_', ".").parse().ok(),
    settings_name: Some(|name| format!("{name}.conf")),
    ..Tool::plain(classify)
};

const EXPECTED: &str = "V1.2__NAME.sql, U1.2__NAME.sql or R__NAME.sql";
const TRANSACTION: &str = "executeInTransaction";
const PLACEHOLDERS: &str = "placeholderReplacement";
const SETTINGS: &str = "executeInTransaction or placeholderReplacement";

fn classify(path: &str, _: Dialect) -> FileKind {
    let name = path.rsplit('/').next().unwrap_or(path);
    script(name).unwrap_or_else(|| misnamed(Layout::Flyway, name, EXPECTED))
}

/// Classifies a file name. Also used to detect the layout of a directory.
pub(super) fn script(name: &str) -> Option<FileKind> {
    let refused = |problem| Some(FileKind::Refused(problem));
    if let Some(stem) = [".java", ".kt"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
    {
        let language = "Java or Kotlin";
        return versioned(stem).and_then(|_| refused(LayoutProblem::NotSql { language }));
    }
    let stem = name.strip_suffix(".sql")?;
    let unsupported = |what| refused(LayoutProblem::Unsupported { what });
    if is_callback(stem) {
        return unsupported("a callback of flyway");
    }
    if let Some(slug) = stem.strip_prefix("R__") {
        return RepeatableId::of_slug(slug).map(FileKind::Repeatable);
    }
    let (prefix, version, slug) = versioned(stem)?;
    let direction = match prefix {
        'V' => Direction::Up,
        'U' => Direction::Down,
        _ => return unsupported("a baseline script of flyway"),
    };
    tool::script(&version, slug, Holds::One(direction))
}

/// Returns prefix, version and description of a name.
fn versioned(stem: &str) -> Option<(char, String, &str)> {
    let prefix = stem
        .chars()
        .next()
        .filter(|c| matches!(c, 'V' | 'U' | 'B'))?;
    let rest = &stem[1..];
    let (version, slug) = rest.split_once("__").unwrap_or((rest, ""));
    let version = version.replace('_', ".");
    version
        .parse::<RevisionId>()
        .is_ok()
        .then_some((prefix, version, slug))
}

/// Returns whether the name is a callback: `beforeMigrate`, `afterEachMigrate__name`.
fn is_callback(stem: &str) -> bool {
    ["before", "after"].iter().any(|when| {
        stem.strip_prefix(when)
            .is_some_and(|event| event.starts_with(|c: char| c.is_ascii_uppercase()))
    })
}

fn whole(text: &str, settings: Option<&str>) -> Result<Section, Vec<Fault>> {
    let mut found = Found {
        mode: Mode::ByContent,
        replaces: true,
        faults: Vec::new(),
    };
    for line in lines(settings.unwrap_or_default()) {
        let setting = line.text.trim();
        if !setting.is_empty() && !setting.starts_with(['#', '!']) {
            found.setting(line.inner_start(), setting, true);
        }
    }
    for line in lines(text) {
        if let Some((at, setting)) = line.marker("flyway:")
            && setting.contains('=')
        {
            found.setting(at, setting, false);
        }
    }
    if found.faults.is_empty() {
        Ok(Section {
            dollar: found.replaces && text.contains("${"),
            ..Section::whole(text, found.mode)
        })
    } else {
        Err(found.faults)
    }
}

/// The settings of a script.
struct Found {
    mode: Mode,
    replaces: bool,
    faults: Vec<Fault>,
}

impl Found {
    /// Reads one line of a settings file or a comment.
    fn setting(&mut self, at: usize, setting: &str, in_settings: bool) {
        let (key, value) = setting.split_once(['=', ':']).unwrap_or((setting, ""));
        let problem = match (key.trim(), value.trim().parse()) {
            (TRANSACTION, Ok(true)) => return self.mode = Mode::On,
            (TRANSACTION, Ok(false)) => return self.mode = Mode::Off,
            (PLACEHOLDERS, Ok(replaces)) => return self.replaces = replaces,
            (TRANSACTION | PLACEHOLDERS, Err(_)) => LayoutProblem::SettingValue,
            (key, _) => LayoutProblem::UnknownSetting {
                key: key.to_owned(),
                expected: SETTINGS,
            },
        };
        self.faults.push(Fault {
            in_settings,
            ..Fault::at(at, problem)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::testing::{check_names, read_all};

    #[test]
    fn names() {
        check_names(
            Layout::Flyway,
            &[
                ("V1__init.sql", "1 init up"),
                ("V1.2.10__Add_t.sql", "1.2.10 Add_t up"),
                ("V1_2__a.sql", "1.2 a up"),
                ("V20240101.1__a.sql", "20240101.1 a up"),
                ("V3.sql", "3 3 up"),
                ("U1.2__a.sql", "1.2 a down"),
                ("more/V4__a.sql", "4 a up"),
                ("R__views.sql", "R_views"),
                ("B5__all.sql", "refused"),
                ("beforeMigrate.sql", "refused"),
                ("afterEachMigrate__x.sql", "refused"),
                ("V5__Java.java", "refused"),
                ("Helper.java", "other"),
                ("V1__init.sql.conf", "other"),
                ("V__x.sql", "refused"),
                ("V1.x__a.sql", "refused"),
                ("beforehand.sql", "refused"),
                ("README.md", "other"),
            ],
        );
    }

    #[test]
    fn settings() {
        let check = |text: &str, settings: Option<&str>, expected: Result<bool, &[&str]>| {
            let found = read_all(Layout::Flyway, "V1__a.sql", text, settings);
            let is_off = |alone: &str| alone.starts_with("-- migrator: transaction = off\n");
            let found = found.map(|scripts| is_off(scripts[0].alone()));
            let found = found
                .as_ref()
                .map_err(|all| all.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(found.copied(), expected.map_err(<[_]>::to_vec), "{text}");
        };
        check("SELECT 1;", None, Ok(false));
        check(
            "SELECT 1;",
            Some("# x\nexecuteInTransaction=false\n"),
            Ok(true),
        );
        check(
            "-- flyway:executeInTransaction=false\nSELECT 1;",
            None,
            Ok(true),
        );
        check(
            "-- see flyway:executeInTransaction=false\nSELECT 1;",
            None,
            Ok(false),
        );
        check("CREATE INDEX CONCURRENTLY i ON t (a);", None, Ok(true));
        check(
            "CREATE INDEX CONCURRENTLY i ON t (a); SELECT 1;",
            None,
            Ok(false),
        );
        check(
            "CREATE INDEX CONCURRENTLY i ON t (a);",
            Some("executeInTransaction=true"),
            Ok(false),
        );
        check(
            "SELECT 1;",
            Some(" shouldExecute=false\nexecuteInTransaction=no"),
            Err(&[
                "1:2 `shouldExecute` is not a supported setting; expected executeInTransaction or placeholderReplacement",
                "2:1 expected `true` or `false`",
            ]),
        );
    }

    #[test]
    fn placeholders() {
        let check = |text: &str, settings: Option<&str>, alone: &str| {
            let found = read_all(Layout::Flyway, "V1__a.sql", text, settings).unwrap();
            assert_eq!(&**found[0].alone(), alone);
            assert_eq!(&*found[0].text, text);
        };
        let text = "SELECT '${x}';\n";
        check(text, None, "-- migrator: vars = dollar\nSELECT '${x}';\n");
        check(text, Some("placeholderReplacement=false"), text);
        check(
            "VACUUM ${x};\n",
            None,
            "-- migrator: transaction = off\n-- migrator: vars = dollar\nVACUUM ${x};\n",
        );
    }
}
