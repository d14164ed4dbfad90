use super::{Error, diagnostic};
use crate::{
    cli::codes::{self, Code},
    layout::LayoutProblem,
    project::{
        ConfigProblem, ConfigProblemKind, ConvertError, DirectoryProblem, DirectoryProblemKind,
        Elsewhere, InitError, Origin, SlugError, TemplateError, WriteError,
    },
    report::{Diagnostic, Snippet},
    revision::ProblemKind,
};

/// All problems of a configuration.
pub fn config(problems: &[ConfigProblem]) -> Error {
    Error::many(problems.iter().map(config_problem).collect())
}

fn config_problem(problem: &ConfigProblem) -> Diagnostic {
    use ConfigProblemKind as K;
    let did_you_mean =
        |nearest: Option<&str>| nearest.map(|word| format!("did you mean `{word}`?"));
    let (code, hint) = match &problem.kind {
        K::MissingFile | K::Unreadable { .. } => (codes::M101, None),
        K::Distrusted(_) => (
            codes::M114,
            Some("name it to use it all the same: `-c FILE`".to_owned()),
        ),
        K::DistrustedDotenv(_) => (
            codes::M114,
            Some("remove it, or make it a file of your own that others can't write to".to_owned()),
        ),
        K::Text(_) => (codes::M102, Some("save the file as UTF-8".to_owned())),
        K::Toml { .. } => (codes::M102, None),
        K::UnknownSection { nearest, .. } => (codes::M103, did_you_mean(*nearest)),
        K::UnknownKey { key, belongs: Some(section), .. } => {
            (codes::M103, Some(format!("`{key}` belongs into [{section}]")))
        }
        K::UnknownKey { nearest, .. } => (codes::M103, did_you_mean(*nearest)),
        K::VarName { .. } | K::VarType { .. } => (codes::M245, None),
        K::WrongType { .. } | K::NotASection { .. } | K::BadValue { .. } => (codes::M104, None),
        K::EmptyUrl | K::VariableSyntax => (codes::M104, None),
        K::UndefinedVariable { nearest, name } => (
            codes::M105,
            did_you_mean(nearest.as_deref()).or_else(|| {
                Some(format!("set {name} in the environment or in the .env file beside migrator.toml"))
            }),
        ),
        K::VariableNotUnicode { .. } => (codes::M105, None),
        K::DotenvSyntax | K::DotenvUnreadable { .. } => (codes::M109, None),
        K::UnknownEnvironment { nearest, known, .. } => (
            codes::M106,
            did_you_mean(nearest.as_deref()).or_else(|| {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Some(format!("environments are: {known}"))
            }),
        ),
        K::EnvironmentWithoutUrl { name } => (
            codes::M107,
            Some(format!("set url in [environments.{name}]; nothing else counts for it, so that the name never leads to another database")),
        ),
        K::NoUrl => (
            codes::M107,
            Some("set url in migrator.toml (`migrator init` writes one), DATABASE_URL, or give --url sqlite:app.db".to_owned()),
        ),
    };
    let place = match &problem.origin {
        Origin::File { file, position } => Some(Snippet {
            file: file.clone(),
            at: *position,
            ..Snippet::default()
        }),
        Origin::Variable { .. } | Origin::Flag { .. } => None,
    };
    let message = match (&problem.origin, &problem.kind) {
        (_, K::NoUrl) => problem.kind.to_string(),
        (Origin::File { .. }, kind) => kind.to_string(),
        (origin, kind) => format!("{origin}: {kind}"),
    };
    Diagnostic {
        place,
        hint,
        ..diagnostic(code, message)
    }
}

/// All problems of a directory.
pub fn directory(problems: &[DirectoryProblem]) -> Error {
    Error::many(problems.iter().map(directory_problem).collect())
}

