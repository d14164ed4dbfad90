use super::{Advice, Error, advised, hinted, nearest, plain};
use crate::{
    layout::LayoutProblem,
    project::{
        ConfigProblem, ConfigProblemKind, ConvertError, DirectoryProblem, DirectoryProblemKind,
        Elsewhere, InitError, Origin, SlugError, TemplateError, WriteError,
    },
    report::codes,
    report::{Diagnostic, Snippet},
    revision::ProblemKind,
};

/// All problems of a configuration.
pub fn config(problems: &[ConfigProblem]) -> Error {
    Error::many(problems.iter().map(config_problem).collect())
}

fn config_problem(problem: &ConfigProblem) -> Diagnostic {
    use ConfigProblemKind as K;
    let place = place(&problem.origin);
    let message = match (&problem.origin, &problem.kind) {
        (_, K::NoUrl) | (Origin::File { .. }, _) => problem.kind.to_string(),
        (origin, kind) => format!("{origin}: {kind}"),
    };
    Diagnostic {
        place,
        ..advised(config_advice(&problem.kind), message)
    }
}

/// The place of a setting in a file.
pub(super) fn place(origin: &Origin) -> Option<Snippet> {
    match origin {
        Origin::File { file, position } => Some(Snippet {
            file: file.clone(),
            at: *position,
            ..Snippet::default()
        }),
        Origin::Variable { .. } | Origin::Flag { .. } => None,
    }
}

fn config_advice(kind: &ConfigProblemKind) -> Advice {
    use ConfigProblemKind as K;
    match kind {
        K::MissingFile | K::Unreadable { .. } => plain(codes::M101),
        K::Distrusted(_) => hinted(codes::M114, "to use it anyway, name it: `-c FILE`"),
        K::DistrustedDotenv(_) => hinted(
            codes::M114,
            "remove it, or make sure that you own it and that others cannot write to it",
        ),
        K::Text(_) => hinted(codes::M102, "save the file as UTF-8"),
        K::Toml { .. } => plain(codes::M102),
        K::UnknownSection { nearest: near, .. } => nearest(codes::M103, near.as_ref()),
        K::UnknownKey {
            key,
            belongs: Some(section),
            ..
        } => hinted(codes::M103, format!("move `{key}` to [{section}]")),
        K::UnknownKey { nearest: near, .. } => nearest(codes::M103, near.as_ref()),
        K::VarName { .. } | K::VarType { .. } => plain(codes::M245),
        K::WrongType { .. }
        | K::NotASection { .. }
        | K::BadValue { .. }
        | K::SettingName { .. }
        | K::SettingType { .. }
        | K::EmptyUrl
        | K::VariableSyntax => plain(codes::M104),
        K::FleetOutside => hinted(
            codes::M103,
            "write [environments.NAME.fleet]; `-n NAME` chooses it",
        ),
        K::FleetSources { .. } => hinted(
            codes::M104,
            "name it with exactly one of `files`, `query`, `command` and `list`",
        ),
        K::FleetMisfit { .. } => plain(codes::M104),
        K::UndefinedVariable {
            nearest: Some(near),
            ..
        } => nearest(codes::M105, Some(near)),
        K::UndefinedVariable { name, .. } => hinted(
            codes::M105,
            format!("set {name} in the environment, or in the .env file next to migrator.toml"),
        ),
        K::VariableNotUnicode { .. } => plain(codes::M105),
        K::DotenvSyntax | K::DotenvUnreadable { .. } => plain(codes::M109),
        K::UnknownEnvironment {
            nearest: Some(near),
            ..
        } => nearest(codes::M106, Some(near)),
        K::UnknownEnvironment { known, .. } if known.is_empty() => {
            hinted(codes::M106, "the configuration defines no environments")
        }
        K::UnknownEnvironment { known, .. } => hinted(
            codes::M106,
            format!("known environments: {}", known.join(", ")),
        ),
        K::EnvironmentWithoutUrl { name } => hinted(
            codes::M107,
            format!(
                "set url in [environments.{name}]; other URLs are not used with -n, so that the name cannot lead to another database"
            ),
        ),
        K::NoUrl => hinted(
            codes::M107,
            "set url in migrator.toml (`migrator init` creates one) or DATABASE_URL, or give --url sqlite:app.db",
        ),
    }
}

