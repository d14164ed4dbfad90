//! The permissions of a database file, which are stored with copies and applied to its replacement.

use std::{collections::BTreeMap, fs::File, io, path::Path};

/// The names of a manifest's properties.
const MODE: &str = "mode";
const USER: &str = "uid";
const GROUP: &str = "gid";

/// The mode and owner of a file as properties of a manifest; empty if the system has no such
/// permissions.
pub(super) fn properties(file: &Path) -> BTreeMap<String, String> {
    let found = Permissions::of(file);
    found.map_or_else(|_| BTreeMap::new(), |found| found.properties())
}

/// The mode and owner of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permissions {
    mode: u32,
    /// The user and group, if the IDs are valid on this machine.
    owner: Option<(u32, u32)>,
}

impl Permissions {
    /// The permissions in `properties`. On another machine, user IDs have another meaning, so they
    /// are omitted without `same_machine`.
    pub fn from_properties(
        properties: &BTreeMap<String, String>,
        same_machine: bool,
    ) -> Option<Self> {
        let number = |name: &str| properties.get(name)?.parse().ok();
        let mode = u32::from_str_radix(properties.get(MODE)?, 8).ok()?;
        let owner = number(USER).zip(number(GROUP)).filter(|_| same_machine);
        Some(Self {
            mode: mode & 0o777,
            owner,
        })
    }

    fn properties(self) -> BTreeMap<String, String> {
        let (user, group) = self.owner.unzip();
        let all = [
            (MODE, Some(format!("{:03o}", self.mode))),
            (USER, user.map(|it| it.to_string())),
            (GROUP, group.map(|it| it.to_string())),
        ];
        let known = all
            .into_iter()
            .filter_map(|(name, value)| value.map(|it| (name, it)));
        known
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// The mode for a file that belongs to `group`. A group that may not be the intended one gets
    /// no more access than all users.
    #[cfg_attr(not(unix), allow(dead_code))]
    fn mode_for(self, group: u32) -> u32 {
        if self.owner.is_some_and(|(_, wanted)| wanted == group) {
            return self.mode;
        }
        let others = self.mode & 0o007;
        (self.mode & 0o700) | (self.mode & 0o070 & (others << 3)) | others
    }
}

#[cfg(unix)]
impl Permissions {
    /// Reads the permissions of a file.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn of(file: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;

        let found = std::fs::metadata(file)?;
        Ok(Self {
            mode: found.mode() & 0o777,
            owner: Some((found.uid(), found.gid())),
        })
    }

    /// Applies the permissions to a file that only its owner can read so far. If the owner cannot
    /// be changed, nobody gains access who could not read the original.
    ///
    /// # Errors
    /// The error of the operating system; the file is unchanged then.
    pub fn give(self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

        if let Some((user, group)) = self.owner {
            // Only root may change the owner, but every user may change the group to one of their
            // own.
            let _ =
                fchown(file, Some(user), Some(group)).or_else(|_| fchown(file, None, Some(group)));
        }
        let mode = self.mode_for(file.metadata()?.gid());
        file.set_permissions(std::fs::Permissions::from_mode(mode))
    }
}

#[cfg(not(unix))]
impl Permissions {
    pub fn of(_file: &Path) -> io::Result<Self> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    pub fn give(self, _file: &File) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_kept_as_text() {
        let permissions = Permissions {
            mode: 0o640,
            owner: Some((1000, 7)),
        };
        let properties = permissions.properties();
        assert_eq!(properties["mode"], "640");
        let read = |same_machine| Permissions::from_properties(&properties, same_machine);
        assert_eq!(read(true), Some(permissions));
        let unowned = Permissions {
            owner: None,
            ..permissions
        };
        assert_eq!(read(false), Some(unowned));
        assert_eq!(Permissions::from_properties(&BTreeMap::new(), true), None);
    }

    #[test]
    fn another_group_gets_no_more_than_everybody() {
        let check = |mode, group, expected: u32| {
            let owner = Some((1000, 7));
            let found = Permissions { mode, owner }.mode_for(group);
            assert_eq!(found, expected, "{mode:o} {group}");
        };
        check(0o600, 7, 0o600);
        check(0o640, 7, 0o640);
        check(0o640, 8, 0o600);
        check(0o664, 8, 0o644);
        check(0o644, 8, 0o644);
        check(0o604, 8, 0o604);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_gets_those_of_another() {
        use std::{fs, os::unix::fs::PermissionsExt};

        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        for path in [&one, &other] {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        fs::set_permissions(&one, fs::Permissions::from_mode(0o640)).unwrap();
        let found = Permissions::from_properties(&properties(&one), true).unwrap();
        found.give(&File::open(&other).unwrap()).unwrap();
        assert_eq!(Permissions::of(&other).unwrap(), found);
    }
}
