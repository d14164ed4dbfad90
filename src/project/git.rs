//! Reads the directory of scripts at another commit, using the git program.

use std::{
    io::{self, Write},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use super::{
    directory_problem::DirectoryProblem, external::is_native, memory::Memory, reading::Reading,
};
use crate::{
    layout::{self, Layout},
    revision::History,
};

/// An error that prevents reading the history at a commit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// git cannot be run.
    #[error("cannot run git: {0}")]
    NoGit(io::Error),
    /// The directory is not in a repository, or git refuses to read another user's repository.
    #[error("{directory} is not in a git repository that can be read: {reason}")]
    NoRepository {
        /// The directory.
        directory: String,
        /// The error message of git.
        reason: String,
    },
    /// The commit does not exist.
    #[error("the repository has no commit `{reference}`")]
    UnknownReference {
        /// The reference as given.
        reference: String,
        /// Whether the clone is shallow.
        shallow: bool,
        /// A similar reference of a remote.
        nearest: Option<String>,
    },
    /// Another git command failed.
    #[error("git {command} failed: {reason}")]
    Failed {
        /// The command.
        command: String,
        /// The error message of git.
        reason: String,
    },
    /// The directory at that commit has problems.
    #[error("cannot read the directory in that commit")]
    Directory(Vec<DirectoryProblem>),
}

/// Returns the history of `dir`, displayed as `shown`, at the commit `reference`. It is empty if
/// the commit does not have the directory.
///
/// # Errors
/// [`GitError`]
pub fn history_at(
    dir: &Path,
    shown: &str,
    reference: &str,
    reading: &Reading,
) -> Result<History, GitError> {
    let git = Git { dir };
    let prefix = git
        .text(&["rev-parse", "--show-prefix"])?
        .map_err(|reason| GitError::NoRepository {
            directory: shown.to_owned(),
            reason,
        })?;
    let commit = git.commit(reference)?;
    let tree = format!("{commit}:{prefix}");
    let exists = ["rev-parse", "--quiet", "--verify", tree.as_str()];
    let files = match git.text(&exists)? {
        Ok(_) => git.files(&tree)?,
        Err(_) => Vec::new(),
    };
    let folder = if prefix.is_empty() { "./" } else { &prefix };
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let layout = reading.layout.or_else(|| of_native_names(&names));
    let base = |name: &'_ str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let wanted = names.into_iter().filter(|name| match layout {
        Some(Layout::Native) if reading.recursive => is_native(&base(name)),
        Some(Layout::Native) => is_native(name),
        _ => is_readable(name),
    });
    let read = git.contents(&tree, &wanted.collect::<Vec<_>>())?;
    let mut memory = Memory {
        files: read
            .into_iter()
            .map(|(name, bytes)| (name, Some(bytes)))
            .collect(),
        folder: format!("{reference}:{folder}"),
    };
    if layout != Some(Layout::Native) {
        let unread = files.into_iter().filter(|name| !is_readable(name));
        memory.files.extend(unread.map(|name| (name, None)));
    }
    let reading = Reading {
        layout,
        ..reading.clone()
    };
    memory.history(&reading).map_err(GitError::Directory)
}

struct Git<'a> {
    dir: &'a Path,
}