fn directory_problem(problem: &DirectoryProblem) -> Diagnostic {
    use DirectoryProblemKind as K;
    let (code, hint) = match &problem.kind {
        K::MissingDirectory | K::NotADirectory => (
            codes::M201,
            Some(
                "`migrator init` makes one; `migrations` in migrator.toml says where it is"
                    .to_owned(),
            ),
        ),
        K::Unreadable { .. } | K::NotAFile(_) | K::DanglingLink => (codes::M206, None),
        K::UnfinishedRebase => (
            codes::M414,
            Some("`migrator rebase` completes it".to_owned()),
        ),
        K::Misnamed { nearest } => (
            codes::M202,
            nearest
                .as_ref()
                .map(|name| format!("rename it to {name}?"))
                .or_else(|| Some("rename it, or move it out of the directory".to_owned())),
        ),
        K::NameNotUnicode => (codes::M202, Some("rename it".to_owned())),
        K::Text(_) => (
            codes::M205,
            Some("save the file as UTF-8 with LF or CRLF line ends".to_owned()),
        ),
        K::AmbiguousLayout { .. } => (
            codes::M220,
            Some("say which one with `layout` in migrator.toml".to_owned()),
        ),
        K::Elsewhere { found } => (codes::M229, Some(elsewhere(found))),
        K::NothingLeftOut { .. } => (codes::M227, None),
        K::Layout(problem) => layout(problem),
        K::Script(kind) => script(kind),
    };
    let place = Snippet {
        file: problem.place.file.clone(),
        text: problem.text.clone(),
        offset: problem.place.offset,
        length: problem
            .text
            .as_deref()
            .zip(problem.place.offset)
            .map_or(1, |(text, at)| match &problem.kind {
                K::Script(
                    ProblemKind::IrreversibleWithDown { .. }
                    | ProblemKind::BatchInTransaction
                    | ProblemKind::BatchSyntax,
                ) => line(text, at),
                K::Layout(LayoutProblem::Unsupported { .. }) => word(text, at),
                K::Layout(_) => line(text, at),
                _ => word(text, at),
            }),
        at: problem.position,
    };
    Diagnostic {
        place: Some(place),
        hint,
        ..diagnostic(code, &problem.kind)
    }
}

fn elsewhere(found: &Elsewhere) -> String {
    match found {
        Elsewhere::Below(below) if below.first.ends_with("/migration.sql") => {
            "Prisma's ID_NAME/migration.sql is read here as ID_NAME.up.sql: copy them"
        }
        Elsewhere::Below(_) => {
            "`recursive = true` in migrator.toml reads directories below; or name the right one in `migrations`, or what \
             is to be left out in `leave-out`, as `old/`"
        }
        Elsewhere::Tool { .. } => {
            "write its scripts out as ID_NAME.up.sql and ID_NAME.down.sql, or name the right directory in `migrations`"
        }
    }
    .to_owned()
}

const BATCH_OPTIONS: &str = "options are: pause, max-rows-per-second, max-batches, max-lag";

fn layout(problem: &LayoutProblem) -> (Code, Option<String>) {
    use LayoutProblem as P;
    let or_leave_it_out = "if it is to be left out, name it in `leave-out` of migrator.toml";
    match problem {
        P::Misnamed { .. } => (codes::M221, Some(or_leave_it_out.to_owned())),
        P::NotSql { .. } => (
            codes::M222,
            Some(format!("write it as SQL; {or_leave_it_out}")),
        ),
        P::Unsupported { .. } => (codes::M224, None),
        P::UnknownSetting { .. } | P::SettingValue => (codes::M225, None),
        P::UnknownSection { .. } => (
            codes::M223,
            Some(
                "write what undoes it into a file of its own; or say with `layout` in migrator.toml whose \
                 directory this is (`layout = \"sqlx\"` runs each file as a whole)"
                    .to_owned(),
            ),
        ),
        _ => (codes::M223, None),
    }
}

