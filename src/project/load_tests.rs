use std::{collections::BTreeMap, ffi::OsString, fs, path::PathBuf, time::Duration};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{
    files::Compression,
    revision::{Ahead, Downs, OutOfOrder, TransactionScope},
};

/// A project on disk and what surrounds it.
struct Project {
    dir: TempDir,
    sources: Sources,
}

/// Creates a project with that `migrator.toml`.
fn project(toml: &str) -> Project {
    let project = bare();
    fs::write(project.path("migrator.toml"), toml).unwrap();
    project
}

/// Creates a project without files.
fn bare() -> Project {
    let dir = tempfile::tempdir().unwrap();
    let sources = Sources {
        cwd: dir.path().to_owned(),
        ..Sources::default()
    };
    Project { dir, sources }
}

impl Project {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn dotenv(self, text: &str) -> Self {
        fs::write(self.path(".env"), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        let variables = &mut self.sources.process_env;
        variables.insert(name.into(), value.into());
        self
    }

    fn environment(mut self, name: &str) -> Self {
        self.sources.flags.environment = Some(name.to_owned());
        self
    }

    fn url_flag(mut self, url: &str) -> Self {
        self.sources.flags.url = Some(url.to_owned());
        self
    }

    fn below(mut self, name: &str) -> Self {
        let cwd = self.path(name);
        fs::create_dir_all(&cwd).unwrap();
        self.sources.cwd = cwd;
        self
    }

    fn load(&self) -> Config {
        load(&self.sources).unwrap()
    }

    /// Returns the URL with its origin, or the problems.
    fn url(&self) -> String {
        match self.load().url() {
            Ok(url) => format!("{} from {}", url.text, url.origin),
            Err(problems) => texts(problems).join("\n"),
        }
    }

