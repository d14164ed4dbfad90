//! Decides whether to trust files that were not named explicitly.
//!
//! A configuration found in a parent directory, and the `.env` beside one, may belong to another
//! user: anyone can create `/tmp/migrator.toml`. Such a file names databases, scripts and the log
//! file, so its owner must be trusted.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    fs::{self, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::files;

/// A reason not to trust a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// The file belongs to another user.
    Owner(u32),
    /// A symbolic link to the file belongs to another user.
    Link(u32),
    /// Every user can write to the file, and it is not in the working directory.
    Writable,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, owner) = match self {
            Self::Owner(owner) => ("the file belongs", owner),
            Self::Link(owner) => ("the symbolic link that leads to the file belongs", owner),
            Self::Writable => {
                return f.write_str(
                    "every user may write to the file, which is above the working directory",
                );
            }
        };
        write!(
            f,
            "{what} to user {owner}, who is neither the current user, root nor the owner of the \
             working directory"
        )
    }
}

/// An error that prevents reading a file.
#[derive(Debug)]
pub(super) enum Refused {
    Io(io::Error),
    Distrust(Distrust),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The users whose files are trusted.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    owners: Vec<u32>,
    cwd: PathBuf,
}

/// The properties of a file that determine trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    owner: u32,
    /// Whether every user may write to it.
    is_writable: bool,
}

/// The maximum number of links to follow to a file, as on Linux.
const LINKS: usize = 40;

impl Trust {
    /// Trusts the current user, root and the owner of the working directory. A process of root also
    /// trusts the user who ran `sudo`, given by SUDO_UID.
    pub(super) fn new(cwd: &Path, process_env: &BTreeMap<OsString, OsString>) -> Self {
        let sudo = process_env.get(std::ffi::OsStr::new("SUDO_UID"));
        let sudo = sudo.and_then(|uid| uid.to_str()?.parse().ok());
        let directory = fs::metadata(cwd).ok().map(|found| facts(&found).owner);
        Self {
            owners: trusted(current_user(), sudo, directory),
            cwd: cwd.to_owned(),
        }
    }

    /// Also trusts the owner of `file`, which was named explicitly or is trusted.
    pub(super) fn and_owner_of(&self, file: &Path) -> Self {
        let mut trust = self.clone();
        let owner = fs::metadata(file).ok().map(|found| facts(&found).owner);
        trust.owners.extend(owner);
        trust
    }

    /// Reads a file that was not named explicitly.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not trusted.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>, Refused> {
        let mut file = files::open(path)?;
        // Checks the opened file: the name may refer to another one by now.
        let found = facts(&file.metadata()?);
        let is_above = path.parent() != Some(&*self.cwd);
        let links = links(path)?;
        if let Some(distrust) = distrust(&self.owners, &links, found, is_above) {
            return Err(Refused::Distrust(distrust));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Returns the owners of the symbolic links from `path` to its file.
fn links(path: &Path) -> io::Result<Vec<u32>> {
    let mut owners = Vec::new();
    let mut path = path.to_owned();
    while owners.len() < LINKS {
        let found = fs::symlink_metadata(&path)?;
        if !found.is_symlink() {
            break;
        }
        owners.push(facts(&found).owner);
        let target = fs::read_link(&path)?;
        path = match path.parent() {
            Some(directory) => directory.join(target),
            None => target,
        };
    }
    Ok(owners)
}

/// Returns the reason not to trust a file reached by `links`, given the trusted owners.
fn distrust(owners: &[u32], links: &[u32], file: Facts, is_above: bool) -> Option<Distrust> {
    let link = links.iter().find(|owner| !owners.contains(owner));
    if !owners.contains(&file.owner) {
        Some(Distrust::Owner(file.owner))
    } else if let Some(owner) = link {
        Some(Distrust::Link(*owner))
    } else if file.is_writable && is_above {
        Some(Distrust::Writable)
    } else {
        None
    }
}

/// Returns the trusted users of a process of `user`, possibly started with `sudo`, in a directory
/// with the given owner.
fn trusted(user: u32, sudo: Option<u32>, directory: Option<u32>) -> Vec<u32> {
    const ROOT: u32 = 0;
    let sudo = sudo.filter(|_| user == ROOT);
    [Some(user), Some(ROOT), sudo, directory]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(unix)]
fn facts(found: &Metadata) -> Facts {
    use std::os::unix::fs::MetadataExt;
    Facts {
        owner: found.uid(),
        is_writable: found.mode() & 0o002 != 0,
    }
}

#[cfg(unix)]
fn current_user() -> u32 {
    // SAFETY: it has no preconditions and cannot fail.
    unsafe { libc::geteuid() }
}

/// On other systems, files have no owner to compare, and all are trusted.
#[cfg(not(unix))]
fn facts(_: &Metadata) -> Facts {
    Facts {
        owner: current_user(),
        is_writable: false,
    }
}

#[cfg(not(unix))]
fn current_user() -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u32 = 1000;
    const OTHER: u32 = 1001;
    const THIRD: u32 = 1002;

    #[test]
    fn files_of_others_are_not_obeyed() {
        let check = |(user, sudo, directory), links: &[u32], owner, expected| {
            let owners = trusted(user, sudo, directory);
            let file = Facts {
                owner,
                is_writable: false,
            };
            let found = distrust(&owners, links, file, true);
            assert_eq!(found, expected, "{owners:?} {links:?} {owner}");
        };
        let (own, tmp, theirs) = (
            (ME, None, Some(ME)),
            (ME, None, Some(0)),
            (ME, None, Some(OTHER)),
        );
        check(own, &[], ME, None);
        check(own, &[], 0, None);
        check(own, &[], OTHER, Some(Distrust::Owner(OTHER)));
        check(tmp, &[], OTHER, Some(Distrust::Owner(OTHER)));
        check(theirs, &[], OTHER, None);
        check(theirs, &[], THIRD, Some(Distrust::Owner(THIRD)));
        // A link matters as much as a file.
        check(own, &[ME, 0], ME, None);
        check(own, &[OTHER], ME, Some(Distrust::Link(OTHER)));
        check(own, &[ME, OTHER], 0, Some(Distrust::Link(OTHER)));
        check(own, &[ME], OTHER, Some(Distrust::Owner(OTHER)));
        // With sudo, in the user's own directory and in another user's.
        check((0, Some(ME), Some(0)), &[], ME, None);
        check(
            (0, Some(ME), Some(0)),
            &[],
            OTHER,
            Some(Distrust::Owner(OTHER)),
        );
        check((0, None, Some(0)), &[], ME, Some(Distrust::Owner(ME)));
        check((0, None, Some(ME)), &[], ME, None);
        // Only root's SUDO_UID is trusted: every user can set it.
        check(
            (ME, Some(OTHER), Some(ME)),
            &[],
            OTHER,
            Some(Distrust::Owner(OTHER)),
        );
    }

    #[test]
    fn files_that_everybody_may_write_to_are_obeyed_in_the_working_directory_alone() {
        let file = Facts {
            owner: ME,
            is_writable: true,
        };
        assert_eq!(distrust(&[ME], &[], file, false), None);
        assert_eq!(distrust(&[ME], &[], file, true), Some(Distrust::Writable));
    }
}
