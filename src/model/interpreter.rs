use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// A program that runs others, with its first arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interpreter {
    pub words: Vec<OsString>,
    /// The program for display: below the directory of the project, the path from there.
    pub shown: String,
}

/// Where virtual environments of a project are.
const ENVIRONMENTS: [&str; 2] = [".venv", "venv"];

/// Tools that know a project's environment, each with its lock file and the command that runs Python
/// in it. The lock file stays as it is.
const TOOLS: [(&str, &str, &[&str]); 2] = [
    ("poetry.lock", "poetry", &["run", "python"]),
    ("uv.lock", "uv", &["run", "--frozen", "python"]),
];

/// What the environment of the process says.
pub(super) struct Surroundings {
    /// `VIRTUAL_ENV`: the active virtual environment.
    pub virtual_env: Option<OsString>,
    /// `PATH`: where programs are.
    pub path: Option<OsString>,
}

impl Surroundings {
    /// Reads the environment.
    pub fn read() -> Self {
        Self {
            virtual_env: env::var_os("VIRTUAL_ENV"),
            path: env::var_os("PATH"),
        }
    }

    fn has_program(&self, name: &str) -> bool {
        let Some(path) = &self.path else {
            return false;
        };
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        env::split_paths(path).any(|dir| dir.join(&file).is_file())
    }
}

/// Finds the Python of the project in `root`: that of the active virtual environment, of one in the
/// directory, of poetry or uv, or the one in the PATH.
pub(super) fn python(root: &Path, around: &Surroundings) -> Interpreter {
    let active = around.virtual_env.as_ref().filter(|dir| !dir.is_empty());
    let own = ENVIRONMENTS.iter().map(|name| root.join(name));
    let environments = active.map(PathBuf::from).into_iter().chain(own);
    for dir in environments {
        let python = match cfg!(windows) {
            true => dir.join("Scripts").join("python.exe"),
            false => dir.join("bin").join("python"),
        };
        if python.is_file() {
            let shown = python.strip_prefix(root).unwrap_or(&python);
            return Interpreter {
                shown: shown.display().to_string(),
                words: vec![python.into_os_string()],
            };
        }
    }
    for (lock, tool, arguments) in TOOLS {
        if root.join(lock).is_file() && around.has_program(tool) {
            return of_words(tool, arguments);
        }
    }
    of_words(if cfg!(windows) { "python" } else { "python3" }, &[])
}

/// Finds a file of a package of Node.js, in `node_modules` of the directory or of one above it.
pub(super) fn node_file(root: &Path, file: &str) -> Option<PathBuf> {
    let above = root.ancestors();
    let mut files = above.map(|dir| dir.join("node_modules").join(file));
    files.find(|path| path.is_file())
}

fn of_words(program: &str, arguments: &[&str]) -> Interpreter {
    let words = std::iter::once(&program).chain(arguments);
    let words: Vec<&str> = words.copied().collect();
    Interpreter {
        shown: words.join(" "),
        words: words
            .iter()
            .map(|word| OsStr::new(word).to_owned())
            .collect(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    /// Makes empty files below a directory.
    fn project(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    #[test]
    fn the_python_of_the_project_is_found() {
        // The files of the project, whether an environment is active, and what runs.
        let cases: [(&[&str], bool, &str); 8] = [
            (&[], false, "python3"),
            (&["venv/bin/python"], false, "venv/bin/python"),
            (
                &["venv/bin/python", ".venv/bin/python"],
                false,
                ".venv/bin/python",
            ),
            (
                &[".venv/bin/python", "active/bin/python"],
                true,
                "active/bin/python",
            ),
            // The active environment was removed.
            (&[".venv/bin/python"], true, ".venv/bin/python"),
            (&["poetry.lock", "path/poetry"], false, "poetry run python"),
            (&["uv.lock", "path/uv"], false, "uv run --frozen python"),
            // The tool is not installed.
            (&["uv.lock", "poetry.lock", "path/pip"], false, "python3"),
        ];
        for (files, is_active, expected) in cases {
            let dir = project(files);
            let around = Surroundings {
                virtual_env: is_active.then(|| dir.path().join("active").into()),
                path: Some(dir.path().join("path").into()),
            };
            let found = python(dir.path(), &around);
            assert_eq!(found.shown, expected, "{files:?}");
            let words: Vec<_> = found.words.iter().map(|it| it.to_string_lossy()).collect();
            let words = words.join(" ");
            let root = format!("{}/", dir.path().display());
            assert_eq!(words.strip_prefix(&root).unwrap_or(&words), expected);
        }
    }

    #[test]
    fn packages_of_node_are_found_above_the_project() {
        let dir = project(&["node_modules/a/bin.cjs", "apps/shop/node_modules/b/bin.cjs"]);
        let root = dir.path().join("apps/shop");
        let found = |file| node_file(&root, file);
        assert_eq!(
            found("a/bin.cjs"),
            Some(dir.path().join("node_modules/a/bin.cjs"))
        );
        assert_eq!(
            found("b/bin.cjs"),
            Some(root.join("node_modules/b/bin.cjs"))
        );
        assert_eq!(found("c/bin.cjs"), None);
    }
}