/// All problems of a directory.
pub fn directory(problems: &[DirectoryProblem]) -> Error {
    Error::many(problems.iter().map(directory_problem).collect())
}

fn directory_problem(problem: &DirectoryProblem) -> Diagnostic {
    let place = Snippet {
        file: problem.place.file.clone(),
        text: problem.text.clone(),
        offset: problem.place.offset,
        length: problem.length(),
        at: problem.position,
    };
    Diagnostic {
        place: Some(place),
        ..advised(directory_advice(&problem.kind), &problem.kind)
    }
}

fn elsewhere(found: &Elsewhere) -> &'static str {
    match found {
        Elsewhere::Below(below) if below.first.ends_with("/migration.sql") => {
            "copy each ID_NAME/migration.sql of Prisma to ID_NAME.up.sql"
        }
        Elsewhere::Below(_) => {
            "set `recursive = true` in migrator.toml to read them, point `migrations` at the right directory, or list their \
             directory in `leave-out`, such as `old/`"
        }
        Elsewhere::Tool { .. } => {
            "write its scripts as ID_NAME.up.sql and ID_NAME.down.sql, or point `migrations` at the right directory"
        }
    }
}

fn directory_advice(kind: &DirectoryProblemKind) -> Advice {
    use DirectoryProblemKind as K;
    match kind {
        K::MissingDirectory | K::NotADirectory => hinted(
            codes::M201,
            "`migrator init` creates one; `migrations` in migrator.toml sets its path",
        ),
        K::Unreadable { .. } | K::NotAFile(_) | K::DanglingLink => plain(codes::M206),
        K::UnfinishedRebase => hinted(
            codes::M414,
            "`migrator rebase` or `migrator revision` completes it",
        ),
        K::Misnamed {
            nearest: Some(name),
            layout: Some(layout),
        } => hinted(
            codes::M202,
            format!(
                "rename it to {name}, or set layout = \"{}\" in migrator.toml if the directory is that tool's",
                layout.as_str()
            ),
        ),
        K::Misnamed {
            nearest: Some(name),
            layout: None,
        } => hinted(codes::M202, format!("rename it to {name}?")),
        K::Misnamed { nearest: None, .. } => {
            hinted(codes::M202, "rename it, or move it out of the directory")
        }
        K::NameNotUnicode => hinted(codes::M202, "rename it"),
        K::Text(_) => hinted(
            codes::M205,
            "save the file as UTF-8 with LF or CRLF line endings",
        ),
        K::AmbiguousLayout { .. } => {
            hinted(codes::M220, "choose one with `layout` in migrator.toml")
        }
        K::Elsewhere { found } => hinted(codes::M229, elsewhere(found)),
        K::NothingLeftOut { .. } => plain(codes::M227),
        K::Layout(problem) => layout(problem),
        K::Script(kind) => script(kind),
    }
}

fn layout(problem: &LayoutProblem) -> Advice {
    use LayoutProblem as P;
    match problem {
        P::Misnamed { .. } => hinted(
            codes::M221,
            "rename it, or list it in `leave-out` of migrator.toml",
        ),
        P::NotSql { .. } => hinted(
            codes::M222,
            "rewrite it as SQL, or list it in `leave-out` of migrator.toml",
        ),
        P::Unsupported { .. } => plain(codes::M224),
        P::UnknownSetting { .. } | P::SettingValue => plain(codes::M225),
        P::UnknownSection { .. } => hinted(
            codes::M223,
            "write what undoes it into a file of its own, or set `layout` in migrator.toml (`layout = \"sqlx\"` runs each file \
             as a whole)",
        ),
        _ => plain(codes::M223),
    }
}

