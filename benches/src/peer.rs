//! The tools, each at its smallest setting.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A tool that makes and applies patches.
pub(crate) struct Peer {
    pub(crate) name: String,
    /// Where to get it, for a person.
    pub(crate) how_to_get: &'static str,
    /// A command that succeeds when the tool is there.
    probe: Invocation,
    pub(crate) make: Commands,
    pub(crate) apply: Commands,
}

impl Peer {
    /// Whether the tool can be run here.
    pub(crate) fn is_there(&self) -> bool {
        let status = Command::new(&self.probe.program).args(&self.probe.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        // bspatch and its like answer a call without arguments with a usage message and a non-zero status: that they start is enough.
        status.is_ok_and(|status| status.success() || self.probe.arguments.is_empty())
    }
}

/// What to run, one command after the other.
type Commands = Box<dyn Fn(&Files) -> Vec<Invocation>>;

/// A program and its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
}

/// The files of one measurement.
pub(crate) struct Files {
    pub(crate) old: PathBuf,
    pub(crate) new: PathBuf,
    pub(crate) patch: PathBuf,
    pub(crate) out: PathBuf,
}

/// Builds the `sealift` command as a user gets it and returns its path.
pub(crate) fn build_sealift() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a root")?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo).current_dir(root).args(["build", "--quiet", "--release", "-p", "sealift"]).status().context("cargo does not start")?;
    ensure!(status.success(), "`cargo build --release -p sealift` failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release").join("sealift"))
}

/// All tools that are compared. `{old}`, `{new}`, `{patch}` and `{out}` stand for the files.
pub(crate) fn peers(sealift: &Path) -> Vec<Peer> {
    let sealift = sealift.to_string_lossy().into_owned();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin/python").to_string_lossy().into_owned();
    let ours = |name: &str, arguments: &str| {
        let words = format!("{sealift} delta {{old}} {{new}} -o {{patch}} {arguments}");
        peer(name, "part of this project", &format!("{sealift} --version"), &[&words], &[&format!("{sealift} apply {{old}} {{patch}} -o {{out}}")])
    };
    let pypi = "PyPI: python3 -m venv target/peers && target/peers/bin/pip install detools hdiffpatch bsdiff4";
    let detools = |name: &str, arguments: &str| {
        let make = format!("{python} -m detools create_patch {arguments} {{old}} {{new}} {{patch}}");
        peer(name, pypi, &format!("{python} -m detools --version"), &[&make], &[&format!("{python} -m detools apply_patch {{old}} {{patch}} {{out}}")])
    };
    vec![
        ours("sealift compact 256K", "--profile compact --ram 256KiB"),
        ours("sealift compact 16K", "--profile compact --ram 16KiB"),
        ours("sealift fast", "--profile fast"),
        peer("bsdiff 4.3", "Debian package bsdiff", "bspatch", &["bsdiff {old} {new} {patch}"], &["bspatch {old} {out} {patch}"]),
        peer(
            "xdelta3 -9 lzma",
            "Debian package xdelta3",
            "xdelta3 -V",
            &["xdelta3 -e -9 -S lzma -B 1073741824 -f -s {old} {new} {patch}"],
            &["xdelta3 -d -B 1073741824 -f -s {old} {patch} {out}"],
        ),
        peer(
            "zstd -22 --patch-from",
            "Debian package zstd",
            "zstd --version",
            &["zstd -q -f --ultra -22 --long=31 --patch-from={old} {new} -o {patch}"],
            &["zstd -q -f -d --long=31 --patch-from={old} {patch} -o {out}"],
        ),
        detools("detools lzma", "-c lzma"),
        detools("detools heatshrink", "-c heatshrink"),
        python_peer(
            "bsdiff4 + xz",
            &python,
            pypi,
            "import bsdiff4.core as c,lzma,sys,pickle;o,n=(open(p,'rb').read() for p in sys.argv[1:3]);open(sys.argv[3],'wb').write(lzma.compress(pickle.dumps((len(n),c.diff(o,n))),preset=9|lzma.PRESET_EXTREME))",
            "import bsdiff4.core as c,lzma,sys,pickle;o=open(sys.argv[1],'rb').read();n,d=pickle.loads(lzma.decompress(open(sys.argv[2],'rb').read()));open(sys.argv[3],'wb').write(c.patch(o,n,*d))",
        ),
        python_peer(
            "hdiffpatch (PyPI) lzma2",
            &python,
            pypi,
            "import hdiffpatch as h,sys;o,n=(open(p,'rb').read() for p in sys.argv[1:3]);open(sys.argv[3],'wb').write(h.diff(o,n,compression=h.Lzma2Config(level=9,window=27)))",
            "import hdiffpatch as h,sys;o,p=(open(q,'rb').read() for q in sys.argv[1:3]);open(sys.argv[3],'wb').write(h.apply(o,p))",
        ),
    ]
}

fn python_peer(name: &str, python: &str, how_to_get: &'static str, make: &'static str, apply: &'static str) -> Peer {
    let module = name.split([' ', '(']).next().unwrap_or(name);
    let probe = Invocation { program: python.to_owned(), arguments: vec!["-c".into(), format!("import {module}")] };
    let script = |program: String, script: &'static str, files: [PathBuf; 3]| {
        let mut arguments = vec!["-c".to_owned(), script.to_owned()];
        arguments.extend(files.iter().map(|file| file.to_string_lossy().into_owned()));
        vec![Invocation { program, arguments }]
    };
    let (maker, applier) = (python.to_owned(), python.to_owned());
    Peer {
        name: name.to_owned(),
        how_to_get,
        probe,
        make: Box::new(move |files| script(maker.clone(), make, [files.old.clone(), files.new.clone(), files.patch.clone()])),
        apply: Box::new(move |files| script(applier.clone(), apply, [files.old.clone(), files.patch.clone(), files.out.clone()])),
    }
}

fn peer(name: &str, how_to_get: &'static str, probe: &str, make: &[&str], apply: &[&str]) -> Peer {
    let commands = |templates: &[&str]| -> Commands {
        let templates: Vec<String> = templates.iter().map(|template| (*template).to_owned()).collect();
        Box::new(move |files| templates.iter().map(|template| invocation(template, Some(files))).collect())
    };
    Peer { name: name.to_owned(), how_to_get, probe: invocation(probe, None), make: commands(make), apply: commands(apply) }
}

fn invocation(template: &str, files: Option<&Files>) -> Invocation {
    let mut words = template.split(' ').map(|word| match files {
        Some(files) => [("{old}", &files.old), ("{new}", &files.new), ("{patch}", &files.patch), ("{out}", &files.out)]
            .iter()
            .fold(word.to_owned(), |word, (mark, path)| word.replace(mark, &path.to_string_lossy())),
        None => word.to_owned(),
    });
    Invocation { program: words.next().unwrap_or_default(), arguments: words.filter(|word| !word.is_empty()).collect() }
}
