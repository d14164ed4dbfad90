//! Streams of bytes that are hashed and optionally compressed.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use sha2::{Digest as _, Sha256};

use super::{
    CopyError, DatabaseError,
    backup::{Observer, Phase},
};
use crate::files::{self, Compression};

/// The size of the copy buffer in bytes.
const PIECE: usize = 256 * 1024;

/// zstd's default level, which is faster than most disks.
const LEVEL: i32 = 3;

/// The length and SHA-256 of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// The number of bytes.
    pub size: u64,
    /// The SHA-256 as 64 hexadecimal digits.
    pub sha256: String,
}

/// A wrapper that hashes all bytes that pass through.
pub struct Hashing<T> {
    inner: T,
    hash: Sha256,
    size: u64,
}

impl<T> Hashing<T> {
    /// Wraps `inner`.
    pub fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            size: 0,
        }
    }

    /// The digest of the bytes that have passed through.
    pub fn digest(self) -> Digest {
        Digest {
            size: self.size,
            sha256: format!("{:x}", self.hash.finalize()),
        }
    }

    /// The number of bytes that have passed through.
    pub fn size(&self) -> u64 {
        self.size
    }

    fn note(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.note(&buffer[..read]);
        Ok(read)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.note(&buffer[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The reason why a copy failed.
#[derive(Debug)]
pub enum Broken {
    /// The source could not be read.
    Reading(io::Error),
    /// The destination could not be written.
    Writing(io::Error),
    /// A request to stop ended the copy.
    Stopped(DatabaseError),
}

/// Copies `from` into `to`, compressed as `compression` says. Returns the digests of the bytes
/// written and the bytes read.
///
/// # Errors
/// [`Broken`] says which side failed.
pub fn pack(
    from: impl Read,
    to: impl Write,
    compression: Compression,
    mut watch: impl FnMut(u64) -> Result<(), DatabaseError>,
) -> Result<(Digest, Digest), Broken> {
    let mut from = Hashing::new(from);
    let mut to = Hashing::new(to);
    match compression {
        Compression::None => pump(&mut from, &mut to, |from| watch(from.size()))?,
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(&mut to, LEVEL).map_err(Broken::Writing)?;
            encoder.include_checksum(true).map_err(Broken::Writing)?;
            pump(&mut from, &mut encoder, |from| watch(from.size()))?;
            encoder.finish().map_err(Broken::Writing)?;
        }
    }
    to.flush().map_err(Broken::Writing)?;
    Ok((to.digest(), from.digest()))
}

/// Decompresses `from` into `to`. Returns the digest of the bytes read. The source is read to its
/// end, even if the compressed data ends earlier.
///
/// # Errors
/// [`Broken`] says which side failed; a damaged file is a read error.
pub fn unpack(
    from: impl Read,
    mut to: impl Write,
    compression: Compression,
    mut watch: impl FnMut(u64) -> Result<(), DatabaseError>,
) -> Result<Digest, Broken> {
    let mut from = Hashing::new(from);
    match compression {
        Compression::None => pump(&mut from, &mut to, |from| watch(from.size()))?,
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::new(&mut from).map_err(Broken::Reading)?;
            pump(&mut decoder, &mut to, |decoder| {
                watch(decoder.get_ref().get_ref().size())
            })?;
        }
    }
    to.flush().map_err(Broken::Writing)?;
    Ok(from.digest())
}

fn pump<R: Read>(
    from: &mut R,
    to: &mut impl Write,
    mut watch: impl FnMut(&R) -> Result<(), DatabaseError>,
) -> Result<(), Broken> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Reading(error)),
        };
        to.write_all(&piece[..read]).map_err(Broken::Writing)?;
        watch(from).map_err(Broken::Stopped)?;
    }
}

/// Hashes a file.
///
/// # Errors
/// Fails when the file cannot be read.
pub fn digest(path: &Path, watch: &Observer, phase: Phase) -> Result<Digest, CopyError> {
    let file = open(path)?;
    let total = file.metadata().map_or(0, |found| found.len());
    let seen = |done| watch.at(phase, done, total);
    let read = unpack(file, io::sink(), Compression::None, seen);
    read.map_err(|broken| explain(broken, path, path))
}

/// Opens a regular file for reading.
///
/// # Errors
/// The error names the file.
pub fn open(path: &Path) -> Result<std::fs::File, CopyError> {
    files::open(path).map_err(|error| file_error(path, &error))
}

/// An I/O error of the file `path`.
pub fn file_error(path: &Path, error: &io::Error) -> CopyError {
    CopyError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// The error of a failed copy, with the file concerned.
pub fn explain(broken: Broken, from: &Path, to: &Path) -> CopyError {
    match broken {
        Broken::Reading(error) => file_error(from, &error),
        Broken::Writing(error) => file_error(to, &error),
        Broken::Stopped(error) => error.into(),
    }
}

/// Compares the digest of a file with the expected one.
///
/// # Errors
/// [`CopyError::Damaged`] if they differ.
pub fn compare(found: &Digest, expected: &Digest) -> Result<(), CopyError> {
    let reason = if found.size != expected.size {
        format!(
            "it has {} bytes, and {} were written",
            found.size, expected.size
        )
    } else if found.sha256 != expected.sha256 {
        "its SHA-256 is not that of what was written".to_owned()
    } else {
        return Ok(());
    };
    Err(CopyError::Damaged { reason })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn nothing_has_a_hash() {
        let (stored, plain) = pack(io::empty(), io::sink(), Compression::None, |_| Ok(())).unwrap();
        assert_eq!((stored.size, stored.sha256.as_str()), (0, EMPTY));
        assert_eq!(stored, plain);
    }

    #[test]
    fn a_file_that_was_cut_is_not_taken() {
        let mut packed = Vec::new();
        let bytes = vec![7; 1_000_000];
        pack(&bytes[..], &mut packed, Compression::Zstd, |_| Ok(())).unwrap();
        packed.pop();
        let broken = unpack(&packed[..], io::sink(), Compression::Zstd, |_| Ok(()));
        assert!(matches!(broken, Err(Broken::Reading(_))));
    }

    #[test]
    fn it_ends_when_it_is_to() {
        let stop = |_| Err(DatabaseError::Interrupted);
        let broken = pack(&b"x"[..], io::sink(), Compression::None, stop);
        assert!(matches!(broken, Err(Broken::Stopped(_))));
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            for compression in [Compression::None, Compression::Zstd] {
                let (mut packed, mut plain) = (Vec::new(), Vec::new());
                let (stored, read) = pack(&bytes[..], &mut packed, compression, |_| Ok(())).unwrap();
                prop_assert_eq!(read.size, bytes.len() as u64);
                let found = unpack(&packed[..], &mut plain, compression, |_| Ok(())).unwrap();
                prop_assert_eq!(&plain, &bytes);
                prop_assert!(compare(&found, &stored).is_ok());
            }
        }
    }
}
