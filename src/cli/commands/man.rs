use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

use anyhow::Context as _;
use clap_mangen::Man;

use crate::{
    arrange::Arrange as _,
    files,
    report::{self, Output, WrittenView, error::Error, exit::Exit},
};

/// Print the manual page, or write one for each command
///
/// For example: migrator man | man -l -
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Directory to write the pages to; created if missing. Pages of the same name are replaced
    dir: Option<PathBuf>,
}

pub fn cmd_man(args: &ManArgs, root: clap::Command, output: &Output) -> Result<Exit, Error> {
    let failed = "the pages cannot be written";
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        let man = Man::new(root);
        man.render(&mut page).context(failed)?;
        report::print_exact(&page);
        return Ok(Exit::Done);
    };
    let mut files = Vec::new();
    fs::create_dir_all(dir)
        .and_then(|()| {
            for (name, page) in pages(root)? {
                let path = dir.join(name);
                let mut options = File::options();
                options.write(true).create(true).truncate(true);
                files::open_with(&mut options, &path)?.write_all(&page)?;
                files.push(path.display().to_string());
            }
            Ok(())
        })
        .context(failed)?;
    output.result(&WrittenView { files });
    Ok(Exit::Done)
}

/// All pages with their file names, such as `migrator-upgrade.1`.
fn pages(root: clap::Command) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = root.disable_help_subcommand(true);
    command.build();
    let mut waiting = vec![command];
    let mut pages = Vec::new();
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().cloned());
        let man = Man::new(command);
        let mut page = Vec::new();
        man.render(&mut page)?;
        pages.push((man.get_filename(), page));
    }
    pages.arrange();
    Ok(pages)
}
