//! Opening files that may be something else: a named pipe would wait for ever for its other end,
//! a device may do anything.
//!
//! Every file that is opened by its name is opened here. Its type is looked at before, so that no
//! device is touched; after that the open file is looked at again, and nothing waits in between.

mod compression;
mod owned;

use std::{
    fmt,
    fs::{self, File, FileType, Metadata, OpenOptions},
    io::{self, Read},
    path::Path,
};

pub use compression::{Compression, UnknownCompression};
#[cfg(feature = "cli")]
pub use owned::read_text;
pub use owned::{create_private, open_existing, open_or_create, read_start};

/// A file system, with the bytes that this process may still write there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Tells file systems apart.
    pub device: u64,
    /// The free bytes.
    pub free: u64,
}

/// The file system of a path; `None` if the system does not tell.
#[cfg(unix)]
pub fn space(path: &Path) -> Option<Space> {
    use std::os::unix::fs::MetadataExt;

    let device = path.metadata().ok()?.dev();
    let found = rustix::fs::statvfs(path).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    Some(Space { device, free })
}

/// The file system of a path; `None` if the system does not tell.
#[cfg(not(unix))]
pub fn space(path: &Path) -> Option<Space> {
    let _ = path;
    None
}

/// What a path can lead to beside a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code))]
pub enum Irregular {
    /// A directory.
    Directory,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A terminal, `/dev/null` and the like.
    CharacterDevice,
    /// A disk.
    BlockDevice,
    /// What the system has no name for here.
    Other,
}

impl Irregular {
    /// `None` of a regular file.
    pub fn of(found: FileType) -> Option<Self> {
        if found.is_file() {
            None
        } else if found.is_dir() {
            Some(Self::Directory)
        } else {
            Some(Self::special(found))
        }
    }

    #[cfg(unix)]
    fn special(found: FileType) -> Self {
        use std::os::unix::fs::FileTypeExt;

        if found.is_fifo() {
            Self::Pipe
        } else if found.is_socket() {
            Self::Socket
        } else if found.is_char_device() {
            Self::CharacterDevice
        } else if found.is_block_device() {
            Self::BlockDevice
        } else {
            Self::Other
        }
    }

    #[cfg(not(unix))]
    fn special(_: FileType) -> Self {
        Self::Other
    }
}

impl fmt::Display for Irregular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "it is a directory, not a regular file",
            Self::Pipe => "it is a named pipe (FIFO), not a regular file",
            Self::Socket => "it is a socket, not a regular file",
            Self::CharacterDevice => "it is a character device, not a regular file",
            Self::BlockDevice => "it is a block device, not a regular file",
            Self::Other => "it is not a regular file",
        })
    }
}

impl std::error::Error for Irregular {}

fn refused(found: Irregular) -> io::Error {
    let kind = match found {
        Irregular::Directory => io::ErrorKind::IsADirectory,
        _ => io::ErrorKind::InvalidInput,
    };
    io::Error::new(kind, found)
}

/// Opens a regular file for reading.
///
/// # Errors
/// What the system says, or [`Irregular`].
pub fn open(path: &Path) -> io::Result<File> {
    open_with(File::options().read(true), path)
}

/// Opens a regular file as `options` say; one that is not there may be made by them.
///
/// # Errors
/// What the system says, or [`Irregular`].
pub fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    match fs::metadata(path) {
        Ok(found) => regular(&found)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    open_found(options, path)
}

/// The same for a path that was just seen to lead to a regular file.
///
/// # Errors
/// What the system says, or [`Irregular`] when it was exchanged since.
pub fn open_found(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    Ok(open_sized(options, path)?.0)
}

/// [`open_found`] with the size of the file, which comes with its type.
fn open_sized(options: &mut OpenOptions, path: &Path) -> io::Result<(File, u64)> {
    let file = without_waiting(options).open(path)?;
    let found = file.metadata()?;
    regular(&found)?;
    Ok((file, found.len()))
}

/// The whole of a file that was just seen to be regular, in as few calls as the system allows.
///
/// # Errors
/// What the system says, or [`Irregular`] when it was exchanged since.
pub fn read_found(path: &Path) -> io::Result<Vec<u8>> {
    /// The size up to which a file is read at once.
    const SMALL: u64 = 1 << 16;
    let (mut file, size) = open_sized(File::options().read(true), path)?;
    let mut content = Vec::new();
    if let Ok(length) = usize::try_from(size.min(SMALL)) {
        // There is room for another byte: a file that fills the rest exactly ends there.
        content.resize(length + 1, 0);
        let read = file.read(&mut content)?;
        content.truncate(read);
    }
    if content.len() as u64 != size {
        file.read_to_end(&mut content)?;
    }
    Ok(content)
}

/// The whole of a regular file.
///
/// # Errors
/// What the system says, or [`Irregular`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a directory, to lock it or to have its names on the disk. Not every system can.
///
/// # Errors
/// What the system says.
pub fn open_directory(path: &Path) -> io::Result<File> {
    let directory = without_waiting(File::options().read(true)).open(path)?;
    match directory.metadata()?.is_dir() {
        true => Ok(directory),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }
}

/// Looks at what `path` leads to without opening it. What is not there is in order.
///
/// # Errors
/// [`Irregular`]
pub fn check(path: &Path) -> Result<(), Irregular> {
    match fs::metadata(path) {
        Ok(found) => Irregular::of(found.file_type()).map_or(Ok(()), Err),
        Err(_) => Ok(()),
    }
}

fn regular(found: &Metadata) -> io::Result<()> {
    Irregular::of(found.file_type()).map_or(Ok(()), |found| Err(refused(found)))
}

#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(all(test, unix))]
mod tests {
    use std::{os::unix::net::UnixListener, path::PathBuf, process::Command};

    use super::*;

    fn all(dir: &Path) -> Vec<(PathBuf, Irregular)> {
        let (pipe, socket, link) = (dir.join("pipe"), dir.join("socket"), dir.join("link"));
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        drop(UnixListener::bind(&socket).unwrap());
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        vec![
            (dir.to_owned(), Irregular::Directory),
            (pipe, Irregular::Pipe),
            (link, Irregular::Pipe),
            (socket, Irregular::Socket),
            ("/dev/zero".into(), Irregular::CharacterDevice),
        ]
    }

    #[test]
    fn only_regular_files_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        for (path, expected) in all(dir.path()) {
            let reading = read(&path).unwrap_err();
            let mut options = File::options();
            let writing = open_with(options.create(true).append(true), &path).unwrap_err();
            for error in [reading, writing] {
                assert_eq!(error.to_string(), expected.to_string(), "{path:?}");
            }
            assert_eq!(check(&path), Err(expected));
        }
        let file = dir.path().join("file");
        assert_eq!(read(&file).unwrap_err().kind(), io::ErrorKind::NotFound);
        open_with(File::options().create(true).append(true), &file).unwrap();
        assert_eq!(read(&file).unwrap(), b"");
        assert_eq!(check(&file), Ok(()));
    }

    #[test]
    fn a_pipe_that_took_the_place_of_a_file_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, expected) = all(dir.path()).swap_remove(1);
        let error = open_found(File::options().read(true), &pipe).unwrap_err();
        assert_eq!(error.to_string(), expected.to_string());
        // Nobody reads it, so that it cannot even be opened.
        assert!(open_found(File::options().append(true), &pipe).is_err());
    }
}
