//! Debian packages of any architecture, through a private apt configuration: the machine's own apt state is
//! not touched. The sources are the machine's own.

use std::path::{Path, PathBuf};

use super::Error;
use super::client::{Cache, Program};

const APT_GET: Program = Program { name: "apt-get", debian: "apt" };

/// The package's `.deb`.
pub(super) fn package(cache: &Cache, architecture: &str, name: &str, version: &str) -> Result<PathBuf, Error> {
    let exact = format!("{name}={version}");
    cache.package("apt", &format!("{name}={version}={architecture}"), |directory| {
        let (configuration, fresh) = configuration(cache, architecture)?;
        let download = || apt_get(&configuration, directory, &["download", &exact]);
        if fresh {
            return download();
        }
        // Lists that an earlier run left may be too old: one more look at the archive.
        download().or_else(|_| {
            apt_get(&configuration, directory, &["update"])?;
            download()
        })
    })
}

fn apt_get(configuration: &Path, directory: &Path, arguments: &[&str]) -> Result<(), Error> {
    let variables = [("APT_CONFIG", configuration.as_os_str())];
    APT_GET.run(directory, &variables, [&["-qq"], arguments].concat()).map(drop)
}

/// The apt configuration for an architecture, and whether its package lists were made just now.
fn configuration(cache: &Cache, architecture: &str) -> Result<(PathBuf, bool), Error> {
    let root = cache.directory(&format!("apt-lists/{architecture}"))?;
    let file = root.join("apt.conf");
    let root_text = root.display();
    let text = format!(
        "APT::Architecture \"{architecture}\";\n\
         APT::Architectures {{ \"{architecture}\"; }};\n\
         APT::Sandbox::User \"\";\n\
         Dir::State \"{root_text}/state\";\n\
         Dir::State::status \"{root_text}/status\";\n\
         Dir::Cache \"{root_text}/cache\";\n\
         Acquire::Languages \"none\";\n"
    );
    // Another text means that the repository was moved: the lists are then made again.
    if std::fs::read_to_string(&file).is_ok_and(|there| there == text) {
        return Ok((file, false));
    }
    for directory in ["state/lists/partial", "cache/archives/partial"] {
        let directory = root.join(directory);
        std::fs::create_dir_all(&directory).map_err(Error::io("make", &directory))?;
    }
    let write = |path: &Path, text: &str| std::fs::write(path, text).map_err(Error::io("write", path));
    write(&root.join("status"), "")?;
    let draft = root.join("apt.conf.new");
    write(&draft, &text)?;
    apt_get(&draft, &root, &["update"])?;
    std::fs::rename(&draft, &file).map_err(Error::io("rename to", &file))?;
    Ok((file, true))
}
