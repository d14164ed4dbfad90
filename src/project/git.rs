//! The directory of scripts as it is in another commit, by the git program.

use std::{
    io::{self, Write},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use super::{
    script_name::{FileName, classify},
    scripts::{DirectoryProblem, embedded_history},
};
use crate::{revision::History, sql::Dialect};

/// Why there is no history of that commit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// git does not run.
    #[error("git can't be run: {0}")]
    NoGit(io::Error),
    /// Not in a repository, or in one of somebody else.
    #[error("{directory} is in no repository that git reads: {reason}")]
    NoRepository {
        /// The directory.
        directory: String,
        /// git's words.
        reason: String,
    },
    /// There is no such commit.
    #[error("the repository has no commit `{reference}`")]
    UnknownReference {
        /// As given.
        reference: String,
        /// Whether the clone is shallow.
        shallow: bool,
        /// The same of a remote.
        nearest: Option<String>,
    },
    /// git failed otherwise.
    #[error("git {command} failed: {reason}")]
    Failed {
        /// What was run.
        command: String,
        /// git's words.
        reason: String,
    },
    /// The directory is in disorder there.
    #[error("the directory can't be read in that commit")]
    Directory(Vec<DirectoryProblem>),
}

/// The history of `dir`, which is shown as `shown`, in the commit `reference`. A commit without
/// the directory has an empty one.
///
/// # Errors
/// [`GitError`]
pub fn history_at(
    dir: &Path,
    shown: &str,
    reference: &str,
    dialect: Dialect,
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
        Ok(_) => git.scripts(&tree)?,
        Err(_) => Vec::new(),
    };
    // With a slash in any case: what stands behind the last one is the file's name.
    let folder = if prefix.is_empty() { "./" } else { &prefix };
    let files = files
        .into_iter()
        .map(|(name, bytes)| (format!("{reference}:{folder}{name}"), bytes));
    embedded_history(files, dialect).map_err(GitError::Directory)
}

struct Git<'a> {
    dir: &'a Path,
}

impl Git<'_> {
    /// The hash of the commit.
    fn commit(&self, reference: &str) -> Result<String, GitError> {
        let verify = |name: &str| -> Result<Option<String>, GitError> {
            let commit = format!("{name}^{{commit}}");
            let found = self.text(&["rev-parse", "--quiet", "--verify", &commit])?;
            Ok(found.ok())
        };
        // An option is no commit.
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

    /// The scripts directly in `tree` (`COMMIT:PREFIX`), names and bytes.
    fn scripts(&self, tree: &str) -> Result<Vec<(String, Vec<u8>)>, GitError> {
        let arguments = ["ls-tree", "-z", "--full-tree", "--name-only", tree];
        let listed = self.bytes(&arguments, &[])?;
        let names = listed.split(|byte| *byte == 0);
        let names = names.filter_map(|name| String::from_utf8(name.to_vec()).ok());
        let names: Vec<_> = names
            .filter(|name| matches!(classify(name), FileName::Script(_)))
            .collect();
        let requests: String = names.iter().map(|name| format!("{tree}{name}\n")).collect();
        // A script that is a link is the file it leads to.
        let arguments = ["cat-file", "--batch", "--follow-symlinks"];
        let answer = self.bytes(&arguments, requests.as_bytes())?;
        let mut rest = answer.as_slice();
        let mut scripts = Vec::with_capacity(names.len());
        for name in names {
            // A directory of a script's name, or a link that leads out of the commit, is none.
            if let Some(bytes) = next_object(&mut rest).ok_or_else(|| GitError::Failed {
                command: "cat-file".to_owned(),
                reason: format!("it says nothing of {name}"),
            })? {
                scripts.push((name, bytes));
            }
        }
        Ok(scripts)
    }

    /// What git prints, without the line's end; what it complains about otherwise.
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
        // Hooks of git set where their repository is, as seen from elsewhere.
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
        // git answers while it is asked; both ends have to move.
        thread::scope(|scope| {
            scope.spawn(move || {
                if let Some(mut stdin) = stdin {
                    // One that stops listening says why.
                    let _ = stdin.write_all(input);
                }
            });
            child.wait_with_output()
        })
        .map_err(GitError::NoGit)
    }
}

fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| !line.trim().is_empty());
    let line = line.map(|line| line.trim_start_matches("fatal: "));
    line.map_or_else(|| output.status.to_string(), str::to_owned)
}

/// Takes one answer of `cat-file --batch`: `HASH TYPE SIZE`, the bytes, a line's end. The inner
/// value is `None` for what is no file; the outer one for an answer that makes no sense.
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
    // `dangling 12`, `symlink 12`: a link out of the commit, with where it leads to.
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
