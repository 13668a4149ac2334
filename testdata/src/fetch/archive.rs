//! Files inside packages.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;

use super::Error;
use super::client::Program;

const DPKG_DEB: Program = Program { name: "dpkg-deb", debian: "dpkg" };

/// One file of a package: of a directory, a `.tgz`, a wheel or a `.deb`, told apart by name.
pub(super) fn read_member(package: &Path, member: &str) -> Result<Vec<u8>, Error> {
    if package.is_dir() {
        let path = package.join(member);
        return std::fs::read(&path).map_err(Error::io("read", &path));
    }
    let found = match package.extension().and_then(OsStr::to_str) {
        Some("deb") => return deb_member(package, member),
        Some("whl" | "zip") => open(package).and_then(|file| zip_member(file, member)),
        _ => open(package).and_then(|file| tar_member(GzDecoder::new(file), member)),
    };
    found.map_err(Error::io("read", package))?.ok_or_else(|| no_member(package, member))
}

/// One member of a ZIP file; `None` when it has none of that name.
pub(super) fn zip_member(zip: impl Read + Seek, member: &str) -> io::Result<Option<Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(zip).map_err(io::Error::other)?;
    let mut data = Vec::new();
    match archive.by_name(member) {
        Ok(mut file) => file.read_to_end(&mut data)?,
        Err(zip::result::ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(io::Error::other(error)),
    };
    Ok(Some(data))
}

fn open(path: &Path) -> io::Result<BufReader<File>> {
    File::open(path).map(BufReader::new)
}

fn no_member(package: &Path, member: &str) -> Error {
    Error::Member { archive: package.to_owned(), member: member.to_owned() }
}

fn tar_member(tar: impl Read, member: &str) -> io::Result<Option<Vec<u8>>> {
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        if entry.path()?.strip_prefix("./").unwrap_or(&entry.path()?) == Path::new(member) {
            let mut data = Vec::new();
            entry.read_to_end(&mut data)?;
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn deb_member(package: &Path, member: &str) -> Result<Vec<u8>, Error> {
    let mut child = Command::new(DPKG_DEB.name)
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|source| DPKG_DEB.missing(source))?;
    let found = child.stdout.take().map(|tar| tar_member(tar, member));
    // The rest of the archive is of no interest: dpkg-deb ends when its pipe is closed.
    child.wait().map_err(Error::io("read", package))?;
    found.transpose().map_err(Error::io("read", package))?.flatten().ok_or_else(|| no_member(package, member))
}