fn script(kind: &ProblemKind) -> (Code, Option<String>) {
    use ProblemKind as K;
    match kind {
        K::UnknownHeader { nearest, .. } => (
            codes::M207,
            nearest.map(|key| format!("did you mean `{key}`?")),
        ),
        K::RepeatedHeader { .. } => (codes::M207, Some("remove one of them".to_owned())),
        K::WrongDirection { .. } | K::HeaderValue { .. } | K::HeaderSyntax => (codes::M207, None),
        K::NotRepeatable { key } => (codes::M241, Some(not_repeatable(key).to_owned())),
        K::ReplacedExists { .. } => (
            codes::M473,
            Some(
                "remove its files, which the baseline replaces, or take it off the list".to_owned(),
            ),
        ),
        K::ReplacedTwice { .. } => (codes::M473, Some("name it once".to_owned())),
        K::DuplicateRepeatable { .. } => (codes::M240, Some("rename one of them".to_owned())),
        K::HeaderBelowTop => (
            codes::M207,
            Some("move it into the comment block at the top of the script".to_owned()),
        ),
        K::UnknownBatchOption { nearest, .. } => (
            codes::M315,
            nearest
                .map(|option| format!("did you mean `{option}`?"))
                .or_else(|| Some(BATCH_OPTIONS.to_owned())),
        ),
        K::RepeatedBatchOption { .. } => (codes::M315, Some("remove one of them".to_owned())),
        K::BatchValue { option, .. } => (
            codes::M315,
            Some(format!(
                "an option is written `{option}=VALUE`, without spaces"
            )),
        ),
        K::BatchSyntax => (
            codes::M315,
            Some("write `-- migrator: batch`, or it is a comment like any other".to_owned()),
        ),
        K::BatchInTransaction => (
            codes::M316,
            Some("put `-- migrator: transaction = off` at the top of the script".to_owned()),
        ),
        K::DuplicateId { .. } => (codes::M203, Some("give one of them a new id".to_owned())),
        K::DuplicateScript { .. } => (codes::M203, Some("remove one of them".to_owned())),
        K::MissingUp { .. } => (
            codes::M204,
            Some("add the up script, or remove this one".to_owned()),
        ),
        K::SlugMismatch { .. } => (
            codes::M204,
            Some(
                "give both the same name; to golang-migrate their names may differ: say so with \
                 `layout` in migrator.toml"
                    .to_owned(),
            ),
        ),
        K::IrreversibleWithDown { .. } => (
            codes::M210,
            Some("remove the header or the down script".to_owned()),
        ),
        K::MissingParent { nearest, .. } => (
            codes::M208,
            nearest
                .as_ref()
                .map(|id| format!("did you mean {id}?"))
                .or_else(|| Some("is its file missing, or on another branch?".to_owned())),
        ),
        K::Cycle { .. } => (
            codes::M209,
            Some("change `revises` of one of them".to_owned()),
        ),
        K::DuplicateLabel { .. } => (codes::M211, Some("choose another one".to_owned())),
        K::RepeatedParent { .. } => (codes::M207, Some("name each parent once".to_owned())),
    }
}

fn not_repeatable(key: &str) -> &'static str {
    match key {
        "transaction" => {
            "a repeatable script is one transaction with its record; what can't be belongs into a revision"
        }
        "revises" | "depends-on" => {
            "repeatable scripts run after all revisions, in the order of their names"
        }
        _ => "it is for revisions; remove it",
    }
}

/// Bytes up to the end of the word at `at`.
fn word(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find(|c: char| c.is_whitespace() || c == '=' || c == ',')
        .unwrap_or(rest.len())
}

/// Bytes from `at` up to the end of the line.
fn line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.lines().next().unwrap_or_default().trim_end().len()
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
        Self::new(codes::M001, error.to_string())
            .hint("the file is named after the message: write letters or digits in it")
    }
}

impl From<TemplateError> for Error {
    fn from(error: TemplateError) -> Self {
        let hint = match &error {
            TemplateError::Unknown {
                nearest: Some(name),
                ..
            } => Some(format!("did you mean `{name}`?")),
            TemplateError::Unknown { known, .. } => {
                Some(format!("templates are: {}", known.join(", ")))
            }
            _ => None,
        };
        Diagnostic {
            hint,
            ..diagnostic(codes::M110, &error)
        }
        .into()
    }
}

impl From<ConvertError> for Error {
    fn from(error: ConvertError) -> Self {
        let message = error.to_string();
        match error {
            ConvertError::Differs { .. } => Self::new(codes::M860, message),
            ConvertError::NotEmpty(_) => {
                Self::new(codes::M861, message).hint("name a directory that is not there yet")
            }
            ConvertError::Inside(_) => {
                Self::new(codes::M862, message).hint("name a directory beside it")
            }
            _ => Self::new(codes::M002, message),
        }
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        match &error {
            WriteError::MissingDirectory(_) => {
                Self::new(codes::M201, error.to_string()).hint("`migrator init` makes one")
            }
            WriteError::Exists(_) | WriteError::IdTaken { .. } => {
                Self::new(codes::M111, error.to_string())
            }
            WriteError::Name { .. } => Self::new(codes::M202, error.to_string()),
            _ => Self::new(codes::M002, error.to_string()),
        }
    }
}
