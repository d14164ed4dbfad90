//! Who may read a database's file, kept with its copies and given to what takes its place.

use std::{collections::BTreeMap, fs::File, io, path::Path};

/// Names of a manifest's properties.
const MODE: &str = "mode";
const USER: &str = "uid";
const GROUP: &str = "gid";

/// Mode and owner of a file, as a manifest keeps them. None where the system has no such thing.
pub(super) fn properties(file: &Path) -> BTreeMap<String, String> {
    let found = Permissions::of(file);
    found.map_or_else(|_| BTreeMap::new(), |found| found.properties())
}

/// Mode and owner of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permissions {
    mode: u32,
    /// User and group, where they mean the same as here.
    owner: Option<(u32, u32)>,
}

impl Permissions {
    /// Those that `properties` hold. Numbers of users mean somebody else on another machine:
    /// without `same_machine` they are left out.
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

    /// What a file with this mode may be given when it belongs to `group`: a group that may not be
    /// the one that was meant gets no more than everybody.
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
    /// Those of a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn of(file: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;

        let found = std::fs::metadata(file)?;
        Ok(Self {
            mode: found.mode() & 0o777,
            owner: Some((found.uid(), found.gid())),
        })
    }

    /// Gives them to a file that only its owner may read so far. Where the owner cannot be changed,
    /// nobody may read it who could not read the original.
    ///
    /// # Errors
    /// What the system says; it is as before then.
    pub fn give(self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

        if let Some((user, group)) = self.owner {
            // Only root may give files away; to one of its own groups everybody may.
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
