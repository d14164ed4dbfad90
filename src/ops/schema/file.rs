use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use super::{Reader, SchemaArgs, SchemaSource};
use crate::{
    database::{Draft, Use},
    files, generate,
    ops::{Error, Project, Session},
};

/// What happened to the schema file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaFileReport {
    /// The file already had this content.
    Unchanged,
    /// The file was written.
    Written,
}

/// Writes the SQL that recreates the schema of the database to `path`: to a temporary file beside
/// it, which then takes its name. A file with this content is left alone.
///
/// # Errors
/// Fails when the database cannot be read or the file cannot be written; an existing file is then
/// unchanged.
pub async fn write_schema_file(
    project: &Project,
    session: &mut Session,
    path: &Path,
    args: &SchemaArgs,
) -> Result<SchemaFileReport, Error> {
    let mut reader = Reader {
        project,
        session,
        args,
    };
    let schema = reader.read(&SchemaSource::Live).await?;
    let text = generate::script(&generate::dump(&schema)?);
    if files::read(path).is_ok_and(|present| present == text.as_bytes()) {
        return Ok(SchemaFileReport::Unchanged);
    }
    write(path, &text).map_err(|error| Error::System {
        doing: "the schema file cannot be written",
        error,
    })?;
    Ok(SchemaFileReport::Written)
}

/// Writes a file that others may read: to a temporary file beside it, which then takes its name.
pub(in crate::ops) fn write(path: &Path, text: &str) -> io::Result<()> {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    let mut draft = Draft::create(parent.unwrap_or(Path::new(".")), Use::Scratch)?;
    let mut file = draft.file();
    file.write_all(text.as_bytes())?;
    match fs::metadata(path) {
        Ok(present) => file.set_permissions(present.permissions())?,
        Err(_) => open_to_all(file)?,
    }
    draft.publish(path)
}

/// Lets others read a new file, as the usual umask would.
fn open_to_all(file: &fs::File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}
