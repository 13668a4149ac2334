//! Running package clients, and the cache of what they brought.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;

/// A client program and the Debian package that has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) debian: &'static str,
}

impl Program {
    /// Runs it in a directory; its output is returned, and shown only when it fails.
    pub(super) fn run<I, S>(self, directory: &Path, variables: &[(&str, &OsStr)], arguments: I) -> Result<Vec<u8>, Error>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new(self.name);
        command.current_dir(directory).args(arguments).envs(variables.iter().copied());
        let output = command.output().map_err(|source| self.missing(source))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        Err(Error::Client { command: format!("{} {}", self.name, words.join(" ")), message: format!("{}, {}", output.status, last_lines(&output.stderr)) })
    }

    pub(super) fn missing(self, source: std::io::Error) -> Error {
        Error::ClientMissing { program: self.name, debian: self.debian, source }
    }
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}

/// Directory of what the clients brought: `testdata/.cache`, ignored by git.
#[derive(Clone, Debug)]
pub(super) struct Cache(PathBuf);

impl Cache {
    pub(super) fn new() -> Self {
        Self(Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache"))
    }

    /// A directory of the cache, made when it is not there.
    pub(super) fn directory(&self, name: &str) -> Result<PathBuf, Error> {
        let directory = self.0.join(name);
        std::fs::create_dir_all(&directory).map_err(Error::io("make", &directory))?;
        Ok(directory)
    }

    /// The one file of a package, downloaded by `download` into an empty directory unless cached.
    pub(super) fn package(&self, client: &str, key: &str, download: impl FnOnce(&Path) -> Result<(), Error>) -> Result<PathBuf, Error> {
        let key: String = key.chars().map(|c| if c.is_alphanumeric() || ".-+~".contains(c) { c } else { '_' }).collect();
        let parent = self.directory(client)?;
        let directory = parent.join(key);
        if !directory.exists() {
            // Complete or absent: the download goes to a directory of its own first.
            let fresh = tempfile::tempdir_in(&parent).map_err(Error::io("make a directory in", &parent))?;
            download(fresh.path())?;
            only_file(fresh.path())?;
            let fresh = fresh.keep();
            std::fs::rename(&fresh, &directory).map_err(Error::io("rename to", &directory))?;
        }
        only_file(&directory)
    }
}

fn only_file(directory: &Path) -> Result<PathBuf, Error> {
    let mut files = std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(Error::io("list", directory))?;
    match files.pop() {
        Some(file) if files.is_empty() => Ok(file.path()),
        _ => Err(Error::Convert { what: directory.display().to_string(), reason: "the client did not leave exactly one file there".into() }),
    }
}