fn script(kind: &ProblemKind) -> Advice {
    use ProblemKind as K;
    match kind {
        K::UnknownHeader { nearest: near, .. } => nearest(codes::M207, near.as_ref()),
        K::RepeatedHeader { .. } => hinted(codes::M207, "remove one of them"),
        K::WrongDirection { .. } | K::HeaderValue { .. } | K::HeaderSyntax => plain(codes::M207),
        K::NotRepeatable { key } => hinted(codes::M241, not_repeatable(key)),
        K::ReplacedExists { .. } => hinted(
            codes::M473,
            "remove its files, which the baseline replaces, or remove it from the list",
        ),
        K::ReplacedTwice { .. } => hinted(codes::M473, "name it once"),
        K::DuplicateRepeatable { .. } => hinted(codes::M240, "rename one of them"),
        K::HeaderBelowTop => hinted(
            codes::M207,
            "move it into the comment block at the top of the script",
        ),
        K::UnknownBatchOption {
            nearest: Some(near),
            ..
        } => nearest(codes::M315, Some(near)),
        K::UnknownBatchOption { nearest: None, .. } => hinted(
            codes::M315,
            "options are pause, max-rows-per-second, max-batches and max-lag",
        ),
        K::RepeatedBatchOption { .. } => hinted(codes::M315, "remove one of them"),
        K::BatchValue { option, .. } => hinted(
            codes::M315,
            format!("write the option as `{option}=VALUE`, without spaces"),
        ),
        K::BatchSyntax => hinted(
            codes::M315,
            "write `-- migrator: batch`, or change the comment so that it does not look like a directive",
        ),
        K::BatchInTransaction => hinted(
            codes::M316,
            "put `-- migrator: transaction = off` at the top of the script",
        ),
        K::DuplicateId { .. } => hinted(codes::M203, "give one of them a new ID"),
        K::DuplicateScript { .. } => hinted(codes::M203, "remove one of them"),
        K::MissingUp { .. } => hinted(codes::M204, "add the up script, or remove this one"),
        K::SlugMismatch { .. } => hinted(
            codes::M204,
            "give both the same name; if this is a golang-migrate directory, whose names may differ, set `layout` in migrator.toml",
        ),
        K::IrreversibleWithDown { .. } => {
            hinted(codes::M210, "remove the header or the down script")
        }
        K::MissingParent {
            nearest: Some(near),
            ..
        } => nearest(codes::M208, Some(near)),
        K::MissingParent { nearest: None, .. } => hinted(
            codes::M208,
            "add its file, perhaps from another branch, or correct the header",
        ),
        K::Cycle { .. } => hinted(codes::M209, "change `revises` in one of them"),
        K::DuplicateLabel { .. } => hinted(codes::M211, "choose another label"),
        K::RepeatedParent { .. } => hinted(codes::M207, "name each parent once"),
    }
}

fn not_repeatable(key: &str) -> &'static str {
    match key {
        "transaction" => {
            "a repeatable script runs in one transaction with its record; move statements that cannot into a revision"
        }
        "revises" | "depends-on" => {
            "repeatable scripts run after all revisions, in the order of their names"
        }
        _ => "remove it; it applies to revisions only",
    }
}

impl From<InitError> for Error {
    fn from(error: InitError) -> Self {
        let code = match error {
            InitError::Exists(_) | InitError::NotADirectory(_) => codes::M111,
            _ => codes::M002,
        };
        Self::new(code, error.to_string())
    }
}

impl From<SlugError> for Error {
    fn from(error: SlugError) -> Self {
        let hint = "the file is named after the message; use letters or digits in it";
        Self::new(codes::M001, error.to_string()).hint(hint)
    }
}

impl From<TemplateError> for Error {
    fn from(error: TemplateError) -> Self {
        let advice = match &error {
            TemplateError::Unknown {
                nearest: Some(near),
                ..
            } => nearest(codes::M110, Some(near)),
            TemplateError::Unknown { known, .. } => hinted(
                codes::M110,
                format!("known templates: {}", known.join(", ")),
            ),
            _ => plain(codes::M110),
        };
        advised(advice, error).into()
    }
}

impl From<ConvertError> for Error {
    fn from(error: ConvertError) -> Self {
        let advice = match &error {
            ConvertError::Differs { .. } => plain(codes::M860),
            ConvertError::NotEmpty(_) => {
                hinted(codes::M861, "name a directory that does not exist")
            }
            ConvertError::Inside(_) => hinted(codes::M862, "name a directory outside of it"),
            _ => plain(codes::M002),
        };
        advised(advice, error).into()
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        let advice = match &error {
            WriteError::MissingDirectory(_) => hinted(codes::M201, "`migrator init` creates one"),
            WriteError::Exists(_) | WriteError::IdTaken { .. } => plain(codes::M111),
            WriteError::Name { .. } => plain(codes::M202),
            _ => plain(codes::M002),
        };
        advised(advice, error).into()
    }
}
