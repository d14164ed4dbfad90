//! The shell steps of docs/ci.md are run as they stand, in a repository like the one they are for.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::common::{Backend, PostgresDatabase};

/// Steps that put `migrator` on the PATH, where it is already.
const INSTALLATION: &str = "cargo install --locked --path tools/migrator";

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md")).unwrap()
}

/// The code blocks of `page` in `language`.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let parts = page.split(begin.as_str()).skip(1);
    parts
        .map(|part| part.split("\n```").next().unwrap())
        .collect()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// What the block has the machine run: `run:` and `command:` of one line, lists below `script:`
/// and `before_script:`.
fn steps(yaml: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut list: Option<usize> = None;
    for line in yaml.lines() {
        let (at, text) = (indent(line), line.trim_start());
        list = list.filter(|begin| at > *begin);
        if let (Some(_), Some(item)) = (list, text.strip_prefix("- ")) {
            steps.push(item.to_owned());
        } else if let Some(step) = text.strip_prefix("- run: ") {
            steps.push(step.to_owned());
        } else if let Some(words) = text.strip_prefix("command: [") {
            let words = words.trim_end_matches(']').split(", ");
            let words: Vec<_> = words.map(|word| word.trim_matches('"')).collect();
            steps.push(words.join(" "));
        } else if matches!(text, "script:" | "before_script:") {
            list = Some(at);
        }
    }
    steps
}

/// A clone with a branch that adds a revision, and two databases.
struct Repository {
    dir: TempDir,
    urls: [String; 2],
    /// Dropped with the value.
    _databases: Vec<PostgresDatabase>,
}

impl Repository {
    fn new(backend: Backend, config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut databases = Vec::new();
        let urls = ["throwaway", "production"].map(|name| match backend {
            Backend::Sqlite => format!("sqlite:{}/{name}.db", dir.path().display()),
            Backend::Postgres => {
                databases.push(PostgresDatabase::create());
                databases.last().unwrap().url.clone()
            }
        });
        let repository = Self {
            dir,
            urls,
            _databases: databases,
        };
        let bin = repository.dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let migrator = bin.join(format!("migrator{}", std::env::consts::EXE_SUFFIX));
        fs::copy(env!("CARGO_BIN_EXE_migrator"), migrator).unwrap();
        repository.succeeds("git init -q --bare -b main ../origin.git && git init -q -b main");
        repository.succeeds("git remote add origin ../origin.git && mkdir migrations");
        repository.write("migrator.toml", config);
        repository.revision("1_users", "users");
        repository.succeeds("git add -A && git commit -qm first && git push -q origin main");
        repository.succeeds("git switch -qc feature");
        repository.revision("2_posts", "posts");
        repository.succeeds("git add -A && git commit -qm second");
        repository
    }

    fn clone_dir(&self) -> std::path::PathBuf {
        let clone = self.dir.path().join("clone");
        fs::create_dir_all(&clone).unwrap();
        clone
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.clone_dir().join(name), text).unwrap();
    }

    fn revision(&self, name: &str, table: &str) {
        let up = format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY);\n");
        self.write(&format!("migrations/{name}.up.sql"), &up);
        let down = format!("DROP TABLE {table};\n");
        self.write(&format!("migrations/{name}.down.sql"), &down);
    }

    /// Runs `script` with the variables of a pipeline and nothing else.
    #[track_caller]
    fn succeeds(&self, script: &str) {
        let path = std::env::var("PATH").unwrap();
        let bin = self.dir.path().join("bin");
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", script])
            .current_dir(self.clone_dir())
            .env_clear()
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", self.dir.path())
            .env("USER", "ci")
            .env("DATABASE_URL", &self.urls[0])
            .env("PRODUCTION_URL", &self.urls[1])
            .env("CI_DEFAULT_BRANCH", "main")
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "ci")))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "ci@example.com")))
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{script}\n{said}");
    }
}

/// In each block's own databases, on both kinds; at the end they are at the head.
#[test]
fn the_steps_of_the_page_run() {
    let page = page();
    let config = blocks(&page, "toml").concat();
    let yaml = blocks(&page, "yaml").into_iter().map(steps);
    let shell = blocks(&page, "sh").into_iter();
    let recipes: Vec<Vec<String>> = yaml
        .chain(shell.map(|block| vec![block.to_owned()]))
        .collect();
    assert!(recipes.len() >= 6, "{recipes:?}");
    for backend in Backend::ALL {
        for recipe in &recipes {
            let repository = Repository::new(backend, &config);
            let mut ran = 0;
            for step in recipe {
                if step != INSTALLATION {
                    repository.succeeds(step);
                    ran += 1;
                }
            }
            assert!(ran > 0, "{recipe:?}");
            repository.succeeds("migrator -n production current --check-heads");
        }
    }
}

/// No line that calls the program is passed over by [`steps`].
#[test]
fn no_step_is_overlooked() {
    let page = page();
    let mut found = 0;
    for block in blocks(&page, "yaml") {
        let steps = steps(block);
        let calls = |line: &&str| {
            let line = line.replace("\", \"", " ").replace('"', " ");
            line.contains(" migrator ") || line.contains(INSTALLATION)
        };
        let called = block.lines().filter(calls).count();
        let ours = |step: &&String| step.starts_with("migrator ") || *step == INSTALLATION;
        assert_eq!(steps.iter().filter(ours).count(), called, "{steps:#?}");
        found += called;
    }
    assert!(found > 15, "{found}");
}
