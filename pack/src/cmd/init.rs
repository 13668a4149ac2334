//! `sealift init`

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::Answer;
use crate::exit::{Advised, Usage};
use crate::output::{self, Access};
use crate::release::config::{Release, is_name};
use crate::release::template::{Template, Versioned};

/// Writes a release file to begin with: what is known, and every option as a comment.
///
/// Images are named as FILE, where the name tells the version (app-1.2.bin, field/1.2/app.bin), or as VERSION=FILE; of several components FILE is the
/// directory of their images. An existing file is never replaced without --force.
#[derive(Debug, Args)]
pub struct Init {
    /// The file to write.
    #[arg(default_value = "RELEASE.toml")]
    file: PathBuf,
    /// The new image.
    #[arg(long, value_name = "[VERSION=]FILE")]
    new: Option<String>,
    /// An image in the field; once for each.
    #[arg(long, value_name = "[VERSION=]FILE")]
    old: Vec<String>,
    /// The product's name [default: the beginning of the new image's name].
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// Whose product it is: a domain, or a UUID.
    #[arg(long, value_name = "VENDOR", default_value = "example.com")]
    vendor: String,
    /// The class of devices: a name, or a UUID [default: the product's name].
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// A key that signs; once for each.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Replace an existing file.
    #[arg(long)]
    force: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Init) -> anyhow::Result<()> {
    let folder = args.file.parent().unwrap_or(Path::new(""));
    let new = match &args.new {
        Some(text) => image(text, folder)?,
        None => Versioned { version: "1.0".into(), path: "new.bin".into() },
    };
    let product = args.product.clone().unwrap_or_else(|| product_in(&new));
    if !is_name(&product) {
        let what = format!("the product's name is `{product}`, expected letters, digits, `.`, `_`, `+` or `-`");
        return Err(Usage { what, hint: "give another one with --product".into() }.into());
    }
    let template = Template {
        several: folder.join(&new.path).is_dir(),
        class: args.class.clone().unwrap_or_else(|| product.clone()),
        vendor: args.vendor.clone(),
        product,
        new,
        old: args.old.iter().map(|text| image(text, folder)).collect::<Result<_, _>>()?,
        keys: args.key.iter().map(|key| seen_from(folder, key)).collect(),
    };
    let text = template.text();
    // What is still missing is told, not refused: the file is there to be edited.
    let open = Release::parse(&text, &args.file).err().map(|error| error.to_string());
    if args.force {
        output::write(&args.file, text.as_bytes())?;
    } else if args.file.exists() {
        let what = format!("{} is there already, expected no such file", args.file.display());
        return Err(Advised::new(what, "choose another name, or replace it with --force").into());
    } else {
        output::write_new(&args.file, text.as_bytes(), Access::Shared)?;
    }
    let answer = Answer::new(args.json).json(json!({ "file": args.file, "product": template.product, "version": template.new.version, "open": open }));
    match open {
        None => answer.text(format_args!("{0}: written; next: sealift pack {0} -o dist", args.file.display())),
        Some(open) => answer.text(format_args!("{}: written; still to do: {open}", args.file.display())),
    }
    .print()
}

/// `VERSION=FILE`, or a file whose name, or whose folder's name, tells its version.
fn image(text: &str, folder: &Path) -> anyhow::Result<Versioned> {
    let (version, path) = match text.split_once('=') {
        Some((version, path)) => (Some(version.to_owned()), Path::new(path)),
        None => (version_in(Path::new(text)), Path::new(text)),
    };
    match version.filter(|version| is_name(version)) {
        Some(version) => Ok(Versioned { version, path: seen_from(folder, path) }),
        None => {
            let what = format!("`{text}` does not tell a version");
            Err(Usage { what, hint: format!("give it before the file: 1.0={}", path.display()) }.into())
        }
    }
}

/// The part of the name that begins with a digit; else that of the folder's name. A directory of components has no ending to be left out.
fn version_in(path: &Path) -> Option<String> {
    let in_name = |name: &str| {
        let starts = std::iter::once(0).chain(name.match_indices(['-', '_']).map(|(at, _)| at + 1));
        let rests = starts.filter_map(|at| name.get(at..)).map(|rest| rest.strip_prefix('v').unwrap_or(rest));
        rests.into_iter().find(|rest| rest.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned)
    };
    let folder = || path.parent().and_then(Path::file_name).and_then(|name| in_name(&name.to_string_lossy()));
    let own = if path.is_dir() { path.file_name() } else { path.file_stem() };
    own.and_then(|name| in_name(&name.to_string_lossy())).or_else(folder)
}

/// What stands before the version in the new image's name.
fn product_in(new: &Versioned) -> String {
    let name = Path::new(&new.path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let before = name.find(&new.version).map_or(name.as_str(), |at| &name[..at]).trim_end_matches('v').trim_end_matches(['-', '_']);
    if is_name(before) { before.to_owned() } else { "product".to_owned() }
}

/// A path of the user's, as the release file has to name it.
fn seen_from(folder: &Path, path: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let inside = match path.is_absolute() || folder.as_os_str().is_empty() {
        true => path.to_owned(),
        false => whole(path).strip_prefix(whole(folder)).map_or_else(|_| whole(path), Path::to_owned),
    };
    inside.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Versioned, product_in, version_in};

    #[test]
    fn names_tell_versions() {
        let cases =
            [("app-1.2.bin", Some("1.2")), ("x/1.2/app.bin", Some("1.2")), ("lamp_v2.0-rc1.hex", Some("2.0-rc1")), ("7.bin", Some("7")), ("app.bin", None)];
        for (path, version) in cases {
            assert_eq!(version_in(Path::new(path)).as_deref(), version, "{path}");
        }
        let product = |path: &str, version: &str| product_in(&Versioned { version: version.into(), path: path.into() });
        assert_eq!([product("x/lamp_v2.0.hex", "2.0"), product("2.0.bin", "2.0"), product("app.elf", "3")], ["lamp", "product", "app"]);
    }
}
