//! Patches that were made before, found by everything that their bytes depend on.
//!
//! Nobody needs trust a store: an entry carries its key, a digest, and a code that only those can make who share a [`Secret`]. Beside the patch it keeps what its maker
//! found out about it. An entry with one's own code was installed and looked through by this very program; of any other one only the patch is taken, and
//! checked as one that was just made is. An entry that fails is made anew. Two writers of one entry write the same bytes, or each their own code, so it does not matter
//! who is last.

mod secret;

use sha2::{Digest, Sha256};

pub use self::secret::{Error as SecretError, Secret};
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
    /// The patch as we wrote it, and the findings beside it.
    Own {
        /// The patch, which was installed before it was kept.
        patch: Vec<u8>,
        /// What was found out about it.
        findings: Vec<u8>,
    },
    /// The patch, as somebody wrote it under this key.
    Patch(Vec<u8>),
    /// Nothing.
    Nothing,
    /// Something that is no entry of this key: why not.
    Damaged(String),
}

/// The cache.
#[derive(Debug)]
pub struct Cache {
    store: Store,
    secret: Option<Secret>,
}

impl Cache {
    /// A cache in this store. Without a secret no entry is one's own.
    #[must_use]
    pub fn new(store: Store, secret: Option<Secret>) -> Self {
        Self { store, secret }
    }

    /// Where it is.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether entries can be one's own.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Looks for the patch of `key`, which has no more than `limit` bytes.
    ///
    /// # Errors
    /// The store fails.
    pub fn get(&self, key: &Key, limit: u64) -> Result<Found, store::Error> {
        let limit = limit.saturating_add(HEAD as u64 + MOST_FINDINGS as u64);
        Ok(match self.store.get(&key.name(), limit) {
            Ok(None) => Found::Nothing,
            Ok(Some(bytes)) => self.open(key, bytes).unwrap_or_else(|reason| Found::Damaged(reason.to_owned())),
            Err(error @ store::Error::TooLarge { .. }) => Found::Damaged(error.to_string()),
            Err(error) => return Err(error),
        })
    }

    /// Keeps a patch that was installed, and what was found out about it, in place of whatever is there.
    ///
    /// # Errors
    /// The store fails.
    pub fn put(&self, key: &Key, patch: &[u8], findings: &[u8]) -> Result<(), store::Error> {
        self.store.put(&key.name(), self.seal(key, patch, findings))
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// The store fails.
    pub fn remove(&self, key: &Key) -> Result<(), store::Error> {
        self.store.remove(&key.name())
    }
}

/// An entry: magic, key, digest, code (zeros: no secret), length of the findings (little-endian), findings, patch.
impl Cache {
    fn seal(&self, key: &Key, patch: &[u8], findings: &[u8]) -> Vec<u8> {
        // What does not fit is found out again.
        let findings = if findings.len() > MOST_FINDINGS { &[] } else { findings };
        let length = u32::try_from(findings.len()).unwrap_or(0).to_le_bytes();
        let digest = digest(key, length, findings, patch);
        let code = self.secret.as_ref().map_or([0; 32], |secret| secret.code(&digest));
        [MAGIC.as_slice(), &key.0, &digest, &code, &length, findings, patch].concat()
    }

    fn open(&self, key: &Key, mut bytes: Vec<u8>) -> Result<Found, &'static str> {
        const SHORT: &str = "it is cut short";
        let (magic, rest) = bytes.split_first_chunk::<16>().ok_or(SHORT)?;
        let (found, rest) = rest.split_first_chunk::<32>().ok_or(SHORT)?;
        let (checksum, rest) = rest.split_first_chunk::<32>().ok_or(SHORT)?;
        let (code, rest) = rest.split_first_chunk::<32>().ok_or(SHORT)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
        if magic != MAGIC {
            return Err("it is no entry of the cache");
        }
        if *found != key.0 {
            return Err("it is the entry of another patch");
        }
        let (findings, patch) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(SHORT)?;
        if *checksum != digest(key, *length, findings, patch) {
            return Err("its checksum does not hold");
        }
        let is_own = self.secret.as_ref().is_some_and(|secret| secret.holds(checksum, code));
        let findings = findings.to_vec();
        bytes.drain(..HEAD + findings.len());
        Ok(if is_own && !findings.is_empty() { Found::Own { patch: bytes, findings } } else { Found::Patch(bytes) })
    }
}

