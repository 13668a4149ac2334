//! Signatures and approvals over a package.

use sealift_formats::DecodeError;
use sealift_formats::approval::Claims;
use sealift_formats::cose::{Block, Header, MAX_BLOCKS, SigStructure, write_block};
use sealift_formats::envelope;
use uuid::Uuid;

use super::{Error, OpenedSet};
use crate::hex;
use crate::keys::PublicKey;
use crate::signer::Signer;

/// What an approval says beside the manifest that it is for.
#[derive(Clone, Debug)]
pub struct Approval<'a> {
    /// Who approves: 1 to 32 bytes.
    pub operator: &'a str,
    /// The one class of devices it is for; `None`: the manifest's.
    pub class: Option<Uuid>,
    /// First moment of its validity, in seconds since 1970.
    pub not_before: Option<u64>,
    /// First moment after its validity, in seconds since 1970.
    pub not_after: Option<u64>,
    /// Its epoch.
    pub epoch: Option<u64>,
}

impl<'a> Approval<'a> {
    fn claims(&self) -> Claims<'a> {
        Claims { issuer: self.operator, audience: self.class.map(Uuid::into_bytes), not_before: self.not_before, not_after: self.not_after, epoch: self.epoch }
    }
}

/// The bytes that a key elsewhere is to sign, and the header that goes with the signature.
#[derive(Clone, Debug)]
pub struct ToBeSigned {
    /// The COSE Sig_structure: to be signed as it is.
    pub bytes: Vec<u8>,
    /// The content of the block's protected header.
    pub protected: Vec<u8>,
}

/// What a key that is not at hand signs as an OEM.
///
/// # Errors
/// `package` is none, or the key has signed it.
pub fn to_be_signed(package: &[u8], key: &PublicKey) -> Result<ToBeSigned, Error> {
    let opened = OpenedSet::parse(package)?;
    refuse_second(&opened, &key.id(), false)?;
    prepare(&opened, key, None)
}

/// Adds an OEM signature to a package. The same key and package give the same bytes.
///
/// # Errors
/// `package` is none, the key has signed it, it has eight blocks, or the key does not sign.
pub fn sign(package: &[u8], key: &dyn Signer) -> Result<Vec<u8>, Error> {
    let prepared = to_be_signed(package, &key.public())?;
    attach(package, &write_block(&prepared.protected, &key.sign(&prepared.bytes).map_err(Error::Signer)?))
}

/// Adds an OEM signature that was made elsewhere, over the bytes of [`to_be_signed`]: the 64 bytes of Ed25519.
///
/// # Errors
/// As [`sign`]; the signature does not hold.
pub fn add_signature(package: &[u8], key: &PublicKey, signature: &[u8]) -> Result<Vec<u8>, Error> {
    let prepared = to_be_signed(package, key)?;
    add_signature_with(package, key, &prepared.protected, signature)
}

/// Adds a signature that was made elsewhere over the bytes of [`to_be_approved`] or [`to_be_signed`]: the 64 bytes of Ed25519, and the
/// protected header that goes with them.
///
/// # Errors
/// As [`add_signature`]; the header is none of this key's.
pub fn add_signature_with(package: &[u8], key: &PublicKey, protected: &[u8], signature: &[u8]) -> Result<Vec<u8>, Error> {
    let opened = OpenedSet::parse(package)?;
    let header = Header::parse(protected).map_err(Error::Block)?;
    let false_signature = || Error::SignatureFalse { key_id: hex::encode(&key.id()) };
    if header.key_id != key.id() {
        return Err(false_signature());
    }
    let structure = SigStructure::new(protected, &[], opened.envelope.digest_bytes).map_err(Error::Block)?;
    let signature: &[u8; 64] = signature.try_into().map_err(|_| Error::SignatureLength(signature.len()))?;
    if !key.verify(structure.as_bytes(), signature) {
        return Err(false_signature());
    }
    attach(package, &write_block(protected, signature))
}

/// What a key that is not at hand signs as an approval.
///
/// # Errors
/// `package` is none, or a claim does not fit the format.
pub fn to_be_approved(package: &[u8], key: &PublicKey, approval: &Approval<'_>) -> Result<ToBeSigned, Error> {
    prepare(&OpenedSet::parse(package)?, key, Some(approval.claims()))
}

/// Makes an approval for a package: a block of its own, which [`attach`] adds.
///
/// # Errors
/// `package` is none, a claim does not fit the format, or the key does not sign.
pub fn approve(package: &[u8], key: &dyn Signer, approval: &Approval<'_>) -> Result<Vec<u8>, Error> {
    let prepared = to_be_approved(package, &key.public(), approval)?;
    Ok(write_block(&prepared.protected, &key.sign(&prepared.bytes).map_err(Error::Signer)?))
}

/// Adds a block to a package. Whether its signature holds is for the device to say, which knows whose key it is.
///
/// # Errors
/// `package` or `block` is none, its key has made a block of the same kind already, or there are eight blocks.
pub fn attach(package: &[u8], block: &[u8]) -> Result<Vec<u8>, Error> {
    let opened = OpenedSet::parse(package)?;
    let header = Block::parse(block).map_err(Error::Block)?.header;
    refuse_second(&opened, header.key_id, header.claims.is_some())?;
    if opened.envelope.block_count() == MAX_BLOCKS {
        return Err(Error::Full);
    }
    envelope::attach(package, block).map_err(Error::Package)
}

/// A key counts once, as an OEM's or as one that approves: a second block of the same kind by it adds nothing.
fn refuse_second(opened: &OpenedSet<'_>, key_id: &[u8], approval: bool) -> Result<(), Error> {
    for block in opened.envelope.blocks() {
        let header = block.map_err(Error::Package)?.header;
        if header.key_id == key_id && header.claims.is_some() == approval {
            return Err(Error::SignedAlready { key_id: hex::encode(key_id) });
        }
    }
    Ok(())
}

fn prepare(opened: &OpenedSet<'_>, key: &PublicKey, claims: Option<Claims<'_>>) -> Result<ToBeSigned, Error> {
    let header = Header { key_id: &key.id(), claims };
    let form = |error: DecodeError| Error::Claims(error);
    let protected = header.write().map_err(form)?;
    let structure = SigStructure::new(&protected, &[], opened.envelope.digest_bytes).map_err(form)?;
    Ok(ToBeSigned { bytes: structure.as_bytes().to_vec(), protected })
}