impl Git<'_> {
    /// Returns the hash of the commit.
    fn commit(&self, reference: &str) -> Result<String, GitError> {
        let verify = |name: &str| -> Result<Option<String>, GitError> {
            let commit = format!("{name}^{{commit}}");
            let found = self.text(&["rev-parse", "--quiet", "--verify", &commit])?;
            Ok(found.ok())
        };
        // An option is not a commit.
        if !reference.starts_with('-')
            && let Some(commit) = verify(reference)?
        {
            return Ok(commit);
        }
        let shallow = self.text(&["rev-parse", "--is-shallow-repository"])?;
        let remote = format!("origin/{reference}");
        let known = verify(&remote)?.is_some();
        Err(GitError::UnknownReference {
            reference: reference.to_owned(),
            shallow: shallow.is_ok_and(|answer| answer == "true"),
            nearest: known.then_some(remote),
        })
    }

    /// Returns the names of all files below `tree` (`COMMIT:PREFIX`), relative to it.
    fn files(&self, tree: &str) -> Result<Vec<String>, GitError> {
        let arguments = ["ls-tree", "-r", "-z", "--full-tree", "--name-only", tree];
        let listed = self.bytes(&arguments, &[])?;
        let names = listed
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty());
        Ok(names
            .filter_map(|name| String::from_utf8(name.to_vec()).ok())
            .collect())
    }

    /// Returns the bytes of those `names` that are files.
    fn contents(&self, tree: &str, names: &[&str]) -> Result<Vec<(String, Vec<u8>)>, GitError> {
        let requests: String = names.iter().map(|name| format!("{tree}{name}\n")).collect();
        // A script that is a symbolic link is read from its target.
        let arguments = ["cat-file", "--batch", "--follow-symlinks"];
        let answer = self.bytes(&arguments, requests.as_bytes())?;
        let mut rest = answer.as_slice();
        let mut contents = Vec::with_capacity(names.len());
        for name in names {
            // A directory with a script's name, or a link out of the commit, is skipped.
            if let Some(bytes) = next_object(&mut rest).ok_or_else(|| GitError::Failed {
                command: "cat-file".to_owned(),
                reason: format!("it says nothing of {name}"),
            })? {
                contents.push(((*name).to_owned(), bytes));
            }
        }
        Ok(contents)
    }

    /// Returns the output of git without the final newline, or its error message.
    fn text(&self, arguments: &[&str]) -> Result<Result<String, String>, GitError> {
        let output = self.run(arguments, &[])?;
        if !output.status.success() {
            return Ok(Err(complaint(&output)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(Ok(text.trim_end_matches(['\n', '\r']).to_owned()))
    }

    fn bytes(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, GitError> {
        let output = self.run(arguments, input)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(GitError::Failed {
            command: arguments.first().copied().unwrap_or_default().to_owned(),
            reason: complaint(&output),
        })
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Output, GitError> {
        let mut command = Command::new("git");
        // Git hooks set these variables, which would select another repository.
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(variable);
        }
        let mut child = command
            .arg("-C")
            .arg(self.dir)
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitError::NoGit)?;
        let stdin = child.stdin.take();
        // Read output while writing input, so that neither side blocks.
        thread::scope(|scope| {
            scope.spawn(move || {
                if let Some(mut stdin) = stdin {
                    // If git stops reading, its error message gives the reason.
                    let _ = stdin.write_all(input);
                }
            });
            child.wait_with_output()
        })
        .map_err(GitError::NoGit)
    }
}

/// Returns the native layout if it reads one of the names directly in the directory.
fn of_native_names(names: &[&str]) -> Option<Layout> {
    let top: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !name.contains('/'))
        .collect();
    if !top.iter().any(|name| is_native(name)) {
        return None;
    }
    layout::detect(&top, is_native, |_| None, |_| false).ok()
}

/// Returns whether another tool might read a file with that name.
fn is_readable(name: &str) -> bool {
    let ends = [".sql", ".sql.conf", "/metadata.toml"];
    ends.iter().any(|end| name.ends_with(end)) && !name.contains('\n')
}

fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| !line.trim().is_empty());
    let line = line.map(|line| line.trim_start_matches("fatal: "));
    line.map_or_else(|| output.status.to_string(), str::to_owned)
}

/// Parses one answer of `cat-file --batch`: `HASH TYPE SIZE`, the bytes, a newline. The inner value
/// is `None` if the object is not a file; the outer one if the answer is invalid.
fn next_object(rest: &mut &[u8]) -> Option<Option<Vec<u8>>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let header = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 1..];
    if header.ends_with(" missing") {
        return Some(None);
    }
    let words: Vec<&str> = header.rsplitn(3, ' ').collect();
    let size: usize = words.first()?.parse().ok()?;
    let bytes = rest.get(..size)?.to_vec();
    *rest = rest.get(size + 1..)?;
    // `dangling 12`, `symlink 12`: a link out of the commit, followed by its target.
    let is_file = words.get(1) == Some(&"blob");
    Some(is_file.then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_one_by_one() {
        let mut rest: &[u8] = b"abc blob 3\nx\ny\nq:m/9_a.up.sql missing\nabc tree 2\nzz\n\
            dangling 4\nq:mm\nabc blob 0\n\nrest";
        let mut next = || next_object(&mut rest);
        assert_eq!(next(), Some(Some(b"x\ny".to_vec())));
        assert_eq!(next(), Some(None));
        assert_eq!(next(), Some(None));
        assert_eq!(next(), Some(None));
        assert_eq!(next(), Some(Some(Vec::new())));
        assert_eq!(next(), None);
    }
}