fn digest(key: &Key, length: [u8; 4], findings: &[u8], patch: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(key.0).chain_update(length).chain_update(findings).chain_update(patch).finalize().into()
}

const MAGIC: &[u8; 16] = b"sealift cache 2\n";
const HEAD: usize = MAGIC.len() + 32 + 32 + 32 + 4;
/// The most bytes of findings that are kept.
const MOST_FINDINGS: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::{Cache, Found, HEAD, Key, MOST_FINDINGS, Secret};
    use crate::release::store::Store;

    const KEY: Key = Key([7; 32]);

    fn cache(folder: &tempfile::TempDir, secret: Option<&Secret>) -> Cache {
        Cache::new(Store::open(&folder.path().display().to_string()).unwrap(), secret.cloned())
    }

    #[test]
    fn every_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Secret::of_bytes(b"a secret of the makers", "here").unwrap();
        let cache = cache(&folder, Some(&secret));
        assert_eq!(cache.get(&KEY, 100).unwrap(), Found::Nothing);
        cache.put(&KEY, b"a patch", b"{}").unwrap();
        assert_eq!(cache.get(&KEY, 100).unwrap(), Found::Own { patch: b"a patch".to_vec(), findings: b"{}".to_vec() });
        let whole = cache.store().get(&KEY.name(), 1000).unwrap().unwrap();
        // A changed code makes it a stranger's.
        let code = 16 + 32 + 32..16 + 32 + 32 + 32;
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            cache.store().put(&KEY.name(), damaged).unwrap();
            let found = cache.get(&KEY, 100).unwrap();
            if code.contains(&at) {
                assert_eq!(found, Found::Patch(b"a patch".to_vec()), "byte {at}");
            } else {
                assert!(matches!(found, Found::Damaged(_)), "byte {at}");
            }
            cache.store().put(&KEY.name(), whole[..at].to_vec()).unwrap();
            assert!(matches!(cache.get(&KEY, 100).unwrap(), Found::Damaged(_)), "{at} bytes");
        }
        // More than a patch of these images can have: it is not even read.
        cache.store().put(&KEY.name(), vec![0; HEAD + MOST_FINDINGS + 101]).unwrap();
        assert!(matches!(cache.get(&KEY, 100).unwrap(), Found::Damaged(reason) if reason.contains("at most")));
        // Another entry under this name.
        cache.put(&Key([8; 32]), b"a patch", b"{}").unwrap();
        let other = cache.store().get(&Key([8; 32]).name(), 1000).unwrap().unwrap();
        cache.store().put(&KEY.name(), other).unwrap();
        assert_eq!(cache.get(&KEY, 100).unwrap(), Found::Damaged("it is the entry of another patch".into()));
    }

    #[test]
    fn an_entry_is_ones_own_by_the_secret_alone() {
        let folder = tempfile::tempdir().unwrap();
        let secret = |text: &str| Secret::of_bytes(text.as_bytes(), "here").unwrap();
        let (ours, theirs) = (secret("a secret of the makers"), secret("a secret of strangers."));
        let patch = || Found::Patch(b"a patch".to_vec());
        cache(&folder, Some(&theirs)).put(&KEY, b"a patch", b"{}").unwrap();
        assert_eq!(cache(&folder, Some(&ours)).get(&KEY, 100).unwrap(), patch());
        assert_eq!(cache(&folder, None).get(&KEY, 100).unwrap(), patch());
        cache(&folder, None).put(&KEY, b"a patch", b"{}").unwrap();
        assert_eq!(cache(&folder, Some(&ours)).get(&KEY, 100).unwrap(), patch());
        // Findings that are too long are not kept, and without findings there is nothing to believe.
        let ours = cache(&folder, Some(&ours));
        ours.put(&KEY, b"a patch", &vec![b' '; MOST_FINDINGS + 1]).unwrap();
        assert_eq!(ours.get(&KEY, 100).unwrap(), patch());
    }
}
