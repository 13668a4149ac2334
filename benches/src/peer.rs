//! The tools, each at its smallest setting.

use crate::install;
use crate::pairs::{Kind, Pair};
use sealift_testdata::digest::Digest;
use std::path::Path;
use std::process::{Command, Stdio};

/// A tool that makes and applies patches.
pub(crate) struct Peer {
    pub(crate) name: String,
    /// Where to get it, for a person.
    pub(crate) how_to_get: &'static str,
    /// Whether a small device could apply what it makes.
    pub(crate) device: bool,
    /// A command whose output says which version is there.
    probe: Invocation,
    /// What [`Self::find`] found; `None`: the tool is not there.
    pub(crate) version: Option<String>,
    /// Whether it is measured on a pair at all.
    pub(crate) suits: fn(&Pair) -> bool,
    pub(crate) make: Commands,
    pub(crate) apply: Commands,
}

/// What to run, one command after the other.
type Commands = Box<dyn Fn(&Files<'_>) -> Vec<Invocation>>;

/// A program and its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
}

/// The files of one measurement.
pub(crate) struct Files<'a> {
    pub(crate) pair: &'a Pair,
    pub(crate) patch: &'a Path,
    pub(crate) out: &'a Path,
}

impl Peer {
    /// Looks for the tool.
    pub(crate) fn find(&mut self) {
        let output = Command::new(&self.probe.program).args(&self.probe.arguments).stdin(Stdio::null()).output();
        // Some tools of the field answer every call without work with a usage message and a failure: that they start is enough.
        let lenient = self.probe.arguments.is_empty();
        self.version = output.ok().filter(|output| lenient || output.status.success()).map(|output| {
            let said = [output.stdout, output.stderr].concat();
            match std::fs::read(&self.probe.program) {
                // Our own command, and what we built: the bytes tell more than a version.
                Ok(bytes) if self.name.starts_with("sealift") || self.name.starts_with("Zucchini") => Digest::of(&bytes).to_string(),
                _ => String::from_utf8_lossy(&said).into_owned(),
            }
        });
    }
}

const PYPI: &str = "from PyPI: python3 -m venv target/peers && target/peers/bin/pip install detools hdiffpatch bsdiff4";
const CLANG: &str = "the crate zucchini does not build here: it needs clang 19 or later (Debian package clang-19)";

/// All tools that are compared. `{old}`, `{new}`, `{patch}` and `{out}` stand for the files.
pub(crate) fn peers(sealift: &Path) -> Vec<Peer> {
    let sealift = text(sealift);
    let ours = |name: &str, suits: fn(&Pair) -> bool, arguments: &str| {
        let make = format!("{sealift} delta {{old}} {{new}} -o {{patch}} {arguments}");
        let apply = format!("{sealift} apply {{old}} {{patch}} -o {{out}}");
        Peer { suits, ..peer(name, "part of this project", &format!("{sealift} --version"), &make, &apply) }
    };
    let small: fn(&Pair) -> bool = |pair| pair.kind == Kind::Microcontroller;
    let large: fn(&Pair) -> bool = |pair| pair.kind != Kind::Microcontroller;
    let zstd = "zstd -q -f --long=31";
    let mut all = vec![
        ours("sealift compact 256K", small, "--profile compact --ram 256KiB"),
        ours("sealift compact 16K", small, "--profile compact --ram 16KiB"),
        ours("sealift compact 4M", large, "--profile compact --ram 4MiB"),
        ours("sealift fast", |_| true, "--profile fast"),
        peer("bsdiff 4.3", "Debian package bsdiff", "bspatch", "bsdiff {old} {new} {patch}", "bspatch {old} {out} {patch}"),
        peer(
            "xdelta3 -9 lzma",
            "Debian package xdelta3",
            "xdelta3 -V",
            "xdelta3 -e -9 -S lzma -W 16777216 -B {window} -f -s {old} {new} {patch}",
            "xdelta3 -d -B {window} -f -s {old} {patch} {out}",
        ),
        peer(
            "zstd -22 --patch-from",
            "Debian package zstd",
            "zstd --version",
            &format!("{zstd} --ultra -22 --patch-from={{old}} {{new}} -o {{patch}}"),
            &format!("{zstd} -d --patch-from={{old}} {{patch}} -o {{out}}"),
        ),
    ];
    all.extend(detools());
    all.extend(python_peers());
    all.extend(zucchini());
    all
}

/// detools with both of its compressions for devices, plain and with its data formats; offsets of data and code are left at their defaults.
fn detools() -> Vec<Peer> {
    let python = text(&install::python());
    let mut all = Vec::new();
    for compression in ["lzma", "heatshrink"] {
        for format in [false, true] {
            let name = format!("detools {compression}{}", if format { " + data format" } else { "" });
            let make = format!("{python} -m detools create_patch -c {compression}{} {{old}} {{new}} {{patch}}", if format { " {format}" } else { "" });
            let apply = format!("{python} -m detools apply_patch {{old}} {{patch}} {{out}}");
            // It is for microcontrollers, mostly in Python; and the data formats are for the instruction sets that they name.
            let suits: fn(&Pair) -> bool =
                if format { |pair| data_format(pair).is_some() && pair.new_bytes < 16 << 20 } else { |pair| pair.new_bytes < 16 << 20 };
            all.push(Peer { suits, ..peer(&name, PYPI, &format!("{python} -m detools --version"), &make, &apply) });
        }
    }
    all
}

