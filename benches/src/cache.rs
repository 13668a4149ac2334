//! What was measured before, in `target/peers/measured`: one file a pair of images and tool.

use crate::pairs::Pair;
use crate::peer::{Files, Peer};
use crate::table::{Outcome, Row};
use anyhow::{Context, Result};
use sealift_testdata::digest::Digest;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The folder.
pub(crate) struct Cache {
    folder: PathBuf,
    fresh: bool,
}

/// A file of the cache.
#[derive(Serialize, Deserialize)]
struct Entry {
    pair: String,
    tool: String,
    outcome: Result<Outcome, String>,
}

impl Cache {
    /// Opens the cache; `fresh` overwrites what is in it.
    pub(crate) fn open(fresh: bool) -> Result<Self> {
        let folder = crate::install::target().join("peers/measured");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder, fresh })
    }

    /// The row that was measured before, or a new one. Failures are tried again.
    pub(crate) fn row(&self, pair: &Pair, peer: &Peer, measure: impl FnOnce() -> Result<Row>) -> Result<Row> {
        let path = self.folder.join(format!("{}.json", key(pair, peer)));
        let known = std::fs::read(&path).ok().filter(|_| !self.fresh).and_then(|bytes| serde_json::from_slice::<Entry>(&bytes).ok());
        if let Some(Entry { outcome: Ok(outcome), .. }) = known {
            let (name, tool) = (pair.name.clone(), peer.name.clone());
            return Ok(Row { pair: name, kind: pair.kind, tool, device: peer.device, new_bytes: pair.new_bytes, outcome: Ok(outcome) });
        }
        let row = measure()?;
        let entry = Entry { pair: row.pair.clone(), tool: row.tool.clone(), outcome: row.outcome.clone() };
        std::fs::write(&path, serde_json::to_vec_pretty(&entry)?).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(row)
    }
}

/// Images, tool, version and commands: whatever changes the figures but the machine.
fn key(pair: &Pair, peer: &Peer) -> String {
    let placeholders = Files { pair, patch: Path::new("PATCH"), out: Path::new("OUT") };
    let mut commands = format!("{:?} {:?}", (peer.make)(&placeholders), (peer.apply)(&placeholders));
    // The same images may lie elsewhere another time.
    for (path, word) in [(&pair.old, "OLD"), (&pair.new, "NEW"), (&crate::install::target(), "TARGET")] {
        commands = commands.replace(&*path.to_string_lossy(), word);
    }
    let text = format!("{}\n{}\n{}\n{commands}", pair.digests, peer.name, peer.version.as_deref().unwrap_or_default());
    Digest::of(text.as_bytes()).to_string()
}