    fn problems(&self) -> Vec<String> {
        texts(&load(&self.sources).unwrap_err())
    }
}

fn texts(problems: &[ConfigProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn without_a_file_there_are_defaults() {
    let project = bare();
    let config = project.load();
    assert_eq!(config.file, None);
    assert_eq!(config.migrations, project.path("migrations"));
    assert_eq!(config.templates, project.path("templates"));
    assert_eq!(config.version_table, "migrator_version");
    assert_eq!(config.out_of_order, OutOfOrder::Error);
    assert_eq!(config.ahead, Ahead::Warn);
    assert_eq!(config.downs, Downs::Required);
    assert_eq!(config.transaction, TransactionScope::Revision);
    assert_eq!(config.lock_wait, Duration::from_secs(60));
    assert_eq!(config.connect_timeout, Duration::from_secs(10));
    assert_eq!(config.lock_timeout, Duration::from_secs(2));
    assert_eq!(config.statement_timeout, Duration::ZERO);
    assert!(!config.protected);
    assert_eq!(project.url(), "--url: no database URL is configured");
}

#[test]
fn every_key_arrives() {
    let config = project(
        r#"
        [migrator]
        url = "sqlite:app.db"
        migrations = "db/steps"
        templates = "./db/../forms"
        version-table = "ops.versions"
        out-of-order = "allow"
        ahead = "error"
        downs = "optional"
        transaction = "all"
        lock-wait = "0"
        connect-timeout = "500ms"
        protected = true
        [postgres]
        lock-timeout = "3s"
        lock-attempts = 3
        statement-timeout = "5min"
        "#,
    );
    let root = config.sources.cwd.clone();
    let config = config.load();
    assert_eq!(config.file, Some(root.join("migrator.toml")));
    assert_eq!(config.url().unwrap().text, "sqlite:app.db");
    assert_eq!(config.url().unwrap().base, root);
    assert_eq!(config.migrations, root.join("db/steps"));
    assert_eq!(config.templates, root.join("db/../forms"));
    assert_eq!(config.version_table, "ops.versions");
    assert_eq!(config.out_of_order, OutOfOrder::Allow);
    assert_eq!(config.ahead, Ahead::Error);
    assert_eq!(config.downs, Downs::Optional);
    assert_eq!(config.transaction, TransactionScope::All);
    assert_eq!(config.lock_wait, Duration::ZERO);
    assert_eq!(config.connect_timeout, Duration::from_millis(500));
    assert!(config.protected);
    assert_eq!(config.lock_timeout, Duration::from_secs(3));
    assert_eq!(config.lock_attempts, 3);
    assert_eq!(config.statement_timeout, Duration::from_secs(300));
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let check = |toml: &str, expected: &[&str]| {
        assert_eq!(project(toml).problems(), expected, "{toml}");
    };
    check(
        "[migrator]\nurll = \"x\"\n",
        &["migrator.toml:2:1: unknown key `urll` in [migrator]"],
    );
    check(
        "url = \"x\"\n",
        &["migrator.toml:1:1: unknown key `url` at the top of the file"],
    );
    check(
        "[migrater]\n[migrator]\nahead = 3\n",
        &[
            "migrator.toml:1:2: unknown section [migrater]",
            "migrator.toml:3:9: `ahead` must be a string, not an integer",
        ],
    );
    check(
        "[migrator]\nlock-wait = 60\nprotected = \"yes\"\nurl = \"\"\nahead = \"maybe\"\n\
         lock-timeout = \"1s\"\nmigrations = []\n[postgres]\nlock-timeout = \"2\"\n",
        &[
            "migrator.toml:2:13: `lock-wait` must be a string, not an integer",
            "migrator.toml:3:13: `protected` must be true or false, not a string",
            "migrator.toml:4:7: the URL is empty",
            "migrator.toml:5:9: `maybe` is not a valid value for `ahead`: expected `warn` or `error`",
            "migrator.toml:6:1: unknown key `lock-timeout` in [migrator]",
            "migrator.toml:7:14: `migrations` must be a string, not an array",
            "migrator.toml:9:16: `2` is not a valid value for `lock-timeout`: expected a whole number with \
             ms, s, min or h, such as \"2s\", below 24 days, or \"0\"",
        ],
    );
    check(
        "[postgres]\nlock-attempts = 0\n[environments.a.postgres]\nlock-attempts = true\n\
         [environments.b.postgres]\nlock-attempts = \"many\"\n",
        &[
            "migrator.toml:2:17: `0` is not a valid value for `lock-attempts`: expected a positive integer",
            "migrator.toml:4:17: `lock-attempts` must be a whole number, not a boolean",
            "migrator.toml:6:17: `many` is not a valid value for `lock-attempts`: expected a positive integer",
        ],
    );
    check(
        "[migrator]\nconnect-timeout = \"0\"\nversion-table = \"a.b.c\"\nout-of-order = \"\"\n",
        &[
            "migrator.toml:2:19: `0` is not a valid value for `connect-timeout`: expected a duration above zero",
            "migrator.toml:3:17: `a.b.c` is not a valid value for `version-table`: expected `table` or \
             `schema.table`; a dot inside of a name is not supported",
            "migrator.toml:4:16: `` is not a valid value for `out-of-order`: expected `error`, `warn` or `allow`",
        ],
    );
    check(
        "migrator = 1\nenvironments = true\n",
        &[
            "migrator.toml:1:1: [migrator] must be a section, not an integer",
            "migrator.toml:2:1: [environments] must be a section, not a boolean",
        ],
    );
    check(
        "[environments]\nstaging = \"x\"\n[environments.\"ż\"]\n\"żółć\" = 1\npostgres = 1.5\n\
         [environments.live.postgres]\nurl = \"x\"\n",
        &[
            "migrator.toml:2:1: [environments.staging] must be a section, not a string",
            "migrator.toml:4:1: unknown key `żółć` in [environments.ż]",
            "migrator.toml:5:1: [environments.ż.postgres] must be a section, not a number",
            "migrator.toml:7:1: unknown key `url` in [environments.live.postgres]",
        ],
    );
    check(
        "[migrator]\nmigrations = \"ż${A\"\ntemplates = '${} ${B} ${1}'\n",
        &[
            "migrator.toml:2:16: a variable has the form ${NAME}; write a literal dollar sign before a brace as $$",
            "migrator.toml:3:14: a variable has the form ${NAME}; write a literal dollar sign before a brace as $$",
            "migrator.toml:3:23: a variable has the form ${NAME}; write a literal dollar sign before a brace as $$",
        ],
    );
    check(
        "[migrator]\nmigrations = \"$${A}/${NOT_THERE}\"\nprotected = \"${NOT_THERE}\"\n",
        &[
            "migrator.toml:2:21: the variable `NOT_THERE` is not set",
            "migrator.toml:3:13: `protected` must be true or false, not a string",
        ],
    );
}

#[test]
fn hints_name_the_nearest() {
    let check = |toml: &str, expected: ConfigProblemKind| {
        let problems = load(&project(toml).sources).unwrap_err();
        assert_eq!(problems[0].kind, expected, "{toml}");
    };
    let unknown = |key: &str, section: Option<&str>, nearest, belongs: Option<&str>| {
        ConfigProblemKind::UnknownKey {
            key: key.to_owned(),
            section: section.map(str::to_owned),
            nearest,
            belongs: belongs.map(str::to_owned),
        }
    };
    let migrator = Some("migrator");
    check(
        "[migrator]\nversion_table = 1",
        unknown("version_table", migrator, Some("version-table"), None),
    );
    check(
        "[migrator]\ncolour = 1",
        unknown("colour", migrator, None, None),
    );
    check(
        "[migrator]\nstatement-timeout = 1",
        unknown("statement-timeout", migrator, None, Some("postgres")),
    );
    check(
        "lock-wait = 1",
        unknown("lock-wait", None, None, Some("migrator")),
    );
    let nested = Some("environments.a");
    check(
        "[environments.a]\nlock-timeout = 1",
        unknown(
            "lock-timeout",
            nested,
            None,
            Some("environments.a.postgres"),
        ),
    );
    let postgres = Some("environments.a.postgres");
    check(
        "[environments.a.postgres]\nahead = 1",
        unknown("ahead", postgres, None, nested),
    );
    let backup = Some("environments.a.backup");
    check(
        "[environments.a.backup]\nlock-timeout = 1",
        unknown("lock-timeout", backup, None, postgres),
    );
    check(
        "[environments.a]\nkeep = 1",
        unknown("keep", nested, None, backup),
    );
    check(
        "[environment.x]\nurl = \"x\"",
        ConfigProblemKind::UnknownSection {
            section: "environment".to_owned(),
            nearest: Some("environments"),
        },
    );
}

#[test]
fn backups_are_configured_for_all_and_for_one_environment() {
    let text = "[backup]\nbefore = [\"upgrade\"]\ndirectory = \"copies\"\nkeep = 0\n\
                [environments.a]\nurl = \"sqlite:x\"\n\
                [environments.a.backup]\nbefore = []\ncompress = \"none\"\n";
    let of_all = project(text);
    let backup = of_all.load().backup;
    assert!(backup.before.upgrade && !backup.before.downgrade);
    assert_eq!((backup.keep, backup.compress), (0, Compression::Zstd));
    assert_eq!(backup.directory, of_all.path("copies"));
    let backup = project(text).environment("a").load().backup;
    assert_eq!((backup.keep, backup.compress), (0, Compression::None));
    assert!(!backup.before.upgrade);
    let problems = project("[backup]\nbefore = [1]\n").problems();
    let expected =
        "migrator.toml:2:10: `before` must be an array of strings, not an array of other things";
    assert_eq!(problems, [expected]);
}

#[test]
fn files_that_are_no_toml_say_so_without_their_text() {
    let check = |bytes: &[u8], expected: &[&str]| {
        let project = bare();
        fs::write(project.path("migrator.toml"), bytes).unwrap();
        let problems = project.problems();
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.starts_with(expected), "{problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    };
    check(
        b"[migrator]\nurl = postgres://u:secret@h/d\nahead = \n",
        &[
            "migrator.toml:2:7: invalid TOML: ",
            "migrator.toml:3:9: invalid TOML: ",
        ],
    );
    check(
        b"[migrator]\nurl = \"secret\"\nurl = \"secret\"\n",
        &["migrator.toml:3:1: invalid TOML: duplicate key"],
    );
    check(
        b"[migrator]\nurl = \"secr\xE4t\"\n",
        &["migrator.toml:2:12: the file is not UTF-8: byte 0xe4 at offset 22"],
    );
    check(
        b"\xFF\xFE[\0",
        &["migrator.toml:1:1: the file is UTF-16 LE; it must be UTF-8"],
    );
}

#[test]
fn a_byte_order_mark_takes_no_column() {
    let problems = project("\u{feff}colour = 1").problems();
    assert_eq!(
        problems,
        ["migrator.toml:1:1: unknown key `colour` at the top of the file"]
    );
}

#[test]
fn the_file_is_looked_for_upwards() {
    let project = project("[migrator]\nurl = \"sqlite:app.db\"").below("a/b");
    let config = project.load();
    assert_eq!(config.file, Some(project.path("migrator.toml")));
    assert_eq!(config.url().unwrap().base, project.path(""));
    assert_eq!(config.migrations, project.path("migrations"));
    assert_eq!(config.show(&project.path("a/b/c.sql")), "c.sql");
    assert_eq!(config.show(&project.path("a/b")), ".");
    let outside = project.path("migrator.toml");
    assert_eq!(config.show(&outside), outside.display().to_string());

    // The nearest one counts, and a directory of that name does not.
    fs::create_dir(project.path("a/b/migrator.toml")).unwrap();
    fs::write(project.path("a/migrator.toml"), "").unwrap();
    assert_eq!(project.load().file, Some(project.path("a/migrator.toml")));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let mut project = project("").below("a");
    project.sources.flags.config = Some("../migrator.toml".into());
    let file = project.load().file.unwrap();
    assert_eq!(file, project.path("a/../migrator.toml"));
    project.sources.flags.config = Some("other.toml".into());
    assert_eq!(project.problems(), ["other.toml: file does not exist"]);
    project.sources.flags.config = None;
    let project = project.variable("MIGRATOR_CONFIG", "third.toml");
    assert_eq!(project.problems(), ["third.toml: file does not exist"]);
    let project = project.variable("MIGRATOR_CONFIG", "");
    assert_eq!(project.load().file, Some(project.path("migrator.toml")));
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_not_passed_over() {
    let project = project("[migrator]").below("a");
    std::os::unix::fs::symlink("nothing", project.path("a/migrator.toml")).unwrap();
    let problems = project.problems();
    assert!(
        problems[0].starts_with("migrator.toml: cannot read the file: "),
        "{problems:?}"
    );
}

const TWO: &str = "[migrator]\nurl = \"base\"\n[environments.staging]\nurl = \"staging\"\n\
                   [environments.bare]\nahead = \"error\"\n";

#[test]
fn the_url_comes_from_the_first_source_that_has_it() {
    let check = |project: Project, expected: &str| assert_eq!(project.url(), expected);
    let at = |text| project(text);
    check(at(TWO), "base from migrator.toml:2:7");
    check(at(TWO).dotenv("\nDATABASE_URL=dot"), "dot from .env:2:1");
    check(
        at(TWO).dotenv("DATABASE_URL=dot\nMIGRATOR_URL=own"),
        "own from .env:2:1",
    );
    let process = || {
        at(TWO)
            .dotenv("MIGRATOR_URL=dot")
            .variable("DATABASE_URL", "process")
    };
    check(process(), "process from DATABASE_URL");
    check(
        process().variable("MIGRATOR_URL", "own"),
        "own from MIGRATOR_URL",
    );
    check(process().variable("DATABASE_URL", ""), "dot from .env:1:1");
    check(process().url_flag("flag"), "flag from --url");
    check(process().url_flag(" "), "--url: the URL is empty");
    check(
        process().environment("staging"),
        "staging from migrator.toml:4:7",
    );
    check(
        process().environment("staging").url_flag("flag"),
        "flag from --url",
    );
    check(
        process().variable("MIGRATOR_ENV", "staging"),
        "staging from migrator.toml:4:7",
    );
    check(
        at(TWO).dotenv("MIGRATOR_ENV=staging"),
        "staging from migrator.toml:4:7",
    );
    check(
        at("[migrator]"),
        "migrator.toml: no database URL is configured",
    );
}

#[test]
fn an_environment_never_reaches_another_ones_database() {
    let everywhere = || {
        project(TWO)
            .dotenv("MIGRATOR_URL=dot")
            .variable("DATABASE_URL", "process")
            .variable("MIGRATOR_URL", "own")
    };
    let expected = "migrator.toml:5:15: the environment `bare` has no url";
    assert_eq!(everywhere().environment("bare").url(), expected);
    assert_eq!(
        everywhere().variable("MIGRATOR_ENV", "bare").url(),
        expected
    );
    let with_flag = everywhere().environment("bare").url_flag("flag");
    assert_eq!(with_flag.url(), "flag from --url");
}

#[test]
fn an_unknown_environment_is_an_error() {
    let check = |project: Project, origin: &str, kind: ConfigProblemKind| {
        let problems = load(&project.sources).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].origin.to_string(), origin);
        assert_eq!(problems[0].kind, kind);
    };
    let unknown =
        |name: &str, nearest: Option<&str>, known: &[&str]| ConfigProblemKind::UnknownEnvironment {
            name: name.to_owned(),
            nearest: nearest.map(str::to_owned),
            known: known.iter().map(|name| (*name).to_owned()).collect(),
        };
    let known = ["bare", "staging"];
    check(
        project(TWO).environment("stagin"),
        "--env",
        unknown("stagin", Some("staging"), &known),
    );
    check(
        project(TWO).variable("MIGRATOR_ENV", "x1234"),
        "MIGRATOR_ENV",
        unknown("x1234", None, &known),
    );
    check(
        project(TWO).dotenv("MIGRATOR_ENV=live"),
        ".env:1:1",
        unknown("live", None, &known),
    );
    check(bare().environment("a"), "--env", unknown("a", None, &[]));
    // A file that cannot be read says nothing about its environments.
    let broken = project("[environments.a]\nurl = ").environment("a");
    assert_eq!(broken.problems().len(), 1);
}

#[test]
fn every_setting_follows_the_same_order() {
    const TOML: &str = "[migrator]\nlock-wait = \"5s\"\n[postgres]\nlock-timeout = \"5s\"\n\
        [environments.a]\nlock-wait = \"2s\"\n[environments.a.postgres]\nlock-timeout = \"2s\"\n\
        [environments.b]\n";
    const DOTENV: &str = "MIGRATOR_LOCK_WAIT=4s\nMIGRATOR_POSTGRES_LOCK_TIMEOUT=4s\n";
    let with_process = |project: Project| {
        project
            .variable("MIGRATOR_LOCK_WAIT", "3s")
            .variable("MIGRATOR_POSTGRES_LOCK_TIMEOUT", "3s")
    };
    let check = |project: Project, seconds: u64| {
        let config = project.load();
        let expected = Duration::from_secs(seconds);
        assert_eq!(
            (config.lock_wait, config.lock_timeout),
            (expected, expected)
        );
    };
    let all = || with_process(project(TOML).dotenv(DOTENV));
    check(all().environment("a"), 2);
    check(all().environment("b"), 3);
    check(all(), 3);
    check(project(TOML).dotenv(DOTENV), 4);
    check(project(TOML).dotenv(DOTENV).environment("b"), 4);
    check(project(TOML), 5);
    check(project(TOML).environment("b"), 5);
}

#[test]
fn values_of_variables_are_checked_too() {
    let project = bare()
        .dotenv("MIGRATOR_AHEAD=no\nfoo bar\n")
        .variable("MIGRATOR_TRANSACTION", "none");
    assert_eq!(
        project.problems(),
        [
            ".env:1:1: `no` is not a valid value for `ahead`: expected `warn` or `error`",
            ".env:2:1: this line is not NAME=VALUE; values with white space, quotes or # need quotes",
            "MIGRATOR_TRANSACTION: `none` is not a valid value for `transaction`: expected `revision` or `all`",
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_an_error() {
    use std::os::unix::ffi::OsStringExt;
    let mut project = bare();
    let wrong = OsString::from_vec(vec![0xE4]);
    let variables = &mut project.sources.process_env;
    variables.insert("MIGRATOR_AHEAD".into(), wrong.clone());
    variables.insert("DATABASE_URL".into(), wrong.clone());
    variables.insert("ANYTHING_ELSE".into(), wrong);
    assert_eq!(
        project.problems(),
        ["MIGRATOR_AHEAD: the variable `MIGRATOR_AHEAD` is not UTF-8"]
    );
    project
        .sources
        .process_env
        .remove(&OsString::from("MIGRATOR_AHEAD"));
    assert_eq!(
        project.url(),
        "DATABASE_URL: the variable `DATABASE_URL` is not UTF-8"
    );
}

#[test]
fn relative_paths_are_relative_to_the_file_that_names_them() {
    const TOML: &str = "[migrator]\nurl = \"sqlite:a.db\"\n";
    let check = |project: Project, base: &str, migrations: &str| {
        let config = project.load();
        let path = |name: &str| project.dir.path().join(name).components().collect();
        let found = (
            config.url().unwrap().base.clone(),
            config.migrations.clone(),
        );
        let expected: (PathBuf, PathBuf) = (path(base), path(migrations));
        assert_eq!(found, expected);
    };
    check(project(TOML).below("sub"), "", "migrations");
    check(
        project(TOML)
            .dotenv("DATABASE_URL=sqlite:b.db\nMIGRATOR_MIGRATIONS=m")
            .below("sub"),
        "",
        "m",
    );
    check(
        project(TOML)
            .below("sub")
            .variable("DATABASE_URL", "sqlite:b.db")
            .variable("MIGRATOR_MIGRATIONS", "m"),
        "sub",
        "sub/m",
    );
    check(
        project(TOML).below("sub").url_flag("sqlite:c.db"),
        "sub",
        "migrations",
    );
    // The origin is the file, whatever the source of a variable in it.
    check(
        project("[migrator]\nurl = \"${DB}\"")
            .below("sub")
            .variable("DB", "sqlite:b.db"),
        "",
        "migrations",
    );
}

#[test]
fn variables_are_only_needed_where_they_are_used() {
    const TOML: &str = "[migrator]\nurl = \"${LOCAL_URL}\"\nahead = \"${AHEAD}\"\n\
        [environments.staging]\nurl = \"x:${PASS_WORD}@h\"\nahead = \"warn\"\n\
        [environments.production]\nurl = \"${A}${PRODUCTION_URL}\"\nlock-wait = \"${WAIT}\"\n";
    let undefined = |at: &str, name: &str| format!("{at}: the variable `{name}` is not set");
    let staging = || project(TOML).environment("staging");
    assert_eq!(
        staging().url(),
        undefined("migrator.toml:5:10", "PASS_WORD")
    );
    let url = staging().dotenv("PASS_WORD='p$$w'").url();
    assert_eq!(url, "x:p$$w@h from migrator.toml:5:7");
    let url = staging()
        .dotenv("PASS_WORD=d")
        .variable("PASS_WORD", "p")
        .url();
    assert_eq!(url, "x:p@h from migrator.toml:5:7");
    assert_eq!(
        project(TOML).problems(),
        [undefined("migrator.toml:3:10", "AHEAD")]
    );
    let local = || project(TOML).variable("AHEAD", "error");
    assert_eq!(local().load().ahead, Ahead::Error);
    assert_eq!(local().url(), undefined("migrator.toml:2:8", "LOCAL_URL"));
    assert_eq!(
        local().variable("LOCAL_URL", "").url(),
        "migrator.toml:2:7: the URL is empty"
    );
    let production = || local().environment("production");
    assert_eq!(
        production().problems(),
        [undefined("migrator.toml:9:14", "WAIT")]
    );
    assert_eq!(
        production().variable("WAIT", "1s").url(),
        [
            undefined("migrator.toml:8:8", "A"),
            undefined("migrator.toml:8:12", "PRODUCTION_URL")
        ]
        .join("\n")
    );
    // The value itself is never shown.
    let problems = production().variable("WAIT", "secret").problems();
    assert!(!problems[0].contains("secret"), "{problems:?}");
}

#[test]
fn an_undefined_variable_hints_at_one_that_is_set() {
    let project = project("[migrator]\nurl = \"${DATABSE_URL}\"").variable("DATABASE_URL_", "x");
    let config = project.load();
    assert_eq!(
        config.url().unwrap_err()[0].kind,
        ConfigProblemKind::UndefinedVariable {
            name: "DATABSE_URL".to_owned(),
            nearest: Some("DATABASE_URL_".to_owned()),
        }
    );
}

#[test]
fn protection_is_known_for_every_environment() {
    const TOML: &str = "[migrator]\nurl = \"local\"\n\
        [environments.a]\nurl = \"${A_URL}\"\nprotected = true\n\
        [environments.b]\nurl = \"${B_URL}\"\nprotected = true\n\
        [environments.c]\nprotected = true\n\
        [environments.d]\nurl = \"d\"\n\
        [environments.e]\nurl = \"e\"\nprotected = false\n";
    let check = |project: Project, protected: bool, expected: &[(Option<&str>, &str)]| {
        let config = project.load();
        assert_eq!(config.protected, protected);
        let found: Vec<_> = config
            .protected_urls()
            .iter()
            .map(|found| (found.environment.as_deref(), found.url.text.as_str()))
            .collect();
        assert_eq!(found, expected);
    };
    let some = [(Some("a"), "pa")];
    let project_at = || project(TOML).variable("A_URL", "pa");
    check(project_at(), false, &some);
    check(project_at().environment("a"), true, &some);
    check(project_at().environment("d"), false, &some);
    // `protected` of [migrator] applies to every environment that does not override it.
    let base = TOML.replace("\"local\"", "\"local\"\nprotected = true");
    let all = [(None, "local"), (Some("a"), "pa"), (Some("d"), "d")];
    let project_at = |name| project(&base).variable("A_URL", "pa").environment(name);
    check(project_at("d"), true, &all);
    check(project_at("e"), false, &all);
}

#[test]
fn variables_that_are_nearly_ours_are_named() {
    let project = bare()
        .variable("MIGRATOR_ULR", "x")
        .variable("MIGRATOR_TEST_POSTGRES", "x")
        .variable("MIGRATOR_LOG", "x")
        .variable("MIGRATOR_LOCK_WAIT", "1s")
        .dotenv("MIGRATOR_LOCKWAIT=1s");
    let misspelt = |name: &str, nearest: &str| Misspelt {
        name: name.to_owned(),
        nearest: nearest.to_owned(),
    };
    assert_eq!(
        project.load().misspelt,
        [
            misspelt("MIGRATOR_ULR", "MIGRATOR_URL"),
            misspelt("MIGRATOR_LOCKWAIT", "MIGRATOR_LOCK_WAIT"),
        ]
    );
}

#[test]
fn debug_shows_no_url() {
    let project = project(
        "[migrator]\nurl = \"postgres://u:secret@h\"\n[environments.a]\nurl = \"secret\"\nprotected = true",
    );
    let shown = format!("{:?}", project.load());
    assert!(shown.contains("migrator.toml"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn the_shipped_example_is_what_init_writes() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let shipped = fs::read_to_string(root.join("migrator.toml")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    init(dir.path(), None).unwrap();
    let written = fs::read_to_string(dir.path().join("migrator.toml")).unwrap();
    assert_eq!(shipped, written);
    let sources = Sources {
        cwd: dir.path().to_owned(),
        flags: Flags::default(),
        process_env: BTreeMap::new(),
    };
    let config = load(&sources).unwrap();
    assert_eq!(config.url().unwrap().text, "sqlite:app.db");
    assert_eq!(config.migrations, dir.path().join("migrations"));
    // Commented-out settings are valid as well.
    let (head, rest) = written.split_once("# [environments").unwrap();
    let all = format!("{head}[environments{}", rest.replace("\n# ", "\n"));
    let production = project(&all)
        .environment("production")
        .variable("PRODUCTION_URL", "p");
    assert!(production.load().protected);
    assert_eq!(production.load().url().unwrap().text, "p");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_file_is_read_or_refused_with_a_place(
        lines in prop::collection::vec(
            "\\[(migrator|postgres|environments\\.a)\\]|(url|ahead|protected|x) = (1|true|\"[a$\\{\\}]{0,6}\"|\"warn\")|[ -~ż]{0,8}",
            0..8,
        )
    ) {
        let text = lines.join("\n");
        let count = text.lines().count() as u32 + 1;
        if let Err(problems) = load(&project(&text).sources) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                let Origin::File { position: Some(at), .. } = problem.origin else {
                    return Err(TestCaseError::fail(format!("{problem} has no place")));
                };
                prop_assert!(at.line >= 1 && at.line <= count && at.column >= 1);
            }
        }
    }
}
