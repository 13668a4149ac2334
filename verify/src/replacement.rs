//! Replacing the trust record, SPEC 7.

use sealift_formats::cose::digest_item;
use sealift_formats::trust::{EXTERNAL, Role, TrustFile, TrustRecord};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::policy::count;
use crate::signature::SignatureVerifier;
use sealift_formats::error::detail;

/// Checks that `file` may take the place of the record in force (**G10**), and returns its record.
///
/// The first record of a device comes in another way, at manufacture or on a smart card, and is not checked here.
///
/// # Errors
/// In this order: the number is not higher; the sequence floor is lower; a signature by a key of either record does not hold; too few OEM
/// keys of the record in force have signed; too few of the new one. As many must have as the strictest policy of that record asks for.
pub fn accept_replacement<'a, S: SignatureVerifier>(current: &TrustRecord<'_>, file: &TrustFile<'a>, signatures: S) -> Result<TrustRecord<'a>, Error> {
    let new = file.record;
    if new.number <= current.number {
        return Err(Error::TrustNumber { found: detail(new.number), current: detail(current.number) });
    }
    if new.sequence_floor < current.sequence_floor {
        return Err(Error::TrustFloor { found: detail(new.sequence_floor), current: detail(current.sequence_floor) });
    }
    let digest = digest_item(&Sha256::digest(file.record_bytes).into());
    let (mut by_current, mut by_new) = (0, 0);
    for block in file.blocks() {
        let block = block?;
        let signed = block.sig_structure(EXTERNAL, &digest)?;
        for (record, set) in [(current, &mut by_current), (&new, &mut by_new)] {
            let Some(key) = record.key(block.header.key_id) else { continue };
            if !signatures.verify(key.public, signed.as_bytes(), block.signature) {
                return Err(Error::TrustSignature);
            }
            if block.header.claims.is_none() {
                *set |= record.bit_of(key.id);
            }
        }
    }
    let (found, needed) = (count(current, by_current, Role::Oem), strictest(current));
    if found < needed {
        return Err(Error::TrustThresholdCurrent { found: detail(found), needed: detail(needed) });
    }
    let (found, needed) = (count(&new, by_new, Role::Oem), strictest(&new));
    if found < needed {
        return Err(Error::TrustThresholdNew { found: detail(found), needed: detail(needed) });
    }
    Ok(new)
}

fn strictest(record: &TrustRecord<'_>) -> u8 {
    // A record has at least one policy.
    record.policies().map(|policy| policy.oem_threshold()).max().unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
