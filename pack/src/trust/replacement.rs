//! Replacing a trust record in the field: signatures over the new one, and what a device says to it.

use sealift_formats::cose::{Header, MAX_BLOCKS, SigStructure, digest_item, write_block};
use sealift_formats::trust::{EXTERNAL, MAX_RECORD_BLOCKS, TrustFile, write_file};
use sealift_verify::Dalek;
use sealift_verify::replacement::accept_replacement;

use super::{Error, record};
use crate::exit::Rejection;
use crate::hex;
use crate::install::rejection;
use crate::package::image_id;
use crate::signer::Signer;

const _: () = assert!(MAX_RECORD_BLOCKS >= MAX_BLOCKS);

/// Adds a signature over the record in a trust file. Each OEM key, of the record in force and of the new one, signs once.
///
/// # Errors
/// The file is none, the key has signed it, it has as many signatures as it can have, or the key does not sign.
pub fn sign(file: &[u8], key: &dyn Signer) -> Result<Vec<u8>, Error> {
    let opened = TrustFile::parse(file).map_err(Error::Form)?;
    let id = key.public().id();
    let mut blocks = Vec::new();
    for block in opened.blocks() {
        let block = block.map_err(Error::Form)?;
        if block.header.key_id == id {
            return Err(Error::SignedAlready { key_id: hex::encode(&id) });
        }
        blocks.push(write_block(block.protected, block.signature));
    }
    let protected = Header { key_id: &id, claims: None }.write().map_err(Error::Write)?;
    let digest = digest_item(&image_id(opened.record_bytes).digest);
    let structure = SigStructure::new(&protected, EXTERNAL, &digest).map_err(Error::Write)?;
    let signature = key.sign(structure.as_bytes()).map_err(Error::Signer)?;
    blocks.push(write_block(&protected, &signature));
    let blocks: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
    write_file(opened.record_bytes, &blocks).map_err(Error::Write)
}

/// Whether a device with the record in `current` would put the one in `new` in its place: the numbers of both.
///
/// # Errors
/// [`Ok`] of a [`Rejection`] is the device's word; [`Err`] says that one of them is no trust record.
pub fn accept(current: &[u8], new: &[u8]) -> Result<Result<(u64, u64), Rejection>, Error> {
    let (current, new) = (record(current)?, TrustFile::parse(new).map_err(Error::Form)?);
    Ok(accept_replacement(&current, &new, Dalek).map(|accepted| (current.number, accepted.number)).map_err(|reason| rejection(&reason)))
}

#[cfg(test)]
mod tests {
    use super::{accept, sign};
    use crate::keys::PrivateKey;
    use crate::trust::{Error, NewKey, Trust};

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from_seed(&[seed; 32])
    }

    fn new_key(seed: u8) -> NewKey {
        NewKey { public: key(seed).public(), role: "oem".into(), owner: None, epoch_floor: None }
    }

    #[test]
    fn a_replacement_is_taken_under_the_keys_of_both() {
        let mut trust = Trust::new(new_key(1)).unwrap();
        let current = trust.to_bytes().unwrap();
        trust.add(new_key(2)).unwrap();
        trust.remove(&key(1).public().id()).unwrap();
        let unsigned = trust.to_bytes().unwrap();
        assert_eq!(accept(&current, &unsigned).unwrap().unwrap_err().code, 220);
        let old_only = sign(&unsigned, &key(1)).unwrap();
        assert_eq!(accept(&current, &old_only).unwrap().unwrap_err().code, 221);
        let both = sign(&old_only, &key(2)).unwrap();
        assert_eq!(accept(&current, &both).unwrap(), Ok((1, 3)));
        assert_eq!(sign(&old_only, &key(2)).unwrap(), both, "the same bytes again");
        assert!(matches!(sign(&both, &key(2)), Err(Error::SignedAlready { .. })));
        // The old one once more, even with all its signatures.
        let replayed = sign(&current, &key(1)).unwrap();
        assert_eq!(accept(&both, &replayed).unwrap().unwrap_err().code, 340);
        assert!(accept(b"", &both).is_err() && accept(&current, b"").is_err());
    }
}
