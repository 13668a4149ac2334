//! Patches that were made before, found by everything that their bytes depend on.
//!
//! Nobody needs trust a store: an entry carries its key and a digest, what comes out of it is checked as a patch that was just made is, and an entry that
//! fails is made anew. Two writers of one entry write the same bytes, so it does not matter who is last.

use sha2::{Digest, Sha256};

use super::store::{self, Store};
use crate::hex;

/// A patch's place in the cache: SHA-256 over all that its bytes depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// The name of the entry. Folders of one level keep listings short.
    #[must_use]
    pub fn name(&self) -> String {
        let text = hex::encode(&self.0);
        format!("patches/{}/{text}", &text[..2])
    }
}

/// What a look into the cache came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The patch, as somebody wrote it under this key.
    Patch(Vec<u8>),
    /// Nothing.
    Nothing,
    /// Something that is no entry of this key: why not.
    Damaged(String),
}

/// The cache.
#[derive(Debug)]
pub struct Cache(Store);

impl Cache {
    /// A cache in this store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    /// Where it is.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0
    }

    /// Looks for the patch of `key`, which has no more than `limit` bytes.
    ///
    /// # Errors
    /// The store fails.
    pub fn get(&self, key: &Key, limit: u64) -> Result<Found, store::Error> {
        let limit = limit.saturating_add(OVERHEAD as u64);
        Ok(match self.0.get(&key.name(), limit) {
            Ok(None) => Found::Nothing,
            Ok(Some(bytes)) => match open(key, bytes) {
                Ok(patch) => Found::Patch(patch),
                Err(reason) => Found::Damaged(reason.to_owned()),
            },
            Err(error @ store::Error::TooLarge { .. }) => Found::Damaged(error.to_string()),
            Err(error) => return Err(error),
        })
    }

    /// Keeps a patch, in place of whatever is there.
    ///
    /// # Errors
    /// The store fails.
    pub fn put(&self, key: &Key, patch: &[u8]) -> Result<(), store::Error> {
        self.0.put(&key.name(), seal(key, patch))
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// The store fails.
    pub fn remove(&self, key: &Key) -> Result<(), store::Error> {
        self.0.remove(&key.name())
    }
}

/// An entry: magic, key, digest of key and patch, patch.
fn seal(key: &Key, patch: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OVERHEAD + patch.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&key.0);
    bytes.extend_from_slice(&digest(key, patch));
    bytes.extend_from_slice(patch);
    bytes
}

fn open(key: &Key, mut bytes: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let Some((head, patch)) = bytes.split_at_checked(OVERHEAD) else { return Err("it is cut short") };
    let (magic, rest) = head.split_at(MAGIC.len());
    let (found, checksum) = rest.split_at(key.0.len());
    if magic != MAGIC {
        return Err("it is no entry of the cache");
    }
    if found != key.0 {
        return Err("it is the entry of another patch");
    }
    if checksum != digest(key, patch) {
        return Err("its checksum does not hold");
    }
    bytes.drain(..OVERHEAD);
    Ok(bytes)
}

fn digest(key: &Key, patch: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(key.0).chain_update(patch).finalize().into()
}

const MAGIC: &[u8; 16] = b"sealift cache 1\n";
const OVERHEAD: usize = MAGIC.len() + 32 + 32;

#[cfg(test)]
mod tests {
    use super::{Cache, Found, Key, OVERHEAD};
    use crate::release::store::Store;

    const KEY: Key = Key([7; 32]);

    #[test]
    fn every_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Store::open(&folder.path().display().to_string()).unwrap());
        assert_eq!(cache.get(&KEY, 100).unwrap(), Found::Nothing);
        cache.put(&KEY, b"a patch").unwrap();
        assert_eq!(cache.get(&KEY, 100).unwrap(), Found::Patch(b"a patch".to_vec()));
        let whole = cache.store().get(&KEY.name(), 1000).unwrap().unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            cache.store().put(&KEY.name(), damaged).unwrap();
            assert!(matches!(cache.get(&KEY, 100).unwrap(), Found::Damaged(_)), "byte {at}");
            cache.store().put(&KEY.name(), whole[..at].to_vec()).unwrap();
            assert!(matches!(cache.get(&KEY, 100).unwrap(), Found::Damaged(_)), "{at} bytes");
        }
        // More than a patch of these images can have: it is not even read.
        cache.store().put(&KEY.name(), vec![0; OVERHEAD + 101]).unwrap();
        assert!(matches!(cache.get(&KEY, 100).unwrap(), Found::Damaged(reason) if reason.contains("at most")));
        // Another entry under this name.
        cache.put(&Key([8; 32]), b"a patch").unwrap();
        let other = cache.store().get(&Key([8; 32]).name(), 1000).unwrap().unwrap();
        cache.store().put(&KEY.name(), other).unwrap();
        assert_eq!(cache.get(&KEY, 100).unwrap(), Found::Damaged("it is the entry of another patch".into()));
    }
}