/// What detools calls the data format of a pair's instruction set.
fn data_format(pair: &Pair) -> Option<&'static str> {
    match pair.isa.as_str() {
        "thumb" => Some("arm-cortex-m4"),
        "aarch64" => Some("aarch64"),
        "xtensa" => Some("xtensa-lx106"),
        _ => None,
    }
}

fn python_peers() -> [Peer; 2] {
    [
        python_peer(
            "bsdiff4 + xz",
            "bsdiff4",
            "import bsdiff4.core as c,lzma,sys,pickle;o,n=(open(p,'rb').read() for p in sys.argv[1:3]);open(sys.argv[3],'wb').write(lzma.compress(pickle.dumps((len(n),c.diff(o,n))),check=lzma.CHECK_NONE,preset=9|lzma.PRESET_EXTREME))",
            "import bsdiff4.core as c,lzma,sys,pickle;o=open(sys.argv[1],'rb').read();n,d=pickle.loads(lzma.decompress(open(sys.argv[2],'rb').read()));open(sys.argv[3],'wb').write(c.patch(o,n,*d))",
        ),
        python_peer(
            "hdiffpatch (PyPI) lzma",
            "hdiffpatch",
            "import hdiffpatch as h,sys;o,n=(open(p,'rb').read() for p in sys.argv[1:3]);open(sys.argv[3],'wb').write(h.diff(o,n,compression=h.LzmaConfig(level=9,window=27),validate=False))",
            "import hdiffpatch as h,sys;o,p=(open(q,'rb').read() for q in sys.argv[1:3]);open(sys.argv[3],'wb').write(h.apply(o,p))",
        ),
    ]
}

fn python_peer(name: &str, module: &str, make: &'static str, apply: &'static str) -> Peer {
    let python = text(&install::python());
    let version = format!("import {module}, importlib.metadata as m; print(m.version('{module}'))");
    let probe = Invocation { program: python.clone(), arguments: vec!["-c".into(), version] };
    let script = |program: &str, script: &str, files: [&Path; 3]| {
        let arguments = ["-c".to_owned(), script.to_owned()].into_iter().chain(files.map(text));
        vec![Invocation { program: program.to_owned(), arguments: arguments.collect() }]
    };
    let (maker, applier) = (python.clone(), python);
    Peer {
        name: name.to_owned(),
        how_to_get: PYPI,
        device: true,
        probe,
        version: None,
        suits: |_| true,
        make: Box::new(move |files| script(&maker, make, [&files.pair.old, &files.pair.new, files.patch])),
        apply: Box::new(move |files| script(&applier, apply, [&files.pair.old, files.patch, files.out])),
    }
}

/// Zucchini has no compression of its own. As it is, and with raw Arm images made into executables, which nobody does in the field.
fn zucchini() -> [Peer; 2] {
    let zucchini = text(&install::zucchini());
    [
        ("Zucchini + xz", "", (|_| true) as fn(&Pair) -> bool),
        ("Zucchini + xz, wrapped as ELF", "-elf {isa} {base}", |pair| pair.base.is_some() && matches!(pair.isa.as_str(), "thumb" | "arm" | "aarch64")),
    ]
    .map(|(name, wrapped, suits)| {
        let make = format!("{zucchini} make{wrapped} {{old}} {{new}} {{patch}}.raw && xz -9e --check=none -c {{patch}}.raw > {{patch}}");
        let apply = format!("xz -d -c {{patch}} > {{patch}}.raw && {zucchini} apply{wrapped} {{old}} {{patch}}.raw {{out}}");
        // The probe fails, as every call without work.
        Peer { suits, device: false, ..peer(name, CLANG, &zucchini, &make, &apply) }
    })
}

fn peer(name: &str, how_to_get: &'static str, probe: &str, make: &str, apply: &str) -> Peer {
    let commands = |template: &str| -> Commands {
        let template = template.to_owned();
        Box::new(move |files| vec![command(&template, files)])
    };
    let mut words = probe.split(' ').map(str::to_owned);
    let probe = Invocation { program: words.next().unwrap_or_default(), arguments: words.collect() };
    Peer { name: name.to_owned(), how_to_get, device: true, probe, version: None, suits: |_| true, make: commands(make), apply: commands(apply) }
}

/// A template with the files in their places; one with `&&` or `>` is for the shell, which waits for what it starts and answers for its memory.
fn command(template: &str, files: &Files<'_>) -> Invocation {
    let pair = files.pair;
    // As far back in the old image as there is something.
    let window = pair.old_bytes.next_power_of_two().max(64 << 20).to_string();
    let format = data_format(pair).map_or(String::new(), |format| format!("--data-format {format}"));
    let base = pair.base.unwrap_or(0).to_string();
    let [old, new, patch, out] = [&*pair.old, &*pair.new, files.patch, files.out].map(text);
    let shell = template.contains(" && ");
    // The files' names are quoted for the shell, and stay one argument each otherwise.
    let quoted = |path: &str| if shell { format!("'{}'", path.replace('\'', "'\\''")) } else { path.replace(' ', "\u{0}") };
    let values = [("{window}", window), ("{format}", format), ("{isa}", pair.isa.clone()), ("{base}", base)];
    let paths = [("{old}", old), ("{new}", new), ("{patch}", patch), ("{out}", out)].map(|(mark, path)| (mark, quoted(&path)));
    let line = values.into_iter().chain(paths).fold(template.to_owned(), |line, (mark, value)| line.replace(mark, &value));
    if shell {
        return Invocation { program: "sh".into(), arguments: vec!["-c".into(), line] };
    }
    let mut words = line.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace('\u{0}', " "));
    Invocation { program: words.next().unwrap_or_default(), arguments: words.collect() }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
