//! Files of our own: a symbolic link in their place is refused, and who may read them is decided when
//! they are created.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    path::Path,
};

/// Opens a regular file for reading and writing, and creates it with `mode` (less the umask) where
/// it is missing. A symbolic link is refused: the file behind it is not ours to create or write.
///
/// # Errors
/// What the system says, or what is there instead.
pub fn open_or_create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    no_link(&mut options);
    create_mode(&mut options, mode);
    open_no_link(&options, path)
}

/// Opens a regular file for reading. A symbolic link is refused.
///
/// # Errors
/// What the system says, or what is there instead.
pub fn open_existing(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    no_link(&mut options);
    open_no_link(&options, path)
}

/// Creates a file that only the user of this process may read. Nothing may have that name yet.
///
/// # Errors
/// What the system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    create_mode(&mut options, 0o600);
    options.open(path)
}

/// The text of a file, which must not have more than `limit` bytes.
///
/// # Errors
/// What the system says, that it is longer, or that it is not UTF-8.
#[cfg(feature = "cli")]
pub fn read_text(file: &File, limit: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = file.take(limit + 1).read_to_string(&mut text)?;
    if read as u64 > limit {
        let reason = format!("it has more than {limit} bytes");
        return Err(io::Error::other(reason));
    }
    Ok(text)
}

/// The first `limit` bytes of a file as text, as far as they are UTF-8.
pub fn read_start(file: &File, limit: u64) -> Option<String> {
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn open_no_link(options: &OpenOptions, path: &Path) -> io::Result<File> {
    // Before it is opened, so that no device is touched; not every system has a flag for links.
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => return Err(is_link()),
        Ok(found) => super::regular(&found)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match options.open(path) {
        // What is reported for a link differs from system to system.
        Err(_) if path.is_symlink() => Err(is_link()),
        opened => {
            let file = opened?;
            super::regular(&file.metadata()?)?;
            Ok(file)
        }
    }
}

fn is_link() -> io::Error {
    io::Error::other("it is a symbolic link")
}

#[cfg(unix)]
fn no_link(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;

    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW);
}

#[cfg(not(unix))]
fn no_link(_options: &mut OpenOptions) {}

#[cfg(unix)]
fn create_mode(options: &mut OpenOptions, mode: u32) {
    std::os::unix::fs::OpenOptionsExt::mode(options, mode);
}

#[cfg(not(unix))]
fn create_mode(_options: &mut OpenOptions, _mode: u32) {}

#[cfg(all(test, unix, feature = "cli"))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

    use super::*;
    use crate::files::open as files_open;

    fn fifo(directory: &Path) -> PathBuf {
        let path = directory.join("fifo");
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path
    }

    #[test]
    fn a_fifo_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = fifo(dir.path());
        for opened in [
            files_open(&fifo),
            open_or_create(&fifo, 0o600),
            open_existing(&fifo),
        ] {
            // For writing, a FIFO without a reader is refused by the system itself.
            assert!(opened.is_err());
        }
        assert!(files_open(dir.path()).is_err());
        assert!(files_open(Path::new("/dev/null")).is_err());
    }

    #[test]
    fn nothing_is_created_behind_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (link, target) = (dir.path().join("link"), dir.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let error = open_or_create(&link, 0o600).unwrap_err();
        assert_eq!(error.to_string(), "it is a symbolic link");
        assert!(create_private(&link).is_err() && !target.exists());
        fs::write(&target, "x").unwrap();
        assert!(open_or_create(&link, 0o600).is_err());
        assert!(open_existing(&link).is_err());
        let read = files_open(&link).unwrap();
        assert_eq!(read_text(&read, 1).unwrap(), "x");
    }

    #[test]
    fn what_is_private_is_private_from_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let file = create_private(&dir.path().join("a")).unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(create_private(&dir.path().join("a")).is_err());
    }

    #[test]
    fn a_text_has_a_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "abc").unwrap();
        let file = || files_open(&path).unwrap();
        assert_eq!(read_text(&file(), 3).unwrap(), "abc");
        assert!(read_text(&file(), 2).is_err());
        assert_eq!(read_start(&file(), 2).unwrap(), "ab");
    }
}
